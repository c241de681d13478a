"""The reference executor of engines: controller, movers, ports as SimPy processes.

The controller does a frame's operations in turn: it sends arrays, stages and the host to work and does
the transfers of single buffers itself. Each double buffer has movers of its own that run one transfer
ahead (load) or behind (store). A port serves one burst at a time, whoever asked first; of those who
asked in the same cycle the controller, then the movers in their order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import simpy

from bnnsim.design.engine.program import Beside, EngineProgram, Transfer, Work, walk
from bnnsim.timing.engine.account import booked_as, report_units, waited_as
from bnnsim.timing.engine.observer import EngineObserver
from bnnsim.timing.engine.result import Activity, EngineTiming, PartCycles
from bnnsim.timing.engine.schedule import (
    CONTROLLER,
    Schedule,
    build_schedule,
    critical_work,
)

Process = Generator[simpy.Event, Any, None]
_AFTER_ALL_REQUESTS = 2
"""An event priority behind SimPy's own: a port decides once everyone of the cycle has asked."""


class PortArbiter:
    """One memory port."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.busy = 0
        self._waiting: list[tuple[int, int, int, simpy.Event]] = []
        self._free = True
        self._deciding = False

    def burst(self, agent: int, cycles: int) -> Process:
        """Hold the port for ``cycles`` as soon as it is this agent's turn."""
        done = self.env.event()
        self._waiting.append((int(self.env.now), agent, cycles, done))
        self._decide_later()
        yield done

    def _decide_later(self) -> None:
        if self._deciding or not self._free or not self._waiting:
            return
        self._deciding = True
        event = self.env.event()
        event._ok = True
        event._value = None
        event.callbacks.append(self._decide)
        self.env.schedule(event, priority=_AFTER_ALL_REQUESTS)  # type: ignore[arg-type]

    def _decide(self, _event: simpy.Event) -> None:
        self._deciding = False
        first = min(self._waiting, key=lambda entry: entry[:2])
        self._waiting.remove(first)
        _, _, cycles, done = first
        self._free = False
        self.busy += cycles
        end = self.env.timeout(cycles)
        end.callbacks.append(lambda _: self._finish(done))

    def _finish(self, done: simpy.Event) -> None:
        self._free = True
        done.succeed()
        self._decide_later()


class UnitProcess:
    """An array, a stage or the host: works on one job at a time, in the order they come."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.busy = 0
        self._jobs: deque[tuple[int, simpy.Event]] = deque()
        self._called = env.event()
        env.process(self._life())

    def work(self, cycles: int) -> simpy.Event:
        """Have ``cycles`` done; the event comes when they are."""
        done = self.env.event()
        self._jobs.append((cycles, done))
        if not self._called.triggered:
            self._called.succeed()
        return done

    def _life(self) -> Process:
        while True:
            if not self._jobs:
                self._called = self.env.event()
                yield self._called
            cycles, done = self._jobs.popleft()
            yield self.env.timeout(cycles)
            self.busy += cycles
            done.succeed()


class Counter:
    """A count that processes wait for."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.value = 0
        self._changed = env.event()

    def add(self) -> None:
        self.value += 1
        event, self._changed = self._changed, self.env.event()
        event.succeed()

    def reach(self, value: int) -> Process:
        while self.value < value:
            yield self._changed


