"""QuantizeLinear and DequantizeLinear as quantising tools write them, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.onnx.network import import_onnx
from bnnsim.reference.onnx_model import read_onnx
from bnnsim.spec.faults import SpecError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement


def _activations(b: Builder, x: str, scale: float, zero: int, kind: type) -> str:
    pair = (b.constant(scale), b.constant(zero, kind))
    return b.op("DequantizeLinear", b.op("QuantizeLinear", x, *pair), *pair)


def _weights(b: Builder, shape: tuple[int, ...], axis: int, most: int = 127) -> str:
    integers = b.constant(b.rng.integers(-most, most + 1, shape), np.int8)
    scales = b.constant(b.rng.uniform(0.001, 0.01, shape[axis]))
    zeros = b.constant(np.zeros(shape[axis]), np.int8)
    return b.op("DequantizeLinear", integers, scales, zeros, axis=axis)


def _network(b: Builder, kind: type = np.uint8, zero: int = 0) -> str:
    """8-bit pixels and weights, few-bit activations, a binary layer between."""
    x = _activations(b, "x", 1 / 255, 0, np.uint8)
    x = b.batch_norm(b.conv(x, _weights(b, (6, 3, 3, 3), 0), 3, pad=1), 6, 1)
    x = b.conv(b.op("Sign", x), b.signs(6, 6, 3, 3), 3, pad=1)
    x = _activations(b, b.batch_norm(x, 6, 4), 0.11, zero, kind)
    x = b.batch_norm(b.conv(x, _weights(b, (6, 6, 1, 1), 0), 1), 6, 1)
    x = _activations(b, b.op("Relu", x), 0.07, zero, kind)
    return b.op("Gemm", b.op("Flatten", x), _weights(b, (5, 6 * 36), 0), transB=1)


@pytest.mark.parametrize(("kind", "zero"), [(np.uint8, 0), (np.int8, 0), (np.uint8, 128), (np.int8, -3)])
def test_scores_are_those_of_onnxruntime(kind, zero, tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    found = agreement(b, _network(b, kind, zero), tmp_path, images=300)
    assert np.median(found.off) <= 1e-4, "the word of the scores"
    assert found.same(1e-2) >= 0.99, "a level of 256 may flip where float32 rounds otherwise"
    kinds = [str(one.weight) for one in found.workload.layers if one.op in ("conv", "linear")]
    assert kinds.count("int8") == 3 and "bipolar" in kinds


def test_check_knows_them(tmp_path):
    b = Builder((1, 3, 6, 6), seed=4)
    path = b.save(_network(b), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8")
    report = check_model(path, found.workload_path, random_inputs=30)
    assert report.verdict in ("equal", "flips"), str(report)


def test_the_reference_is_onnxruntime(tmp_path):
    import onnxruntime

    b = Builder((1, 4, 5, 5), seed=5)
    scales, zeros = b.constant(b.rng.uniform(0.01, 0.1, 4)), b.constant([3, -7, 0, 100], np.int8)
    x = b.op("QuantizeLinear", "x", scales, zeros, axis=1)
    path = b.save(b.op("DequantizeLinear", x, scales, zeros, axis=1), tmp_path / "net.onnx")
    inputs = b.rng.normal(0, 5, (1, 4, 5, 5)).astype(np.float32)
    wanted = onnxruntime.InferenceSession(str(path)).run(None, {"x": inputs})[0]
    graph = read_onnx(path)
    assert np.allclose(graph.run(inputs.astype(np.float64))[graph.outputs[0]], wanted, atol=1e-5)


def test_scales_that_do_not_fit_their_axis_are_refused(tmp_path):
    b = Builder((1, 3, 6, 6), seed=6)
    scales, zeros = b.constant([0.1, 0.2]), b.constant([0, 0], np.uint8)
    x = b.op("QuantizeLinear", "x", scales, zeros, axis=1)
    path = b.save(b.conv(x, b.signs(4, 3, 3, 3), 3), tmp_path / "net.onnx")
    with pytest.raises(SpecError, match="one scale, or one for each of axis 1"):
        import_onnx(path, tmp_path, input_type="uint8")
