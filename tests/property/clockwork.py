"""A timing graph run clock by clock: the oracle of the executors. Slow, and nothing to be wrong in.

Every cycle samples the channels, lets every unit act once on what was sampled, and commits. Pipelines
are shift registers, programs are lists of all steps of the run, and what a unit did in a cycle is one
letter of its trace.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block
from bnnsim.timing.streaming.result import DeadlockError, TimingResult, UnitCycles

BUSY = "B"
STALLED_ON_INPUT = "I"
STALLED_ON_OUTPUT = "O"
IDLE = "."


@dataclass(frozen=True)
class ClockworkRun:
    """A run in every detail.

    ``write_cycles[channel]`` and ``read_cycles[channel]`` hold the cycle of every word in order;
    ``traces[unit]`` one letter a cycle: B(usy), stalled on I(nput) or O(utput), '.' idle.
    ``occupancy_words[channel][t]`` counts the words held when cycle t begins.
    """

    result: TimingResult
    write_cycles: tuple[tuple[int, ...], ...]
    read_cycles: tuple[tuple[int, ...], ...]
    occupancy_words: tuple[tuple[int, ...], ...]
    traces: tuple[str, ...]


def run_clockwork(graph: TimingGraph, frames: int) -> ClockworkRun:
    """Run ``frames`` frames. Raises :class:`DeadlockError` where nothing can move any more."""
    wires = _wires(graph)
    units = [_unit(unit, wires, frames) for unit in graph.units]
    order = _writers_first(graph)
    patience = _longest_pause(graph)
    sinks = [_sink_words(graph, sink, wires) for sink in graph.sinks]
    traces: list[list[str]] = [[] for _ in units]
    cycle = quiet_cycles = 0
    while any(len(taken) < frame_words * frames for taken, frame_words in sinks):
        for wire in wires:
            wire.sample(cycle)
        before = [unit.state() for unit in units]
        for position in order:
            traces[position].append(units[position].act(cycle))
        for wire in wires:
            wire.commit()
        moved = before != [unit.state() for unit in units]
        quiet_cycles = 0 if moved else quiet_cycles + 1
        if quiet_cycles > patience:
            raise _deadlock(graph, wires, traces)
        cycle += 1
    result = TimingResult(
        frames=frames,
        cycles_total=cycle,
        frame_end_cycles=tuple(
            max(taken[(frame + 1) * frame_words - 1] for taken, frame_words in sinks)
            for frame in range(frames)
        ),
        units=tuple(_account(trace) for trace in traces),
        max_occupancy_words=tuple(max([*wire.history, wire.held]) for wire in wires),
    )
    return ClockworkRun(
        result=result,
        write_cycles=tuple(tuple(wire.writes) for wire in wires),
        read_cycles=tuple(tuple(wire.reads) for wire in wires),
        occupancy_words=tuple(tuple(wire.history) for wire in wires),
        traces=tuple("".join(trace) for trace in traces),
    )


class _Wire:
    """A channel: what its ends see is sampled when a cycle begins, what they do counts when it ends."""

    def __init__(self, channel: Channel, has_reader: bool) -> None:
        self.channel = channel
        self.has_reader = has_reader
        self.held = 0
        self.has_word = False
        self.has_room = False
        self.writes: list[int] = []
        self.reads: list[int] = []
        self.history: list[int] = []

    def sample(self, cycle: int) -> None:
        self.history.append(self.held)
        self.has_word = self.channel.supplies or self.held > 0
        if self.has_reader:
            self.has_room = self.held < self.channel.depth_words
        else:
            self.has_room = cycle % self.channel.ready_every == 0

    def write(self, cycle: int) -> None:
        assert self.has_room
        self.writes.append(cycle)
        if self.channel.falls_through:
            self.has_word = True  # its reader acts later in the same cycle

    def read(self, cycle: int) -> None:
        assert self.has_word
        self.reads.append(cycle)

    def commit(self) -> None:
        if self.has_reader and not self.channel.supplies:
            self.held = len(self.writes) - len(self.reads)


class _LockstepUnit:
    """Steps behind a shift register; True in it is a word on its way out, False a bubble."""

    def __init__(
        self, program: Lockstep, inputs: Sequence[_Wire], outputs: Sequence[_Wire], frames: int
    ) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.freezes = program.freezes
        self.steps = _all_steps(program, frames)
        self.done = 0
        self.pipeline = [False] * program.pipeline_depth

    def state(self) -> object:
        return self.done, list(self.pipeline)

    def act(self, cycle: int) -> str:
        reads, writes = self.steps[self.done] if self.done < len(self.steps) else (False, False)
        at_exit = self.pipeline[-1] if self.pipeline else writes
        if at_exit and not all(wire.has_room for wire in self.outputs):
            return STALLED_ON_OUTPUT
        lacks_input = reads and not all(wire.has_word for wire in self.inputs)
        if lacks_input and self.freezes:
            return STALLED_ON_INPUT
        self.pipeline.insert(0, writes and not lacks_input)
        if self.pipeline.pop():
            for wire in self.outputs:
                wire.write(cycle)
        if lacks_input:
            return STALLED_ON_INPUT
        if reads:
            for wire in self.inputs:
                wire.read(cycle)
        if self.done < len(self.steps):
            self.done += 1
        return BUSY if reads or writes else IDLE


class _ElasticUnit:
    """Takes and gives words in order, each as soon as the program's times and the channels allow."""

    def __init__(
        self, program: Elastic, inputs: Sequence[_Wire], outputs: Sequence[_Wire], frames: int
    ) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.latency = program.latency
        self.words_in = program.words_in * frames
        self.words_out = program.words_out * frames
        self.dependence = [
            frame * program.words_in + int(need) for frame in range(frames) for need in program.dependence
        ]
        self.release = [
            frame * program.words_out + int(free) for frame in range(frames) for free in program.release
        ]
        self.taken: list[int] = []
        self.given: list[int] = []

    def state(self) -> object:
        return len(self.taken), len(self.given)

    def act(self, cycle: int) -> str:
        is_due = self._is_due(cycle)
        has_place = self._has_place()
        gives = is_due and all(wire.has_room for wire in self.outputs)
        takes = has_place and all(wire.has_word for wire in self.inputs)
        if gives:
            self.given.append(cycle)
            for wire in self.outputs:
                wire.write(cycle)
        if takes:
            self.taken.append(cycle)
            for wire in self.inputs:
                wire.read(cycle)
        if gives or takes:
            return BUSY
        if is_due:
            return STALLED_ON_OUTPUT
        return STALLED_ON_INPUT if has_place else IDLE

    def _is_due(self, cycle: int) -> bool:
        if len(self.given) == self.words_out:
            return False
        need = self.dependence[len(self.given)]
        return need < len(self.taken) and self.taken[need] + self.latency <= cycle

    def _has_place(self) -> bool:
        if len(self.taken) == self.words_in:
            return False
        # Both sides look at what was so when the cycle began: a word that leaves now frees its place
        # for the next cycle, so this must be asked before anything is given.
        return self.release[len(self.taken)] < len(self.given)


