"""Straight-through estimators and gates as training code exports them, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.onnx.network import import_options, lower_model
from bnnsim.spec.faults import SpecError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement


def _sums(b: Builder) -> str:
    return b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 1)


def _scores(b: Builder, x: str) -> str:
    x = b.batch_norm(b.conv(x, b.signs(6, 6, 3, 3), 3, pad=1), 6, 4)
    return b.op("MatMul", b.op("Flatten", b.op("Sign", x)), b.signs(6 * 36, 5))


def _soft(b: Builder, x: str) -> str:
    """Bi-Real's polynomial, which no workload could hold."""
    square = b.op("Mul", x, x)
    return b.op("Add", b.op("Mul", b.constant(2.0), x), b.op("Neg", square))


def _pieces(b: Builder, x: str) -> str:
    """Bi-Real's and ReActNet's approximation of the sign as their code has it: pieces by masks."""

    def mixed(below: str, above: str, limit: float) -> str:
        mask = b.op("Cast", b.op("Less", x, b.constant(limit)), to=1)
        other = b.op("Sub", b.constant(1.0), mask)
        return b.op("Add", b.op("Mul", below, mask), b.op("Mul", above, other))

    square, twice = b.op("Mul", x, x), b.op("Mul", x, b.constant(2.0))
    rises = mixed(b.constant(-1.0), b.op("Add", square, twice), -1.0)
    falls = b.op("Add", b.op("Mul", b.op("Neg", x), x), twice)
    mask = b.op("Cast", b.op("Less", x, b.constant(1.0)), to=1)
    kept = b.op("Mul", mixed(rises, falls, 0.0), mask)
    return b.op("Add", kept, b.op("Sub", b.constant(1.0), mask))


def _mild(b: Builder, x: str) -> str:
    """Another polynomial, within what a sigmoid of float32 holds apart from 0."""
    return b.op("Mul", b.op("Mul", x, x), b.constant(-0.1))


