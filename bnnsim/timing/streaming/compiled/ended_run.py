"""The end of a compiled run: the drain, the accounts, and what is stuck where nothing moves any more."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels import columns as k
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.result import DeadlockError, UnitCycles


@dataclass(frozen=True)
class EndedRun:
    """A run of ``frames`` frames that has ended; positions are those of the timing graph."""

    machine: Machine
    frames: int
    cycles_total: int

    @property
    def ends(self) -> Int64s:
        """The cycle of each frame's last word at the sink."""
        return self.machine.ends[: self.frames]

    @property
    def units(self) -> tuple[UnitCycles, ...]:
        """Where each unit's cycles went."""
        return tuple(self._unit_cycles(number) for number in range(len(self.machine.unit)))

    def _unit_cycles(self, number: int) -> UnitCycles:
        row = self.machine.unit[number]
        program = self.machine.graph.units[number].program
        busy = int(row[k.BUSY])
        if isinstance(program, Lockstep) and row[k.KIND] != k.FLUSHING:
            busy = program.counter.busy(int(row[k.DONE_STEPS]), self.frames)
        stalled_in, stalled_out = int(row[k.STALLED_IN]), int(row[k.STALLED_OUT])
        idle = self.cycles_total - busy - stalled_in - stalled_out
        return UnitCycles(busy, stalled_in, stalled_out, idle)

    @property
    def max_occupancy_words(self) -> tuple[int, ...]:
        """The highest occupancy of each channel at the end of a cycle."""
        return tuple(self.machine.channel[:, k.TOP].tolist())


def end_run(machine: Machine) -> EndedRun:
    """The run that ends with the frames that ``machine`` has been run to; leaves the machine as it is.

    Raises :class:`DeadlockError` where the sink cannot get its last word.
    """
    drained = machine.copy()
    drained.drain()
    if drained.ended_frames < machine.barrier:
        raise deadlock(drained)
    total = int(drained.ends[machine.barrier - 1]) + 1
    if drained.last_step_cycle >= total:
        # Units that go on when the sink has its last word: what they do from then on does not count.
        if machine.last_step_cycle < total:
            drained = machine.copy()
        else:
            drained = Machine(machine.graph, machine.options)
            drained.run_to(machine.barrier, horizon=total)
        drained.drain(horizon=total)
    drained.account(total)
    return EndedRun(drained, drained.barrier, total)


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
        row = machine.channel[number]
        held = 0 if row[k.SUPPLIES] else int(row[k.WRITTEN] - row[k.READ])
        occupancy[channel.name] = (held, channel.depth_words)
    return DeadlockError(machine.last_cycle, waiting, occupancy)


def _is_full(channel: Int64s) -> bool:
    return bool(channel[k.WRITTEN] - channel[k.READ] >= channel[k.DEPTH_WORDS])


def _is_empty(channel: Int64s) -> bool:
    return bool(channel[k.WRITTEN] == channel[k.READ])


def _wants(machine: Machine, number: int, row: Int64s) -> tuple[bool, bool]:
    """Whether a unit that has got as far as it could wants to write, and to read, a word."""
    program = machine.graph.units[number].program
    if isinstance(program, Elastic):
        needed = row[k.OUT_FRAME] * row[k.WORDS_IN] + machine.plan[row[k.NEED]]
        freeing = row[k.IN_FRAME] * row[k.WORDS_OUT] + machine.plan[row[k.FREES] + row[k.PLACE]]
        gives = row[k.WRITES] < machine.barrier * row[k.WORDS_OUT] and needed < row[k.READS]
        takes = row[k.READS] < machine.barrier * row[k.WORDS_IN] and freeing < row[k.WRITES]
        return bool(gives), bool(takes)
    step = min(row[k.R_NEXT], row[k.W_NEXT])
    reads = step != k.NEVER and row[k.R_NEXT] == step
    if row[k.KIND] == k.FLUSHING:
        return bool(row[k.GONE] < row[k.ENTERED]), bool(reads)
    return bool(step != k.NEVER and row[k.W_NEXT] == step), bool(reads)
