"""Each operator that the importer reads, in a small network, against onnxruntime and qonnx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("qonnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.build import build_design
from bnnsim.importers.check.check import check_model
from bnnsim.importers.onnx.network import import_onnx
from bnnsim.search.first_design import fold_network
from bnnsim.spec.load import load_architecture, load_workload
from tests.golden.imported.onnx_models import Builder

_OLD, _NEW, _BREVITAS = "finn.custom_op.general", "qonnx.custom_op.general", "onnx.brevitas"


def _imported(b: Builder, output: str, folder: Path, **options: Any) -> Any:
    """Import, check on 60 random inputs that every layer is equal, and return the workload."""
    path = b.save(output, folder / "net.onnx")
    imported = import_onnx(path, folder, **options)
    report = check_model(path, imported.workload_path, random_inputs=60)
    assert report.is_equal, str(report)
    assert report.layers[-1].layer == imported.workload.layers[-1].name
    return imported.workload


def _ops(workload: Any) -> list[str]:
    return [layer.op for layer in workload.layers]


def _map(b: Builder, channels: int = 8) -> str:
    """Sums of a first convolution over a centred image."""
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    return b.conv(b.bipolar(x), b.signs(channels, b.input_shape[1], 3, 3), 3)


def _head(b: Builder, x: str, elements: int) -> str:
    return b.op("MatMul", b.op("Flatten", x), b.signs(elements, 4))


def _plus_minus(b: Builder, x: str) -> str:
    return b.op("Where", b.op("GreaterOrEqual", x, b.constant(0.5)), b.constant(1.0), b.constant(-1.0))


def _larq_sign(b: Builder, x: str) -> str:
    return b.op("Sign", b.op("Add", b.op("Sign", x), b.constant(0.1)))


def _from_comparison(b: Builder, x: str) -> str:
    bits = b.op("Cast", b.op("Less", x, b.constant(1.5)), to=1)
    return b.op("Sub", b.op("Mul", bits, b.constant(2.0)), b.constant(1.0))


def _quant(b: Builder, x: str, bits: float, signed: int, domain: str = _NEW, **more: Any) -> str:
    operands = (b.constant(0.7), b.constant(0.0), b.constant(bits))
    return b.op("Quant", x, *operands, domain=domain, signed=signed, narrow=0, **more)


_QUANTISERS: dict[str, Callable[[Builder, str], str]] = {
    "sign": lambda b, x: b.op("Sign", x),
    "sign of larq": _larq_sign,
    "where": _plus_minus,
    "less": _from_comparison,
    "bipolar quant": lambda b, x: b.bipolar(x, 0.25),
    "bipolar quant, old domain": lambda b, x: b.op("BipolarQuant", x, b.constant(1.0), domain=_OLD),
    "bipolar quant, brevitas": lambda b, x: b.op("BipolarQuant", x, b.constant(1.0), domain=_BREVITAS),
    "unsigned 2-bit quant": lambda b, x: _quant(b, x, 2, 0),
    "signed 3-bit quant, floor": lambda b, x: _quant(b, x, 3, 1, rounding_mode="FLOOR"),
    "signed 1-bit quant": lambda b, x: _quant(b, x, 1, 1),
    "multi-threshold, bipolar": lambda b, x: b.op(
        "MultiThreshold",
        x,
        b.constant(np.sort(b.rng.normal(0, 4, (8, 1)))),
        domain=_OLD,
        out_dtype="BIPOLAR",
        out_scale=2.0,
        out_bias=-1.0,
    ),
    "multi-threshold, 2 bits": lambda b, x: b.op(
        "MultiThreshold",
        x,
        b.constant(np.sort(b.rng.normal(0, 4, (8, 3)))),
        domain=_NEW,
        out_dtype="UINT2",
    ),
    "multi-threshold, offset": lambda b, x: b.op(
        "MultiThreshold",
        x,
        b.constant(np.sort(b.rng.normal(0, 4, (1, 6)))),
        domain=_NEW,
        out_dtype="INT3",
        out_scale=0.5,
        out_bias=-1.5,
    ),
    "hard tanh, then sign": lambda b, x: b.op("Sign", b.op("Clip", x, b.constant(-1.0), b.constant(1.0))),
    "relu, then quant": lambda b, x: _quant(b, b.op("Relu", x), 2, 0),
    "prelu, then bipolar": lambda b, x: b.bipolar(
        b.op("Add", b.op("PRelu", x, b.constant(0.1)), b.constant(0.35))
    ),
    "leaky relu, then bipolar": lambda b, x: b.bipolar(b.op("LeakyRelu", x, alpha=0.2)),
}


@pytest.mark.parametrize("name", _QUANTISERS)
def test_quantiser_behind_a_batch_norm_with_gains_of_both_signs(name, tmp_path):
    b = Builder((1, 3, 8, 8), seed=4)
    x = b.batch_norm(_map(b), 8, 5)
    workload = _imported(b, _head(b, _QUANTISERS[name](b, x), 8 * 36), tmp_path)
    assert _ops(workload) == ["conv", "linear"]


@pytest.mark.parametrize("name", _QUANTISERS)
def test_quantiser_directly_behind_the_sums(name, tmp_path):
    b = Builder((1, 3, 8, 8), seed=5)
    workload = _imported(b, _head(b, _QUANTISERS[name](b, _map(b)), 8 * 36), tmp_path)
    assert _ops(workload) == ["conv", "linear"]


def test_sign_of_a_sum_that_may_be_zero_keeps_three_values(tmp_path):
    b = Builder((1, 4, 6, 6), seed=2)  # 36 products: even sums
    workload = _imported(b, _head(b, b.op("Sign", _map(b)), 8 * 16), tmp_path)
    assert str(workload.layers[0].activation.type) == "int2"


def test_sign_of_a_sum_that_is_never_zero_is_one_bit(tmp_path):
    b = Builder((1, 3, 6, 6), seed=2)  # 27 products: odd sums
    workload = _imported(b, _head(b, b.op("Sign", _map(b)), 8 * 16), tmp_path)
    assert str(workload.layers[0].activation.type) == "bipolar"


def test_sign_of_zero_is_one_where_the_user_says_so(tmp_path):
    b = Builder((1, 4, 6, 6), seed=2)
    path = b.save(_head(b, b.op("Sign", _map(b)), 8 * 16), tmp_path / "net.onnx")
    workload = import_onnx(path, tmp_path, sign_of_zero="plus").workload
    assert str(workload.layers[0].activation.type) == "bipolar"


@pytest.mark.parametrize("gain", ["positive", "both"])
def test_max_pool_between_sums_and_batch_norm(gain, tmp_path):
    b = Builder((1, 3, 10, 10), seed=6)
    x = b.op("MaxPool", _map(b), kernel_shape=[2, 2], strides=[2, 2])
    x = b.bipolar(b.batch_norm(x, 8, 5, gain=gain))
    workload = _imported(b, _head(b, x, 8 * 16), tmp_path)
    if gain == "positive":
        assert _ops(workload) == ["conv", "max_pool", "linear"]
        assert workload.layers[0].activation is not None, "the pool should work on bits"
    else:
        assert _ops(workload) == ["conv", "max_pool", "conv", "linear"]


def test_max_pool_behind_a_batch_norm_with_gains_of_both_signs(tmp_path):
    b = Builder((1, 3, 10, 10), seed=7)
    x = b.op("MaxPool", b.batch_norm(_map(b), 8, 5), kernel_shape=[2, 2], strides=[2, 2])
    workload = _imported(b, _head(b, b.bipolar(x), 8 * 16), tmp_path)
    assert _ops(workload) == ["conv", "max_pool", "linear"]


@pytest.mark.parametrize("kind", ["GlobalAveragePool", "AveragePool", "ReduceMean"])
def test_average_of_bits_before_a_sign_is_a_majority(kind, tmp_path):
    b = Builder((1, 3, 6, 6), seed=8)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    more = {"GlobalAveragePool": {}, "AveragePool": {"kernel_shape": [4, 4]}}
    x = b.op(kind, x, **more.get(kind, {"axes": [2, 3]}))
    workload = _imported(b, _head(b, b.bipolar(x), 8), tmp_path)
    assert _ops(workload) == ["conv", "average_pool", "linear"]
    assert workload.layers[1].kernel == "global" and workload.layers[1].compare == ">="


def test_average_of_bits_against_another_threshold_is_a_sum(tmp_path):
    b = Builder((1, 3, 6, 6), seed=8)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    x = b.batch_norm(b.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]), 8, 0.5)
    workload = _imported(b, _head(b, b.bipolar(x), 8 * 4), tmp_path)
    assert _ops(workload) == ["conv", "conv", "linear"]
    assert workload.layers[1].groups == 8


def test_trunc_of_an_average(tmp_path):
    b = Builder((1, 3, 6, 6), seed=9)
    x = _quant(b, b.batch_norm(_map(b), 8, 5), 2, 0)
    x = b.op("AveragePool", x, kernel_shape=[4, 4])
    x = b.op("Mul", x, b.constant(16.0))
    numbers = (b.constant(v) for v in (0.7, 0.0, 6.0, 2.0))
    x = b.op("Trunc", x, *numbers, domain=_NEW, rounding_mode="FLOOR")
    _imported(b, _head(b, x, 8), tmp_path)


@pytest.mark.parametrize("value", [1.0, -1.0, 0.0])
def test_border_around_bits(value, tmp_path):
    b = Builder((1, 3, 8, 8), seed=10)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    x = b.op("Pad", x, b.constant([0, 0, 1, 2, 0, 0, 1, 2], np.int64), b.constant(value))
    x = b.bipolar(b.batch_norm(b.conv(x, b.signs(8, 8, 3, 3), 3), 8, 8))
    workload = _imported(b, _head(b, x, 8 * 6 * 8), tmp_path)
    conv = workload.layers[1]
    assert conv.pad_tlbr == (1, 2, 1, 2)
    assert str(workload.layers[0].activation.type) == "bipolar"


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_auto_pad_with_stride(auto_pad, tmp_path):
    b = Builder((1, 3, 9, 9), seed=11)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    x = b.op("Conv", x, b.signs(8, 8, 3, 3), auto_pad=auto_pad, strides=[2, 2])
    side = 3 if auto_pad == "VALID" else 4
    _imported(b, _head(b, b.bipolar(x), 8 * side * side), tmp_path)


def test_dilation_and_rectangular_kernel(tmp_path):
    b = Builder((1, 3, 9, 9), seed=11)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    x = b.op("Conv", x, b.signs(8, 8, 2, 3), dilations=[2, 1], strides=[1, 2])
    _imported(b, _head(b, b.bipolar(x), 8 * 5 * 3), tmp_path)


def test_groups_with_scales_that_differ_between_them(tmp_path):
    b = Builder((1, 4, 8, 8), seed=12)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    scale = np.repeat(b.rng.uniform(0.1, 3, 4), 2).reshape(1, 8, 1, 1)
    x = b.op("Mul", x, b.constant(scale))
    x = b.op("Conv", x, b.signs(8, 2, 3, 3), b.constant(b.rng.normal(0, 5, 8)), group=4)
    _imported(b, _head(b, b.bipolar(x), 8 * 16), tmp_path)


def test_flatten_of_several_channels_reorders_the_weights(tmp_path):
    b = Builder((1, 3, 6, 8), seed=13)
    x = b.bipolar(b.batch_norm(_map(b, 5), 5, 5))
    _imported(b, _head(b, x, 5 * 4 * 6), tmp_path)


def test_image_that_is_only_flattened_becomes_a_flat_frame(tmp_path):
    b = Builder((1, 3, 4, 4), seed=14)
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    x = b.op("Reshape", b.bipolar(x), b.constant([1, -1], np.int64))
    workload = _imported(b, b.op("MatMul", x, b.signs(48, 4)), tmp_path)
    assert workload.input.shape == [48]


def test_shape_that_is_computed_in_the_graph(tmp_path):
    b = Builder((1, 3, 6, 6), seed=15)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    batch = b.op("Gather", b.op("Shape", x), b.constant(0, np.int64), axis=0)
    batch = b.op("Unsqueeze", batch, b.constant([0], np.int64))
    target = b.op("Concat", batch, b.constant([-1], np.int64), axis=0)
    x = b.op("Reshape", x, target)
    _imported(b, b.op("MatMul", x, b.signs(8 * 16, 4)), tmp_path)


def test_channels_last_image_with_transposes_around_each_convolution(tmp_path):
    b = Builder((1, 8, 6, 3), seed=16)
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    x = b.op("Transpose", b.bipolar(x), perm=[0, 3, 1, 2])
    x = b.op("Transpose", b.conv(x, b.signs(5, 3, 3, 3), 3), perm=[0, 2, 3, 1])
    numbers = [b.constant(b.rng.normal(0, 2, 5)) for _ in range(2)]
    x = b.bipolar(b.op("Add", b.op("Mul", x, numbers[0]), numbers[1]))
    x = b.op("Reshape", x, b.constant([1, -1], np.int64))
    workload = _imported(b, b.op("MatMul", x, b.signs(6 * 4 * 5, 4)), tmp_path)
    assert workload.input.shape == [3, 8, 6]


def test_uint8_image_that_the_model_divides_itself(tmp_path):
    b = Builder((1, 3, 8, 8), seed=17)
    x = b.op("Sub", b.op("Div", "x", b.constant(255.0)), b.constant(0.5))
    operands = (b.constant(2**-7), b.constant(0.0), b.constant(8.0))
    x = b.op("Quant", x, *operands, domain=_NEW, signed=1, narrow=0)
    x = b.bipolar(b.batch_norm(b.conv(x, b.signs(8, 3, 3, 3), 3), 8, 2))
    workload = _imported(b, _head(b, x, 8 * 36), tmp_path)
    assert str(workload.input.type) == "fixed8.7"
    assert workload.input.image_range == [-0.5, 0.5]


def test_raw_pixels_in_the_type_that_the_user_names(tmp_path):
    b = Builder((1, 3, 8, 8), seed=18)
    x = b.op("Sub", "x", b.constant(b.rng.uniform(0.3, 0.6, (1, 3, 1, 1))))
    x = b.op("Div", x, b.constant(0.25))
    x = b.bipolar(b.batch_norm(b.conv(b.bipolar(x), b.signs(8, 3, 3, 3), 3), 8, 5))
    workload = _imported(b, _head(b, x, 8 * 36), tmp_path, input_type="uint8")
    assert str(workload.input.type) == "uint8"
    assert _ops(workload) == ["threshold", "conv", "linear"]


def test_xnor_popcount_matmul(tmp_path):
    b = Builder((1, 24), seed=19)
    bits = b.op("MultiThreshold", "x", b.constant([[0.5]]), domain=_NEW, out_dtype="BINARY")
    weights = b.constant(b.rng.integers(0, 2, (24, 16)))
    x = b.op("XnorPopcountMatMul", bits, weights, domain=_NEW)
    x = b.op(
        "MultiThreshold", x, b.constant(b.rng.normal(12, 2, (16, 1))), domain=_NEW, out_dtype="BINARY"
    )
    weights = b.constant(b.rng.integers(0, 2, (16, 4)))
    _imported(b, b.op("XnorPopcountMatMul", x, weights, domain=_NEW), tmp_path)


def test_weights_of_zero_one_and_minus_one(tmp_path):
    b = Builder((1, 3, 8, 8), seed=20)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    x = b.conv(x, b.constant(b.rng.choice([-0.5, 0.0, 0.5], (8, 8, 3, 3))), 3)
    workload = _imported(b, _head(b, b.bipolar(b.batch_norm(x, 8, 5)), 8 * 16), tmp_path)
    assert str(workload.layers[1].weight) == "int2"


def test_weights_made_by_operators_are_folded(tmp_path):
    b = Builder((1, 3, 8, 8), seed=21)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    raw = b.constant(b.rng.normal(0, 1, (8, 8, 3, 3)))
    axes = [1, 2, 3]
    scale = b.op("ReduceMean", b.op("Abs", raw), axes=axes, keepdims=1)
    weights = b.op("Mul", b.op("Sign", raw), scale)
    x = b.bipolar(b.batch_norm(b.conv(x, weights, 3), 8, 5))
    workload = _imported(b, _head(b, x, 8 * 16), tmp_path)
    assert str(workload.layers[1].weight) == "bipolar"


def test_scores_with_a_batch_norm_of_their_own_stay_in_fixed_point(tmp_path):
    b = Builder((1, 3, 8, 8), seed=22)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    x = b.batch_norm(_head(b, x, 8 * 36), 4, 10)
    workload = _imported(b, b.op("Softmax", x), tmp_path, fixed="fixed24.14")
    assert _ops(workload) == ["conv", "linear", "affine"]
    assert str(workload.layers[-1].type) == "fixed24.14"


def test_scores_that_one_negative_gain_reverses(tmp_path):
    b = Builder((1, 3, 8, 8), seed=23)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    x = b.op("Mul", _head(b, x, 8 * 36), b.constant(-0.3))
    workload = _imported(b, b.op("Add", x, b.constant(0.5)), tmp_path)
    assert _ops(workload) == ["conv", "linear"]


@pytest.mark.parametrize("signs", [(1, 1), (1, -1)])
def test_branches_with_one_gain_are_added_as_integers(signs, tmp_path):
    b = Builder((1, 3, 8, 8), seed=24)
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    branches = [b.op("Mul", b.conv(x, b.signs(8, 8, 3, 3), 3), b.constant(0.25 * sign)) for sign in signs]
    x = b.bipolar(b.batch_norm(b.op("Add", *branches), 8, 3))
    workload = _imported(b, _head(b, x, 8 * 16), tmp_path)
    assert "add" in _ops(workload) and "affine" not in _ops(workload)


def _three_values(b: Builder, x: str) -> str:
    """A sign of even sums, which keeps its zeros."""
    return b.op("Sign", b.conv(x, b.signs(8, 8, 3, 3), 3))


def _few_bits(b: Builder, x: str, bits: int, signed: int) -> str:
    operands = (b.constant(1.0), b.constant(0.0), b.constant(bits))
    return b.op("Quant", _sums(b, x), *operands, domain=_NEW, signed=signed, narrow=0)


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
    x = b.bipolar(b.batch_norm(_map(b), 8, 5))
    joined = b.op("Concat", *[other(b, x), _bits(b, x)][::order], axis=1)
    workload = _imported(b, _head(b, joined, 16 * 16), tmp_path)
    assert "concat" in _ops(workload)
    (tmp_path / "arch.yaml").write_text(fold_network(tmp_path / "net.yaml", "xc7z020", 1000))
    build_design(load_architecture(tmp_path / "arch.yaml"), load_workload(tmp_path / "net.yaml"))


def test_one_sign_that_two_convolutions_read_is_made_once(tmp_path):
    b = Builder((1, 3, 8, 8), seed=25)
    x = b.op("Sign", b.batch_norm(_map(b), 8, 5))
    x = b.op("Concat", *(b.conv(x, b.signs(8, 8, 3, 3), 3) for _ in range(2)), axis=1)
    x = b.bipolar(b.batch_norm(x, 16, 5, gain="positive"))
    workload = _imported(b, _head(b, x, 16 * 16), tmp_path)
    assert _ops(workload) == ["conv", "conv", "conv", "concat", "threshold", "linear"]


def _falling_prelu(b: Builder, x: str) -> str:
    """Batch norms around a PReLU whose slopes have both signs."""
    x = b.op("PRelu", b.batch_norm(x, 8, 5), b.constant(b.rng.normal(0, 0.5, (8, 1, 1))))
    return b.batch_norm(x, 8, 1)


_FALLING_CONSUMERS: dict[str, Callable[[Builder, str], str]] = {
    "sign": lambda b, x: b.op("Sign", x),
    "3-bit quant": lambda b, x: _quant(b, x, 3, 1),
    "max pool": lambda b, x: b.bipolar(b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])),
    "second prelu": lambda b, x: b.bipolar(_falling_prelu(b, x)),
}


@pytest.mark.parametrize("name", _FALLING_CONSUMERS)
def test_prelu_with_falling_slopes_stays_in_fixed_point(name, tmp_path):
    b = Builder((1, 3, 8, 8), seed=29)
    x = _FALLING_CONSUMERS[name](b, _falling_prelu(b, _map(b)))
    workload = _imported(b, _head(b, x, 8 * (9 if name == "max pool" else 36)), tmp_path)
    kinks = 2 if name == "second prelu" else 1
    assert [op for op in _ops(workload) if op in ("affine", "prelu")] == ["affine", "prelu"] * kinks
    assert sum("off the model's real values" in line for line in _comments(tmp_path)) == kinks


def test_prelu_with_falling_slopes_is_made_once_for_two_readers(tmp_path):
    b = Builder((1, 3, 8, 8), seed=30)
    x = _falling_prelu(b, _map(b))
    signs = [b.bipolar(x), b.bipolar(b.op("Add", x, b.constant(0.25)))]
    x = b.op("Concat", *signs, axis=1)
    workload = _imported(b, _head(b, x, 16 * 36), tmp_path)
    assert _ops(workload).count("prelu") == 1


def _comments(folder: Path) -> list[str]:
    lines = (folder / "net.yaml").read_text().splitlines()
    return [line for line in lines if line.startswith("#")]


def test_clip_written_as_attributes_in_an_old_opset(tmp_path):
    b = Builder((1, 3, 8, 8), seed=26, opset=9)
    x = b.op("Clip", b.batch_norm(_map(b), 8, 5), min=-1.0, max=1.0)
    _imported(b, _head(b, b.bipolar(x), 8 * 36), tmp_path)


def test_same_model_gives_the_same_bytes(tmp_path):
    b = Builder((1, 3, 8, 8), seed=27)
    path = b.save(_head(b, b.bipolar(b.batch_norm(_map(b), 8, 5)), 8 * 36), tmp_path / "net.onnx")
    first, second = (import_onnx(path, tmp_path / folder) for folder in ("a", "b"))
    assert first.workload_path.read_bytes() == second.workload_path.read_bytes()
    assert first.weights_path.read_bytes() == second.weights_path.read_bytes()
