"""What stands around FINN's hardware: inputs whose type the user says, quantisers beside the fabric, old
versions of ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
from onnx import helper, numpy_helper  # noqa: E402

from bnnsim.finn.writing import folding_of  # noqa: E402
from bnnsim.importers.check.check import check_model  # noqa: E402
from bnnsim.importers.finn.network import import_finn, read_finn  # noqa: E402
from bnnsim.importers.onnx.network import import_options  # noqa: E402
from bnnsim.spec.faults import SpecError  # noqa: E402

DOMAIN = "finn.custom_op.fpgadataflow"


def _unit(kind: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
    said = {"name": f"{kind}_0", "domain": DOMAIN, "backend": "fpgadataflow", **attributes}
    return helper.make_node(kind, inputs, [output], **said)


def _scores(given: str, features: int, kind: str, random: np.random.Generator) -> list[object]:
    """Six scores of ``features`` integers, by an MVAU of 2021."""
    sizes = {"MW": features, "MH": 6, "SIMD": 2, "PE": 3, "noActivation": 1, "ActVal": 0}
    types = {"inputDataType": kind, "weightDataType": "BIPOLAR", "outputDataType": "INT16"}
    weights = random.choice([-1.0, 1.0], (features, 6)).astype(np.float32)
    unit = _unit("StreamingFCLayer_Batch", [given, "w"], "y", binaryXnorMode=0, **sizes, **types)
    return [unit, numpy_helper.from_array(weights, "w")]


def _saved(path: Path, nodes: list, tensors: list, shape: list[int], opset: int) -> Path:
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sizes)
        for name, sizes in (("x", [1, *shape]), ("y", [1, 6]))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_an_input_that_the_graph_leaves_real_has_the_type_that_the_user_says(tmp_path):
    unit, weights = _scores("s", 8, "UINT8", np.random.default_rng(5))
    half = numpy_helper.from_array(np.float32(0.5), "half")
    nodes = [helper.make_node("Mul", ["x", "half"], ["s"]), unit]
    path = _saved(tmp_path / "net.onnx", nodes, [half, weights], [8], 13)
    with pytest.raises(SpecError, match="or an input type that you choose"):
        read_finn(path, "x")
    found = import_finn(path, tmp_path / "out", input_type="uint8", image_range=(0, 255))
    assert str(found.network.workload.input.type) == "uint8"
    report = check_model(path, found.network.workload_path, random_inputs=100)
    assert report.verdict == "equal", str(report)
    told = import_options(input_type="uint8", image_range=(0, 255))
    written = folding_of(read_finn(path, "net", told=told).design, path)
    assert written.entries["StreamingFCLayer_Batch_0"]["PE"] == 3


def test_a_pool_of_a_graph_that_is_older_than_ceil_mode_is_read(tmp_path):
    unit, weights = _scores("f", 8, "UINT2", np.random.default_rng(6))
    pool = _unit(
        "StreamingMaxPool_Batch", ["x"], "p", ImgDim=4, PoolDim=2, NumChannels=2, dataType="UINT2"
    )
    nodes = [pool, helper.make_node("Flatten", ["p"], ["f"], axis=1), unit]
    path = _saved(tmp_path / "net.onnx", nodes, [weights], [4, 4, 2], 9)
    found = import_finn(path, tmp_path / "out")
    assert [layer.op for layer in found.network.workload.layers] == ["max_pool", "linear"]
    assert check_model(path, found.network.workload_path, random_inputs=100).verdict == "equal"


def _levels(path: Path, thresholds: np.ndarray) -> Path:
    """Pixels of 0 to 1 in 256 levels around 0, by thresholds beside the fabric, and six scores."""
    count = {"out_bias": -128.0, "out_scale": 1.0, "out_dtype": "INT8", "data_layout": "NC"}
    domain = "finn.custom_op.general"
    first = helper.make_node("MultiThreshold", ["x", "t"], ["s"], domain=domain, **count)
    unit, weights = _scores("s", 8, "INT8", np.random.default_rng(7))
    tensors = [numpy_helper.from_array(thresholds.astype(np.float32)[np.newaxis], "t"), weights]
    return _saved(path, [first, unit], tensors, [8], 11)


def test_levels_of_the_input_are_one_step_apart_but_for_the_rounding_of_float32(tmp_path):
    even = (np.arange(255) + 0.5) / 255.0
    thresholds = even.astype(np.float32)
    assert len(np.unique(np.diff(thresholds.astype(np.float64)))) > 1
    path = _levels(tmp_path / "net.onnx", thresholds)
    found = import_finn(path, tmp_path / "out")
    assert str(found.network.workload.input.type) == "uint8"
    assert check_model(path, found.network.workload_path, random_inputs=100).verdict == "equal"


def test_levels_of_the_input_that_are_further_apart_are_no_steps(tmp_path):
    thresholds = (np.arange(255) + 0.5) / 255.0
    thresholds[100] += 0.001
    with pytest.raises(SpecError, match="one whose levels no input type holds"):
        read_finn(_levels(tmp_path / "net.onnx", thresholds), "x")
