"""Residual binarization as training code exports it: codes of levels, layers equal to the model's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.onnx.network import import_onnx
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement

Levels = Callable[[Builder, str, tuple[float, ...]], str]
THREE = (0.83, 0.47, 0.19)


def _signs(b: Builder, x: str, worths: tuple[float, ...]) -> str:
    """As ReBNet's paper has it: what is left is signed again."""
    total, rest = "", x
    for worth in worths:
        level = b.op("Mul", b.op("Sign", rest), b.constant(worth))
        total = b.op("Add", total, level) if total else level
        rest = b.op("Sub", rest, level)
    return total


def _from_what_is_left(b: Builder, x: str, worths: tuple[float, ...]) -> str:
    """x without what is left in the end; the estimator's soft part goes with it."""
    rest = x
    for worth in worths:
        soft = b.op("Clip", rest, b.constant(-1.0), b.constant(1.0))
        sign = b.op("Add", b.op("Sub", b.op("Sign", rest), soft), soft)
        rest = b.op("Sub", rest, b.op("Mul", b.constant(worth), sign))
    return b.op("Sub", x, rest)


def _comparisons(b: Builder, x: str, worths: tuple[float, ...]) -> str:
    """With where(x >= 0, worth, -worth) for each sign."""
    total, rest = "", x
    for worth in worths:
        is_high = b.op("GreaterOrEqual", rest, b.constant(0.0))
        level = b.op("Where", is_high, b.constant(worth), b.constant(-worth))
        total = b.op("Add", level, total) if total else level
        rest = b.op("Sub", rest, level)
    return total


def _staircase(b: Builder, x: str, worths: tuple[float, ...]) -> str:
    """All levels at once: a comparison with each step, in single precision."""
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(worths), indexing="ij")).reshape(len(worths), -1)
    values = np.float32(np.array(worths) @ signs)
    steps = [np.float32((a + b) / 2) for a, b in pairwise(values)]
    total = b.constant(values[0])
    for step, (low, high) in zip(steps, pairwise(values), strict=True):
        fires = b.op("Cast", b.op("Greater", x, b.constant(step)), to=1)
        total = b.op("Add", total, b.op("Mul", fires, b.constant(high - low)))
    return total


FORMS: dict[str, Levels] = {
    "signs": _signs,
    "from what is left": _from_what_is_left,
    "comparisons": _comparisons,
    "a staircase": _staircase,
}


def _network(b: Builder, levels: Levels, worths: tuple[float, ...], pads: int, pools: bool) -> str:
    x = b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 2)
    x = b.conv(levels(b, x, worths), b.scaled_signs(8, 6, 3, 3), 3, pad=pads)
    x = b.batch_norm(x, 8, 3)
    if pools:
        x = b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = levels(b, x, worths[:2])
    side = (8 - 2 + 2 * pads) // (2 if pools else 1)
    return b.op("MatMul", b.op("Flatten", x), b.signs(8 * side * side, 5))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("worths", [THREE[:2], THREE], ids=["two", "three"])
def test_levels_are_codes_and_scores_onnxruntimes(
    form: str, worths: tuple[float, ...], tmp_path: Path
) -> None:
    b = Builder((1, 3, 8, 8), seed=len(form))
    output = _network(b, FORMS[form], worths, pads=0, pools=True)
    found = agreement(b, output, tmp_path, images=200)
    first, late = (layer.activation.type for layer in found.workload.layers[:2])
    assert (first.kind, first.bits, late.bits) == ("residual", len(worths), 2)
    assert (first.mean_bits, late.mean_bits) == (7, 7)  # 83, 47 and 19, not float32's 24 bits of each
    assert found.ops[:4] == ["conv", "conv", "max_pool", "linear"]
    assert found.same() >= 0.98  # a sum next to a step may fall on either side in float32


@pytest.mark.parametrize(("pads", "pools"), [(1, False), (1, True), (0, False)])
def test_every_layer_is_the_models_with_borders_of_zeros_and_pools(
    pads: int, pools: bool, tmp_path: Path
) -> None:
    b = Builder((1, 3, 8, 8), seed=3)
    path = b.save(_network(b, _signs, THREE, pads, pools), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8")
    late = found.workload.layers[1]
    assert late.pad_value == (0 if pads else None)
    assert [layer.op for layer in found.workload.layers[:2]] == ["conv", "conv"]
    report = check_model(path, found.workload_path, random_inputs=40)
    assert report.is_equal, str(report)
    assert {"conv0", "pool0" if pools else "conv1"} <= {layer.layer for layer in report.layers}


def test_who_cannot_read_levels_reads_what_they_come_to(tmp_path: Path) -> None:
    """A shortcut around a convolution, and weights of more than a sign."""
    b = Builder((1, 3, 8, 8), seed=5)
    x = b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 2)
    x = _signs(b, x, THREE[:2])
    wide = b.constant(b.rng.integers(-3, 4, (6, 6, 3, 3)))
    y = b.op("Add", b.batch_norm(b.conv(x, b.signs(6, 6, 3, 3), 3, pad=1), 6, 3), x)
    z = b.op("Add", b.batch_norm(b.conv(x, wide, 3, pad=1), 6, 3), y)
    output = b.op("MatMul", b.op("Flatten", b.op("Sign", z)), b.signs(6 * 64, 5))
    found = agreement(b, output, tmp_path, images=200)
    assert found.same() >= 0.98
    readers = [one for one in found.workload.layers if one.inputs == ["conv0"] or one.name == "conv1"]
    assert all(one.op == "conv" and one.weight.is_bipolar for one in readers)


def test_levels_of_each_channels_own_worth_stay_in_fixed_point(tmp_path: Path) -> None:
    b = Builder((1, 3, 8, 8), seed=7)
    x = b.batch_norm(b.conv("x", b.signs(4, 3, 3, 3), 3), 4, 2)
    own = [b.constant(b.rng.uniform(0.2, 0.9, (1, 4, 1, 1)) * share) for share in (1, 0.5)]
    first = b.op("Mul", b.op("Sign", x), own[0])
    second = b.op("Mul", b.op("Sign", b.op("Sub", x, first)), own[1])
    x = b.conv(b.op("Add", first, second), b.signs(6, 4, 3, 3), 3)
    output = b.op("MatMul", b.op("Flatten", b.op("Sign", b.batch_norm(x, 6, 3))), b.signs(96, 5))
    found = agreement(b, output, tmp_path, images=200)
    assert "add" in found.ops and found.same() >= 0.98
