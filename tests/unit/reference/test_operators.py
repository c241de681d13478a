"""The reference's own functions against the tools that define them: onnxruntime and qonnx."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
ort = pytest.importorskip("onnxruntime", reason="a yardstick of the tests")
pytest.importorskip("qonnx", reason="a yardstick of the tests")

from qonnx.custom_op.general.intquant import int_quant  # noqa: E402
from qonnx.custom_op.general.multithreshold import multithreshold  # noqa: E402
from qonnx.custom_op.general.trunc import trunc_v1, trunc_v2  # noqa: E402

from bnnsim.reference import quantisers  # noqa: E402
from bnnsim.reference.onnx_operators import SPATIAL  # noqa: E402

MODES = ("ROUND", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN")
VALUES = np.concatenate([np.arange(-20, 21) / 4, np.random.default_rng(0).normal(0, 3, 200)])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("signed", "narrow"), [(1, 0), (1, 1), (0, 0), (0, 1)])
@pytest.mark.parametrize("bits", [1.0, 2.0, 3.0, 8.0])
def test_quant_is_qonnx_s(mode, signed, narrow, bits):
    if bits == 1 and signed and narrow:
        pytest.skip("no such numbers")
    for scale, zero in itertools.product((0.5, 1.0, 0.3), (0.0, 1.0)):
        given = VALUES, np.array(scale), np.array(zero), np.array(bits)
        expected = int_quant(*given, signed, narrow, mode)
        assert np.array_equal(quantisers.quant(*given, bool(signed), bool(narrow), mode), expected)


@pytest.mark.parametrize("mode", MODES)
def test_both_truncs_are_qonnx_s(mode):
    scale, zero = np.array(0.25), np.array(0.0)
    expected = trunc_v1(VALUES, scale, zero, np.array(8.0), np.array(5.0), mode)
    found = quantisers.truncated(VALUES, scale, zero, np.array(8.0), np.array(5.0), mode)
    assert np.array_equal(found, expected)
    bits, out = np.array(3.0), np.array(1.0)
    expected = trunc_v2(VALUES, scale, zero, np.array(8.0), 0, 1, out, bits, mode)
    assert np.array_equal(
        quantisers.truncated_to(VALUES, scale, zero, out, bits, True, False, mode), expected
    )


def test_multi_threshold_is_qonnx_s():
    rng = np.random.default_rng(1)
    x = rng.integers(-4, 5, (2, 3, 4, 4)).astype(np.float64)
    thresholds = np.sort(rng.integers(-3, 4, (3, 4)), axis=1).astype(np.float64)
    expected = multithreshold(x, thresholds, 0.5, -1.0)
    assert np.array_equal(quantisers.multi_threshold(x, thresholds, 1, 0.5, -1.0), expected)


def _in_onnxruntime(kind: str, arrays: list[np.ndarray], attributes: dict[str, Any]) -> np.ndarray:
    names = [f"i{i}" for i in range(len(arrays))]
    node = onnx.helper.make_node(kind, names, ["y"], **attributes)
    values = [
        onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, a.shape)
        for n, a in zip(names, arrays, strict=True)
    ]
    graph = onnx.helper.make_graph(
        [node], "g", values, [onnx.helper.make_empty_tensor_value_info("y")]
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 19)], ir_version=9
    )
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {n: a.astype(np.float32) for n, a in zip(names, arrays, strict=True)}
    return session.run(None, feeds)[0]


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 0, 1, 2], [2, 1, 0, 1]])
@pytest.mark.parametrize("strides", [[1, 1], [2, 1], [3, 2]])
@pytest.mark.parametrize("more", [{}, {"dilations": [2, 1]}, {"group": 2}])
def test_convolutions_are_onnxruntime_s(pads, strides, more):
    rng = np.random.default_rng(2)
    x = rng.integers(-3, 4, (2, 4, 7, 8)).astype(np.float64)
    weights = rng.integers(-2, 3, (6, 4 // more.get("group", 1), 3, 2)).astype(np.float64)
    attributes = {"kernel_shape": [3, 2], "pads": pads, "strides": strides, **more}
    expected = _in_onnxruntime("Conv", [x, weights, rng.integers(-3, 4, 6)], attributes)
    bias = np.random.default_rng(2)
    bias.integers(-3, 4, (2, 4, 7, 8)), bias.integers(-2, 3, weights.shape)
    found = SPATIAL["Conv"](attributes)([x, weights, bias.integers(-3, 4, 6)])[0]
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"pads": [1, 1, 1, 1]},
        {"pads": [1, 0, 0, 1], "strides": [2, 2]},
        {"strides": [2, 2], "ceil_mode": 1},
        {"pads": [1, 1, 1, 1], "strides": [2, 2], "ceil_mode": 1},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
    ],
)
def test_pools_are_onnxruntime_s(kind, more):
    x = np.random.default_rng(3).integers(-9, 10, (2, 3, 8, 9)).astype(np.float64)
    for extra in ({}, {"count_include_pad": 1}) if kind == "AveragePool" else ({},):
        attributes = {"kernel_shape": [3, 3], **more, **extra}
        expected = _in_onnxruntime(kind, [x], attributes)
        assert np.allclose(SPATIAL[kind](attributes)([x])[0], expected, rtol=1e-6, atol=1e-6)
