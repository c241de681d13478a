"""The timing solver once more, in plain lists, written from docs/timing-solver.md alone.

It solves a whole run at once: guesses that every word is there and has room long ago, evaluates unit by
unit, there and back, until nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block

LONG_AGO = -1_000_000_000


@dataclass
class Words:
    """A channel and the cycles of all its words."""

    channel: Channel
    written: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)

    def there(self, word: int) -> int:
        if self.channel.supplies:
            return LONG_AGO
        return self.written[word] + (0 if self.channel.falls_through else 1)

    def room(self, word: int) -> int:
        before = word - self.channel.depth_words
        return self.read[before] + 1 if before >= 0 and self.read else LONG_AGO


def solve(graph: TimingGraph, frames: int) -> list[Words] | None:
    """Every word's cycles in a run of so many frames; None for a deadlock."""
    channels = [Words(channel) for channel in graph.channels]
    latest = 1
    for unit in graph.units:
        program, every = unit.program, 1
        for c in unit.inputs:
            channels[c].read = [LONG_AGO] * (frames * program.words_in)
        for c in unit.outputs:
            channels[c].written = [LONG_AGO] * (frames * program.words_out)
            every = max(every, channels[c].channel.ready_every)
        words = frames * (program.words_in + program.words_out)
        if isinstance(program, Elastic):
            latest += words * (program.latency + 1)
        else:
            latest += len(_steps(program, frames)) + words * program.pipeline_depth
        latest += words * (1 + every)
    units = list(graph.units)
    while True:
        before = [(list(c.written), list(c.read)) for c in channels]
        for unit in (*units, *reversed(units)):
            _evaluate(
                unit, [channels[c] for c in unit.inputs], [channels[c] for c in unit.outputs], frames
            )
        if before == [(c.written, c.read) for c in channels]:
            return channels
        if any(cycle > latest for c in channels for cycle in (*c.written, *c.read)):
            return None


def _evaluate(unit: TimingUnit, inputs: list[Words], outputs: list[Words], frames: int) -> None:
    program = unit.program
    if isinstance(program, Elastic):
        taken, given = _elastic(program, inputs, outputs, frames)
    elif program.freezes or not program.pipeline_depth:
        taken, given = _freezing(program, inputs, outputs, frames)
    else:
        taken, given = _flushing(program, inputs, outputs, frames)
    for words in inputs:
        words.read = list(taken)
    for words in outputs:
        words.written = list(given)


def _there(inputs: list[Words], word: int) -> int:
    return max(words.there(word) for words in inputs)


def _with_room(outputs: list[Words], word: int, cycle: int) -> int:
    """The first cycle from ``cycle`` on in which a word has room in all outputs."""
    cycle = max([cycle, *(words.room(word) for words in outputs)])
    while any(words.channel.ready_every and cycle % words.channel.ready_every for words in outputs):
        cycle += 1
    return cycle


def _steps(program: Lockstep, frames: int) -> list[tuple[bool, bool]]:
    """(reads, writes) of all steps of the run; reads end with the run's last word."""
    steps = _of_blocks(program.prologue) + _of_blocks(program.blocks) * frames
    left = frames * program.words_in
    for number, (reads, writes) in enumerate(steps):
        steps[number] = (reads and left > 0, writes)
        left -= reads
    return steps


def _of_blocks(blocks: tuple[Block, ...]) -> list[tuple[bool, bool]]:
    runs = [run for block in blocks for _ in range(block.repeat) for run in block.flat_runs()]
    return [(run.reads, run.writes) for run in runs for _ in range(run.steps)]


def _freezing(
    program: Lockstep, inputs: list[Words], outputs: list[Words], frames: int
) -> tuple[list[int], list[int]]:
    steps, depth = _steps(program, frames), program.pipeline_depth
    nothing = [(False, False)] * depth
    taken: list[int] = []
    given: list[int] = []
    cycle = -1
    for (reads, _), (_, writes) in zip(steps + nothing, nothing + steps, strict=True):
        cycle += 1
        if reads:
            cycle = max(cycle, _there(inputs, len(taken)))
        if writes:
            cycle = _with_room(outputs, len(given), cycle)
            given.append(cycle)
        if reads:
            taken.append(cycle)
    return taken, given


def _flushing(
    program: Lockstep, inputs: list[Words], outputs: list[Words], frames: int
) -> tuple[list[int], list[int]]:
    taken: list[int] = []
    given: list[int] = []
    exits: list[tuple[int, int]] = []  # of each word the tick, and how long it freezes

    def cycle_of(tick: int) -> int:
        return tick + sum(frozen for leaves, frozen in exits if leaves <= tick)

    tick = -1
    for reads, writes in _steps(program, frames):
        tick += 1
        if reads:
            while cycle_of(tick) < _there(inputs, len(taken)):
                tick += 1
            taken.append(cycle_of(tick))
        if writes:
            leaves = tick + program.pipeline_depth
            arrives = cycle_of(leaves)
            given.append(_with_room(outputs, len(given), arrives))
            exits.append((leaves, given[-1] - arrives))
    return taken, given


def _elastic(
    program: Elastic, inputs: list[Words], outputs: list[Words], frames: int
) -> tuple[list[int], list[int]]:
    taken: list[int] = []
    given: list[int] = []
    last_in, last_out = frames * program.words_in, frames * program.words_out
    while len(taken) < last_in or len(given) < last_out:
        frame, word = divmod(len(taken), program.words_in)
        frees = frame * program.words_out + int(program.release[word])
        if len(taken) < last_in and frees < len(given):
            freed = given[frees] + 1 if frees >= 0 else LONG_AGO
            after = taken[-1] + 1 if taken else 0
            taken.append(max(after, freed, _there(inputs, len(taken))))
            continue
        frame, word = divmod(len(given), program.words_out)
        due = taken[frame * program.words_in + int(program.dependence[word])] + program.latency
        given.append(_with_room(outputs, len(given), max(given[-1] + 1 if given else 0, due)))
    return taken, given
