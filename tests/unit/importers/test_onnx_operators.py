"""Each operator that the importer reads, in a small network, against onnxruntime and qonnx."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("qonnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.build import build_design
from bnnsim.importers.onnx.network import import_onnx
from bnnsim.search.fold.fold import fold
from bnnsim.spec.load import load_architecture, load_workload
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.onnx_layers import QONNX, imported, ops, quant, scores_of, sums_of_image


@pytest.mark.parametrize("gain", ["positive", "both"])
def test_max_pool_between_sums_and_batch_norm(gain, tmp_path):
    b = Builder((1, 3, 10, 10), seed=6)
    x = b.op("MaxPool", sums_of_image(b), kernel_shape=[2, 2], strides=[2, 2])
    x = b.bipolar(b.batch_norm(x, 8, 5, gain=gain))
    workload = imported(b, scores_of(b, x, 8 * 16), tmp_path)
    if gain == "positive":
        assert ops(workload) == ["conv", "max_pool", "linear"]
        assert workload.layers[0].activation is not None, "the pool should work on bits"
    else:
        assert ops(workload) == ["conv", "max_pool", "conv", "linear"]


def test_max_pool_behind_a_batch_norm_with_gains_of_both_signs(tmp_path):
    b = Builder((1, 3, 10, 10), seed=7)
    x = b.op("MaxPool", b.batch_norm(sums_of_image(b), 8, 5), kernel_shape=[2, 2], strides=[2, 2])
    workload = imported(b, scores_of(b, b.bipolar(x), 8 * 16), tmp_path)
    assert ops(workload) == ["conv", "max_pool", "linear"]


@pytest.mark.parametrize("kind", ["GlobalAveragePool", "AveragePool", "ReduceMean"])
def test_average_of_bits_before_a_sign_is_a_majority(kind, tmp_path):
    b = Builder((1, 3, 6, 6), seed=8)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    more = {"GlobalAveragePool": {}, "AveragePool": {"kernel_shape": [4, 4]}}
    x = b.op(kind, x, **more.get(kind, {"axes": [2, 3]}))
    workload = imported(b, scores_of(b, b.bipolar(x), 8), tmp_path)
    assert ops(workload) == ["conv", "average_pool", "linear"]
    assert workload.layers[1].kernel == "global" and workload.layers[1].compare == ">="


def test_average_of_bits_against_another_threshold_is_a_sum(tmp_path):
    b = Builder((1, 3, 6, 6), seed=8)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.batch_norm(b.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]), 8, 0.5)
    workload = imported(b, scores_of(b, b.bipolar(x), 8 * 4), tmp_path)
    assert ops(workload) == ["conv", "conv", "linear"]
    assert workload.layers[1].groups == 8


def test_trunc_of_an_average(tmp_path):
    b = Builder((1, 3, 6, 6), seed=9)
    x = quant(b, b.batch_norm(sums_of_image(b), 8, 5), 2, 0)
    x = b.op("AveragePool", x, kernel_shape=[4, 4])
    x = b.op("Mul", x, b.constant(16.0))
    numbers = (b.constant(v) for v in (0.7, 0.0, 6.0, 2.0))
    x = b.op("Trunc", x, *numbers, domain=QONNX, rounding_mode="FLOOR")
    imported(b, scores_of(b, x, 8), tmp_path)


@pytest.mark.parametrize("value", [1.0, -1.0, 0.0])
def test_border_around_bits(value, tmp_path):
    b = Builder((1, 3, 8, 8), seed=10)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.op("Pad", x, b.constant([0, 0, 1, 2, 0, 0, 1, 2], np.int64), b.constant(value))
    x = b.bipolar(b.batch_norm(b.conv(x, b.signs(8, 8, 3, 3), 3), 8, 8))
    workload = imported(b, scores_of(b, x, 8 * 6 * 8), tmp_path)
    conv = workload.layers[1]
    assert conv.pad_tlbr == (1, 2, 1, 2)
    assert str(workload.layers[0].activation.type) == "bipolar"


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_auto_pad_with_stride(auto_pad, tmp_path):
    b = Builder((1, 3, 9, 9), seed=11)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.op("Conv", x, b.signs(8, 8, 3, 3), auto_pad=auto_pad, strides=[2, 2])
    side = 3 if auto_pad == "VALID" else 4
    imported(b, scores_of(b, b.bipolar(x), 8 * side * side), tmp_path)


def test_dilation_and_rectangular_kernel(tmp_path):
    b = Builder((1, 3, 9, 9), seed=11)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.op("Conv", x, b.signs(8, 8, 2, 3), dilations=[2, 1], strides=[1, 2])
    imported(b, scores_of(b, b.bipolar(x), 8 * 5 * 3), tmp_path)


def test_groups_with_scales_that_differ_between_them(tmp_path):
    b = Builder((1, 4, 8, 8), seed=12)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    scale = np.repeat(b.rng.uniform(0.1, 3, 4), 2).reshape(1, 8, 1, 1)
    x = b.op("Mul", x, b.constant(scale))
    x = b.op("Conv", x, b.signs(8, 2, 3, 3), b.constant(b.rng.normal(0, 5, 8)), group=4)
    imported(b, scores_of(b, b.bipolar(x), 8 * 16), tmp_path)


def test_flatten_of_several_channels_reorders_the_weights(tmp_path):
    b = Builder((1, 3, 6, 8), seed=13)
    x = b.bipolar(b.batch_norm(sums_of_image(b, 5), 5, 5))
    imported(b, scores_of(b, x, 5 * 4 * 6), tmp_path)


def test_image_that_is_only_flattened_becomes_a_flat_frame(tmp_path):
    b = Builder((1, 3, 4, 4), seed=14)
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    x = b.op("Reshape", b.bipolar(x), b.constant([1, -1], np.int64))
    workload = imported(b, b.op("MatMul", x, b.signs(48, 4)), tmp_path)
    assert workload.input.shape == [48]


def test_shape_that_is_computed_in_the_graph(tmp_path):
    b = Builder((1, 3, 6, 6), seed=15)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    batch = b.op("Gather", b.op("Shape", x), b.constant(0, np.int64), axis=0)
    batch = b.op("Unsqueeze", batch, b.constant([0], np.int64))
    target = b.op("Concat", batch, b.constant([-1], np.int64), axis=0)
    x = b.op("Reshape", x, target)
    imported(b, b.op("MatMul", x, b.signs(8 * 16, 4)), tmp_path)


def test_channels_last_image_with_transposes_around_each_convolution(tmp_path):
    b = Builder((1, 8, 6, 3), seed=16)
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    x = b.op("Transpose", b.bipolar(x), perm=[0, 3, 1, 2])
    x = b.op("Transpose", b.conv(x, b.signs(5, 3, 3, 3), 3), perm=[0, 2, 3, 1])
    numbers = [b.constant(b.rng.normal(0, 2, 5)) for _ in range(2)]
    x = b.bipolar(b.op("Add", b.op("Mul", x, numbers[0]), numbers[1]))
    x = b.op("Reshape", x, b.constant([1, -1], np.int64))
    workload = imported(b, b.op("MatMul", x, b.signs(6 * 4 * 5, 4)), tmp_path)
    assert workload.input.shape == [3, 8, 6]


def test_uint8_image_that_the_model_divides_itself(tmp_path):
    b = Builder((1, 3, 8, 8), seed=17)
    x = b.op("Sub", b.op("Div", "x", b.constant(255.0)), b.constant(0.5))
    operands = (b.constant(2**-7), b.constant(0.0), b.constant(8.0))
    x = b.op("Quant", x, *operands, domain=QONNX, signed=1, narrow=0)
    x = b.bipolar(b.batch_norm(b.conv(x, b.signs(8, 3, 3, 3), 3), 8, 2))
    workload = imported(b, scores_of(b, x, 8 * 36), tmp_path)
    assert str(workload.input.type) == "fixed8.7"
    assert workload.input.image_range == [-0.5, 0.5]


def test_raw_pixels_in_the_type_that_the_user_names(tmp_path):
    b = Builder((1, 3, 8, 8), seed=18)
    x = b.op("Sub", "x", b.constant(b.rng.uniform(0.3, 0.6, (1, 3, 1, 1))))
    x = b.op("Div", x, b.constant(0.25))
    x = b.bipolar(b.batch_norm(b.conv(b.bipolar(x), b.signs(8, 3, 3, 3), 3), 8, 5))
    workload = imported(b, scores_of(b, x, 8 * 36), tmp_path, input_type="uint8")
    assert str(workload.input.type) == "uint8"
    assert ops(workload) == ["threshold", "conv", "linear"]


def test_xnor_popcount_matmul(tmp_path):
    b = Builder((1, 24), seed=19)
    bits = b.op("MultiThreshold", "x", b.constant([[0.5]]), domain=QONNX, out_dtype="BINARY")
    weights = b.constant(b.rng.integers(0, 2, (24, 16)))
    x = b.op("XnorPopcountMatMul", bits, weights, domain=QONNX)
    x = b.op(
        "MultiThreshold", x, b.constant(b.rng.normal(12, 2, (16, 1))), domain=QONNX, out_dtype="BINARY"
    )
    weights = b.constant(b.rng.integers(0, 2, (16, 4)))
    imported(b, b.op("XnorPopcountMatMul", x, weights, domain=QONNX), tmp_path)


def test_weights_of_zero_one_and_minus_one(tmp_path):
    b = Builder((1, 3, 8, 8), seed=20)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.conv(x, b.constant(b.rng.choice([-0.5, 0.0, 0.5], (8, 8, 3, 3))), 3)
    workload = imported(b, scores_of(b, b.bipolar(b.batch_norm(x, 8, 5)), 8 * 16), tmp_path)
    assert str(workload.layers[1].weight) == "int2"


def test_weights_made_by_operators_are_folded(tmp_path):
    b = Builder((1, 3, 8, 8), seed=21)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    raw = b.constant(b.rng.normal(0, 1, (8, 8, 3, 3)))
    axes = [1, 2, 3]
    scale = b.op("ReduceMean", b.op("Abs", raw), axes=axes, keepdims=1)
    weights = b.op("Mul", b.op("Sign", raw), scale)
    x = b.bipolar(b.batch_norm(b.conv(x, weights, 3), 8, 5))
    workload = imported(b, scores_of(b, x, 8 * 16), tmp_path)
    assert str(workload.layers[1].weight) == "bipolar"


def test_scores_with_a_batch_norm_of_their_own_stay_in_fixed_point(tmp_path):
    b = Builder((1, 3, 8, 8), seed=22)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.batch_norm(scores_of(b, x, 8 * 36), 4, 10)
    workload = imported(b, b.op("Softmax", x), tmp_path, fixed="fixed24.14")
    assert ops(workload) == ["conv", "linear", "affine"]
    assert str(workload.layers[-1].type) == "fixed24.14"


def test_scores_that_one_negative_gain_reverses(tmp_path):
    b = Builder((1, 3, 8, 8), seed=23)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    x = b.op("Mul", scores_of(b, x, 8 * 36), b.constant(-0.3))
    workload = imported(b, b.op("Add", x, b.constant(0.5)), tmp_path)
    assert ops(workload) == ["conv", "linear"]


@pytest.mark.parametrize("signs", [(1, 1), (1, -1)])
def test_branches_with_one_gain_are_added_as_integers(signs, tmp_path):
    b = Builder((1, 3, 8, 8), seed=24)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    branches = [b.op("Mul", b.conv(x, b.signs(8, 8, 3, 3), 3), b.constant(0.25 * sign)) for sign in signs]
    x = b.bipolar(b.batch_norm(b.op("Add", *branches), 8, 3))
    workload = imported(b, scores_of(b, x, 8 * 16), tmp_path)
    assert "add" in ops(workload) and "affine" not in ops(workload)


def _three_values(b: Builder, x: str) -> str:
    """A sign of even sums, which keeps its zeros."""
    return b.op("Sign", b.conv(x, b.signs(8, 8, 3, 3), 3))


def _few_bits(b: Builder, x: str, bits: int, signed: int) -> str:
    operands = (b.constant(1.0), b.constant(0.0), b.constant(bits))
    return b.op("Quant", _sums(b, x), *operands, domain=QONNX, signed=signed, narrow=0)


def _three_bits(b: Builder, x: str) -> str:
    return _few_bits(b, x, 3, 1)


def _unsigned_two_bits(b: Builder, x: str) -> str:
    return _few_bits(b, x, 2, 0)


def _sums(b: Builder, x: str) -> str:
    return b.conv(x, b.signs(8, 8, 3, 3), 3)


def _bits(b: Builder, x: str) -> str:
    return b.bipolar(b.batch_norm(b.conv(x, b.signs(8, 8, 3, 3), 3), 8, 5))


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("other", [_three_values, _three_bits, _unsigned_two_bits, _sums])
def test_bits_beside_wider_integers_are_concatenated_and_can_be_folded(other, order, tmp_path):
    b = Builder((1, 3, 8, 8), seed=28)
    x = b.bipolar(b.batch_norm(sums_of_image(b), 8, 5))
    joined = b.op("Concat", *[other(b, x), _bits(b, x)][::order], axis=1)
    workload = imported(b, scores_of(b, joined, 16 * 16), tmp_path)
    assert "concat" in ops(workload)
    (tmp_path / "arch.yaml").write_text(fold(tmp_path / "net.yaml", "xc7z020", 1000).text())
    build_design(load_architecture(tmp_path / "arch.yaml"), load_workload(tmp_path / "net.yaml"))


def test_one_sign_that_two_convolutions_read_is_made_once(tmp_path):
    b = Builder((1, 3, 8, 8), seed=25)
    x = b.op("Sign", b.batch_norm(sums_of_image(b), 8, 5))
    x = b.op("Concat", *(b.conv(x, b.signs(8, 8, 3, 3), 3) for _ in range(2)), axis=1)
    x = b.bipolar(b.batch_norm(x, 16, 5, gain="positive"))
    workload = imported(b, scores_of(b, x, 16 * 16), tmp_path)
    assert ops(workload) == ["conv", "conv", "conv", "concat", "threshold", "linear"]


def test_clip_written_as_attributes_in_an_old_opset(tmp_path):
    b = Builder((1, 3, 8, 8), seed=26, opset=9)
    x = b.op("Clip", b.batch_norm(sums_of_image(b), 8, 5), min=-1.0, max=1.0)
    imported(b, scores_of(b, b.bipolar(x), 8 * 36), tmp_path)


def test_same_model_gives_the_same_bytes(tmp_path):
    b = Builder((1, 3, 8, 8), seed=27)
    path = b.save(
        scores_of(b, b.bipolar(b.batch_norm(sums_of_image(b), 8, 5)), 8 * 36), tmp_path / "net.onnx"
    )
    first, second = (import_onnx(path, tmp_path / folder) for folder in ("a", "b"))
    assert first.workload_path.read_bytes() == second.workload_path.read_bytes()
    assert first.weights_path.read_bytes() == second.weights_path.read_bytes()
