"""FIFO sizing: shallow FIFOs that keep a pipeline's throughput, by some dozens of exact timings.

One run at the wanted pace says what is enough (:mod:`bnnsim.search.fifos.bound`). The cheaper of these
depths and the design's own are made shallower, many at once (:mod:`bnnsim.search.fifos.shrinking`): for
few bits all to the half, and half again; to what a run fills; by the steps that cost something; and as
long as there are timings left, to the word. The number of timings is bounded by the words that they
move, whatever the size of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bnnsim.design.design import Design
from bnnsim.files.schema_version import versioned
from bnnsim.notebook.picture import Picture, Series
from bnnsim.notebook.table import Row, Table
from bnnsim.search.fifos.bound import bound_depths, unlimited_depths
from bnnsim.search.fifos.costs import Depths, FifoCosts
from bnnsim.search.fifos.costs import Goal as Goal
from bnnsim.search.fifos.shrinking import Shrinking, stream_kinds
from bnnsim.search.fifos.trials import CurvePoint as CurvePoint
from bnnsim.search.fifos.trials import DepthTrials, Progress
from bnnsim.search.fifos.trials import SizingProgress as SizingProgress
from bnnsim.spec.bounds import MAX_SIZED_WORDS
from bnnsim.spec.faults import InputError
from bnnsim.timing.streaming.bottleneck import unlimited_interval
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.steady_state.api import frame_words

PACED_FRAMES = (3, 12, 48)
"""Frames of the run at the wanted pace: freezing pipelines settle later."""
PACED_WORDS = 1 << 27
"""Words of that run at most, but two frames of them."""
LEAST_PACED_FRAMES = 2
"""A frame's first words come while the last of the frame before are still inside: one shows no such
meeting, and depths that it says are enough were doubled several times until they were."""
CURVE_TIMINGS = 6
"""Timings that are kept for depths below the target, so that the front shows what memory buys."""


@dataclass(frozen=True, repr=False)
class FifoSizing(Table):
    """The depths found, by stream, and what they keep. Rows are streams.

    Example:
        >>> from bnnsim import size_fifos
        >>> sizing = size_fifos("digits-7z020", "digits")
        >>> sizing.initiation_interval_cycles, sizing.fifo_bits <= sizing.before_bits
        (356, True)
    """

    depth_words: Mapping[str, int]
    """The depths found, by stream."""
    before_words: Mapping[str, int]
    """The design's own depths, by stream."""
    initiation_interval_cycles: int
    """The interval between frames with the depths found."""
    before_interval_cycles: int | None
    """The same with the design's own; null where they deadlock or no interval is proven."""
    unlimited_interval_cycles: int
    """The same without any FIFO limit."""
    target_interval_cycles: int
    """The longest that was allowed: what --keep leaves of the best throughput."""
    fifo_bits: int
    """Memory of all FIFOs found."""
    before_bits: int
    """The same of the design's own."""
    bound_bits: int
    """The same of the depths that one run at the wanted pace says are enough."""
    bram18: int
    """Block memories of 18 kbit in the FIFOs found."""
    before_bram18: int
    """The same in the design's own."""
    curve: tuple[CurvePoint, ...]
    """The timed depths that no others beat in memory and interval, smallest first."""
    designs_timed: int
    """Sets of depths that were timed exactly."""
    is_minimal: bool
    """Whether each FIFO was tried a word shallower by itself, and none can be."""
    is_finished: bool
    """Whether the sizing came to its end; false where it was interrupted."""

    def __repr__(self) -> str:
        return (
            f"<FifoSizing: {self.fifo_bits:,} bits ({self.before_bits:,} before), "
            f"a frame every {self.initiation_interval_cycles:,} cycles>"
        )

    def rows(self) -> list[Row]:
        """One row a stream: its depth before and after."""
        return [
            {"stream": name, "before_words": self.before_words[name], "depth_words": depth}
            for name, depth in self.depth_words.items()
        ]

    def picture(self) -> Picture:
        """The interval that FIFO memory buys."""
        bits = tuple(float(point.fifo_bits) for point in self.curve)
        cycles = tuple(float(point.initiation_interval_cycles) for point in self.curve)
        series = (Series("timed", bits, cycles),)
        return Picture(
            "Interval against FIFO memory", "FIFO memory (bits)", "interval (cycles)", series, "lines"
        )

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned({**asdict(self), "depth_words": dict(self.depth_words)})


class SizingInterrupted(Exception):
    """Ctrl-C ended a sizing; ``best`` is the best until then, None where nothing kept the target yet."""

    def __init__(self, best: FifoSizing | None) -> None:
        super().__init__("the sizing was interrupted")
        self.best = best


