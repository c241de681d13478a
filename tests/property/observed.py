"""A SimPy run with everything that its observer saw, in the clock loop's terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import TimingResult

from .clockwork import BUSY, IDLE, STALLED_ON_INPUT, STALLED_ON_OUTPUT

_LETTERS = {"input": STALLED_ON_INPUT, "output": STALLED_ON_OUTPUT}


@dataclass
class Log:
    """An observer that writes everything down."""

    graph: TimingGraph
    write_cycles: list[list[int]] = field(init=False)
    read_cycles: list[list[int]] = field(init=False)
    steps: list[list[int]] = field(init=False)
    stalls: list[list[tuple[str, int, int]]] = field(init=False)

    def __post_init__(self) -> None:
        self.write_cycles = [[] for _ in self.graph.channels]
        self.read_cycles = [[] for _ in self.graph.channels]
        self.steps = [[] for _ in self.graph.units]
        self.stalls = [[] for _ in self.graph.units]

    def word_written(self, channel: int, cycle: int, word: int) -> None:
        self.write_cycles[channel].append(cycle)

    def word_read(self, channel: int, cycle: int, word: int) -> None:
        self.read_cycles[channel].append(cycle)

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None:
        self.stalls[unit].append((side, start_cycle, end_cycle))

    def stepped(self, unit: int, cycle: int) -> None:
        self.steps[unit].append(cycle)

    def trace(self, unit: int, cycles: int) -> str:
        """One letter a cycle, as the clock loop writes it; waits that never ended are not in it."""
        letters = [IDLE] * cycles
        for side, start, end in self.stalls[unit]:
            letters[start:end] = _LETTERS[side] * (end - start)
        for cycle in self.steps[unit]:
            assert letters[cycle] == IDLE
            letters[cycle] = BUSY
        return "".join(letters)


@dataclass(frozen=True)
class SimpyRun:
    """As the clock loop's run, from the SimPy executor."""

    result: TimingResult
    write_cycles: tuple[tuple[int, ...], ...]
    read_cycles: tuple[tuple[int, ...], ...]
    traces: tuple[str, ...]


def observe_simpy(graph: TimingGraph, frames: int, order: Sequence[int] | None = None) -> SimpyRun:
    """Run with an observer. Raises :class:`DeadlockError` as the executor does."""
    log = Log(graph)
    result = run_simpy(graph, frames, observer=log, order=order)
    return SimpyRun(
        result=result,
        write_cycles=tuple(tuple(cycles) for cycles in log.write_cycles),
        read_cycles=tuple(tuple(cycles) for cycles in log.read_cycles),
        traces=tuple(log.trace(i, result.cycles_total) for i in range(len(graph.units))),
    )
