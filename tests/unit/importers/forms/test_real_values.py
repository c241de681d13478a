"""Weighted layers on real values, roundings and smooth functions, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement


def _sums(b: Builder, channels: int = 6) -> str:
    """Normalised sums of a binary convolution over the image, with gains of both signs."""
    return b.batch_norm(b.conv("x", b.signs(channels, 3, 3, 3), 3, pad=1), channels, 1)


def _scores(b: Builder, x: str, elements: int) -> str:
    return b.op("MatMul", b.op("Flatten", x), b.signs(elements, 5))


@pytest.mark.parametrize("kind", ["Relu", "LeakyRelu", "Clip", "HardSigmoid", "PRelu"])
def test_binary_layers_on_real_activations(kind, tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    more: dict[str, tuple[str, ...]] = {
        "Clip": (b.constant(-0.4), b.constant(0.9)),
        "PRelu": (b.constant(b.rng.uniform(0.05, 0.4, (6, 1, 1))),),
    }
    x = b.op(kind, _sums(b), *more.get(kind, ()))
    x = b.batch_norm(b.conv(x, b.signs(6, 6, 3, 3), 3, pad=1), 6, 2)
    found = agreement(b, _scores(b, b.op(kind, x, *more.get(kind, ())), 6 * 36), tmp_path)
    assert found.same(1e-4) == 1.0


def test_limits_in_a_word_of_few_bits_saturate_nothing_else(tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    x = b.op("Clip", _sums(b), b.constant(-1.0), b.constant(1.0))
    x = b.conv(x, b.signs(6, 6, 3, 3), 3)
    found = agreement(b, _scores(b, x, 6 * 16), tmp_path, fixed="fixed16.10")
    assert found.same(1e-3) == 1.0


def test_scores_are_as_fine_as_the_word_however_far_off_the_layers_in_front_may_be(tmp_path):
    """The bounds of four real layers add up to more than a step; what they are off is a part of it."""
    b = Builder((1, 3, 6, 6), seed=3)
    x = _sums(b)
    for _ in range(4):
        x = b.op("Add", x, b.batch_norm(b.conv(b.op("Sign", x), b.signs(6, 6, 3, 3), 3, pad=1), 6, 2))
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    scores = b.op("MatMul", x, b.constant(b.rng.normal(0, 1, (6, 5))))
    found = agreement(b, scores, tmp_path, fixed="fixed16.10", real_layers="int16")
    assert str(found.workload.layers[-1].type) == "fixed16.10"
    assert found.same(1e-3) >= 0.9


@pytest.mark.parametrize("kind", ["Round", "Floor", "Ceil"])
def test_levels_by_clip_multiply_and_round(kind, tmp_path):
    b = Builder((1, 3, 6, 6), seed=4)

    def levels(x: str) -> str:
        x = b.op("Clip", x, b.constant(0.0), b.constant(1.0))
        x = b.op(kind, b.op("Mul", x, b.constant(3.0)))
        return b.op("Div", x, b.constant(3.0))

    x = levels(_sums(b))
    x = levels(b.batch_norm(b.conv(x, b.signs(6, 6, 3, 3), 3, pad=1), 6, 2))
    found = agreement(b, _scores(b, x, 6 * 36), tmp_path)
    assert found.same() >= 0.999
    assert [str(one.activation.type) for one in found.workload.layers[:2]] == ["uint2"] * 2


@pytest.mark.parametrize("kind", ["Sigmoid", "Tanh"])
def test_levels_behind_a_smooth_function(kind, tmp_path):
    b = Builder((1, 3, 6, 6), seed=5)

    def levels(x: str) -> str:
        x = b.op("Mul", b.op(kind, x), b.constant(7.0))
        return b.op("Mul", b.op("Round", x), b.constant(1 / 7))

    x = levels(_sums(b))
    x = levels(b.batch_norm(b.conv(x, b.signs(6, 6, 3, 3), 3, pad=1), 6, 2))
    found = agreement(b, _scores(b, x, 6 * 36), tmp_path)
    assert found.same() >= 0.998


@pytest.mark.parametrize("kind", ["Sigmoid", "Tanh", "HardSigmoid"])
def test_sign_behind_a_smooth_function_and_an_offset(kind, tmp_path):
    b = Builder((1, 3, 6, 6), seed=6)
    offsets = b.constant(b.rng.uniform(-0.9, -0.1, (6, 1, 1)))
    x = b.op("Sign", b.op("Add", b.op(kind, _sums(b)), offsets))
    x = b.conv(x, b.signs(6, 6, 3, 3), 3)
    found = agreement(b, _scores(b, b.op("Sign", x), 6 * 16), tmp_path)
    assert found.same() >= 0.998


def test_absolute_values_and_limits_by_max_and_min(tmp_path):
    b = Builder((1, 3, 6, 6), seed=7)
    bounds = b.constant(b.rng.uniform(0.1, 0.5, (6, 1, 1)))
    x = b.op("Min", b.op("Max", b.op("Abs", _sums(b)), bounds), b.constant(1.5))
    x = b.op("Sign", b.op("Sub", x, b.constant(0.8)))
    found = agreement(b, _scores(b, x, 6 * 36), tmp_path)
    assert found.same() >= 0.999


@pytest.mark.parametrize("kind", ["Relu", "HardSigmoid"])
def test_scores_behind_a_limit(kind, tmp_path):
    b = Builder((1, 3, 6, 6), seed=8)
    x = b.op("Sign", _sums(b))
    x = b.op("Mul", _scores(b, x, 6 * 36), b.constant(b.rng.uniform(0.01, 0.1, 5)))
    found = agreement(b, b.op(kind, x), tmp_path)
    assert found.same(1e-5) == 1.0


def test_weights_of_near_magnitudes_and_of_a_grid(tmp_path):
    b = Builder((1, 3, 6, 6), seed=9)
    real = b.rng.normal(0, 0.3, (6, 6, 3, 3)).astype(np.float32)
    scaled = np.abs(real).mean(axis=(1, 2, 3), keepdims=True) * np.sign(real)
    soft = np.clip(real, -1, 1)
    hard = ((scaled - soft).astype(np.float32) + soft).astype(np.float32)
    assert np.ptp(np.abs(hard).reshape(6, -1), axis=1).max() > 0, "the form should leave several"
    grid = ((2 * b.rng.integers(0, 4, (6, 6, 3, 3)) - 3) / 3).astype(np.float32)
    centred = (b.rng.choice([-1, 1], (6, 6, 3, 3)) * 0.4 + 0.1).astype(np.float32)
    x = b.op("Sign", _sums(b))
    for weights in (hard, grid, centred):
        x = b.op("Sign", b.batch_norm(b.conv(x, b.constant(weights), 3, pad=1), 6, 3))
    found = agreement(b, _scores(b, x, 6 * 36), tmp_path)
    assert found.same() >= 0.999
    kinds = [str(layer.weight) for layer in found.workload.layers]
    assert kinds == ["bipolar", "bipolar", "int3", "int4", "bipolar"]


@pytest.mark.parametrize("last", ["Relu", "Clip"])
def test_joined_channels_may_have_kinks_of_their_own(last, tmp_path):
    """A dense network's joined map: some channels were limited before, some are limited twice."""
    b = Builder((1, 3, 6, 6), seed=7)
    x = _sums(b)
    limited = b.op("Clip", x, b.constant(-0.4), b.constant(0.9))
    bent = b.batch_norm(b.op("Relu", _sums(b)), 6, 1)
    joined = b.op("Concat", _sums(b), limited, b.op("Relu", bent), axis=1)
    more = (b.constant(-0.2), b.constant(0.7)) if last == "Clip" else ()
    x = b.op(last, b.batch_norm(joined, 18, 1), *more)
    x = b.conv(x, b.signs(6, 18, 3, 3), 3, pad=1)
    assert agreement(b, _scores(b, x, 6 * 36), tmp_path).same(1e-4) == 1.0
