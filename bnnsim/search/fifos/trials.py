"""Sets of depths, timed exactly and once each, within an allowance; the best of them at any moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bnnsim.search.fifos.costs import Depths, FifoCosts
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.steady_state.api import steady_state

MOST_TIMINGS = 120
LEAST_TIMINGS = 24
MOST_WORDS = 20_000_000
"""Words that all timings may move together beyond the least number of timings."""
UNIT_WORDS = 100
"""What a unit costs a frame besides its words, in words."""
LEAST_FRAMES = 8
MOST_FRAMES_FACTOR = 3
"""Frames within which depths must show their interval, by those that depths which are enough need: those
that do not are taken as too shallow."""
ENOUGH_FRAMES = 512
"""Frames within which depths that should be enough must show it, and the design's own; of large frames
no more than move :data:`ENOUGH_WORDS`, but :data:`LEAST_FRAMES`."""
ENOUGH_WORDS = 1 << 29


@dataclass(frozen=True)
class CurvePoint:
    """One set of depths that was timed."""

    fifo_bits: int
    """Memory of all FIFOs."""
    bram18: int
    """Block memories of 18 kbit in them."""
    initiation_interval_cycles: int
    """The interval between frames that they give."""


@dataclass(frozen=True)
class SizingProgress:
    """How far it is: ``timed`` sets of depths of at most ``most``, the best that keeps the target."""

    timed: int
    most: int
    best: CurvePoint | None


Progress = Callable[[SizingProgress], None]


class DepthTrials:
    """Times depths of one design; ``target_cycles`` is the longest interval that keeps the throughput."""

    def __init__(
        self,
        timing: TimingGraph,
        costs: FifoCosts,
        target_cycles: int,
        progress: Progress | None = None,
        most_timings: int | None = None,
    ) -> None:
        self.timing = timing
        self.costs = costs
        self.target_cycles = target_cycles
        self.best: dict[str, int] | None = None
        self.most_frames = LEAST_FRAMES
        self._progress = progress
        self._most_timings = most_timings
        self._streams: tuple[str, ...] = ()
        self._timed: dict[tuple[int, ...], int | None] = {}
        self._unproven: dict[tuple[int, ...], int] = {}
        self._words = self._frames = 0
        self._frame_words = sum(
            UNIT_WORDS + u.program.words_in + u.program.words_out for u in timing.units
        )

    @property
    def enough_frames(self) -> int:
        """Frames within which depths that should be enough must show it."""
        return max(LEAST_FRAMES, min(ENOUGH_FRAMES, ENOUGH_WORDS // self._frame_words))

    @property
    def timed(self) -> int:
        """Sets of depths that were timed."""
        return len(self._timed)

    @property
    def left(self) -> int:
        """Timings that are still allowed."""
        if self._most_timings is not None:
            return max(0, self._most_timings - self.timed)
        spare = self.frames_left // 3
        return max(LEAST_TIMINGS - self.timed, min(MOST_TIMINGS - self.timed, spare), 0)

    @property
    def frames_left(self) -> int:
        """Frames that the words still allowed are."""
        return max(0, MOST_WORDS - self._words) // max(1, self._frame_words)

    def settles(self, depths: Depths) -> bool:
        """As :meth:`keeps`, with more frames to show it; what follows has twice as many as it took."""
        interval = self.interval(depths, self.enough_frames)
        self.most_frames = max(LEAST_FRAMES, MOST_FRAMES_FACTOR * self._frames)
        return interval is not None and interval <= self.target_cycles

    def interval(self, depths: Depths, max_frames: int | None = None) -> int | None:
        """The initiation interval; None where the design deadlocks or none is proven in time."""
        self._streams = self._streams or tuple(depths)
        key = tuple(depths[name] for name in self._streams)
        most = max_frames or self.most_frames
        if key not in self._timed or self._unproven.get(key, most) < most:
            self._unproven.pop(key, None)
            try:
                steady = steady_state(self.timing.with_depths(depths), fast=True, max_frames=most)
                self._timed[key] = steady.initiation_interval_cycles
                self._frames = steady.frames_simulated
                if self._timed[key] is None:
                    self._unproven[key] = most
            except DeadlockError:
                self._timed[key], self._frames = None, 0
            self._words += (self._frames + 1) * self._frame_words
            self._note(depths, self._timed[key])
        return self._timed[key]

    def keeps(self, depths: Depths, max_frames: int | None = None) -> bool:
        """Whether these depths keep the target, and show it within the frames."""
        interval = self.interval(depths, max_frames)
        return interval is not None and interval <= self.target_cycles

    def point(self, depths: Depths) -> CurvePoint | None:
        """What timed depths cost and give."""
        interval = self.interval(depths)
        if interval is None:
            return None
        return CurvePoint(self.costs.bits(depths), self.costs.bram18(depths), interval)

    def _note(self, depths: Depths, interval: int | None) -> None:
        keeps = interval is not None and interval <= self.target_cycles
        if keeps and (self.best is None or self.costs.total(depths) < self.costs.total(self.best)):
            self.best = dict(depths)
        if self._progress is not None:
            best = None if self.best is None else self.point(self.best)
            self._progress(SizingProgress(self.timed, self.timed + self.left, best))

    def curve(self) -> tuple[CurvePoint, ...]:
        """The timed depths that no others beat in bits and interval, smallest first."""
        points = []
        for key, interval in self._timed.items():
            if interval is not None:
                depths = dict(zip(self._streams, key, strict=True))
                points.append(CurvePoint(self.costs.bits(depths), self.costs.bram18(depths), interval))
        points.sort(key=lambda p: (p.fifo_bits, p.initiation_interval_cycles))
        front: list[CurvePoint] = []
        for point in points:
            if not front or point.initiation_interval_cycles < front[-1].initiation_interval_cycles:
                front.append(point)
        return tuple(front)
