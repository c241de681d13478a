"""What levels that are worth integers cost in the HLS library and on engines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.logic import adder_tree_luts, lut_multiplier_luts, popcount_luts
from bnnsim.cost.blocks.technology import Technology, technology_of
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.streaming.mvau import mvau_parts
from bnnsim.design.build import build_engine_design
from bnnsim.design.streaming.units import Mvau
from bnnsim.spec.load import load_device
from bnnsim.spec.value_type import BIPOLAR, ValueType, integer_type
from bnnsim.spec.workload import Workload
from tests.unit.design.test_layer_kinds import engine

TECH: Technology = technology_of(load_device("xc7z020").spec, default_coefficients())
LEVELS = ValueType("residual", 2, mean_bits=11)
UNIT = Mvau(
    pe=4, simd=16, matrix_height=8, matrix_width=144, vectors=64, groups=1, channel_block=16,
    weight_type=BIPOLAR, input_type=LEVELS, sum_type=integer_type(-600_000, 600_000), accumulator="dot",
    output_type=BIPOLAR, output_bits=1, thresholds=1, compare=">=", weight_memory="auto",
    memory_layout="per_layer", levels_in=2,
)  # fmt: skip


def _elements(level_bits: int, mean_bits: int = 11):
    unit = replace(UNIT, input_type=replace(LEVELS, mean_bits=mean_bits))
    parts = mvau_parts(TECH, unit, "vitis_hls", level_bits)
    return {part.name: part.amounts for part in parts}


def test_a_border_of_zeros_makes_sums_of_ternary_products_where_matches_were_counted() -> None:
    """Each of 16 lanes is -1, 0 or +1 and added or subtracted; the vector is kept twice as wide."""
    plain, ternary = _elements(1), _elements(2)
    factor = TECH.family_factor * TECH["logic_factor"]
    binary = popcount_luts(TECH, 16)
    signed = 16 * lut_multiplier_luts(TECH, 1, 2) + adder_tree_luts(TECH, 16, 2)
    assert plain["processing elements"].lut_logic == pytest.approx(4 * factor * binary)
    assert ternary["processing elements"].lut_logic == pytest.approx(4 * factor * signed)
    assert ternary["processing elements"].dsp == plain["processing elements"].dsp == 4
    assert ternary["input buffer"].ff == 2 * plain["input buffer"].ff


def test_a_level_that_is_worth_one_is_not_multiplied() -> None:
    assert _elements(1, mean_bits=1)["processing elements"].dsp == 0


@pytest.mark.parametrize(("bits", "dsps"), [(1, 0), (9, 1)])
def test_an_engine_multiplies_each_outputs_sum_of_a_plane_by_what_its_level_is_worth(
    bits: int, dsps: int
) -> None:
    """One output at a time: a product of the count and nine bits is a DSP slice's, one of 1 none."""
    layers = [
        {"name": "a", "op": "conv", "out": 4, "kernel": 1, "activation": f"residual2.{bits}"},
        {"name": "b", "op": "linear", "out": 5},
    ]
    network = {"name": "n", "input": {"shape": [2, 6, 6], "type": "int4"}, "layers": layers}
    workload = Workload.model_validate(network)
    resources = estimate_resources(build_engine_design(engine(workload), workload))
    assert resources.by_name["pes"].amounts.dsp == dsps
