"""Slices of channels, every n-th row and column, and channels of zeros, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.onnx.network import import_options, lower_model
from bnnsim.spec.faults import SpecError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement


def _slice(b: Builder, x: str, start: int, end: int, step: int = 1, axis: int = 1) -> str:
    return b.op("Slice", x, *(b.constant([v], np.int64) for v in (start, end, axis, step)))


def test_a_block_that_improves_the_last_channels(tmp_path):
    b = Builder((1, 3, 6, 6), seed=3)
    x = b.batch_norm(b.conv("x", b.signs(8, 3, 3, 3), 3, pad=1), 8, 1)
    y = b.batch_norm(b.conv(b.op("Sign", x), b.signs(3, 8, 3, 3), 3, pad=1), 3, 4)
    last = b.op("Add", _slice(b, x, -3, 1 << 40), y)
    x = b.op("Sign", b.op("Concat", _slice(b, x, 0, 5), last, axis=1))
    x = b.op("Concat", _slice(b, x, 0, 8, 2), _slice(b, x, 7, -9, -2), axis=1)
    found = agreement(b, b.op("MatMul", b.op("Flatten", x), b.signs(288, 4)), tmp_path, images=200)
    assert found.same() >= 0.99


def test_steps_of_a_recurrent_network_in_one_vector(tmp_path):
    b = Builder((1, 24), seed=4)
    inner, outer = b.signs(8, 16), b.signs(16, 16)
    state = ""
    for step in range(3):
        x = b.op("Sign", b.op("Sub", _slice(b, "x", 8 * step, 8 * step + 8), b.constant(0.5)))
        a = b.op("MatMul", x, inner)
        a = b.op("Add", a, b.op("MatMul", state, outer)) if state else a
        state = b.op("Sign", b.op("Add", a, b.constant(b.rng.normal(0, 1, 16))))
    found = agreement(b, b.op("MatMul", state, b.signs(16, 5)), tmp_path, images=300)
    assert found.same() >= 0.99


@pytest.mark.parametrize(("front", "behind", "is_real"), [(2, 2, True), (0, 4, True), (3, 1, False)])
def test_a_shortcut_without_weights_between_stages(front, behind, is_real, tmp_path):
    """Residual networks for CIFAR-10: every second row and column, and channels of zeros around."""
    b = Builder((1, 3, 9, 8), seed=6)
    x = b.conv("x", b.signs(4, 3, 3, 3), 3, pad=1)
    x = b.batch_norm(x, 4, 1) if is_real else b.op("Sign", b.batch_norm(x, 4, 1))
    starts, ends = (b.constant(v, np.int64) for v in ([0, 0], [1 << 40, 1 << 40]))
    axes, steps = (b.constant(v, np.int64) for v in ([2, 3], [2, 2]))
    pads = b.constant([0, front, 0, 0, 0, behind, 0, 0], np.int64)
    shortcut = b.op("Pad", b.op("Slice", x, starts, ends, axes, steps), pads)
    y = b.conv(b.op("Sign", x), b.signs(8, 4, 3, 3), 3, pad=1, strides=[2, 2])
    x = b.op("Add", b.batch_norm(y, 8, 6) if is_real else y, shortcut)
    x = b.batch_norm(x, 8, 1)
    found = agreement(b, b.op("MatMul", b.op("Flatten", b.op("Sign", x)), b.signs(160, 4)), tmp_path)
    assert found.same() >= 0.99


def test_a_slice_of_rows_is_refused(tmp_path):
    b = Builder((1, 3, 6, 6), seed=5)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 1))
    model = b.model(b.op("Flatten", _slice(b, x, 0, 3, axis=2)))
    with pytest.raises(SpecError, match="or every n-th row and column, got axis 2"):
        lower_model(model, "net.onnx", "net", import_options(input_type="uint8"))


def test_rows_and_columns_that_are_taken_one_after_the_other_are_one_window(tmp_path):
    b = Builder((1, 3, 9, 8), seed=7)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(4, 3, 3, 3), 3, pad=1), 4, 1))
    x = _slice(b, _slice(b, x, 0, 1 << 40, 2, axis=2), 0, 1 << 40, 3, axis=3)
    found = agreement(b, b.op("MatMul", b.op("Flatten", x), b.signs(60, 4)), tmp_path, images=200)
    assert found.same() >= 0.99
    assert found.ops.count("max_pool") == 1
