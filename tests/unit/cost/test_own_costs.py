"""Costs of the project's own modules against what Yosys counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.technology import Technology, technology_of
from bnnsim.cost.own.structure import columns_of, own_fifo, part_depths, rom, tree_bits
from bnnsim.cost.own.units import own_parts
from bnnsim.cost.second_opinion import lut_interval
from bnnsim.design.build import build_streaming_design
from bnnsim.design.streaming.units import Pool, Repeat
from bnnsim.rtl.opinion import module_estimates
from bnnsim.rtl.project import design_instances
from bnnsim.simulation import RunOptions, Stimulus, stimulate
from bnnsim.spec.load import load_device
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.value_type import BIPOLAR
from bnnsim.spec.workload import Workload
from tests.hardware.drawn.kinds import KINDS
from tools.fit_own_costs import (
    core_luts,
    estimated,
    estimated_unit,
    stored,
    stored_units,
    with_contents,
)

CELLS = stored()
HELD_OUT = [name for name in CELLS if not name.startswith("sample")]
UNITS = stored_units()
NOT_COUNTED = {
    ("sample-2", "bits.threshold"): 1,
    ("cnv-own", "conv5.mvau"): 36, ("cnv-own", "fc1.mvau"): 4,
    ("check-1", "scores.affine"): 1, ("check-1", "right.mvau"): 1, ("check-1", "d1.mvau"): 2,
    ("check-2", "c0.mvau"): 2, ("check-2", "c1.mvau"): 2, ("check-2", "c2.mvau"): 4,
    ("check-3", "c0.mvau"): 1,
    ("check-2", "l0.mvau"): 2, ("check-2", "l1.mvau"): 6, ("check-2", "l1.widen"): 1,
}  # fmt: skip
"""Flip-flops that Yosys has more or fewer, at most: columns that equal a counter's bit or each other's
complement; a deep memory of thresholds that are nearly all alike, which it moved to logic; products of
residual levels, parts of which DSP blocks hold."""
FEW = 0.2
"""Share of drawn small units whose contents or DSP blocks decide flip-flops that no structure tells."""


def _technology() -> Technology:
    return technology_of(load_device("xc7z020").spec, default_coefficients())


@pytest.mark.parametrize("name", CELLS)
def test_flip_flops_are_counted_exactly_with_memories_as_they_are_filled(name: str) -> None:
    """Of 341 units 328 are exact; those that were not are named."""
    found = with_contents(name)
    off = {}
    for unit, measured in CELLS[name].items():
        difference = abs(found[unit].ff - measured["ff"])
        if difference > NOT_COUNTED.get((name, unit), 0):
            off[unit] = difference
    assert off == {}


@pytest.mark.parametrize("name", CELLS)
def test_a_whole_core_is_within_a_tenth_of_yosys(name: str) -> None:
    units = [u for u in estimated(name).units if u.name in CELLS[name]]
    cells = CELLS[name].values()
    luts = sum(core_luts(unit) + unit.amounts.lutram for unit in units)
    assert luts == pytest.approx(sum(c["lut"] + c["lutram"] for c in cells), rel=0.1)
    counted = sum(estimate.ff for estimate in with_contents(name).values())
    assert counted == pytest.approx(sum(c["ff"] for c in cells), rel=0.01)


@pytest.mark.parametrize("name", ["sample-1", "sample-2", "cnv-own"])
def test_flip_flops_of_a_whole_core_are_within_2_percent_whatever_its_memories_hold(name: str) -> None:
    """(check-1, of wide thresholds that use few of their bits, is 6 % above.)"""
    units = [u for u in estimated(name).units if u.name in CELLS[name]]
    flip_flops = sum(p.amounts.ff for u in units for p in u.parts if p.name != "memory port")
    assert flip_flops == pytest.approx(sum(c["ff"] for c in CELLS[name].values()), rel=0.02)


def test_flip_flops_of_small_units_that_no_fit_saw_are_counted_exactly() -> None:
    """Every kind and style of unit that the library has, drawn at random."""
    off = [name for name, measured in UNITS.items() if estimated_unit(name).ff != measured["ff"]]
    assert len(UNITS) >= 60
    assert len(off) <= FEW * len(UNITS), off


def test_every_kind_that_is_drawn_was_synthesised_and_has_the_dsp_blocks_that_yosys_placed() -> None:
    assert {name.rpartition("-")[0] for name in UNITS} == set(KINDS)
    off = [name for name, measured in UNITS.items() if estimated_unit(name).dsp != measured["dsp"]]
    assert off == []


def test_four_in_five_units_that_no_fit_saw_are_within_the_interval_of_their_luts() -> None:
    coefficients, inside = default_coefficients(), []
    for name in HELD_OUT:
        for unit, estimate in with_contents(name).items():
            low, high = lut_interval(coefficients, estimate.lut)
            measured = CELLS[name][unit]
            inside.append(low <= measured["lut"] + measured["lutram"] <= high)
    for name, measured in UNITS.items():
        low, high = lut_interval(coefficients, estimated_unit(name).lut)
        inside.append(low <= measured["lut"] + measured["lutram"] <= high)
    assert len(inside) >= 200
    assert 0.7 <= sum(inside) / len(inside) <= 0.9


def test_cores_that_were_not_fitted_on_are_among_them() -> None:
    assert HELD_OUT == ["cnv-own", "check-1", "check-2", "check-3", "digits-own"]


def test_columns_that_synthesis_keeps_by_hand() -> None:
    """Words 0b0011, 0b0110, 0b0011: bit 0 is 1, 0, 1; bit 1 constant; bit 2 0, 1, 0; bit 3 constant."""
    assert columns_of([[3, 6, 3]]) == (2,)
    assert columns_of([[3, 6, 3], [1, 0, 1]]) == (2,)  # the second memory's column is the first's bit 0
    assert columns_of([[0, 0]]) == (0,)


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


@pytest.mark.parametrize(("columns", "luts"), [(64, 16), (256, 64)])
def test_rows_that_are_given_again_are_in_luts_however_long(columns: int, luts: int) -> None:
    """Yosys 0.23 of repeat_map with words of 16 bits: 16 RAM64X1S, 16 RAM256X1S of four LUTs."""
    repeated = Repeat(4, 1, (2,) * 4, (2,) * columns, 4)
    buffer = own_parts(_technology(), repeated, False, 4, 16)[1].amounts
    assert (buffer.lutram, buffer.lut_logic, buffer.bram18) == (luts, 0, 0)


@pytest.mark.parametrize(("style", "words", "luts"), [("line_buffered", 96, 8), ("streaming", 240, 32)])
def test_what_windows_have_come_to_is_in_luts_however_deep(style, words, luts):
    """Yosys 0.23 of pool: four bits in 2 x 4 RAM64X1S; with two ports in RAM64M for three bits each."""
    pool = Pool("max", 4 * words // 3, 2, 6, (2, 2), BIPOLAR, style=style, pe=4)
    parts = {part.name: part.amounts for part in own_parts(_technology(), pool, False, 1, 4)}
    assert (parts["row buffer"].lutram, parts["row buffer"].bram18) == (luts, 0)


def test_an_adder_tree_by_hand() -> None:
    """Five 2-bit numbers: (2 + 1) + (1 + 1): adders of 2, 3, 2 and 4 bits."""
    assert tree_bits(5, 2) == 2 + 3 + 2 + 4


@pytest.mark.parametrize(
    ("given", "weight", "simd", "pe", "luts", "ffs", "dsps"),
    [
        ("uint8", "int4", 4, 3, 705, 333, 12),
        ("uint6", "int2", 2, 5, 348, 179, 10),
        ("int6", "int4", 3, 2, 238, 138, 6),
        ("int8", "int2", 2, 5, 384, 188, 10),
        ("uint8", "int3", 1, 3, 252, 157, 3),
    ],
)
def test_products_of_nine_bits_and_more_are_in_dsp_blocks(given, weight, simd, pe, luts, ffs, dsps):
    """24 numbers times a matrix of 30 rows, to two bits: Yosys 0.23 with the stored units' options."""
    layers = [
        {"name": "a", "op": "linear", "out": 30, "weight": weight, "activation": {"type": "uint2"}},
        {"name": "b", "op": "linear", "out": 5},
    ]
    hardware = {"a": {"pe": pe, "simd": simd}, "b": {"pe": 1, "simd": 6}}
    _agrees("a.mvau", [24, 1, 1], given, layers, hardware, (luts, ffs, dsps))


