"""The end of a compiled run: the drain, the accounts, and what is stuck where nothing moves any more."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels import records as k
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.result import DeadlockError, UnitCycles


@dataclass(frozen=True)
class EndedRun:
    """A run of ``frames`` frames that has ended; positions are those of the timing graph."""

    machine: Machine
    frames: int
    cycles_total: int

    @property
    def ends(self) -> Int64s:
        """The cycle in which each frame ended: its last word at the last of the sinks."""
        return self.machine.ends[: self.frames]

    @property
    def units(self) -> tuple[UnitCycles, ...]:
        """Where each unit's cycles went."""
        names = ("kind", "busy", "done_steps", "stalled_on_input", "stalled_on_output")
        columns = (self.machine.unit[name].tolist() for name in names)
        rows = zip(self.machine.graph.units, *columns, strict=True)
        return tuple(self._unit_cycles(unit.program, *row) for unit, *row in rows)

    def _unit_cycles(
        self, program: Program, kind: int, busy: int, done_steps: int, on_input: int, on_output: int
    ) -> UnitCycles:
        if isinstance(program, Lockstep) and kind != k.FLUSHING:
            busy = program.counter.busy(done_steps, self.frames)
        idle = self.cycles_total - busy - on_input - on_output
        return UnitCycles(busy, on_input, on_output, idle)

    @property
    def max_occupancy_words(self) -> tuple[int, ...]:
        """The highest occupancy of each channel at the end of a cycle."""
        return tuple(self.machine.channel["max_occupancy"].tolist())


def end_run(machine: Machine) -> EndedRun:
    """The run that ends with the frames that ``machine`` has been run to; leaves the machine as it is.

    Raises :class:`DeadlockError` where a sink cannot get its last word.
    """
    drained = machine.copy()
    drained.drain()
    if drained.ended_frames < machine.frame_limit:
        raise deadlock(drained)
    total = int(drained.ends[machine.frame_limit - 1]) + 1
    if drained.last_step_cycle >= total:
        # Units that go on when the sinks have their last words: what they do from then on does not count.
        if machine.last_step_cycle < total:
            drained = machine.copy()
        else:
            drained = Machine(machine.graph, machine.options)
            drained.run_to(machine.frame_limit, cycle_limit=total)
        drained.drain(cycle_limit=total)
    drained.account(total)
    return EndedRun(drained, drained.frame_limit, total)


def deadlock(machine: Machine) -> DeadlockError:
    """What is stuck in a machine that cannot go on."""
    graph = machine.graph
    waiting = {}
    for number, unit in enumerate(graph.units):
        row = machine.unit[number]
        wants_room, wants_word = _wants(machine, number, row)
        full = [graph.channels[c].name for c in unit.outputs if _is_full(machine.channel[c])]
        empty = [graph.channels[c].name for c in unit.inputs if _is_empty(machine.channel[c])]
        if wants_room and full:
            waiting[unit.name] = "room in " + ", ".join(full)
        elif wants_word and empty:
            waiting[unit.name] = "a word in " + ", ".join(empty)
    occupancy = {}
    for number, channel in enumerate(graph.channels):
        ends = machine.channel[number]
        held = 0 if ends.supplies else int(ends.written - ends.read)
        occupancy[channel.name] = (held, channel.depth_words)
    return DeadlockError(machine.last_cycle, waiting, occupancy)


def _is_full(channel: k.ChannelRecord) -> bool:
    return bool(channel.written - channel.read >= channel.depth_words)


def _is_empty(channel: k.ChannelRecord) -> bool:
    return bool(channel.written == channel.read)


def _wants(machine: Machine, number: int, row: k.UnitRecord) -> tuple[bool, bool]:
    """Whether a unit that has got as far as it could wants to write, and to read, a word."""
    program = machine.graph.units[number].program
    if isinstance(program, Elastic):
        needed = row.output_frame * row.words_in + machine.program_words[row.dependence]
        freeing = row.input_frame * row.words_out
        freeing += machine.program_words[row.release_start + row.next_word]
        gives = row.writes < machine.frame_limit * row.words_out and needed < row.reads
        takes = row.reads < machine.frame_limit * row.words_in and freeing < row.writes
        return bool(gives), bool(takes)
    step = min(row.next_read, row.next_write)
    reads = step != k.NEVER and row.next_read == step
    if row.kind == k.FLUSHING:
        return bool(row.exited < row.entered), bool(reads)
    return bool(step != k.NEVER and row.next_write == step), bool(reads)
