"""Power: laws, bases, and activity."""

import math

import pytest

from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.power import energy_per_frame, estimate_power, power_of_amounts
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.switching import Activity, activity_at_rate
from bnnsim.evaluation import evaluate
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_device


def _uniform(design, toggles, accesses):
    units = [unit.name for unit in design.graph.units]
    streams = [stream.name for stream in design.graph.streams]
    return Activity(
        units=dict.fromkeys([*units, "platform"], toggles),
        streams=dict.fromkeys(streams, toggles),
        memories=dict.fromkeys([*units, *streams, "platform"], accesses),
        work=dict.fromkeys([*units, *streams, "platform"], accesses),
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
    # The rails of a ZC702 with one core at work: 0.350 + 0.132 + 0.011 W, and 0.476 W of its DDR3.
    assert power.processing_system_w == pytest.approx(0.350 + 0.132 + 0.011, abs=0.002)
    assert power.chip_w == pytest.approx(power.programmable_logic_w + 0.494 + 0.476)
    assert power.of_basis("chip") == power.chip_w
    assert power.of_basis("programmable_logic") == power.programmable_logic_w


def test_a_part_without_processor_has_no_processing_system():
    power = power_of_amounts(Amounts(lut_logic=1000), load_device("xc7vx690t").spec, 100)
    assert power.processing_system_w == 0


def test_plug_power_exists_only_for_measured_boards(cnv):
    power = estimate_power(estimate_resources(cnv), 100)
    assert power.of_basis("plug", "PYNQ-Z1") == pytest.approx(1.65 + power.rise_w)
    known = r"on a board that was measured \(PYNQ-Z1, PYNQ-Z2\), got plug of ZedBoard"
    with pytest.raises(InputError, match=known):
        power.of_basis("plug", "ZedBoard")
    with pytest.raises(InputError, match="programmable_logic, chip or rise, or plug"):
        power.of_basis("board", "PYNQ-Z1")
    with pytest.raises(InputError, match="programmable_logic, chip, rise, board, plug, got 'wall'"):
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


REPORTS = {
    "clock_pj": (0.018, 0.017, 0.017, 0.023, 0.026, 0.024),
    "bram18_pj": (3.4, 2.4, 4.4, 3.3, 3.3, 6.1),
    "lutram_pj": (0.0987, 0.0890, 0.0490, 0.0959, 0.0775, 0.1662),
    "register_pj": (0.00136, 0.00191, 0.00106, 0.00255, 0.00291, 0.00348),
    "dsp_pj": (1.93, 1.52, 1.65, 1.65, 1.65, 6.07),
}
"""Six routed designs on UltraScale+: their reports' watts over elements and clock."""


@pytest.mark.parametrize("name", REPORTS)
def test_no_report_alone_sets_an_energy(name):
    logs = [math.log(value) for value in REPORTS[name]]
    assert default_coefficients()[name] == pytest.approx(math.exp(sum(logs) / 6), rel=0.01)


ROUTED_28NM = {
    "BIG-W/homework": [(0.014, 2479, 0.013, 14)],
    "deestroy/snn_parkour_fgpa": [
        (0.057, 45023, 0.101, 92), (0.036, 20552, 0.023, 23), (0.031, 7539, 0.133, 172),
        (0.017, 3997, 0.030, 46),
    ],
}  # fmt: skip
"""Watts of clocks, flip-flops, watts of block RAM and BRAM18 of routed designs on XC7Z020 at 100 MHz."""


def test_no_project_alone_sets_what_energies_of_28_nm_are_against_16_nm():
    values = default_coefficients()
    factors = []
    for designs in ROUTED_28NM.values():
        logs = []
        for clock_w, flip_flops, memory_w, blocks in designs:
            logs.append(math.log(clock_w * 1e6 / flip_flops / 100 / values["clock_pj"]))
            logs.append(math.log(memory_w * 1e6 / blocks / 100 / values["bram18_pj"]))
        factors.append(sum(logs) / len(logs))
    found = math.exp(sum(factors) / len(factors))
    assert values["dynamic_factor_28nm"] == pytest.approx(found, rel=0.01)


@pytest.mark.parametrize(("rate_fps", "measured_w"), [(661.3, 0.157), (3049, 0.562)])
def test_the_measured_rises_of_cnv_come_out_of_one_set_of_coefficients(rate_fps, measured_w):
    """At the supplies of a PYNQ-Z2 (one frame at a time) and a PYNQ-Z1; neither is in the fit."""
    found = evaluate("pynq-cnv", "cnv", timing_only=True, rate_fps=rate_fps)
    assert found.power_by_basis_w["rise"] == pytest.approx(measured_w, rel=0.2)


def test_watts_follow_the_frame_rate_and_idle_time_costs_static_and_clock_only():
    full, half, idle = (
        evaluate("pynq-cnv", "cnv", timing_only=True, rate_fps=rate).power for rate in (3000, 1500, 1e-3)
    )
    assert full.rise_w == pytest.approx(2 * half.rise_w, rel=1e-9)
    assert idle.programmable_logic_w == pytest.approx(full.static_w + full.clock_w, rel=1e-4)
    assert idle.rise_w < 1e-6


@pytest.mark.parametrize("rate_fps", [0, -1, 3053, float("nan"), float("inf")])
def test_a_rate_that_the_design_cannot_keep_is_refused(rate_fps):
    with pytest.raises(InputError, match=r"--rate: expected frames a second above 0 and at most 3051.76"):
        evaluate("pynq-cnv", "cnv", timing_only=True, rate_fps=rate_fps)


def test_a_processor_at_work_takes_more_than_an_idle_one(cnv):
    resources = estimate_resources(cnv)
    watts = [
        estimate_power(resources, 100, processor=doing).processing_system_w
        for doing in ("idle", "polling", "busy")
    ]
    assert watts[0] < watts[1] < watts[2]
    assert watts[2] - watts[1] == pytest.approx(watts[1] - watts[0])  # two cores


def test_what_steers_has_a_toggle_rate_of_its_own(cnv):
    resources = estimate_resources(cnv)
    shares = {unit.name: unit.control_share for unit in resources.units}
    assert shares["platform"] == shares["sink"] == 1
    assert 0 < shares["conv1.mvau"] < 0.5 < shares["conv1.window"] < 1
    quiet = estimate_power(resources, 100, _uniform(cnv, 0.0, 1.0))
    control = next(item for item in quiet.dynamic if item.name == "platform")
    assert control.logic_w > 0