def _all_steps(program: Lockstep, frames: int) -> list[tuple[bool, bool]]:
    """(reads, writes) of every step of the run; reading ends with the run's last word."""
    steps = list(_steps(program.prologue))
    for _ in range(frames):
        steps += _steps(program.blocks)
    left = frames * sum(reads for reads, _ in _steps(program.blocks))
    for i, (reads, writes) in enumerate(steps):
        steps[i] = (reads and left > 0, writes)
        left -= reads
    return steps


def _steps(blocks: tuple[Block, ...]) -> Iterator[tuple[bool, bool]]:
    for block in blocks:
        for _ in range(block.repeat):
            for run in block.flat_runs():
                for _ in range(run.steps):
                    yield run.reads, run.writes


def _wires(graph: TimingGraph) -> list[_Wire]:
    read = {channel for unit in graph.units for channel in unit.inputs}
    return [_Wire(channel, i in read) for i, channel in enumerate(graph.channels)]


def _unit(unit: TimingUnit, wires: list[_Wire], frames: int) -> _LockstepUnit | _ElasticUnit:
    inputs = [wires[i] for i in unit.inputs]
    outputs = [wires[i] for i in unit.outputs]
    if isinstance(unit.program, Elastic):
        return _ElasticUnit(unit.program, inputs, outputs, frames)
    return _LockstepUnit(unit.program, inputs, outputs, frames)


def _writers_first(graph: TimingGraph) -> list[int]:
    """An order of units in which whoever writes a falling-through channel comes before its reader.

    It matters to those channels only: all others show what was sampled.
    """
    order: list[int] = []
    while len(order) < len(graph.units):
        late = {
            channel
            for i, unit in enumerate(graph.units)
            if i not in order
            for channel in unit.outputs
            if graph.channels[channel].falls_through
        }
        order.append(
            next(
                i for i, unit in enumerate(graph.units) if i not in order and not late & set(unit.inputs)
            )
        )
    return order


def _longest_pause(graph: TimingGraph) -> int:
    """Cycles in which nothing changes while something may still be to come.

    Outputs on a test bench open together once in their least common period; an elastic unit sits out
    its latency. Everything else changes in every cycle, or never again.
    """
    period = math.lcm(*(channel.ready_every or 1 for channel in graph.channels))
    latencies = [u.program.latency for u in graph.units if isinstance(u.program, Elastic)]
    return period + max(latencies, default=0)


def _sink_words(graph: TimingGraph, position: int, wires: list[_Wire]) -> tuple[list[int], int]:
    """Cycles of the words whose last ends a frame for one sink, and how many of them make a frame.

    The words that the sink takes; on a test bench, where the last unit writes into the open, the words
    that it writes.
    """
    sink = graph.units[position]
    if sink.outputs:
        return wires[sink.outputs[0]].writes, sink.program.words_out
    return wires[sink.inputs[0]].reads, sink.program.words_in


def _account(trace: list[str]) -> UnitCycles:
    return UnitCycles(
        busy=trace.count(BUSY),
        stalled_on_input=trace.count(STALLED_ON_INPUT),
        stalled_on_output=trace.count(STALLED_ON_OUTPUT),
        idle=trace.count(IDLE),
    )


def _deadlock(graph: TimingGraph, wires: list[_Wire], traces: list[list[str]]) -> DeadlockError:
    last = max([cycle for wire in wires for cycle in wire.writes[-1:] + wire.reads[-1:]], default=-1)
    reasons = {STALLED_ON_INPUT: "a word", STALLED_ON_OUTPUT: "room"}
    waiting = {
        unit.name: reasons[trace[-1]]
        for unit, trace in zip(graph.units, traces, strict=True)
        if trace[-1] in reasons
    }
    occupancy = {wire.channel.name: (wire.held, wire.channel.depth_words) for wire in wires}
    return DeadlockError(last, waiting, occupancy)
