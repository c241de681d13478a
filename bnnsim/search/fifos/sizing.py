"""FIFO sizing: the shallowest FIFOs that keep a pipeline's throughput.

Found by exact timing alone. Depths are doubled together until they keep the initiation interval that
unlimited FIFOs would give; then each FIFO in turn is made as shallow as the target allows, over and over
until no single one can lose a word. Where that ends depends on start and order, so it is done from the
doubled depths and from the design's own, costliest and cheapest FIFO first, and the best is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.storage import fifo
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Stream
from bnnsim.files.schema_version import versioned
from bnnsim.spec.faults import InputError
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.steady_state.api import steady_state

Goal = Literal["bits", "bram"]
Progress = Callable[[int, int], None]
ENOUGH_FRAMES = 4
"""Depths that hold this many frames of a stream count as unlimited."""


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
class FifoSizing:
    """The depths found, by stream, and what they keep."""

    depth_words: Mapping[str, int]
    """The depths found, by stream."""
    before_words: Mapping[str, int]
    """The design's own depths, by stream."""
    initiation_interval_cycles: int
    """The interval between frames with the depths found."""
    before_interval_cycles: int | None
    """The same with the design's own; null where they deadlock."""
    unlimited_interval_cycles: int
    """The same without any FIFO limit."""
    target_interval_cycles: int
    """The longest that was allowed: what --keep leaves of the best throughput."""
    fifo_bits: int
    """Memory of all FIFOs found."""
    before_bits: int
    """The same of the design's own."""
    bram18: int
    """Block memories of 18 kbit in the FIFOs found."""
    before_bram18: int
    """The same in the design's own."""
    curve: tuple[CurvePoint, ...]
    """The timed depths that no others beat in memory and interval, smallest first."""
    designs_timed: int
    """Sets of depths that were timed exactly."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned({**asdict(self), "depth_words": dict(self.depth_words)})


def size_fifos(
    design: Design, keep: float = 1.0, goal: Goal = "bits", progress: Progress | None = None
) -> FifoSizing:
    """Depths that keep the fraction ``keep`` of the best reachable throughput.

    Raises :class:`InputError` where ``keep`` is not in (0, 1] or no depths make the design run.
    """
    if not 0 < keep <= 1:
        raise InputError("--keep", "a fraction in (0, 1]", f"{keep:g}")
    return _Sizer(design, goal, progress).run(keep)


class _Sizer:
    def __init__(self, design: Design, goal: Goal, progress: Progress | None) -> None:
        self.design = design
        self.goal = goal
        self.progress = progress
        self.streams: Mapping[str, Stream] = design.graph.stream_by_name
        self.tech = technology_of(design.device, default_coefficients(), "timing")
        self.timing: TimingGraph = build_timing(design.graph)
        self.timed: dict[tuple[int, ...], int | None] = {}

    def run(self, keep: float) -> FifoSizing:
        before = {name: stream.depth_words for name, stream in self.streams.items()}
        before_interval = self.interval(before)
        unlimited = {name: ENOUGH_FRAMES * s.words + 8 for name, s in self.streams.items()}
        best = self.interval(unlimited)
        if best is None:
            raise InputError(self.design.name, "a design that runs with deep FIFOs", "none that does")
        target = int(best / keep)
        starts = [self.enough(target, unlimited)]
        if self.keeps(before, target):
            starts.append(before)
        found = [
            self.shallow(start, target, costliest_first)
            for start in starts
            for costliest_first in (True, False)
        ]
        depths = min(found, key=self.total_cost)
        interval = self.interval(depths)
        assert interval is not None
        return FifoSizing(
            depth_words=depths,
            before_words=before,
            initiation_interval_cycles=interval,
            before_interval_cycles=before_interval,
            unlimited_interval_cycles=best,
            target_interval_cycles=target,
            fifo_bits=self.bits(depths),
            before_bits=self.bits(before),
            bram18=self.bram18(depths),
            before_bram18=self.bram18(before),
            curve=self.curve(),
            designs_timed=len(self.timed),
        )

    # ---- evaluating a set of depths -----------------------------------------------------------

    def interval(self, depths: Mapping[str, int]) -> int | None:
        """The initiation interval; None where the design deadlocks or the interval is not proven."""
        key = tuple(depths[name] for name in self.streams)
        if key not in self.timed:
            try:
                steady = steady_state(self.timing.with_depths(depths))
                self.timed[key] = steady.initiation_interval_cycles
            except DeadlockError:
                self.timed[key] = None
        return self.timed[key]

    def keeps(self, depths: Mapping[str, int], target: int) -> bool:
        interval = self.interval(depths)
        return interval is not None and interval <= target

    def bits(self, depths: Mapping[str, int]) -> int:
        return sum(depths[name] * stream.width_bits for name, stream in self.streams.items())

    def bram18(self, depths: Mapping[str, int]) -> int:
        return sum(self.blocks(name, depths[name]) for name in self.streams)

    def blocks(self, name: str, depth: int) -> int:
        """Block RAMs of one FIFO (M20K on Intel parts)."""
        stream = self.streams[name]
        library = self.design.graph.unit_by_name[stream.writer].library
        amounts = fifo(self.tech, stream.width_bits, depth, library).rounded(self.tech)
        return amounts.bram18 + amounts.m20k

    def cost(self, name: str, depth: int) -> tuple[int, int]:
        """What one FIFO costs, by the goal first."""
        bits = self.streams[name].width_bits * depth
        return (bits, 0) if self.goal == "bits" else (self.blocks(name, depth), bits)

    # ---- the search ------------------------------------------------------------------------

    def enough(self, target: int, unlimited: Mapping[str, int]) -> dict[str, int]:
        """The first of 2, 4, 8, … words everywhere that keeps the target."""
        depth = 2
        while True:
            depths = {name: min(depth, limit) for name, limit in unlimited.items()}
            if depths == unlimited or self.keeps(depths, target):
                return depths
            depth *= 2

    def total_cost(self, depths: Mapping[str, int]) -> tuple[int, int]:
        """What all FIFOs cost, by the goal first."""
        costs = [self.cost(name, depth) for name, depth in depths.items()]
        return sum(first for first, _ in costs), sum(second for _, second in costs)

    def shallow(self, depths: dict[str, int], target: int, costliest_first: bool) -> dict[str, int]:
        """Make every FIFO as shallow as the others allow, until nothing more can go."""
        changed = True
        rounds = 0
        while changed:
            changed = False
            order = sorted(
                depths,
                key=lambda name: (self.cost(name, depths[name]), name),
                reverse=costliest_first,
            )
            for count, name in enumerate(order):
                least = self.least(name, depths, target)
                if least < depths[name]:
                    depths = {**depths, name: least}
                    changed = True
                if self.progress is not None:
                    total = len(order) * (rounds + 2)
                    self.progress(rounds * len(order) + count, total)
            rounds += 1
        return depths

    def least(self, name: str, depths: Mapping[str, int], target: int) -> int:
        """The least depth of one FIFO that keeps the target, the others as they are.

        By bisection: deeper is never slower, except with flushing pipelines, where a word less may
        rarely do no harm although a word more did; so the depth just below is tried once more.
        """
        low, high = 0, depths[name]
        while high - low > 1:
            middle = (low + high) // 2
            if self.keeps({**depths, name: middle}, target):
                high = middle
            else:
                low = middle
        while high > 1 and self.keeps({**depths, name: high - 1}, target):
            high -= 1
        return high if self.goal == "bits" else self.roomiest(name, high, depths[name])

    def roomiest(self, name: str, depth: int, most: int) -> int:
        """The deepest FIFO of at most ``most`` words with no more block RAM than one of ``depth``."""
        blocks = self.blocks(name, depth)
        low, high = depth, most + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.blocks(name, middle) <= blocks:
                low = middle
            else:
                high = middle
        return low

    def curve(self) -> tuple[CurvePoint, ...]:
        """The timed points that no other beats in bits and interval."""
        points = []
        for key, interval in self.timed.items():
            if interval is not None:
                depths = dict(zip(self.streams, key, strict=True))
                points.append(CurvePoint(self.bits(depths), self.bram18(depths), interval))
        points.sort(key=lambda p: (p.fifo_bits, p.initiation_interval_cycles))
        front: list[CurvePoint] = []
        for point in points:
            if not front or point.initiation_interval_cycles < front[-1].initiation_interval_cycles:
                front.append(point)
        return tuple(front)