FORMS = {
    "sign minus soft plus soft": lambda b, x: b.op(
        "Add", b.op("Sub", b.op("Sign", x), (s := _soft(b, x))), s
    ),
    "pieces that end in a constant": lambda b, x: b.op(
        "Add", b.op("Sub", b.op("Sign", x), (s := _pieces(b, x))), s
    ),
    "soft written twice": lambda b, x: b.op(
        "Add", b.op("Sub", b.op("Sign", x), _soft(b, x)), _soft(b, x)
    ),
    "soft plus the difference": lambda b, x: b.op(
        "Add", _soft(b, x), b.op("Sub", b.op("Sign", x), _soft(b, x))
    ),
    "minus the difference": lambda b, x: b.op(
        "Sub", _soft(b, x), b.op("Sub", _soft(b, x), b.op("Sign", x))
    ),
    "negated and added": lambda b, x: b.op(
        "Add", b.op("Sum", b.op("Sign", x), b.op("Neg", _soft(b, x))), _soft(b, x)
    ),
    "x itself": lambda b, x: b.op("Add", x, b.op("Sub", b.op("Sign", x), x)),
    "a limit": lambda b, x: b.op(
        "Add",
        b.op("Sub", b.op("Sign", x), (c := b.op("Clip", x, b.constant(-1.0), b.constant(1.0)))),
        c,
    ),
    "a sigmoid as factor": lambda b, x: b.op("Sign", b.op("Mul", b.op("Sigmoid", _mild(b, x)), x)),
    "gates of a recurrent cell": lambda b, x: b.op(
        "Sign",
        b.op("Mul", b.op("Sigmoid", _mild(b, x)), b.op("Tanh", b.op("Mul", b.op("Sigmoid", x), x))),
    ),
    "over a softplus": lambda b, x: b.op("Sign", b.op("Div", x, b.op("Softplus", x))),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_training_code_are_the_sign_alone(form, tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    found = agreement(b, _scores(b, FORMS[form](b, _sums(b))), tmp_path, images=300)
    assert found.same() >= 0.996
    assert found.ops == ["conv", "conv", "linear"]


def test_a_gate_that_float32_may_round_to_0_is_said(tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    x = _sums(b)
    found = agreement(b, _scores(b, FORMS["a sigmoid as factor"](b, x)), tmp_path, images=2)
    assert any("taken as above 0" in note and "Sigmoid" in note for note in found.notes)


def test_twice_the_sign_stays_twice(tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    x = _sums(b)
    soft, sign = _soft(b, x), b.op("Sign", x)
    y = b.op("Add", b.op("Sub", b.op("Add", sign, sign), soft), soft)
    found = agreement(b, _scores(b, b.op("Add", y, b.constant(0.0))), tmp_path, images=300)
    assert found.same() >= 0.996


def test_a_term_that_is_stretched_over_a_map_does_not_vanish(tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    mean = b.op("GlobalAveragePool", _sums(b))
    wide = b.op("Sub", b.op("Add", mean, "x"), "x")  # 3 channels on 6: of another shape at least
    with pytest.raises(SpecError):
        lower_model(b.model(b.op("Flatten", wide)), "f", "net", import_options(input_type="uint8"))


@pytest.mark.parametrize("kind", ["Abs", "Relu", "Tanh", "HardSigmoid"])
def test_a_factor_that_may_be_0_or_below_is_no_gate(kind, tmp_path):
    b = Builder((1, 3, 6, 6), seed=4)
    x = _sums(b)
    model = b.model(_scores(b, b.op("Sign", b.op("Mul", b.op(kind, x), x))))
    lowered = lower_model(model, "net.onnx", "net", import_options(input_type="uint8"))
    assert "multiply" in [layer.op for layer in lowered.workload.layers]  # the product is computed


def test_weights_behind_the_same_form(tmp_path):
    b = Builder((1, 3, 6, 6), seed=5)
    real = b.rng.normal(0, 0.3, (6, 6, 3, 3)).astype(np.float32)
    w = b.constant(real)
    clipped = b.op("Clip", w, b.constant(-1.0), b.constant(1.0))
    scaled = b.op("Mul", b.op("Sign", w), b.constant(np.abs(real).mean(axis=(1, 2, 3), keepdims=True)))
    hard = b.op("Add", b.op("Sub", scaled, clipped), clipped)
    x = b.batch_norm(b.conv(b.op("Sign", _sums(b)), hard, 3, pad=1), 6, 4)
    scores = b.op("MatMul", b.op("Flatten", b.op("Sign", x)), b.signs(6 * 36, 5))
    found = agreement(b, scores, tmp_path, images=300)
    assert found.same() >= 0.996
    assert [str(one.weight) for one in found.workload.layers] == ["bipolar"] * 3


@pytest.mark.parametrize("border", [-1.0, 0.25, 3.0])
def test_a_sign_of_a_padded_map_is_the_sign_within_the_border_s(border: float, tmp_path) -> None:
    b = Builder((1, 3, 6, 6), seed=3)
    pads = b.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.int64)
    signs = b.op("Sign", b.op("Pad", _sums(b), pads, b.constant(border)))
    x = b.batch_norm(b.conv(signs, b.signs(6, 6, 3, 3), 3), 6, 4)
    y = b.op("MatMul", b.op("Flatten", b.op("Sign", x)), b.signs(6 * 36, 5))
    assert agreement(b, y, tmp_path, images=300).same() == 1


@pytest.mark.parametrize("border", [-1.0, 0.0, 3.0])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_sign_that_takes_0_as_1_goes_inside_a_border_too(border, is_first, tmp_path) -> None:
    b = Builder((1, 3, 6, 6), seed=4)
    pads = b.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.int64)
    plain = b.op("Sign", b.op("Pad", _sums(b), pads, b.constant(border)))
    tenth = b.constant(0.1)
    signs = b.op("Sign", b.op("Add", *((plain, tenth) if is_first else (tenth, plain))))
    x = b.batch_norm(b.conv(signs, b.signs(6, 6, 3, 3), 3), 6, 4)
    y = b.op("MatMul", b.op("Flatten", b.op("Sign", x)), b.signs(6 * 36, 5))
    assert agreement(b, y, tmp_path, images=300).same() == 1
