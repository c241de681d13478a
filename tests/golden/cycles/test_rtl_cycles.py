"""Every RTL run that Verilator measured, reproduced to the cycle by both simulations.

The rows are in ``rtl_cycles.csv``, their origin in the README beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from bnnsim.design.streaming.units import Window
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_bench
from tests.golden.cycles.rtl_rows import FRAMES, NOT_MODELLED, RtlRow, rtl_rows, rtl_unit
from tests.property.clockwork import run_clockwork
from tests.property.observed import observe_simpy

ROWS = rtl_rows()
Simulated = tuple[tuple[int, ...], tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]


def by_simpy(bench: TimingGraph) -> Simulated:
    run = observe_simpy(bench, FRAMES)
    return run.result.frame_end_cycles, run.read_cycles, run.write_cycles


def by_clock_loop(bench: TimingGraph) -> Simulated:
    run = run_clockwork(bench, FRAMES)
    return run.result.frame_end_cycles, run.read_cycles, run.write_cycles


@pytest.mark.parametrize("simulate", [by_simpy, by_clock_loop])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_module_gives_its_first_word_its_first_frame_and_its_period_as_measured(
    row: RtlRow, simulate: Callable[[TimingGraph], Simulated]
) -> None:
    bench = row.bench
    ends, reads, writes = simulate(bench)
    first_in = reads[position(bench, "in")][0]
    words = writes[position(bench, "out")]
    assert first_in == 0  # the row's ready pattern counts from here
    assert len(words) == FRAMES * row.words_out
    assert words[0] - first_in == row.latency_cycles
    assert ends[0] - first_in + 1 == row.frame0_cycles
    assert ends[1] - ends[0] == row.period_second_cycles
    assert ends[-1] - ends[-2] == row.period_last_cycles
    assert (ends[-1] - ends[0]) / (FRAMES - 1) == row.period_average_cycles


@pytest.mark.parametrize("row", [row for row in ROWS if row.unit], ids=str)
def test_module_takes_and_gives_as_many_words_a_frame_as_measured(row: RtlRow) -> None:
    units = row.bench.units
    assert (units[0].program.words_in, units[-1].program.words_out) == (row.words_in, row.words_out)


@pytest.mark.parametrize("row", [r for r in ROWS if r.module == "swg_rtl_default"], ids=str)
def test_rtl_window_s_buffer_is_as_deep_as_the_module_s(row: RtlRow) -> None:
    assert row.unit is not None
    assert isinstance(row.unit.parameters, Window)
    assert row.unit.parameters.buffer_words == row.buffer_words


def test_only_the_weight_reader_has_no_model() -> None:
    assert sorted(NOT_MODELLED) == ["memstream"]
    assert len(ROWS) == 76


@pytest.mark.parametrize(("height", "width"), [(5, 5), (7, 6), (8, 9)])
@pytest.mark.parametrize("kernel", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("fold", [1, 3])
def test_rtl_window_of_stride_1_has_the_period_of_finn_s_dense_window(
    height: int, width: int, kernel: int, dilation: int, fold: int
) -> None:
    """OH*OW*K*K*cf + max(0, bufmin - K*K*cf) + 2, which also the measured rows obey.

    With larger strides the formula cannot hold (a frame can have more words in than that).
    """
    window = Window(
        style="rtl",
        channels=fold,
        height=height,
        width=width,
        kernel=(kernel, kernel),
        stride=(1, 1),
        dilation=(dilation, dilation),
        groups=1,
        lanes=1,
    )
    ends, _, _ = by_clock_loop(build_bench(rtl_unit(window)))
    taps = kernel**2 * fold
    reach = ((kernel - 1) * dilation * width + (kernel - 1) * dilation + 1) * fold
    out_height = height - (kernel - 1) * dilation
    out_width = width - (kernel - 1) * dilation
    period = out_height * out_width * taps + max(0, reach - taps) + 2
    assert {b - a for a, b in itertools.pairwise(ends)} == {period}


def position(bench: TimingGraph, name: str) -> int:
    return bench.channel_position[name]