@pytest.mark.parametrize(("given", "luts", "ffs"), [("int8", 178, 245), ("uint4", 83, 165)])
def test_a_mean_of_187_numbers_is_a_product_with_their_reciprocal(given, luts, ffs):
    """Four channels at once: Yosys 0.23 with the stored units' options."""
    layers = [
        {"name": "a", "op": "mean_pool", "kernel": [11, 17], "type": "int8"},
        {"name": "b", "op": "linear", "out": 5},
    ]
    _agrees("a.pool", [4, 11, 17], given, layers, {"b": {"pe": 1, "simd": 4}}, (luts, ffs, 4))


def test_numbers_with_signs_make_levels_without_dsp_blocks():
    """A first layer of 8 bits with three thresholds: Yosys 0.23 with the stored units' options."""
    border = {"op": "conv", "kernel": 3, "pad": 1, "pad_value": 0, "activation": "residual2.11"}
    layers = [
        {"name": "a", "out": 16, **border},
        {"name": "b", "out": 32, **border},
        {"name": "c", "op": "linear", "out": 10},
    ]
    hardware = {"a": {"pe": 4, "simd": 9}, "b": {"pe": 8, "simd": 16}, "c": {"pe": 2, "simd": 16}}
    _agrees("a.mvau", [3, 8, 8], "int8", layers, hardware, (841, 282, 0))


def _agrees(unit, shape, given, layers, hardware, counted):
    """LUTs that were counted are within the interval; flip-flops and DSP blocks are the model's."""
    luts, ffs, dsps = counted
    network = {"name": "n", "input": {"shape": shape, "type": given}, "layers": layers}
    head = {"name": "n", "source": "a test", "style": "streaming", "device": "xc7z020", "clock_mhz": 100}
    architecture = StreamingArchitecture.model_validate(
        {**head, "defaults": {"units": "own", "fifo_words": 2}, "layers": hardware}
    )
    design = build_streaming_design(architecture, Workload.model_validate(network))
    stimulus = stimulate(design, Path(), RunOptions(frames=1, weights_seed=5))
    assert isinstance(stimulus, Stimulus)
    found = module_estimates(design, design_instances(design, stimulus.parameters))[unit]
    low, high = lut_interval(default_coefficients(), found.lut)
    assert low <= luts <= high
    assert (found.rounded(_technology()).ff, found.dsp) == (ffs, dsps)