class _Machine:
    def __init__(
        self, schedule: Schedule, frames: int, observer: EngineObserver | None = None
    ) -> None:
        self.env = simpy.Environment()
        self.observer = observer
        self.part = 0
        self.taken: dict[int, Transfer] = {}  # what a load mover brought last, by mover
        self.schedule = schedule
        self.frames = frames
        program = schedule.program
        self.parts = [PartCycles(part.name) for part in program.parts]
        self.busy: dict[str, int] = {}  # of movers
        names = [*program.arrays, *program.stages, *(["host"] * program.host)]
        self.units = {name: UnitProcess(self.env) for name in names}
        self.ports = {name: PortArbiter(self.env) for name in program.ports}
        self.arrived = [Counter(self.env) for _ in schedule.movers]  # controller came to a job
        self.moved = [Counter(self.env) for _ in schedule.movers]  # mover finished a job
        self.turns = Counter(self.env)  # parts begun
        self.mover_stalled = [0] * len(schedule.movers)
        self.stalled_in: dict[str, int] = {}
        self.frame_ends: list[int] = []

    def controller(self) -> Process:
        for frame in range(self.frames):
            for position, part in enumerate(self.schedule.program.parts):
                self.turns.add()
                self.part, begin = position, int(self.env.now)
                account = self.parts[position]
                for op in walk(part.ops):
                    if isinstance(op, Transfer):
                        if op.double:
                            yield from self._meet(op, account)
                        else:
                            yield from self._transfer(op, account)
                    else:
                        yield from self._work(op, account)
                yield from self._await_stores(account)
                if self.observer:
                    self.observer.turn(position, frame, begin, int(self.env.now))
            self.frame_ends.append(int(self.env.now))

    def _work(self, op: Work | Beside, account: PartCycles) -> Process:
        start = int(self.env.now)
        yield from self._branch((op,))
        booked = 0
        for work in critical_work(op):
            account.book(work.kind, work.cycles)
            self._tell(work.kind, start + booked, work.cycles)
            booked += work.cycles
        assert booked == int(self.env.now) - start

    def _tell(self, activity: Activity, start: int, cycles: int) -> None:
        if self.observer and cycles:
            self.observer.controlled(self.part, activity, start, start + cycles)

    def _branch(self, ops: tuple[Any, ...]) -> Process:
        for op in walk(ops):
            if isinstance(op, Work):
                unit, start = self.units.get(op.unit), int(self.env.now)
                yield unit.work(op.cycles) if unit else self.env.timeout(op.cycles)
                if self.observer and unit and op.cycles:
                    self.observer.worked(op.unit, self.part, start, int(self.env.now))
            elif isinstance(op, Beside):
                yield self.env.all_of([self.env.process(self._branch(b)) for b in op.branches])

    def _transfer(self, op: Transfer, account: PartCycles) -> Process:
        start = int(self.env.now)
        if self.observer:
            self.observer.begun(op, start)
        for index in range(op.bursts):
            asked, cycles = int(self.env.now), op.burst_cycles(index)
            yield from self.ports[op.port].burst(CONTROLLER, cycles)
            begin = self._told_burst(op, index)
            self._tell(waited_as(op), asked, begin - asked)
            self._tell(booked_as(op), begin, cycles)
        waited = int(self.env.now) - start - op.cycles
        account.book(waited_as(op), waited)
        name = f"{op.buffer}.{op.direction}"
        self.busy[name] = self.busy.get(name, 0) + op.cycles
        self.stalled_in[name] = self.stalled_in.get(name, 0) + waited
        account.book(booked_as(op), op.cycles)

    def _told_burst(self, op: Transfer, index: int) -> int:
        """The cycle in which a burst that has just ended began."""
        end = int(self.env.now)
        begin = end - op.burst_cycles(index)
        if self.observer:
            words = min(op.burst_words, op.words - index * op.burst_words)
            self.observer.burst(op, words, begin, end)
        return begin

    def _meet(self, op: Transfer, account: PartCycles) -> Process:
        """Come to a job of a mover: take over what it loaded, or hand over what it shall store."""
        mover = self.schedule.mover_of(op)
        start = int(self.env.now)
        job = self.arrived[mover].value
        if op.direction == "load":
            if self.observer and mover in self.taken:
                self.observer.handed(self.taken[mover], start)
            self.taken[mover] = op
            self.arrived[mover].add()
            yield from self.moved[mover].reach(job + 1)
        else:
            yield from self.moved[mover].reach(job)
            if self.observer:
                self.observer.handed(op, int(self.env.now))
            self.arrived[mover].add()
        waited = int(self.env.now) - start
        account.book(waited_as(op), waited)
        self._tell(waited_as(op), start, waited)

    def _await_stores(self, account: PartCycles) -> Process:
        """A part ends when all it stores is stored."""
        start = int(self.env.now)
        for index, mover in enumerate(self.schedule.movers):
            if mover.direction == "store":
                yield from self.moved[index].reach(self.arrived[index].value)
        waited = int(self.env.now) - start
        account.book("store_stall", waited)
        self._tell("store_stall", start, waited)

    def mover(self, index: int) -> Process:
        jobs = self.schedule.jobs[index]
        loads = self.schedule.movers[index].direction == "load"
        for frame in range(self.frames):
            for position, job in enumerate(jobs):
                number = frame * len(jobs) + position
                if not loads:
                    yield from self.arrived[index].reach(number + 1)
                elif number >= 2:
                    yield from self.arrived[index].reach(number)
                if job.waits_for_part:
                    yield from self.turns.reach(frame * len(self.parts) + job.part + 1)
                start = int(self.env.now)
                transfer = job.transfer
                for burst in range(transfer.bursts):
                    cycles = transfer.burst_cycles(burst)
                    yield from self.ports[transfer.port].burst(index + 1, cycles)
                    self._told_burst(transfer, burst)
                name = self.schedule.movers[index].name
                self.busy[name] = self.busy.get(name, 0) + transfer.cycles
                self.mover_stalled[index] += int(self.env.now) - start - transfer.cycles
                self.moved[index].add()


def run_engine_simpy(
    program: EngineProgram,
    frames: int,
    order: Callable[[list[int]], list[int]] | None = None,
    observer: EngineObserver | None = None,
) -> EngineTiming:
    """Run ``frames`` frames. ``order`` permutes the processes' creation; it cannot change the result.

    An ``observer`` is told of what has ended when the last frame has.
    """
    machine = _Machine(build_schedule(program), frames, observer)
    agents = list(range(len(machine.schedule.movers) + 1))
    for agent in order(agents) if order else agents:
        process = machine.controller() if agent == CONTROLLER else machine.mover(agent - 1)
        started = machine.env.process(process)
        if agent == CONTROLLER:
            done = started
    machine.env.run(until=done)
    total = int(machine.env.now)
    worked = {name: unit.busy for name, unit in machine.units.items()}
    busy = {**machine.busy, **worked, **{f"port {n}": port.busy for n, port in machine.ports.items()}}
    stalled = dict(machine.stalled_in)
    for mover, cycles in zip(machine.schedule.movers, machine.mover_stalled, strict=True):
        stalled[mover.name] = stalled.get(mover.name, 0) + cycles
    units = report_units(program, busy, 1, total, stalled)
    return EngineTiming(frames, total, tuple(machine.frame_ends), tuple(machine.parts), tuple(units))
