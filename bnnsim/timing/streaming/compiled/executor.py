"""The compiled executor: the same runs as SimPy's, to the cycle, for any number of frames.

A run simulates frames until it is proven how all that follow go
(:mod:`bnnsim.timing.streaming.steady_state.repetition`), and then the end of a run from there; a longer
run has the same end, later. Where nothing can be proven, all frames are simulated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.ended_run import EndedRun, end_run
from bnnsim.timing.streaming.compiled.kernels import columns as k
from bnnsim.timing.streaming.compiled.machine import Machine, MachineOptions
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.result import TimingResult, UnitCycles
from bnnsim.timing.streaming.steady_state.search import Proof, Search
from bnnsim.timing.streaming.steady_state.steady import MAX_FRAMES, Argument, argument_of, reason_of

AFFORDABLE_WORDS = 4_000_000_000
"""Reads and writes that a run may take where it has to be simulated to the end: about two minutes."""


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
    ``frames_simulated`` frames.
    """

    result: TimingResult
    argument: Argument
    reason: str
    frames_simulated: int
    counted_frames: int
    counted_cycles: int
    word_cycles: Mapping[str, WordCycles] = field(default_factory=dict)


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


def run_compiled(
    graph: TimingGraph,
    frames: int,
    *,
    extrapolate: bool = True,
    exact_counts: bool = False,
    max_frames: int = MAX_FRAMES,
    channels: Collection[str] = (),
) -> CompiledRun:
    """Run ``frames`` frames.

    Simulates no more than needed, and where nothing is proven within ``max_frames``, or without
    ``extrapolate``, all of them. ``exact_counts`` goes on until the whole state repeats, so that the
    counts of units and FIFOs cover all frames. ``channels`` names those whose words' cycles are wanted.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where nothing can move any more,
    :class:`UnprovenError` where the frames are too many to simulate, and ValueError for a graph that no
    hardware could be.
    """
    if frames < 1:
        raise ValueError(f"a run has at least one frame, not {frames}")
    logged = [graph.channel_position[name] for name in channels]
    machine = Machine(graph, MachineOptions(frames, snapshots=extrapolate, logged=logged))
    search = Search(machine)
    next_try = 1
    while extrapolate and search.frames < max_frames and search.next_frame(frames):
        proof = search.proof(complete=exact_counts) if search.frames >= next_try else None
        if proof is not None:
            run = _extrapolated(machine, search, proof, frames)
            if run is not None:
                return run
            next_try = 2 * search.frames  # its end waits for what is outside; so may the next
    words = machine.words_moved * (frames - machine.barrier) // max(1, machine.barrier)
    if words > AFFORDABLE_WORDS:
        reason = search.comparison.obstacle or "no state came again and no bottleneck was saturated"
        raise UnprovenError(frames, search.frames, reason)
    return _simulated(machine, frames)


def _simulated(machine: Machine, frames: int) -> CompiledRun:
    machine.run_to(frames)
    ended = end_run(machine)
    result = _result(ended, frames, tuple(ended.ends.tolist()), ended.units)
    reason = "every frame was simulated"
    words = _word_cycles(ended.machine)
    return CompiledRun(result, "simulated", reason, frames, frames, ended.cycles_total, words)


def _extrapolated(machine: Machine, search: Search, proof: Proof, frames: int) -> CompiledRun | None:
    """The run of ``frames`` frames by a proof, or None where an end does not bear it out."""
    found, period = proof.stride, proof.stride.period_frames
    barrier = max(machine.barrier, proof.late.barrier if proof.late else 0)
    barrier += (frames - barrier) % period
    if barrier > frames:
        return None
    machine.run_to(barrier)
    ended = end_run(machine)
    late = None
    if proof.late is not None:
        proof.late.run_to(barrier)
        late = end_run(proof.late).machine
    if not search.holds(proof, ended.machine, late):
        return None
    periods = (frames - barrier) // period
    word_cycles = _word_cycles(machine if periods else ended.machine)
    units, counted_frames = ended.units, barrier
    if periods and found.is_complete and _counts_are_periodic(machine):
        machine.run_to(barrier + period)
        later = end_run(machine).units
        units = tuple(_extended(now, more, periods) for now, more in zip(units, later, strict=True))
        counted_frames = frames
    ends = FrameEnds(
        frames,
        tuple(machine.ends[: found.last].tolist()),
        tuple(ended.ends.tolist()),
        found.first,
        period,
        found.cycles,
    )
    return CompiledRun(
        result=_result(ended, frames, ends, units),
        argument=argument_of(proof) if periods else "simulated",
        reason=reason_of(machine.graph, proof) if periods else "every frame was simulated",
        frames_simulated=machine.barrier,
        counted_frames=counted_frames,
        counted_cycles=ends[-1] + 1 if counted_frames == frames else ended.cycles_total,
        word_cycles=word_cycles,
    )


def _counts_are_periodic(machine: Machine) -> bool:
    """Whether no elastic unit takes words while one more than a whole frame before is still inside.

    Then the cycles before a cut hold no event of a later period, and each period adds the same counts.
    """
    programs = [unit.program for unit in machine.graph.units]
    return all(p.order.release[0] >= -p.words_out for p in programs if isinstance(p, Elastic))


def _extended(cycles: UnitCycles, later: UnitCycles, periods: int) -> UnitCycles:
    """``cycles``, with ``periods`` times what one period adds to them."""
    return UnitCycles(
        busy=cycles.busy + periods * (later.busy - cycles.busy),
        stalled_on_input=cycles.stalled_on_input
        + periods * (later.stalled_on_input - cycles.stalled_on_input),
        stalled_on_output=cycles.stalled_on_output
        + periods * (later.stalled_on_output - cycles.stalled_on_output),
        idle=cycles.idle + periods * (later.idle - cycles.idle),
    )


def _result(
    ended: EndedRun, frames: int, ends: Sequence[int], units: tuple[UnitCycles, ...]
) -> TimingResult:
    return TimingResult(
        frames=frames,
        cycles_total=ends[-1] + 1,
        frame_end_cycles=ends,
        units=units,
        max_occupancy_words=ended.max_occupancy_words,
    )


def _word_cycles(machine: Machine) -> dict[str, WordCycles]:
    """The logs of a machine."""
    cycles = {}
    for number in machine.options.logged:
        row = machine.channel[number]
        written = 0 if row[k.SUPPLIES] else row[k.WRITTEN]
        read = 0 if row[k.IS_OPEN] else row[k.READ]
        cycles[machine.graph.channels[number].name] = WordCycles(
            machine.pool[row[k.LOG_WRITES] : row[k.LOG_WRITES] + written].copy(),
            machine.pool[row[k.LOG_READS] : row[k.LOG_READS] + read].copy(),
        )
    return cycles
