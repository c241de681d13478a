"""Thresholds against real arithmetic: every integer that a sum can be, on the right side."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.exact.rational import inverse_sqrt, rounded  # noqa: E402
from bnnsim.importers.onnx.network import import_options, lower_model  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402

_COLUMNS = 9
_floats = st.floats(-50, 50, width=32, allow_nan=False)
_batch_norm = st.tuples(_floats, _floats, _floats, st.floats(0, 1000, width=32))


def _real_batch_norm(n: int, parameters: tuple[float, float, float, float]) -> Decimal:
    """gain * (n - mean) / sqrt(variance + epsilon) + shift with 80 digits."""
    gain, shift, mean, variance = (Decimal(float(np.float32(p))) for p in parameters)
    epsilon = Decimal(float(np.float32(1e-5)))
    return gain * (n - mean) / (variance + epsilon).sqrt() + shift


def _imported_bits(
    parameters: list[tuple[float, float, float, float]], scales: list[float], order: str
) -> tuple[np.ndarray, np.ndarray]:
    """Row sums and bits of a layer with one row a batch norm, for inputs with 0 .. 9 bits set."""
    rows = len(parameters)
    b = Builder((1, _COLUMNS))
    x = b.bipolar("x")
    weights = np.ones((rows, _COLUMNS), np.float32) * np.array(scales, np.float32)[:, None]
    x = b.op("Gemm", x, b.constant(weights), transB=1)
    columns = [b.constant([p[i] for p in parameters]) for i in range(4)]
    x = b.op("BatchNormalization", x, *columns, epsilon=1e-5)
    if order == "two batch norms":
        x = b.op("BatchNormalization", x, *columns, epsilon=1e-5)
    model = b.model(b.op("MatMul", b.bipolar(x), b.signs(rows, 2)))
    lowered = lower_model(model, "m.onnx", "m", import_options())
    weights_bits = lowered.arrays["fc0.weights"].astype(int) * 2 - 1
    thresholds = lowered.arrays["fc0.thresholds"].astype(int)
    assert lowered.workload.layers[0].activation.compare == ">="
    frames = np.array([[1] * k + [-1] * (_COLUMNS - k) for k in range(_COLUMNS + 1)])
    sums = frames @ weights_bits.T
    return frames.sum(axis=1), sums >= thresholds


@settings(max_examples=150)
@given(st.lists(_batch_norm, min_size=1, max_size=4))
def test_batch_norm_of_any_sign_folds_into_thresholds_that_are_exact_for_every_sum(parameters):
    sums, bits = _imported_bits(parameters, [1.0] * len(parameters), "one")
    with localcontext() as context:
        context.prec = 80
        for row, batch_norm in enumerate(parameters):
            for k, n in enumerate(sums.tolist()):
                assert bits[k, row] == (_real_batch_norm(n, batch_norm) >= 0), (n, batch_norm)


@settings(max_examples=100)
@given(st.lists(st.tuples(_batch_norm, st.floats(2**-10, 8, width=32)), min_size=1, max_size=4))
def test_scale_of_each_output_channel_folds_exactly_with_the_batch_norm_behind_it(rows):
    parameters, scales = [p for p, _ in rows], [s for _, s in rows]
    sums, bits = _imported_bits(parameters, scales, "one")
    with localcontext() as context:
        context.prec = 80
        for row, (batch_norm, scale) in enumerate(rows):
            for k, n in enumerate(sums.tolist()):
                real = _real_batch_norm(Decimal(n) * Decimal(float(np.float32(scale))), batch_norm)
                assert bits[k, row] == (real >= 0), (n, batch_norm, scale)


@settings(max_examples=50)
@given(_batch_norm)
def test_two_batch_norms_in_a_row_fold_exactly(parameters):
    sums, bits = _imported_bits([parameters], [1.0], "two batch norms")
    with localcontext() as context:
        context.prec = 80
        for k, n in enumerate(sums.tolist()):
            once = _real_batch_norm(n, parameters)
            real = _real_batch_norm(once, parameters)
            if abs(real) > Decimal(10) ** -60:  # beyond the oracle's own digits
                assert bits[k, 0] == (real >= 0)


def test_sum_that_is_exactly_at_the_mean_fires():
    _, bits = _imported_bits([(0.3, 0.0, 3.0, 0.1), (-0.3, 0.0, 3.0, 0.1)], [1.0, 1.0], "one")
    assert bits[6].tolist() == [True, True]  # 6 of 9 bits set: a sum of 3
    assert bits[5].tolist() == [False, True]
    assert bits[7].tolist() == [True, False]


def test_square_root_of_a_perfect_square_is_exact():
    assert inverse_sqrt(Fraction(49, 64)) == Fraction(8, 7)


@given(st.fractions(min_value=Fraction(1, 10**12), max_value=10**12))
def test_other_square_roots_are_right_to_a_thousand_bits(value):
    root = inverse_sqrt(value)
    assert root**2 * value <= 1
    assert (root * (1 + Fraction(1, 2**1000))) ** 2 * value > 1


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("ROUND", [-2, -2, 0, 0, 2, 2]),
        ("FLOOR", [-3, -2, -1, 0, 1, 2]),
        ("CEIL", [-2, -1, 0, 1, 2, 3]),
        ("UP", [-3, -2, -1, 1, 2, 3]),
        ("DOWN", [-2, -1, 0, 0, 1, 2]),
        ("HALF_UP", [-3, -2, -1, 1, 2, 3]),
        ("HALF_DOWN", [-2, -1, 0, 0, 1, 2]),
    ],
)
def test_rounding_modes_on_halves(mode, expected):
    halves = [Fraction(n, 2) for n in (-5, -3, -1, 1, 3, 5)]
    assert [rounded(value, mode) for value in halves] == expected


def test_rounding_modes_are_qonnx_s_own():
    intquant = pytest.importorskip("qonnx.custom_op.general.intquant")
    values = [Fraction(n, 4) for n in range(-14, 15)]
    for mode in ("ROUND", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN"):
        theirs = intquant.resolve_rounding_mode(mode)(np.array([float(v) for v in values]))
        assert [rounded(value, mode) for value in values] == theirs.astype(int).tolist(), mode


_quant = st.tuples(
    st.floats(2**-6, 4, width=32), st.sampled_from([2, 3, 4]), st.booleans(), st.booleans()
)


@settings(max_examples=60)
@given(_batch_norm, _quant, st.sampled_from(["ROUND", "FLOOR", "CEIL"]))
def test_quant_of_a_few_bits_folds_into_thresholds_that_are_exact_for_every_sum(bn, quant, mode):
    scale, bits, signed, narrow = quant
    b = Builder((1, _COLUMNS))
    x = b.op("Gemm", b.bipolar("x"), b.constant(np.ones((1, _COLUMNS))), transB=1)
    x = b.op("BatchNormalization", x, *(b.constant([p]) for p in bn), epsilon=1e-5)
    operands = (b.constant(scale), b.constant(0), b.constant(bits))
    kind = {"signed": int(signed), "narrow": int(narrow), "rounding_mode": mode}
    x = b.op("Quant", x, *operands, domain="qonnx.custom_op.general", **kind)
    model = b.model(b.op("MatMul", x, b.constant([[1.0, -1.0]])))
    lowered = lower_model(model, "m.onnx", "m", import_options())
    layer = lowered.workload.layers[0]
    thresholds = lowered.arrays["fc0.thresholds"].reshape(1, -1)
    direction = 1 if lowered.arrays["fc0.weights"].all() else -1
    low = -(2 ** (bits - 1)) + narrow if signed else 0
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    for n in range(-_COLUMNS, _COLUMNS + 1, 2):
        got = int((direction * n >= thresholds).sum()) + layer.activation.type.minimum
        with localcontext() as context:
            context.prec = 80
            real = _real_batch_norm(n, bn) / Decimal(float(np.float32(scale)))
            rule = {"ROUND": "ROUND_HALF_EVEN", "FLOOR": "ROUND_FLOOR", "CEIL": "ROUND_CEILING"}
            expected = int(real.to_integral_value(rule[mode]))
        assert got == min(max(expected, low), high), (n, bn, quant)
