"""What the compiled executor reports: a run of any length, kept as a few numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.result import TimingResult
from bnnsim.timing.streaming.steady_state.record import Argument, SteadyState
from bnnsim.timing.streaming.steady_state.watch import Watched


class UnprovenError(Exception):
    """Too many frames to simulate, and no proof how they go on."""

    def __init__(self, frames: int, frames_simulated: int, reason: str) -> None:
        self.frames = frames
        self.frames_simulated = frames_simulated
        super().__init__(
            f"{frames} frames are too many to simulate, and what comes after the first "
            f"{frames_simulated} is not proven: {reason}"
        )


@dataclass(frozen=True)
class WordCycles:
    """In which cycle each word of a channel was written and read, in order."""

    written: Int64s
    read: Int64s


@dataclass(frozen=True)
class CompiledRun:
    """A run, and how its figures are known.

    ``result`` is exact in its cycles. Its units and occupancies are those of the first
    ``counted_frames`` frames (of a run of so many, of ``counted_cycles`` cycles): all of them, except
    where the sink is proven steady while FIFOs before it still fill (``argument`` ``bottleneck
    saturated``). ``word_cycles`` by channel name holds the words told by the simulation of
    ``frames_simulated`` frames. ``steady_state`` is there where the run was asked to go on to it, and
    ``watched``, what waits in it, where it is proven.
    """

    result: TimingResult
    argument: Argument
    reason: str
    frames_simulated: int
    counted_frames: int
    counted_cycles: int
    word_cycles: Mapping[str, WordCycles] = field(default_factory=dict)
    steady_state: SteadyState | None = None
    watched: Watched | None = None


@dataclass(frozen=True, eq=False)
class FrameEnds(Sequence[int]):
    """The cycle of each frame's last word in a run of any length, kept as a few numbers.

    ``steady`` holds them for a run without end up to frame ``first + period_frames``, ``ending`` for a
    run of ``len(ending)`` frames to its end. In between every ``period_frames`` frames take
    ``period_cycles``.
    """

    frames: int
    steady: tuple[int, ...]
    ending: tuple[int, ...]
    first: int
    period_frames: int
    period_cycles: int

    def __len__(self) -> int:
        return self.frames

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[int, ...]: ...

    def __getitem__(self, index: int | slice) -> int | tuple[int, ...]:
        if isinstance(index, slice):
            return tuple(self._end(frame) for frame in range(self.frames)[index])
        return self._end(range(self.frames)[index])

    def _end(self, frame: int) -> int:
        more_periods = (self.frames - len(self.ending)) // self.period_frames
        periods = max(0, min(more_periods, (frame - self.first) // self.period_frames))
        ends = self.ending if periods == more_periods else self.steady
        return ends[frame - periods * self.period_frames] + periods * self.period_cycles

    def __iter__(self) -> Iterator[int]:
        return map(self._end, range(self.frames))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]
