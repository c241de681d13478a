"""FINN's LabelSelect: a layer where integers hold the scores, left out where they do so only nearly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
from onnx import helper, numpy_helper  # noqa: E402

from bnnsim.design.build import build_streaming_design  # noqa: E402
from bnnsim.design.design import Design  # noqa: E402
from bnnsim.finn.writing import folding_of  # noqa: E402
from bnnsim.importers.check.check import check_model  # noqa: E402
from bnnsim.importers.finn.network import import_finn, read_finn  # noqa: E402
from bnnsim.spec.faults import SpecError  # noqa: E402
from bnnsim.spec.streaming.architecture import StreamingArchitecture  # noqa: E402
from bnnsim.spec.workload import Workload  # noqa: E402

BUILD = Path(__file__).resolve().parents[3] / "golden" / "imported" / "finn" / "labels"
UNFOLDED = BUILD / "intermediate_models" / "step_generate_estimate_reports.onnx"
DOMAIN = "finn.custom_op.fpgadataflow.hls"


def _classifier(path: Path, parameters: list[float] | None = None, count: int = 2) -> Path:
    """Eight bits, six scores, each times a number of its own if there are ``parameters``; the best."""
    random = np.random.default_rng(3)
    tensors = [numpy_helper.from_array(random.choice([-1.0, 1.0], (8, 6)).astype(np.float32), "w")]
    sizes = {"MW": 8, "MH": 6, "SIMD": 2, "PE": 3, "noActivation": 1, "backend": "fpgadataflow"}
    types = {"inputDataType": "BIPOLAR", "weightDataType": "BIPOLAR", "outputDataType": "INT5"}
    mvau = {**sizes, **types, "ActVal": 0, "binaryXnorMode": 0}
    nodes = [helper.make_node("MVAU_hls", ["x", "w"], ["s"], name="MVAU_hls_0", domain=DOMAIN, **mvau)]
    if parameters is not None:
        tensors.append(numpy_helper.from_array(np.array(parameters, np.float32), "p"))
        gains = {"Func": "mul", "NumChannels": 6, "PE": 3, "numInputVectors": [1]}
        gains |= {"inputDataType": "INT5", "paramDataType": "FLOAT32", "outputDataType": "FLOAT32"}
        name = {"name": "ChannelwiseOp_hls_0", "domain": DOMAIN, "backend": "fpgadataflow"}
        nodes.append(helper.make_node("ChannelwiseOp_hls", ["s", "p"], ["m"], **name, **gains))
    select = {"Labels": 6, "PE": 2, "K": count, "backend": "fpgadataflow", "inputDataType": "INT5"}
    last = nodes[-1].output[0]
    made = {"name": "LabelSelect_hls_0", "domain": DOMAIN, **select}
    nodes.append(helper.make_node("LabelSelect_hls", [last], ["y"], **made))
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size])
        for name, size in (("x", 8), ("y", count))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets), path)
    return path


def _folded(workload: Workload, arch: StreamingArchitecture, layer: str, pe: int) -> Design:
    layers = {**arch.layers, layer: arch.layers[layer].model_copy(update={"pe": pe})}
    return build_streaming_design(arch.model_copy(update={"layers": layers}), workload)


@pytest.mark.parametrize("parameters", [None, [0.5] * 6, [-0.25] * 6], ids=["bare", "rising", "falling"])
def test_the_labels_of_integer_scores_are_a_layer_with_finn_s_lanes(parameters, tmp_path):
    path = _classifier(tmp_path / "net.onnx", parameters)
    found = import_finn(path, tmp_path / "out")
    last = found.network.workload.layers[-1]
    assert (last.op, last.k) == ("top_k", 2)
    assert found.architecture.layers[last.name].pe == 2
    assert not any("LabelSelect" in loss for loss in found.losses)
    report = check_model(path, found.network.workload_path, random_inputs=200)
    assert report.verdict == "equal", str(report)
    assert report.outputs[0].equal_predictions == 200


def test_where_each_score_has_a_gain_of_its_own_the_scores_are_kept(tmp_path):
    path = _classifier(tmp_path / "net.onnx", [0.3, 0.7, 0.11, 0.9, 1.3, 0.6])
    found = import_finn(path, tmp_path / "out")
    assert all(layer.op != "top_k" for layer in found.network.workload.layers)
    assert any("LabelSelect left out" in note for note in found.network.notes)
    assert found.architecture.layers["scale0"].pe == 3  # its node's
    assert check_model(path, found.network.workload_path, random_inputs=200).verdict == "equal"
    written = folding_of(_folded(found.network.workload, found.architecture, "scale0", 6), path)
    assert written.entries["ChannelwiseOp_hls_0"]["PE"] == 6


@pytest.mark.parametrize("count", [0, 7])
def test_more_labels_than_there_are_is_one_line(count, tmp_path):
    path = _classifier(tmp_path / "net.onnx", count=count)
    with pytest.raises(SpecError, match=rf"LabelSelect.*K of 1 to 6, its Labels, got {count}"):
        read_finn(path, "x")


def test_another_fold_of_the_labels_is_written_and_read_back(tmp_path):
    design = read_finn(UNFOLDED, "x").design
    changed = _folded(design.network.workload, design.architecture, "top_k0", 5)
    written = folding_of(changed, UNFOLDED)
    assert written.entries["LabelSelect_hls_0"]["PE"] == 5
    assert not any("top_k0" in loss for loss in written.losses)
    (tmp_path / "f.json").write_text(written.text())
    assert read_finn(UNFOLDED, "x", tmp_path / "f.json").design.architecture.layers["top_k0"].pe == 5


def test_a_qonnx_model_has_the_labels_that_finn_adds_to_it(tmp_path):
    """FINN puts a TopK behind the scores while it builds, so the model it builds of has none."""
    written = folding_of(read_finn(BUILD, "x").design, BUILD / "model.onnx")
    assert json.loads(written.text())["LabelSelect_hls_0"]["PE"] == 1
