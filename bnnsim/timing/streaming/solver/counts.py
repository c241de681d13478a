"""Where units' cycles went, and how full channels were, window by window."""

from __future__ import annotations

import copy

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.result import UnitCycles
from bnnsim.timing.streaming.solver.elastic_account import ElasticAccount
from bnnsim.timing.streaming.solver.kernels import records as k


class Counts:
    """Counts of a graph, of all windows so far."""

    def __init__(self, graph: TimingGraph) -> None:
        self.graph = graph
        self.accounts = {
            u: ElasticAccount(unit.program)
            for u, unit in enumerate(graph.units)
            if isinstance(unit.program, Elastic)
        }

    def copy(self) -> Counts:
        """Independent counts in the same state."""
        other = copy.copy(self)
        other.accounts = {u: copy.copy(account) for u, account in self.accounts.items()}
        return other

    def add_window(self, state: k.State) -> None:
        """Count the window that was solved."""
        for u, account in self.accounts.items():
            start, unit = state.start, self.graph.units[u]
            reads, writes = int(start["reads"][u]), int(start["writes"][u])
            taken, first_taken = _with_old_reads(state, unit.inputs[0], reads)
            left, first_left = _with_old_writes(state, unit.outputs[0], writes)
            new_taken, new_left = k.read(state, unit.inputs[0]), k.written(state, unit.outputs[0])
            account.add(
                account.wanted(reads, new_taken, int(start["cycle"][u]), left, first_left),
                new_taken,
                account.due(writes, new_left, int(start["last_left"][u]), taken, first_taken),
                new_left,
            )

    def finish(self, state: k.State, limits: k.Limits, total: int) -> tuple[UnitCycles, ...]:
        """Where each unit's cycles went in a run of ``total`` cycles that ends so."""
        from bnnsim.timing.streaming.solver.kernels.account import book_end, idle_ticks

        book_end(state, limits, total)
        idle = np.zeros(len(self.graph.units), np.int64)
        idle_ticks(state, limits, idle)
        units = range(len(self.graph.units))
        return tuple(self._unit_cycles(state, limits.frames, u, total, int(idle[u])) for u in units)

    def _unit_cycles(self, state: k.State, frames: int, u: int, total: int, idle: int) -> UnitCycles:
        at, program = state.end[u], self.graph.units[u].program
        on_input, on_output = int(at.stalled_on_input), int(at.stalled_on_output)
        if isinstance(program, Elastic):
            account = self.accounts[u]
            self._finish(state, frames, u, account, program, total)
            busy, on_input, on_output = account.busy, account.stalled_on_input, account.stalled_on_output
        elif state.unit[u].kind == k.FLUSHING:
            busy = int(at.busy)
        else:
            assert isinstance(program, Lockstep)
            done = int(at.step) + 1 + min(total - 1 - int(at.cycle), idle)
            busy = program.counter.busy(done, frames)
        return UnitCycles(busy, on_input, on_output, total - busy - on_input - on_output)

    def _finish(
        self, state: k.State, frames: int, u: int, account: ElasticAccount, program: Elastic, total: int
    ) -> None:
        """Count the waits that are on when the run ends."""
        at, unit = state.end[u], self.graph.units[u]
        reads, writes = int(at.reads), int(at.writes)
        taken, first_taken = _with_old_reads(state, unit.inputs[0], int(state.start[u].reads))
        left, first_left = _with_old_writes(state, unit.outputs[0], int(state.start[u].writes))
        due = wanted = total
        if writes < frames * program.words_out:
            frame, word = divmod(writes, program.words_out)
            needed = frame * program.words_in + int(account.dependence[word])
            if needed < reads:
                due = max(int(at.last_left) + 1, int(taken[needed - first_taken]) + program.latency)
        if reads < frames * program.words_in:
            frame, word = divmod(reads, program.words_in)
            freed = frame * program.words_out + int(program.order.release[word])
            if freed < writes:
                wanted = int(at.cycle) + 1
                if freed >= 0:
                    wanted = max(wanted, int(left[freed - first_left]) + 1)
        account.finish(min(wanted, total), min(due, total), total)


def _with_old_reads(state: k.State, channel: int, reads: int) -> tuple[Int64s, int]:
    """The cycles of the reads that are kept, and the number of the first; ``reads`` before the window."""
    at, old, count = (state.channel[name][channel] for name in ("reads_at", "old_reads", "read"))
    return state.cycles[at : at + old + count], reads - int(old)


def _with_old_writes(state: k.State, channel: int, writes: int) -> tuple[Int64s, int]:
    """The cycles of the writes that are kept, and the first's number; ``writes`` before the window."""
    at, old, held, count = (
        state.channel[name][channel] for name in ("writes_at", "old_writes", "held", "written")
    )
    return state.cycles[at : at + old + held + count], writes - int(old + held)
