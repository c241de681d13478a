"""Each way to write a quantiser, in a small network, against onnxruntime and qonnx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("qonnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.onnx.network import import_onnx
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.onnx_layers import QONNX, imported, ops, quant, scores_of, sums_of_image

_OLD, _BREVITAS = "finn.custom_op.general", "onnx.brevitas"


def _plus_minus(b: Builder, x: str) -> str:
    return b.op("Where", b.op("GreaterOrEqual", x, b.constant(0.5)), b.constant(1.0), b.constant(-1.0))


def _larq_sign(b: Builder, x: str) -> str:
    return b.op("Sign", b.op("Add", b.op("Sign", x), b.constant(0.1)))


def _from_comparison(b: Builder, x: str) -> str:
    bits = b.op("Cast", b.op("Less", x, b.constant(1.5)), to=1)
    return b.op("Sub", b.op("Mul", bits, b.constant(2.0)), b.constant(1.0))


_QUANTISERS: dict[str, Callable[[Builder, str], str]] = {
    "sign": lambda b, x: b.op("Sign", x),
    "sign of larq": _larq_sign,
    "where": _plus_minus,
    "less": _from_comparison,
    "bipolar quant": lambda b, x: b.bipolar(x, 0.25),
    "bipolar quant, old domain": lambda b, x: b.op("BipolarQuant", x, b.constant(1.0), domain=_OLD),
    "bipolar quant, brevitas": lambda b, x: b.op("BipolarQuant", x, b.constant(1.0), domain=_BREVITAS),
    "unsigned 2-bit quant": lambda b, x: quant(b, x, 2, 0),
    "signed 3-bit quant, floor": lambda b, x: quant(b, x, 3, 1, rounding_mode="FLOOR"),
    "signed 1-bit quant": lambda b, x: quant(b, x, 1, 1),
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
        domain=QONNX,
        out_dtype="UINT2",
    ),
    "multi-threshold, offset": lambda b, x: b.op(
        "MultiThreshold",
        x,
        b.constant(np.sort(b.rng.normal(0, 4, (1, 6)))),
        domain=QONNX,
        out_dtype="INT3",
        out_scale=0.5,
        out_bias=-1.5,
    ),
    "hard tanh, then sign": lambda b, x: b.op("Sign", b.op("Clip", x, b.constant(-1.0), b.constant(1.0))),
    "relu, then quant": lambda b, x: quant(b, b.op("Relu", x), 2, 0),
    "prelu, then bipolar": lambda b, x: b.bipolar(
        b.op("Add", b.op("PRelu", x, b.constant(0.1)), b.constant(0.35))
    ),
    "leaky relu, then bipolar": lambda b, x: b.bipolar(b.op("LeakyRelu", x, alpha=0.2)),
}


@pytest.mark.parametrize("name", _QUANTISERS)
def test_quantiser_behind_a_batch_norm_with_gains_of_both_signs(name, tmp_path):
    b = Builder((1, 3, 8, 8), seed=4)
    x = b.batch_norm(sums_of_image(b), 8, 5)
    workload = imported(b, scores_of(b, _QUANTISERS[name](b, x), 8 * 36), tmp_path)
    assert ops(workload) == ["conv", "linear"]


@pytest.mark.parametrize("name", _QUANTISERS)
def test_quantiser_directly_behind_the_sums(name, tmp_path):
    b = Builder((1, 3, 8, 8), seed=5)
    workload = imported(b, scores_of(b, _QUANTISERS[name](b, sums_of_image(b)), 8 * 36), tmp_path)
    assert ops(workload) == ["conv", "linear"]


def test_sign_of_a_sum_that_may_be_zero_keeps_three_values(tmp_path):
    b = Builder((1, 4, 6, 6), seed=2)  # 36 products: even sums
    workload = imported(b, scores_of(b, b.op("Sign", sums_of_image(b)), 8 * 16), tmp_path)
    assert str(workload.layers[0].activation.type) == "int2"


def test_sign_of_a_sum_that_is_never_zero_is_one_bit(tmp_path):
    b = Builder((1, 3, 6, 6), seed=2)  # 27 products: odd sums
    workload = imported(b, scores_of(b, b.op("Sign", sums_of_image(b)), 8 * 16), tmp_path)
    assert str(workload.layers[0].activation.type) == "bipolar"


def test_sign_of_zero_is_one_where_the_user_says_so(tmp_path):
    b = Builder((1, 4, 6, 6), seed=2)
    path = b.save(scores_of(b, b.op("Sign", sums_of_image(b)), 8 * 16), tmp_path / "net.onnx")
    workload = import_onnx(path, tmp_path, sign_of_zero="plus").workload
    assert str(workload.layers[0].activation.type) == "bipolar"


def _falling_prelu(b: Builder, x: str) -> str:
    """Batch norms around a PReLU whose slopes have both signs."""
    x = b.op("PRelu", b.batch_norm(x, 8, 5), b.constant(b.rng.normal(0, 0.5, (8, 1, 1))))
    return b.batch_norm(x, 8, 1)


_FALLING_CONSUMERS: dict[str, Callable[[Builder, str], str]] = {
    "sign": lambda b, x: b.op("Sign", x),
    "3-bit quant": lambda b, x: quant(b, x, 3, 1),
    "max pool": lambda b, x: b.bipolar(b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])),
    "second prelu": lambda b, x: b.bipolar(_falling_prelu(b, x)),
}


@pytest.mark.parametrize("name", _FALLING_CONSUMERS)
def test_prelu_with_falling_slopes_stays_in_fixed_point(name, tmp_path):
    b = Builder((1, 3, 8, 8), seed=29)
    x = _FALLING_CONSUMERS[name](b, _falling_prelu(b, sums_of_image(b)))
    workload = imported(b, scores_of(b, x, 8 * (9 if name == "max pool" else 36)), tmp_path)
    kinks = 2 if name == "second prelu" else 1
    assert [op for op in ops(workload) if op in ("affine", "prelu")] == ["affine", "prelu"] * kinks
    assert sum("off the model's real values" in line for line in _comments(tmp_path)) == kinks


def test_prelu_with_falling_slopes_is_made_once_for_two_readers(tmp_path):
    b = Builder((1, 3, 8, 8), seed=30)
    x = _falling_prelu(b, sums_of_image(b))
    signs = [b.bipolar(x), b.bipolar(b.op("Add", x, b.constant(0.25)))]
    x = b.op("Concat", *signs, axis=1)
    workload = imported(b, scores_of(b, x, 16 * 36), tmp_path)
    assert ops(workload).count("prelu") == 1


def _comments(folder: Path) -> list[str]:
    lines = (folder / "net.yaml").read_text().splitlines()
    return [line for line in lines if line.startswith("#")]


def test_batch_norm_between_two_signs_keeps_turns_or_holds_each_channels_sign(tmp_path):
    b = Builder((1, 3, 8, 8))
    x = b.batch_norm(sums_of_image(b), 8, 4.0)
    x = b.op("Sign", x)
    # kept, turned round, always +1, always -1, and four as the draw says
    gains = np.concatenate([[1.0, -1.0, 0.5, 0.5], b.rng.normal(0, 1, 4)])
    offsets = np.concatenate([[0.1, 0.1, 2.0, -2.0], b.rng.normal(0, 1, 4)])
    columns = (gains, offsets, np.zeros(8), np.ones(8))
    x = b.op("BatchNormalization", x, *(b.constant(column) for column in columns))
    workload = imported(b, scores_of(b, b.op("Sign", x), 8 * 36), tmp_path)
    assert str(workload.layers[-2].activation.type) == "bipolar"
