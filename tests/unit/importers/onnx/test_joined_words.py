"""Sums of a real layer joined with those of binary ones: each keeps its own precision behind the join."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.draft.draft import NetworkDraft
from bnnsim.importers.exact.channel_function import Affine
from bnnsim.importers.onnx.fixed_plan import FixedPlan
from bnnsim.importers.onnx.fixed_point import append_fixed
from bnnsim.importers.onnx.network import import_onnx
from bnnsim.spec.value_type import ValueType
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement


def _dense(kind: str, seed: int) -> tuple[Builder, str]:
    """As between the blocks of a dense network: a real 1x1 convolution whose map binary ones widen."""
    b = Builder((1, 3, 8, 8), seed=seed)

    def real(*shape: int) -> str:
        return b.constant(b.rng.normal(0, 0.3, shape))

    x = b.op("Relu", b.batch_norm(b.conv("x", real(8, 3, 3, 3), 3, pad=1), 8, 1))
    x = b.conv(x, real(6, 8, 1, 1), 1)
    width = 6
    for _ in range(1 if kind == "once" else 3):
        y = b.conv(b.op("Sign", b.batch_norm(x, width, 1)), b.signs(4, width, 3, 3), 3, pad=1)
        x = b.op("Concat", x, y, axis=1)
        width += 4
    if kind == "pooled":
        x = b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = b.op("Relu", b.batch_norm(x, width, 3))
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b, b.op("Gemm", x, real(5, width), b.constant(b.rng.normal(0, 1, 5)), transB=1)


def test_scores_behind_joined_sums_are_as_near_as_their_weights(tmp_path):
    b, output = _dense("once", seed=2)
    found = agreement(b, output, tmp_path, images=200, real_layers="int16")
    assert found.same(1e-4) == 1


@pytest.mark.parametrize("kind", ["once", "several", "pooled"])
def test_joined_sums_keep_the_bits_of_each(kind, tmp_path):
    b, output = _dense(kind, seed=2)
    path = b.save(output, tmp_path / "net.onnx")
    made = import_onnx(path, tmp_path, input_type="uint8", real_layers="int8")
    # in front, of the real layer's sums, of all binary layers' sums, of the scores
    assert [layer.op for layer in made.workload.layers].count("affine") == 4
    assert not any("add up to more than its range" in note for note in made.notes)
    report = check_model(path, made.workload_path, random_inputs=50)
    assert report.verdict == "equal", str(report)
    assert report.outputs[0].allowed < 1e-2 * report.outputs[0].span


def test_binary_sums_are_joined_as_soon_as_they_are_there(tmp_path):
    """Streams that wait for the last of many need room each, and a choice of lanes that all agree on."""
    b, output = _dense("several", seed=2)
    path = b.save(output, tmp_path / "net.onnx")
    layers = import_onnx(path, tmp_path, input_type="uint8", real_layers="int8").workload.layers
    inputs = {layer.name: layer.inputs or (before.name,) for before, layer in pairwise(layers)}
    binary = [layer.name for layer in layers if layer.op == "conv" and layer.pad_value == 0][1:]
    position = {layer.name: place for place, layer in enumerate(layers)}
    for name in binary[1:]:
        readers = [one for one, given in inputs.items() if name in given]
        assert all(position[reader] - position[name] <= len(readers) for reader in readers)


def test_sums_worth_little_are_not_saturated_for_sums_worth_much_beside_them():
    """Channel 0 counts 2**-20 a piece and reaches 2**50, channel 1 counts 2**12 and stays below 2**9.

    Where the sums come out of one layer there is nothing to part; by hand: 2**45 * 2**-20 is 2**25.
    """
    draft = NetworkDraft((512, 1, 1))
    draft.input_type = ValueType("fixed", 32, 0)
    sums = draft.append("linear", ["input"], (2, 1, 1), -(1 << 50), 1 << 50)
    sums.weights = np.full((2, 512), 1 << 10, np.int64)
    plan = FixedPlan(((Affine(Fraction(1, 1 << 20)), Affine(Fraction(1 << 12))),))
    append_fixed(draft, sums.name, ValueType("fixed", 32, 0), plan, keeps_offsets=False)
    x = [1 << 45, 300]
    for layer in draft.layers.values():
        if layer.kind == "affine":
            shift, scale = layer.options["shift_bits"], layer.arrays["scale"].tolist()
            assert not layer.arrays["bias"].any()
            moved = [(v * s + ((1 << shift) >> 1)) >> shift for v, s in zip(x, scale, strict=True)]
            x = [min(max(v, -(1 << 31)), (1 << 31) - 1) for v in moved]
    assert x == [1 << 25, 300 << 12]
