"""Softmax that is read on, and products of two matrices of activations, against onnxruntime."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.onnx.network import import_options, lower_model
from bnnsim.spec.faults import SpecError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import Agreement, agreement

IMAGES = 60
TOKENS, FEATURES = 5, 6


def _holds(found: Agreement) -> bool:
    """Whether scores are right where no sign flips: one of 60 images at most has such a flip."""
    return found.same() >= 1 - 1 / IMAGES


def _tokens(b: Builder, tokens: int = TOKENS) -> str:
    """Bits ``[1, tokens, 8]`` of the pixels."""
    b.input_shape = (1, tokens, 8)
    return b.op("Sign", b.op("Sub", "x", b.constant(0.501)))


def _projected(b: Builder, x: str, features: int = FEATURES) -> str:
    y = b.op("MatMul", x, b.signs(8, features))
    return b.op("Sign", b.op("Add", y, b.constant(b.rng.normal(0.3, 1, features))))


def _turned(b: Builder, x: str) -> str:
    return b.op("Transpose", x, perm=[0, 2, 1])


def _head(b: Builder, x: str, features: int = FEATURES) -> str:
    y = b.op("MatMul", b.op("Sign", b.op("Sub", x, b.constant(0.013))), b.signs(features, 3))
    return b.op("ReduceMean", y, axes=[1], keepdims=0)


@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("count", [2, 7, 10, 11, 26])
def test_a_softmax_of_features_that_is_read_on(count: int, axis: int, tmp_path):
    b = Builder((1, 3, 4, 4), seed=count)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(4, 3, 3, 3), 3, pad=1), 4, 1))
    y = b.op("Mul", b.op("MatMul", b.op("Flatten", x), b.signs(64, count)), b.constant(0.21))
    shares = b.op("Softmax", y, axis=axis)
    signs = b.op("Sign", b.op("Sub", shares, b.constant(0.8 / count)))
    found = agreement(b, b.op("MatMul", signs, b.signs(count, 4)), tmp_path, images=IMAGES)
    assert found.ops.count("lookup") == 2
    assert _holds(found)


def test_the_mean_of_softmaxes_as_an_output(tmp_path):
    b = Builder((1, 3, 4, 4), seed=4)
    votes = []
    for _ in range(3):
        x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(4, 3, 3, 3), 3, pad=1), 4, 1))
        y = b.op("Mul", b.op("MatMul", b.op("Flatten", x), b.signs(64, 10)), b.constant(0.13))
        votes.append(b.op("Softmax", y, axis=1))
    found = agreement(b, b.op("Sum", *votes), tmp_path, images=IMAGES)
    assert found.same(1e-4) == 1


@pytest.mark.parametrize(("channels", "side"), [(2, 3), (4, 5), (6, 4), (7, 3), (11, 3), (26, 2)])
def test_a_softmax_of_every_pixel_of_a_map(channels: int, side: int, tmp_path):
    b = Builder((1, 3, side, side + 1), seed=channels)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(5, 3, 3, 3), 3, pad=1), 5, 1))
    y = b.op("Mul", b.conv(x, b.signs(channels, 5, 3, 3), 3, pad=1), b.constant(0.17))
    shares = b.op("Softmax", y, axis=1)
    signs = b.op("Sign", b.op("Sub", shares, b.constant(0.8 / channels)))
    z = b.conv(signs, b.signs(3, channels, 2, 2), 2)
    output = b.op("Flatten", b.op("GlobalAveragePool", z))
    found = agreement(b, output, tmp_path, images=IMAGES)
    assert found.ops.count("lookup") == 2
    assert _holds(found)


def test_a_softmax_of_pixels_weighs_maps(tmp_path):
    """As in attention on maps: each pixel's shares choose among maps."""
    b = Builder((1, 3, 4, 5), seed=12)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 1))
    scores = b.op("Mul", b.conv(x, b.signs(4, 6, 1, 1), 1), b.constant(0.31))
    values = b.conv(x, b.signs(4, 6, 3, 3), 3, pad=1)
    mixed = b.op("Mul", b.op("Softmax", scores, axis=1), values)
    output = b.op("Flatten", b.op("GlobalAveragePool", mixed))
    found = agreement(b, output, tmp_path, images=IMAGES)
    assert found.same(1e-4) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_softmax_of_all_pixels_weighs_them(channels: int, tmp_path):
    """Spatial attention: the shares of a map's pixels, each channel by itself, weigh what they show."""
    b = Builder((1, 3, 4, 5), seed=13)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 1))
    scores = b.op("Mul", b.conv(x, b.signs(channels, 6, 1, 1), 1), b.constant(0.31))
    flat = b.op("Reshape", scores, b.constant([1, channels, 20], np.int64))
    shares = b.op("Softmax", flat, axis=2)
    whole = b.op("Reshape", shares, b.constant([1, channels, 4, 5], np.int64))
    values = b.conv(x, b.signs(3, 6, 3, 3), 3, pad=1)
    output = b.op("Flatten", b.op("GlobalAveragePool", b.op("Mul", whole, values)))
    found = agreement(b, output, tmp_path, images=IMAGES)
    assert found.ops.count("lookup") == 2
    assert found.same(1e-4) == 1


