"""An engine's frame as the list of what its controller and its data movers do in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from bnnsim.design.engine.program import (
    Beside,
    EngineProgram,
    LayerProgram,
    Transfer,
    Work,
    counted,
    leaves,
    pure_cycles,
    walk,
)

CONTROLLER = 0
DEPENDENT = ("activations", "shortcut")
"""Loads that bring what an earlier layer may have stored: they wait for their own layer's turn."""


@dataclass(frozen=True)
class Mover:
    """Moves the transfers of one double buffer in one direction, in order, beside the controller."""

    buffer: str
    direction: str

    @property
    def name(self) -> str:
        return f"{self.buffer}.{self.direction}"


@dataclass(frozen=True)
class Job:
    """A transfer of a mover; ``part`` is its part of the frame, ``waits_for_part`` whether it starts
    only in that part's turn."""

    transfer: Transfer
    part: int
    waits_for_part: bool


@dataclass
class Schedule:
    """``movers`` (agents 1, 2, ...; the controller is agent 0) and each one's jobs of a frame."""

    program: EngineProgram
    movers: tuple[Mover, ...] = ()
    jobs: tuple[tuple[Job, ...], ...] = field(default=())

    @cached_property
    def _places(self) -> dict[tuple[str, str], int]:
        return {(mover.buffer, mover.direction): i for i, mover in enumerate(self.movers)}

    def mover_of(self, transfer: Transfer) -> int:
        return self._places[transfer.buffer, transfer.direction]


def build_schedule(program: EngineProgram) -> Schedule:
    """The movers of a program and their jobs."""
    movers = movers_of(program.parts)
    jobs: dict[Mover, list[Job]] = {mover: [] for mover in movers}
    for position, part in enumerate(program.parts):
        for op in walk(part.ops):
            if isinstance(op, Transfer) and op.double:
                job = Job(op, position, waits_for_turn(op))
                jobs[Mover(op.buffer, op.direction)].append(job)
    return Schedule(program, movers, tuple(tuple(jobs[mover]) for mover in movers))


def movers_of(parts: Iterable[LayerProgram]) -> tuple[Mover, ...]:
    """Those that the parts of a frame need, in the order of their first transfers."""
    moved = (
        Mover(op.buffer, op.direction)
        for part in parts
        for op, times in counted(part.ops)
        if times and isinstance(op, Transfer) and op.double
    )
    return tuple(dict.fromkeys(moved))


def waits_for_turn(op: Transfer) -> bool:
    """Whether a transfer beside the controller starts only in the turn of its layer."""
    return op.direction == "load" and op.payload in DEPENDENT


def critical_work(op: Work | Beside) -> Iterator[Work]:
    """What the controller's time is booked as: the work itself, or that of the longest branch."""
    if isinstance(op, Work):
        yield op
        return
    longest = max(op.branches, key=pure_cycles)
    for inner in walk(longest):
        if isinstance(inner, Work | Beside):
            yield from critical_work(inner)


def has_double(part: LayerProgram | EngineProgram) -> bool:
    """Whether anything runs beside the controller."""
    if isinstance(part, EngineProgram):
        return any(has_double(p) for p in part.parts)
    return any(isinstance(op, Transfer) and op.double for op in leaves(part.ops))
