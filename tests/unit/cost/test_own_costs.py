"""Costs of the project's own modules against what Yosys counted."""

from __future__ import annotations

import pytest

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.technology import Technology, technology_of
from bnnsim.cost.own.structure import own_fifo, part_depths, rom, tree_bits
from bnnsim.spec.load import load_device
from tools.fit_own_costs import core_luts, estimated, stored

CELLS = stored()
HELD_OUT = [name for name in CELLS if not name.startswith("sample")]
EXACT = {"frame_source", "frame_sink", "width_converter", "fifo"}
"""Kinds whose flip-flops follow from their parameters alone; elsewhere contents of tables decide some."""


def _technology() -> Technology:
    return technology_of(load_device("xc7z020").spec, default_coefficients())


@pytest.mark.parametrize("name", CELLS)
def test_flip_flops_are_counted_exactly_where_contents_do_not_matter(name: str) -> None:
    resources = estimated(name)
    for unit, measured in CELLS[name].items():
        found = resources.by_name[unit]
        if found.kind in EXACT:
            own = sum(part.amounts.ff for part in found.parts if part.name != "memory port")
            assert (unit, own) == (unit, measured["ff"])


@pytest.mark.parametrize("name", CELLS)
def test_a_whole_core_is_within_a_tenth_of_yosys(name: str) -> None:
    units = [u for u in estimated(name).units if u.name in CELLS[name]]
    cells = CELLS[name].values()
    luts = sum(core_luts(unit) + unit.amounts.lutram for unit in units)
    assert luts == pytest.approx(sum(c["lut"] + c["lutram"] for c in cells), rel=0.1)
    flip_flops = sum(p.amounts.ff for u in units for p in u.parts if p.name != "memory port")
    assert flip_flops == pytest.approx(sum(c["ff"] for c in cells), rel=0.02)


def test_a_core_that_was_not_fitted_on_is_among_them() -> None:
    assert "cnv-own" in HELD_OUT


@pytest.mark.parametrize(
    ("words", "depths"),
    [(1, [1]), (36, [36]), (512, [512]), (576, [512, 64]), (800, [800]), (18432, [16384, 2048])],
)
def test_a_deep_memory_is_laid_out_in_powers_of_two(words: int, depths: list[int]) -> None:
    assert part_depths(words) == depths


def test_a_memory_of_18432_words_takes_32_blocks_and_not_64() -> None:
    """32 bits: 16,384 words are 32 blocks of 16,384 x 1 and 2,048 words four of 2,048 x 9."""
    assert rom(_technology(), 32, 18_432).bram18 == 32 + 4


def test_flip_flops_of_a_fifo_by_hand() -> None:
    """Two pointers of 6 bits, a copy of the reading one at the memory, empty, full."""
    assert own_fifo(_technology(), 16, 64).ff == 3 * 6 + 2
    assert own_fifo(_technology(), 16, 1).ff == 16 + 1
    # above 64 words: two pointers of 7 bits, empty, full, the passing word and whether it passes
    assert own_fifo(_technology(), 24, 128).ff == 2 * 7 + 2 + 24 + 1


def test_an_adder_tree_by_hand() -> None:
    """Five 2-bit numbers: (2 + 1) + (1 + 1): adders of 2, 3, 2 and 4 bits."""
    assert tree_bits(5, 2) == 2 + 3 + 2 + 4
