"""The timing solver once more, in plain lists, written from docs/timing-solver.md alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lcm

from bnnsim.timing.streaming.programs.graph import TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Loop, Run

LONG_AGO = -1_000_000_000


@dataclass
class Words:
    """The cycle of every word's write and read; none where a channel has no writer, or no reader."""

    written: list[int]
    read: list[int]


def solve(graph: TimingGraph, frames: int) -> list[Words] | None:
    """The words of every channel, or None for a deadlock."""
    channels = [Words([], []) for _ in graph.channels]
    units = [_Unit(graph, unit, frames, channels) for unit in graph.units]
    never = 1 + sum(unit.longest for unit in units)
    before: list[Words] = []
    while channels != before:
        before = [replace(words) for words in channels]
        for unit in [*units, *reversed(units)]:
            unit.note(*unit.evaluate(), never)
    sinks = [units[sink] for sink in graph.sinks]
    ends = [s.outputs[0][1].written if s.outputs else s.inputs[0][1].read for s in sinks]
    return None if any(never in cycles for cycles in ends) else channels


class _Unit:
    """One unit's equations; ``longest`` is its part of the cycle that no word of a run comes after."""

    def __init__(self, graph: TimingGraph, unit: TimingUnit, frames: int, channels: list[Words]) -> None:
        self.program, self.frames = unit.program, frames
        self.inputs = [(graph.channels[c], channels[c]) for c in unit.inputs]
        self.outputs = [(graph.channels[c], channels[c]) for c in unit.outputs]
        if isinstance(self.program, Lockstep):
            self.steps = _steps(self.program.prologue) + _steps(self.program.blocks) * frames
            self.words_in = frames * sum(reads for reads, _ in _steps(self.program.blocks))
            self.words_out = sum(writes for _, writes in self.steps)
            self.longest = len(self.steps) + self.program.pipeline_depth * self.words_out
        else:
            self.words_in = frames * len(self.program.release)
            self.words_out = frames * len(self.program.dependence)
            self.longest = (self.program.latency + 1) * (self.words_in + self.words_out)
        self.ready_every = lcm(*(channel.ready_every or 1 for channel, _ in self.outputs))
        self.longest += 2 * self.words_in * len(self.inputs)
        self.longest += self.words_out * (2 * len(self.outputs) + self.ready_every)
        self.note([], [], LONG_AGO)

    def note(self, reads: list[int], writes: list[int], latest: int) -> None:
        """Tell the channels these cycles, none after ``latest``; words that are missing move then."""
        for _, words in self.inputs:
            words.read = [min(c, latest) for c in reads] + [latest] * (self.words_in - len(reads))
        for _, words in self.outputs:
            words.written = [min(c, latest) for c in writes] + [latest] * (self.words_out - len(writes))

    def there(self, word: int, cycle: int) -> int:
        """The first cycle from ``cycle`` on in which every input has the word."""
        waits = [w.written[word] + (not c.falls_through) for c, w in self.inputs if not c.supplies]
        return max([cycle, *waits])

    def room(self, word: int, cycle: int) -> int:
        """The first cycle from ``cycle`` on in which every output has room for the word."""
        for channel, words in self.outputs:
            if not channel.ready_every and word >= channel.depth_words:
                cycle = max(cycle, words.read[word - channel.depth_words] + 1)
        return cycle + -cycle % self.ready_every

    def evaluate(self) -> tuple[list[int], list[int]]:
        """The cycles of its reads and of its writes, from what its neighbours are taken to do."""
        if isinstance(self.program, Elastic):
            return self.elastic(self.program)
        depth = self.program.pipeline_depth
        return self.freezing(depth) if self.program.freezes or not depth else self.flushing(depth)

    def freezing(self, depth: int) -> tuple[list[int], list[int]]:
        reads, writes = list[int](), list[int]()
        cycle, idle = -1, [(False, False)] * depth
        for (enters, _), (_, leaves) in zip(self.steps + idle, idle + self.steps, strict=True):
            enters = enters and len(reads) < self.words_in
            cycle = self.there(len(reads), cycle + 1) if enters else cycle + 1
            cycle = self.room(len(writes), cycle) if leaves else cycle
            reads += [cycle] * enters
            writes += [cycle] * leaves
        return reads, writes

    def flushing(self, depth: int) -> tuple[list[int], list[int]]:
        reads, writes = list[int](), list[int]()
        tick, frozen, frozen_by_all = -1, 0, 0
        frozen_at_exit = dict[int, int]()  # up to the tick in which a word leaves, its own wait too
        for enters, leaves in self.steps:
            enters = enters and len(reads) < self.words_in
            there = self.there(len(reads), 0) if enters else 0
            tick += 1
            while tick + (frozen := frozen_at_exit.get(tick, frozen)) < there:
                tick += 1
            reads += [tick + frozen] * enters
            if leaves:
                writes.append(self.room(len(writes), tick + depth + frozen_by_all))
                frozen_by_all = frozen_at_exit[tick + depth] = writes[-1] - tick - depth
        return reads, writes

    def elastic(self, program: Elastic) -> tuple[list[int], list[int]]:
        taken, given = list[int](), list[int]()
        words_in, words_out = len(program.release), len(program.dependence)
        release = [f * words_out + j for f in range(self.frames) for j in program.release.tolist()]
        dependence = [f * words_in + i for f in range(self.frames) for i in program.dependence.tolist()]
        while True:  # until all is done, or the unit waits for itself
            i, j = len(taken), len(given)
            if i < self.words_in and release[i] < j:
                left = given[release[i]] if release[i] >= 0 else -1
                taken.append(self.there(i, max([left, *taken[-1:]]) + 1))
            elif j < self.words_out and dependence[j] < i:
                shown = taken[dependence[j]] + program.latency
                given.append(self.room(j, max([shown, *(cycle + 1 for cycle in given[-1:])])))
            else:
                return taken, given


def _steps(parts: tuple[Block | Loop | Run, ...]) -> list[tuple[bool, bool]]:
    """Whether each step reads, and writes."""
    steps = list[tuple[bool, bool]]()
    for part in parts:
        if isinstance(part, Run):
            steps += [(part.reads, part.writes)] * part.steps
        else:
            steps += _steps(part.runs) * part.repeat
    return steps