def size_fifos(
    design: Design, keep: float = 1.0, goal: Goal = "bits", progress: Progress | None = None
) -> FifoSizing:
    """Depths that keep the fraction ``keep`` of the best reachable throughput.

    Raises :class:`InputError` where ``keep`` is not in (0, 1], frames are too large or no depths make the
    design run, and :class:`SizingInterrupted` on Ctrl-C.
    """
    if not 0 < keep <= 1:
        raise InputError("--keep", "a fraction in (0, 1]", f"{keep:g}")
    timing = timing_to_size(design)
    best = unlimited_interval(timing)
    unlimited_cycles = -(-best.numerator // best.denominator)
    sizer = _Sizer(design, timing, unlimited_cycles, int(unlimited_cycles / keep), goal, progress)
    try:
        return sizer.run()
    except KeyboardInterrupt:
        raise SizingInterrupted(sizer.best_so_far()) from None


def timing_to_size(design: Design) -> TimingGraph:
    """The pipeline's timing, whose FIFOs are to be sized. Raises :class:`InputError` for large frames."""
    timing = build_timing(design.graph)
    words = frame_words(timing)
    if words > MAX_SIZED_WORDS:
        expected = f"at most {MAX_SIZED_WORDS:,} reads and writes a frame to size FIFOs for"
        raise InputError("fifos", expected, f"{words:,} ({design.name})")
    return timing


def enough_depths(
    timing: TimingGraph, streams: tuple[str, ...], trials: DepthTrials
) -> dict[str, int] | None:
    """Depths of the ``streams`` that keep the target: what runs at its pace fill, or if it must be more.

    None where not even unlimited ones are proven to keep it.
    """
    found: dict[str, int] = {}
    most = max(LEAST_PACED_FRAMES, PACED_WORDS // frame_words(timing))
    for frames in [frames for frames in PACED_FRAMES if frames <= most] or [most]:
        bound = bound_depths(timing, trials.target_cycles, frames)
        found = {name: bound[name] for name in streams}
        if trials.settles(found):
            return found
    unlimited = unlimited_depths(timing, 4)
    while any(found[name] < unlimited[name] for name in streams):
        found = {name: min(2 * found[name], unlimited[name]) for name in streams}
        if trials.settles(found):
            return found
    return None


class _Sizer:
    def __init__(
        self,
        design: Design,
        timing: TimingGraph,
        unlimited_cycles: int,
        target_cycles: int,
        goal: Goal,
        progress: Progress | None,
    ) -> None:
        self.design = design
        self.timing = timing
        self.unlimited_cycles = unlimited_cycles
        self.costs = FifoCosts(design, goal)
        self.trials = DepthTrials(timing, self.costs, target_cycles, progress)
        self.before = {stream.name: stream.depth_words for stream in design.graph.streams}
        self.before_interval: int | None = None
        self.bound: dict[str, int] = {}

    def run(self) -> FifoSizing:
        trials = self.trials
        enough = enough_depths(self.timing, tuple(self.before), trials)
        self.before_interval = trials.interval(self.before, trials.enough_frames)
        if enough is None:
            got = f"none that does ({self.design.name})"
            raise InputError("fifos", "a design that runs with deep FIFOs", got)
        self.bound = enough
        assert trials.best is not None
        start = self._halved(trials.best) if self.costs.goal == "bits" else trials.best
        shrinking = Shrinking(trials, stream_kinds(self.design.graph), start)
        self._trim(shrinking)
        shrinking.by_steps(CURVE_TIMINGS)
        self._trim(shrinking)
        shrinking.by_words(CURVE_TIMINGS)
        self._slower(shrinking.depths)
        is_minimal = shrinking.prove()
        return self._record(shrinking.depths, is_minimal, is_finished=True)

    def best_so_far(self) -> FifoSizing | None:
        """The record of the best depths by now; None where none keep the target."""
        best = self.trials.best
        return None if best is None else self._record(best, is_minimal=False, is_finished=False)

    def _halved(self, depths: Depths) -> Depths:
        """All FIFOs half as deep, again and again while that keeps the target; no branches' ones."""
        while True:
            shallower = self._shallower(depths, 1)
            if shallower == depths or not self.trials.keeps(shallower):
                return depths
            depths = shallower

    def _shallower(self, depths: Depths, halvings: int) -> dict[str, int]:
        """A branch that does not hold what the other holds back deadlocks: it stays."""
        kinds = stream_kinds(self.design.graph)
        return {
            name: depth if "branch" in kinds[name] else max(min(2, depth), depth >> halvings)
            for name, depth in depths.items()
        }

    def _trim(self, shrinking: Shrinking) -> None:
        """What no word of a run ever used goes at once: a word less than never full is never noticed."""
        timing = self.timing.with_depths(shrinking.depths)
        filled = run_compiled(timing, PACED_FRAMES[0] + 1, extrapolate=False).result.max_occupancy_words
        most = {c.name: words + 1 for c, words in zip(timing.channels, filled, strict=True)}
        depths = {name: min(depth, max(1, most[name])) for name, depth in shrinking.depths.items()}
        if self.trials.keeps(depths):
            shrinking.depths = depths

    def _slower(self, depths: Depths) -> None:
        """Times depths below the target: FIFOs half as deep, and half again; branches' only at last."""
        for halvings in range(1, CURVE_TIMINGS):
            self.trials.interval(self._shallower(depths, halvings))
        self.trials.interval({name: max(min(2, depth), depth // 2) for name, depth in depths.items()})

    def _record(self, depths: Depths, is_minimal: bool, is_finished: bool) -> FifoSizing:
        interval = self.trials.interval(depths)
        assert interval is not None
        return FifoSizing(
            depth_words=depths,
            before_words=self.before,
            initiation_interval_cycles=interval,
            before_interval_cycles=self.before_interval,
            unlimited_interval_cycles=self.unlimited_cycles,
            target_interval_cycles=self.trials.target_cycles,
            fifo_bits=self.costs.bits(depths),
            before_bits=self.costs.bits(self.before),
            bound_bits=self.costs.bits(self.bound or depths),
            bram18=self.costs.bram18(depths),
            before_bram18=self.costs.bram18(self.before),
            curve=self.trials.curve(),
            designs_timed=self.trials.timed,
            is_minimal=is_minimal,
            is_finished=is_finished,
        )