@pytest.mark.parametrize(("axis", "opset"), [(2, 13), (1, 13), (-1, 11)])
def test_a_softmax_of_tokens_and_of_their_features(axis: int, opset: int, tmp_path):
    b = Builder((1, 1, 1), seed=axis + opset, opset=opset)
    y = b.op("MatMul", _projected(b, _tokens(b), 8), b.signs(8, FEATURES))
    shares = b.op("Softmax", b.op("Mul", y, b.constant(0.3)), axis=axis)
    found = agreement(b, _head(b, b.op("Sub", shares, b.constant(0.1))), tmp_path, images=IMAGES)
    assert _holds(found)


def test_pairs_of_tokens_above_a_threshold_weigh_values_exactly(tmp_path):
    """BiBERT's bool softmax: whole numbers all the way."""
    b = Builder((1, 1, 1), seed=5)
    s = _tokens(b)
    q, k, v = (_projected(b, s) for _ in range(3))
    chosen = b.op("Cast", b.op("Greater", b.op("MatMul", q, _turned(b, k)), b.constant(0.5)), to=1)
    found = agreement(b, _head(b, b.op("MatMul", chosen, v)), tmp_path, images=IMAGES)
    assert [op for op in found.ops if op not in ("conv", "threshold", "sum_pool")] == ["matmul", "matmul"]
    assert found.same(1e-6) == 1


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_attention_with_a_softmax_and_heads(heads: int, tmp_path):
    b = Builder((1, 1, 1), seed=heads)
    s = _tokens(b)

    def parted(x: str, order: list[int]) -> str:
        shape = b.constant([1, TOKENS, heads, FEATURES // heads], np.int64)
        return b.op("Transpose", b.op("Reshape", x, shape), perm=order)

    q, v = (parted(_projected(b, s), [0, 2, 1, 3]) for _ in range(2))
    k = parted(_projected(b, s), [0, 2, 3, 1])
    scores = b.op("Div", b.op("MatMul", q, k), b.constant(np.sqrt(FEATURES // heads)))
    mixed = b.op("MatMul", b.op("Softmax", scores, axis=-1), v)
    joined = b.op("Transpose", mixed, perm=[0, 2, 1, 3])
    flat = b.op("Reshape", joined, b.constant([1, TOKENS, FEATURES], np.int64))
    found = agreement(b, _head(b, flat), tmp_path, images=IMAGES)
    assert found.ops.count("lookup") == 2
    assert _holds(found)


def test_choices_that_lie_side_by_side_are_numbers_too(tmp_path):
    """0 and 1 of two layers, joined: no layer's thresholds make them."""
    b = Builder((1, 1, 1), seed=11)
    s = _tokens(b)
    sums = [b.op("MatMul", s, b.signs(8, count)) for count in (2, TOKENS - 2)]
    chosen = [b.op("Cast", b.op("Greater", one, b.constant(0.5)), to=1) for one in sums]
    mixed = b.op("MatMul", b.op("Concat", *chosen, axis=2), _projected(b, s))
    found = agreement(b, _head(b, mixed), tmp_path, images=IMAGES)
    assert "affine" not in found.ops
    assert found.same(1e-6) == 1


@pytest.mark.parametrize("side", ["queries", "keys", "values"])
def test_a_gain_for_each_feature(side: str, tmp_path):
    """A matrix's rows may have gains of their own; terms of one sum come in one word."""
    b = Builder((1, 1, 1), seed=12)
    s = _tokens(b)
    q, k, v = (_projected(b, s) for _ in range(3))
    gains = b.constant(np.linspace(0.3, 1.7, FEATURES))
    if side == "queries":
        q = b.op("Mul", q, gains)
    elif side == "keys":
        k = b.op("Mul", k, gains)
    else:
        v = b.op("Mul", v, gains)
    chosen = b.op("Cast", b.op("Greater", b.op("MatMul", q, _turned(b, k)), b.constant(0.4)), to=1)
    found = agreement(b, _head(b, b.op("MatMul", chosen, v)), tmp_path, images=IMAGES)
    assert ("affine" in found.ops) == (side != "values")
    assert found.ops.count("matmul") == 2
    assert _holds(found)


def test_weights_that_fall_with_what_they_choose(tmp_path):
    b = Builder((1, 1, 1), seed=13)
    s = _tokens(b)
    q, k, v = (_projected(b, s) for _ in range(3))
    chosen = b.op("Cast", b.op("Greater", b.op("MatMul", q, _turned(b, k)), b.constant(0.5)), to=1)
    others = b.op("Sub", b.constant(1.0), chosen)
    found = agreement(b, _head(b, b.op("MatMul", others, v)), tmp_path, images=IMAGES)
    assert _holds(found)


def test_weights_from_the_left_mix_tokens(tmp_path):
    b = Builder((1, 1, 1), seed=6)
    y = b.op("Sign", b.op("MatMul", b.signs(4, TOKENS), _projected(b, _tokens(b))))
    found = agreement(b, _head(b, y), tmp_path, images=IMAGES)
    assert found.same(1e-6) == 1


REFUSED = {
    "scores alone": (lambda b, q, k: b.op("MatMul", q, b.op("Sign", q)), "matrices that fit each other"),
    "keys turned twice": (
        lambda b, q, k: b.op("MatMul", _turned(b, b.op("MatMul", q, k)), q),
        "tokens are rows and features channels",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_lies_otherwise_is_refused_with_how_it_should_lie(kind: str):
    b = Builder((1, 1, 1), seed=7)
    s = _tokens(b)
    make, said = REFUSED[kind]
    output = make(b, _projected(b, s), _turned(b, _projected(b, s)))
    with pytest.raises(SpecError, match=rf"\(MatMul\): .*{re.escape(said)}"):
        lower_model(b.model(output), "net.onnx", "net", import_options(input_type="uint8"))


def test_a_softmax_of_several_axes_is_refused():
    b = Builder((1, 3, 4, 4), seed=8, opset=11)
    x = b.op("Softmax", b.conv("x", b.signs(4, 3, 3, 3), 3), axis=1)
    y = b.op("MatMul", b.op("Flatten", b.op("Sign", b.op("Sub", x, b.constant(0.1)))), b.signs(16, 3))
    with pytest.raises(SpecError, match="before opset 13 all axes behind it count"):
        lower_model(b.model(y), "net.onnx", "net", import_options(input_type="uint8"))
