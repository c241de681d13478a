"""Power: laws, bases, and activity."""

import pytest

from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.cost.power import (
    Activity,
    activity_at_rate,
    energy_per_frame,
    estimate_power,
    power_of_amounts,
)
from bnnsim.cost.resources import estimate_resources
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_device


def _uniform(design, toggles, accesses):
    units = [unit.name for unit in design.graph.units]
    streams = [stream.name for stream in design.graph.streams]
    return Activity(
        units=dict.fromkeys([*units, "platform"], toggles),
        streams=dict.fromkeys(streams, toggles),
        memories=dict.fromkeys([*units, *streams, "platform"], accesses),
        source="measured",
    )


def test_constant_data_takes_less_than_real_and_real_less_than_random(cnv):
    resources = estimate_resources(cnv)
    watts = [
        estimate_power(resources, 100, _uniform(cnv, toggles, 1.0)).dynamic_w
        for toggles in (0.0, 0.2, 0.5)
    ]
    assert watts[0] < watts[1] < watts[2]
    default = estimate_power(resources, 100)
    assert default.dynamic_w == pytest.approx(watts[2])
    assert default.activity_source == "default"


def test_without_any_activity_only_the_clock_tree_remains(cnv):
    power = estimate_power(estimate_resources(cnv), 100, _uniform(cnv, 0.0, 0.0))
    assert power.dynamic_w == pytest.approx(sum(item.clock_w for item in power.dynamic))
    assert power.activity_source == "measured"


def test_dynamic_power_is_proportional_to_the_clock(cnv):
    resources = estimate_resources(cnv)
    slow, fast = (estimate_power(resources, mhz) for mhz in (100, 200))
    assert fast.dynamic_w == pytest.approx(2 * slow.dynamic_w)
    assert fast.static_w == slow.static_w


def test_chip_adds_the_processing_system(cnv):
    power = estimate_power(estimate_resources(cnv), 100)
    assert power.chip_w == pytest.approx(power.programmable_logic_w + 1.55)
    assert power.of_basis("chip") == power.chip_w
    assert power.of_basis("programmable_logic") == power.programmable_logic_w


def test_a_part_without_processor_has_no_processing_system():
    power = power_of_amounts(Amounts(lut_logic=1000), load_device("xc7vx690t").spec, 100)
    assert power.processing_system_w == 0


def test_plug_power_exists_only_for_measured_boards(cnv):
    power = estimate_power(estimate_resources(cnv), 100)
    assert power.of_basis("plug", "PYNQ-Z1") == pytest.approx(1.65 + power.dynamic_w)
    known = r"on a board that was measured \(PYNQ-Z1\), got plug of ZedBoard"
    with pytest.raises(InputError, match=known):
        power.of_basis("plug", "ZedBoard")
    with pytest.raises(InputError, match="programmable_logic or chip"):
        power.of_basis("board", "PYNQ-Z1")
    with pytest.raises(InputError, match="one of programmable_logic, chip, board, plug, got 'wall'"):
        power.of_basis("wall")


def test_the_energy_of_a_frame_is_the_sum_of_its_layers(cnv):
    power = estimate_power(estimate_resources(cnv), 100)
    energy = energy_per_frame(power, 32768)
    assert energy.total_uj == pytest.approx(power.chip_w * 327.68)
    assert energy.total_uj == pytest.approx(sum(energy.by_layer.values()))
    logic = energy_per_frame(power, 32768, "programmable_logic")
    assert logic.total_uj == pytest.approx(power.programmable_logic_w * 327.68)
    with pytest.raises(InputError, match="programmable_logic or chip, got plug"):
        energy_per_frame(power, 32768, "plug")


def test_activity_at_a_rate_follows_the_work_of_each_unit(cnv):
    activity = activity_at_rate(cnv, 32768)
    assert activity.units["fc0.mvau"] == pytest.approx(0.5)
    assert activity.units["conv5.mvau"] == pytest.approx(0.5 * 18432 / 32768)
    assert activity.memories["conv5.mvau"] == pytest.approx(18432 / 32768)
    assert activity.streams["source->source.widen"] == pytest.approx(0.5 * 384 / 32768)
    assert not activity.is_measured
    resources = estimate_resources(cnv)
    assert estimate_power(resources, 100, activity).dynamic_w < estimate_power(resources, 100).dynamic_w


def test_the_one_published_breakdown_comes_back():
    """FracBNN on ZU5EG at 200 MHz: 4.798 W of which 2.186 W processing system and 0.451 W static."""
    part = load_device("xczu3eg").spec.model_copy(update={"name": "xczu5eg", "lut": 117120})
    placed = Amounts(lut_logic=54752, lutram=1564, ff=48896, bram18=288, dsp=126)
    power = power_of_amounts(placed, part, 200)
    assert power.static_w == pytest.approx(0.451, abs=0.001)
    assert power.processing_system_w == 2.186
    assert sum(item.memory_w for item in power.dynamic) == pytest.approx(0.353 + 0.052, abs=0.002)
    assert power.chip_w == pytest.approx(4.798, abs=0.01)
