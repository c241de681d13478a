"""Resources of whole designs."""

import dataclasses

import pytest

from bnnsim.cost.blocks.amounts import Amounts, add_up
from bnnsim.cost.blocks.parts import total
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.streaming.mvau import mvau_parts
from bnnsim.cost.usage import PLATFORM
from bnnsim.design.build import build_streaming_design
from bnnsim.design.streaming.units import Mvau
from bnnsim.spec.accelerator import Budget
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.spec.value_type import ValueType
from bnnsim.validation.systems import simulated_systems


def _weights(resources):
    return sum(
        int(part.amounts.bram18)
        for unit in resources.units
        for part in unit.parts
        if part.name == "weight memory"
    )


def test_lfc_with_a_memory_a_pe_takes_208_blocks_for_its_weights():
    """BNN-PYNQ's placed LFC: 832-1024-1024-1024-64 at PE/SIMD 32/64, 64/32, 32/64, 16/8."""
    assert _weights(estimate_resources(simulated_systems()["pynq-lfc-w1a1"].design)) == 208


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("pynq-cnv", 248),
        ("pynq-cnv-w1a2", 263),
        ("pynq-cnv-w2a2-zu3eg", 309),
        ("pynq-lfc-w1a1", 220),
        ("pynq-lfc-w1a2", 220),
    ],
)
def test_block_memory_of_placed_streaming_designs_within_ten_percent(name, blocks):
    used = estimate_resources(simulated_systems()[name].design).total.bram18
    assert used == pytest.approx(blocks, rel=0.1)


def test_total_is_the_sum_of_units_and_layers(cnv):
    resources = estimate_resources(cnv)
    assert add_up(unit.amounts for unit in resources.units) == resources.total
    assert add_up(resources.by_layer.values()) == resources.total
    assert {unit.name for unit in resources.units} == {
        *(unit.name for unit in cnv.graph.units),
        *(stream.name for stream in cnv.graph.streams),
        PLATFORM,
    }


def test_a_units_amounts_are_its_parts_rounded(cnv):
    for unit in estimate_resources(cnv).units:
        cost = total(unit.parts)
        assert abs(unit.lut_logic - cost.lut_logic) <= 0.5
        assert abs(unit.ff - cost.ff) <= 0.5
        assert unit.bram18 == cost.bram18


def test_shares_are_of_the_device(cnv):
    resources = estimate_resources(cnv)
    assert resources.utilisation["bram18"] == resources.total.bram18 / 280
    assert resources.utilisation["lut"] == resources.total.lut / 53200
    assert resources.fits


def test_a_broken_budget_is_reported_with_its_amount(cnv):
    tight = cnv.architecture.model_copy(update={"budget": Budget(lut=20000, bram18=250)})
    resources = estimate_resources(dataclasses.replace(cnv, architecture=tight))
    assert not resources.fits
    (broken,) = resources.exceeded
    assert (broken.resource, broken.allowed) == ("lut", 20000)
    assert broken.amount == resources.total.lut - 20000
    assert str(broken).endswith(f"20,000 allowed, {broken.amount:,} too many")


def test_area_layout_takes_fewer_blocks_than_the_tools_default(cnv):
    assert estimate_resources(cnv, layout="area").total.bram18 < estimate_resources(cnv).total.bram18


def _refolded(**changes):
    architecture = load_architecture("pynq-cnv").spec
    layers = dict(architecture.layers)
    for layer, update in changes.items():
        layers[layer] = layers[layer].model_copy(update=update)
    changed = architecture.model_copy(update={"layers": layers})
    return build_streaming_design(changed, load_workload("cnv"))


def test_more_pes_take_more_luts(cnv):
    luts = [
        estimate_resources(_refolded(conv2={"pe": pe})).by_name["conv2.mvau"].lut_logic
        for pe in (2, 4, 8, 16, 32)
    ]
    assert luts == sorted(luts)


def test_one_memory_for_the_layer_is_never_more_than_one_for_each_pe():
    shared = estimate_resources(_refolded(conv2={"memory": "per_layer", "weights": "bram"}))
    apart = estimate_resources(_refolded(conv2={"memory": "per_pe", "weights": "bram"}))
    assert shared.by_name["conv2.mvau"].bram18 <= apart.by_name["conv2.mvau"].bram18


