"""FIFO depths: which matter, what each was filled to, and depths that lose nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from html import escape

from bnnsim.design.design import Design
from bnnsim.report.figures.figure import Figure, csv_text, exact
from bnnsim.report.streaming.occupancy import OccupancyInfo, most_words
from bnnsim.search.fifos.bound import LEAST_DEPTH_WORDS
from bnnsim.search.fifos.costs import FifoCosts
from bnnsim.search.fifos.shrinking import Shrinking, stream_kinds
from bnnsim.search.fifos.sizing import enough_depths
from bnnsim.search.fifos.trials import ENOUGH_FRAMES, DepthTrials
from bnnsim.simulation import Simulation
from bnnsim.timing.streaming.bottleneck import unlimited_interval
from bnnsim.timing.streaming.programs.graph import build_timing

TIMED_WORDS = 2_500_000
"""Words of frames that a page times sets of depths with: for a suggestion, not for the smallest."""
FEWEST_TIMINGS, MOST_TIMINGS = 4, 24
SHOWN_ROWS = 12
"""FIFOs that stand in the table at once, those that matter first."""


@dataclass(frozen=True)
class DepthRow:
    """One FIFO. ``full_share`` is the share of the recorded cycles that began with it full."""

    stream: str
    width_bits: int
    depth_words: int
    highest_words: int
    full_share: float
    suggested_words: int

    @property
    def added_bits(self) -> int:
        return (self.suggested_words - self.depth_words) * self.width_bits


@dataclass(frozen=True)
class DepthsInfo:
    """All FIFOs, those that matter first: too shallow ones, then those that waste most bits.

    Intervals are timed exactly: ``interval_cycles`` with the design's own depths,
    ``unlimited_cycles`` without any FIFO limit, ``suggested_cycles`` with the suggested ones. None
    where none is proven.
    """

    arch: str
    workload: str
    rows: tuple[DepthRow, ...]
    interval_cycles: int | None
    unlimited_cycles: int
    suggested_cycles: int | None
    recorded_cycles: int

    @property
    def bits(self) -> int:
        return sum(row.depth_words * row.width_bits for row in self.rows)

    @property
    def suggested_bits(self) -> int:
        return sum(row.suggested_words * row.width_bits for row in self.rows)


def depths_info(design: Design, simulation: Simulation, occupancy: OccupancyInfo) -> DepthsInfo:
    """The record behind the figure.

    Suggested is what keeps the best pace, by exact timing: where the design's own depths keep it, those
    as far as the run used them, else what fills at that pace; both made shallower in a few steps.
    """
    timing = build_timing(design.graph)
    best = unlimited_interval(timing)
    unlimited = -(-best.numerator // best.denominator)
    words = sum(stream.words for stream in design.graph.streams)
    timings = max(FEWEST_TIMINGS, min(MOST_TIMINGS, TIMED_WORDS // words))
    trials = DepthTrials(timing, FifoCosts(design, "bits"), unlimited, most_timings=timings)
    before = {stream.name: stream.depth_words for stream in design.graph.streams}
    highest = most_words(simulation, occupancy)
    now = trials.interval(before, ENOUGH_FRAMES)
    enough: dict[str, int] | None
    if now is not None and now <= unlimited:
        used = {
            name: min(depth, max(LEAST_DEPTH_WORDS, highest[name] + 1))
            for name, depth in before.items()
        }
        enough = used if trials.settles(used) else before
    else:
        enough = enough_depths(timing, tuple(before), trials)
    wanted = before
    if enough is not None:
        shrinking = Shrinking(trials, stream_kinds(design.graph), enough, LEAST_DEPTH_WORDS)
        shrinking.by_steps()
        wanted = shrinking.depths
    full = {row.name: row.full_cycles / max(1, occupancy.cycles) for row in occupancy.rows}
    widths = {stream.name: stream.width_bits for stream in design.graph.streams}
    rows = [
        DepthRow(name, widths[name], depth, highest[name], full.get(name, 0.0), wanted[name])
        for name, depth in before.items()
    ]
    rows.sort(key=lambda row: (-max(0, row.added_bits), row.added_bits, -row.full_share))
    return DepthsInfo(
        simulation.arch,
        simulation.workload,
        tuple(rows),
        now,
        unlimited,
        trials.interval(wanted, ENOUGH_FRAMES),
        occupancy.cycles,
    )


def depths_figure(info: DepthsInfo) -> Figure:
    """A sentence and a table; the FIFOs that matter less behind a fold."""
    few, more = info.rows[:SHOWN_ROWS], info.rows[SHOWN_ROWS:]
    rest = (
        f"<details><summary>{len(more)} more FIFOs</summary>{_table('More FIFOs', more)}</details>"
        if more
        else ""
    )
    header = ("stream", "width_bits", "depth_words", "highest_words", "full_share", "suggested_words")
    csv = csv_text(
        header,
        [
            (r.stream, r.width_bits, r.depth_words, r.highest_words, r.full_share, r.suggested_words)
            for r in info.rows
        ],
    )
    command = f"bnnsim fifos {escape(shlex.join((info.arch, info.workload)))}"
    note = (
        f"{_sentence(info)} <code>{command}</code> looks for the smallest and writes them. "
        f"Full: of the {exact(info.recorded_cycles)} cycles recorded."
    )
    body = _table("FIFOs that matter first", few) + rest
    return Figure("depths", "FIFO depths: which matter", note, body, csv)


def _sentence(info: DepthsInfo) -> str:
    now, best, then = info.interval_cycles, info.unlimited_cycles, info.suggested_cycles
    bits = f"{exact(info.suggested_bits)} bits instead of {exact(info.bits)}"
    if now is None:
        lost = "No interval is proven for these depths"
    elif now <= best:
        lost = f"No FIFO costs time: a frame every {exact(now)} cycles, as without any limit"
    else:
        lost = (
            f"FIFOs cost {(now - best) / now:.1%} of the time: a frame every {exact(now)} cycles, "
            f"{exact(best)} without any limit"
        )
    if all(row.added_bits == 0 for row in info.rows):
        return f"{lost}. Other depths are not suggested."
    if then is None:
        return f"{lost}. With the suggested depths ({bits}) none is proven either."
    paced = f"a frame every {exact(then)} cycles (timed exactly)"
    return f"{lost}. The suggested depths, {bits}, give {paced}."


def _table(label: str, rows: tuple[DepthRow, ...]) -> str:
    names = ("stream", "bits a word", "depth [words]", "most used", "cycles full", "suggested")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    lines = "".join(
        f'<tr><th scope="row">{escape(row.stream.replace("->", chr(0xA0) + "→ "))}</th>'
        f"<td>{exact(row.width_bits)}</td><td>{exact(row.depth_words)}</td>"
        f"<td>{exact(row.highest_words)}</td><td>{row.full_share:.1%}</td>"
        f'<td class="{_css(row)}">{exact(row.suggested_words)}</td></tr>'
        for row in rows
    )
    return (
        f'<div class="table" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _css(row: DepthRow) -> str:
    """Deeper stands out as what is wrong today, shallower as what may be saved."""
    return "worse" if row.added_bits > 0 else "better" if row.added_bits < 0 else ""
