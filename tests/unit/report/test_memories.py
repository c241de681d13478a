"""Memory contents against the definition of the fold, one bit at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnsim.report.vectors.memories import unit_memories

from .small_design import ARCH, WORKLOAD, small_design


@pytest.mark.parametrize("layout", ["per_layer", "per_pe"])
def test_every_weight_bit_is_where_its_row_and_column_say(tmp_path: Path, layout: str) -> None:
    arch = ARCH.replace("layers:", f"defaults: {{memory: {layout}}}\nlayers:")
    unit = small_design(tmp_path, arch, WORKLOAD).graph.unit_by_name["conv0.mvau"]
    rng = np.random.default_rng(3)
    weights = rng.integers(0, 2, (8, 4, 3, 3), np.uint8)
    memories = {m.name: m for m in unit_memories(unit, {"conv0": weights}, {})}
    pe, simd, synapse_fold = 2, 4, 9
    for row in range(8):
        neuron_fold, p = divmod(row, pe)
        for column in range(36):
            fold, s = divmod(column, simd)
            pixel, channel = divmod(column, 4)
            address = neuron_fold * synapse_fold + fold
            if layout == "per_pe":
                bit = memories[f"weights.pe{p}"].words[address] >> s & 1
            else:
                bit = memories["weights"].words[address] >> (p * simd + s) & 1
            assert bit == weights[row, channel, pixel // 3, pixel % 3]


def test_thresholds_are_twos_complement_wide_enough_for_all(tmp_path: Path) -> None:
    unit = small_design(tmp_path).graph.unit_by_name["conv0.mvau"]
    thresholds = np.array([-36, -1, 0, 1, 36, 7, -8, 65535]).reshape(8, 1)
    weights = np.zeros((8, 4, 3, 3), np.uint8)
    memory = unit_memories(unit, {"conv0": weights}, {"conv0": thresholds})[-1]
    bits = memory.element_bits
    assert (memory.role, bits, memory.width_bits, len(memory.words)) == ("thresholds", 17, 34, 4)
    for row in range(8):
        raw = memory.words[row // 2] >> (row % 2 * bits) & (1 << bits) - 1
        value = raw - (1 << bits) if raw >> (bits - 1) else raw
        assert value == thresholds[row, 0]


def test_units_without_memories_have_none(tmp_path: Path) -> None:
    graph = small_design(tmp_path).graph
    assert unit_memories(graph.unit_by_name["conv0.window"], {}, {}) == []
