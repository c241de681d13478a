"""The records behind the figures of a page."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from bnnsim.design.design import Design
from bnnsim.evaluation import evaluate
from bnnsim.report.figures.costs import budget_bars
from bnnsim.report.figures.design_costs import costs_info
from bnnsim.report.figures.figure import Figure, csv_text, embedded_json, number
from bnnsim.report.figures.track_encoding import decode_pairs
from bnnsim.report.streaming.bottleneck import bottleneck_info, bottleneck_sentence
from bnnsim.report.streaming.occupancy import occupancy_info
from bnnsim.report.streaming.pipeline import pipeline_figure, pipeline_info
from bnnsim.report.streaming.recording import record
from bnnsim.report.streaming.roofline import roofline_info
from bnnsim.report.streaming.timeline import timeline_info
from bnnsim.report.streaming.unit_states import State
from bnnsim.simulation import Simulation, load_streaming_design, simulate

from .small_design import ARCH, BRANCHED, BRANCHED_ARCH, small_design, write_specs


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Design:
    return small_design(tmp_path_factory.mktemp("design"))


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    arch, workload = write_specs(tmp_path_factory.mktemp("simulation"))
    return simulate(arch, workload, frames=2, timing_only=True, executor="simpy")


def test_timeline_rows_cover_every_cycle(design: Design) -> None:
    info = timeline_info(record(design, 2), ("fc0.mvau",))
    assert info.limiting == ("fc0.mvau",)
    for row in info.rows:
        pairs = decode_pairs(row.track)
        assert len(pairs) == row.segments
        assert sum(length for _, length in pairs) == info.cycles
        assert all(state in set(State) for state, _ in pairs)


def test_mean_occupancy_is_the_mean_over_cycles(design: Design) -> None:
    recording = record(design, 1)
    info = occupancy_info(recording)
    for row, stream in zip(info.rows, recording.streams, strict=True):
        level_of = [0] * recording.cycles
        for start, level in zip(stream.cycles, stream.levels, strict=True):
            level_of[start:] = [level] * (recording.cycles - start)
        assert row.mean_words == pytest.approx(sum(level_of) / recording.cycles)
        assert row.full_cycles == sum(level >= stream.depth_words for level in level_of)


def test_the_unit_with_most_steps_sets_the_pace(design: Design, simulation: Simulation) -> None:
    info = bottleneck_info(design, simulation)
    # conv0: 16 pixels x 8/2 rows x 36/4 columns; fc0: 10 rows x 32/8 columns
    assert {u.name: u.cycles_a_frame for u in info.work}["conv0.mvau"] == 16 * 4 * 9
    assert {u.name: u.cycles_a_frame for u in info.work}["fc0.mvau"] == 10 * 4
    assert info.limiting == ("conv0.mvau",)
    assert info.slowest_cycles == 576


def test_the_sentence_is_the_simulations_own(design: Design, simulation: Simulation) -> None:
    assert simulation.bottleneck is not None
    info = bottleneck_info(design, simulation)
    assert bottleneck_sentence(info) == escape(simulation.bottleneck.text) + "."
    unknown = replace(simulation, bottleneck=None)
    assert "What limits is not known" in bottleneck_sentence(bottleneck_info(design, unknown))


def test_a_window_that_takes_longer_than_its_words_limits_on_the_page_too() -> None:
    """Seven matrix units take 9,216 cycles, fewer than the first window."""
    design, _ = load_streaming_design("finn-cnv-max", "cnv")
    info = bottleneck_info(design, simulate("finn-cnv-max", "cnv", timing_only=True))
    assert info.limiting == ("conv0.window",)
    assert {u.name: u.cycles_a_frame for u in info.work}["conv0.window"] == info.slowest_cycles
    others = [u.cycles_a_frame for u in info.work if u.name != "conv0.window"]
    assert max(others) < info.slowest_cycles


def test_roofline_points_never_exceed_their_peak(design: Design) -> None:
    info = roofline_info(design, 576)
    by_name = {point.name: point for point in info.points}
    conv, linear = by_name["conv0.mvau"], by_name["fc0.mvau"]
    assert conv.utilisation == 1.0
    assert conv.peak_operations_a_cycle == 2 * 2 * 4
    assert conv.peak_words_a_cycle == 2
    assert linear.operations_a_cycle == pytest.approx(2 * 10 * 32 / 576)
    assert linear.words_a_cycle == pytest.approx(40 / 576)
    assert conv.operations_a_word == 2 * 4
    assert info.operations_a_cycle == pytest.approx(2 * design.network.macs / 576)


def test_boxes_add_up_to_the_run(design: Design, simulation: Simulation) -> None:
    info = pipeline_info(design, simulation)
    for box, report in zip(info.units, simulation.units, strict=True):
        assert box.total_cycles == simulation.cycles_total
        assert box.busy_cycles == report.busy_cycles
        assert box.computing_cycles + box.idle_cycles == report.idle_cycles
        assert box.idle_cycles >= 0
    assert [s.max_occupancy_words for s in info.streams] == [
        f.max_occupancy_words for f in simulation.fifos
    ]


def test_a_shortcut_is_an_arc_between_rows_that_do_not_follow_each_other(tmp_path: Path) -> None:
    names = write_specs(tmp_path, BRANCHED_ARCH, BRANCHED)
    simulation = simulate(*names, timing_only=True, executor="simpy")
    info = pipeline_info(small_design(tmp_path, BRANCHED_ARCH, BRANCHED), simulation)
    figure = pipeline_figure(info)
    layers = list(dict.fromkeys(unit.layer for unit in info.units))
    assert figure.data == {"arcs": [[layers.index("conv0"), layers.index("both")]]}
    assert figure.body.count("from conv0.split") == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1234567, "1,234,567"), (3051.7578125, "3,052"), (1579.71, "1,580"), (0.53, "0.53"), (None, "–")],
)
def test_numbers_for_reading_keep_four_digits(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_text_inside_a_page_cannot_end_its_element() -> None:
    assert "</script><b>" not in embedded_json("x", "</script><b>")
    figure = Figure("f", "<t>", "", "", csv_text(("a",), [("</script>",)]))
    assert figure.html().count("</script>") == 1
    assert "&lt;t&gt;" in figure.html()


def test_costs_of_the_units_add_up_to_the_totals(tmp_path: Path) -> None:
    evaluation = evaluate(*write_specs(tmp_path), timing_only=True)
    info = costs_info(evaluation)
    for name, total in info.totals.items():
        assert sum(unit.resources.get(name, 0) for unit in info.units) == total
    energy = sum(unit.energy_uj or 0.0 for unit in info.units)
    assert energy == pytest.approx(info.energy_per_frame_uj)
    assert info.power_w == evaluation.power_w
    assert info.violations == ()


def test_a_design_over_its_budget_says_by_how_much(tmp_path: Path) -> None:
    arch = ARCH.replace("clock_mhz: 100", "clock_mhz: 100\nbudget: {lut: 100}")
    info = costs_info(evaluate(*write_specs(tmp_path, arch), timing_only=True))
    used = info.totals["lut"]
    assert info.violations == (f"lut: {used:,} used, 100 allowed, {used - 100:,} too many",)
    assert "over budget" in budget_bars(info)
