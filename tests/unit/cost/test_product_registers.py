"""Pipeline registers lie between sums: products, in front of the first of them, have none."""

from __future__ import annotations

import pytest

from bnnsim.cost.blocks.logic import lut_multiplier_luts, ripple_tree_luts
from bnnsim.cost.streaming.control import Tool
from bnnsim.cost.streaming.mvau import mvau_parts
from bnnsim.design.streaming.units import Mvau
from bnnsim.spec.value_type import integer_type, parse_value_type


def _products(tech, tool: Tool, weight: str):
    number = parse_value_type("int2")
    sums = integer_type(-256, 255)
    unit = Mvau(
        *(4, 8, 64, 64, 1, 1, 64), parse_value_type(weight), number, sums, "dot", number, 2, 3, ">=",
        "auto", "per_layer", products="lut",
    )  # fmt: skip
    parts = {part.name: part.amounts for part in mvau_parts(tech, unit, tool)}
    return parts["processing elements"]


@pytest.mark.parametrize(("weight", "sum_bits"), [("bipolar", 3), ("int2", 4)])
def test_registers_go_with_the_sums_of_a_tree_and_not_with_its_products(z7020, weight, sum_bits):
    """Eight products of two bits: four sums, two and one, each a bit wider, in LUTs of their own."""
    products = 8 * lut_multiplier_luts(z7020, 1 if weight == "bipolar" else 2, 2)
    sums = 4 * (sum_bits + 1) + 2 * (sum_bits + 2) + (sum_bits + 3)
    assert ripple_tree_luts(8, sum_bits) == sums
    found = _products(z7020, "vivado_hls", weight)
    assert found.ff == pytest.approx(z7020["pipeline_ff_per_lut"] * 4 * sums)
    assert found.lut_logic == pytest.approx(z7020["logic_factor"] * 4 * (products + sums))
