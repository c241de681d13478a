"""Whole networks in QONNX and ONNX: imported, then equal to their models in every layer and score.

``check`` runs the models; what it runs them by is held against qonnx and onnxruntime elsewhere.
"""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("qonnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network  # noqa: E402
from bnnsim.functional.executor import execute  # noqa: E402
from bnnsim.functional.input.frames import frames_from_images  # noqa: E402
from bnnsim.functional.parameters.parameters import load_parameters  # noqa: E402
from bnnsim.importers.check.check import check_model  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from tests.golden.imported import onnx_models  # noqa: E402
from tests.golden.imported.onnx_models import Builder, brevitas_model  # noqa: E402
from tests.golden.networks import trained  # noqa: E402


def test_finn_s_tfc_predicts_its_four_digits(tmp_path):
    imported = import_onnx(trained("qonnx") / "model.onnx", tmp_path)
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    digits = np.load(trained("qonnx") / "input.npy")
    frames = frames_from_images(network, digits.astype(np.uint8))
    predictions = execute(network, parameters, frames).predictions
    assert predictions.tolist() == [7, 2, 1, 0]
    assert predictions.tolist() == np.load(trained("qonnx") / "expected_output.npy").ravel().tolist()


def test_finn_s_tfc_equals_its_model_on_a_thousand_random_inputs(tmp_path):
    path = trained("qonnx") / "model.onnx"
    report = check_model(path, import_onnx(path, tmp_path).workload_path, random_inputs=1000)
    assert report.is_equal, str(report)
    assert [layer.layer for layer in report.layers] == ["fc0", "fc1", "fc2", "fc3"]
    assert report.layers[-1].elements == 10_000


@pytest.mark.parametrize(
    ("name", "layers", "inputs"),
    [("tfc_1w1a", 4, 1000), ("sfc_1w1a", 4, 1000), ("lfc_1w1a", 4, 500), ("cnv_1w1a", 11, 100)],
)
def test_brevitas_topology_with_random_weights_equals_its_model(name, layers, inputs, tmp_path):
    path = tmp_path / f"{name}.onnx"
    onnx.save(brevitas_model(name, seed=11), path)
    report = check_model(path, import_onnx(path, tmp_path).workload_path, random_inputs=inputs)
    assert report.is_equal, str(report)
    assert len(report.layers) == layers
    assert report.layers[-1].elements == 10 * inputs
    assert report.equal_predictions == inputs


def test_brevitas_cnv_with_two_bit_weights_and_activations_equals_its_model(tmp_path):
    path = tmp_path / "cnv_2w2a.onnx"
    onnx.save(brevitas_model("cnv_2w2a", seed=5), path)
    imported = import_onnx(path, tmp_path)
    assert {str(layer.weight) for layer in imported.workload.layers if layer.op == "conv"} == {"int2"}
    report = check_model(path, imported.workload_path, random_inputs=20)
    assert report.is_equal, str(report)


def test_brevitas_exports_what_the_committed_graphs_hold(tmp_path):
    pytest.importorskip("brevitas", reason="brevitas (torch) is not installed")
    from tools.models.export_brevitas import export

    path = export("tfc_1w1a", tmp_path / "tfc_1w1a.onnx", seed=3)
    exported = [node.op_type for node in onnx.load(path).graph.node]
    assert exported == [node.op_type for node in brevitas_model("tfc_1w1a", 0).graph.node]
    report = check_model(path, import_onnx(path, tmp_path).workload_path, random_inputs=1000)
    assert report.is_equal, str(report)


@pytest.mark.parametrize(
    ("build", "side", "options"),
    [
        (onnx_models.residual, 8, {"fixed": "fixed32.20"}),
        (onnx_models.depthwise_separable, 12, {}),
        (onnx_models.reactnet, 8, {"fixed": "fixed32.20"}),
        (onnx_models.dense, 8, {}),
    ],
)
def test_branched_network_equals_its_model_in_every_layer(build, side, options, tmp_path):
    builder = Builder((1, 3, side, side), seed=1)
    path = builder.save(build(builder), tmp_path / "net.onnx")
    imported = import_onnx(path, tmp_path, **options)
    report = check_model(path, imported.workload_path, random_inputs=200)
    assert report.is_equal, str(report)
    assert report.equal_predictions == 200


def test_check_names_the_first_layer_that_differs(tmp_path):
    path = tmp_path / "tfc.onnx"
    onnx.save(brevitas_model("tfc_1w1a", seed=2), path)
    imported = import_onnx(path, tmp_path)
    with np.load(imported.weights_path) as archive:
        arrays = dict(archive)
    arrays["fc1.weights"][5] ^= 1
    np.savez(imported.weights_path, **arrays)
    report = check_model(path, imported.workload_path, random_inputs=50)
    found = report.first_difference
    assert found is not None and found.layer == "fc1"
    assert found.first is not None and found.first[1] == 5
    assert "first difference in layer fc1" in str(report)