def test_weights_in_luts_free_block_memory_and_take_lutram():
    moved = estimate_resources(_refolded(conv1={"weights": "lutram"})).by_name["conv1.mvau"]
    usual = estimate_resources(_refolded()).by_name["conv1.mvau"]
    assert moved.bram18 == usual.bram18 - 32
    assert moved.lutram > usual.lutram


def test_ultraram_on_a_part_without_any_is_over_the_budget():
    resources = estimate_resources(_refolded(conv5={"weights": "uram"}))
    assert [item.resource for item in resources.exceeded] == ["uram"]


def test_intel_parts_count_alms_and_m20k():
    architecture = load_architecture("pynq-cnv").spec.model_copy(
        update={"device": "5sgsd8", "budget": Budget()}
    )
    resources = estimate_resources(build_streaming_design(architecture, load_workload("cnv")))
    assert resources.total.alm > 0
    assert resources.total.m20k > 0
    assert resources.total.lut == resources.total.bram18 == 0
    assert set(resources.utilisation) == {"alm", "m20k", "dsp", "ff"}


def test_multi_bit_lanes_take_more_luts_than_binary_ones(z7020):
    designs = {name: entry.design for name, entry in simulated_systems().items()}
    binary = designs["pynq-lfc-w1a1"].graph.unit_by_name["fc1.mvau"].parameters
    two_bits = designs["pynq-lfc-w1a2"].graph.unit_by_name["fc1.mvau"].parameters

    def elements(parameters):
        assert isinstance(parameters, Mvau)
        parts = {part.name: part.amounts for part in mvau_parts(z7020, parameters, "hls")}
        return parts["processing elements"].lut_logic

    assert 2 < elements(two_bits) / elements(binary) < 4


def test_rtl_units_put_multi_bit_products_into_dsps(z7020):
    unit = simulated_systems()["pynq-cnv-w2a2"].design.graph.unit_by_name["conv2.mvau"].parameters
    assert total(mvau_parts(z7020, unit, "rtl")).dsp == -(-unit.pe // 4) * unit.simd
    wide = dataclasses.replace(unit, input_type=ValueType("uint", 5))
    assert total(mvau_parts(z7020, wide, "rtl")).dsp == -(-unit.pe // 2) * unit.simd
    assert total(mvau_parts(z7020, unit, "hls")).dsp <= 2


def test_amounts_without_alms_add_lutram_to_the_luts():
    assert Amounts(lut_logic=3, lutram=4).lut == 7


def test_every_kind_of_unit_has_a_cost():
    workload = """
name: every-kind
input: {shape: [4, 8, 8], type: uint2}
layers:
  - {name: c0, op: conv, out: 4, kernel: 3, pad: 1, weight: int2}
  - {name: sum, op: add, inputs: [c0, c0]}
  - {name: t0, op: threshold, activation: bipolar}
  - {name: p0, op: average_pool, kernel: 2}
  - {name: p1, op: max_pool, kernel: 2, inputs: [t0]}
  - {name: both, op: concat, inputs: [p0, p1]}
  - {name: fc, op: linear, out: 4}
"""
    architecture = """
name: every-kind
source: test
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {units: rtl, pipeline: flushing, sliding_window: rtl, fifo_words: 64}
layers:
  c0: {pe: 2, simd: 4}
  sum: {pe: 2}
  t0: {pe: 2}
  fc: {pe: 1, simd: 8}
"""
    design = _from_text(architecture, workload)
    resources = estimate_resources(design)
    kinds = {unit.kind for unit in resources.units}
    assert {"padding", "add", "duplicate", "thresholding", "pool", "concat"} <= kinds
    assert all(unit.lut + unit.ff > 0 for unit in resources.units)


def _from_text(architecture, workload):
    from bnnsim.spec.streaming.architecture import StreamingArchitecture
    from bnnsim.spec.workload import Workload
    from bnnsim.spec.yaml.source import parse_source
    from bnnsim.spec.yaml.validate import validate

    arch, arch_faults = validate(StreamingArchitecture, parse_source(architecture, "arch"))
    work, work_faults = validate(Workload, parse_source(workload, "work"))
    assert arch is not None
    assert work is not None
    assert not arch_faults
    assert not work_faults
    return build_streaming_design(arch, work)
