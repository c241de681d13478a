"""Programs that differ from an engine's in how long single operations take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bnnsim.design.engine.program import Beside, EngineProgram, Op, Repeat, Transfer, Work

Kind = TypeVar("Kind")
Change = Callable[[int, Work | Transfer], Work | Transfer]
"""From a part's position and one of its operations to what takes its place."""


def changed_program(program: EngineProgram, change: Change) -> EngineProgram:
    """A program with every operation changed; what stays as it is, all of it too, is the same object."""
    parts = []
    for position, part in enumerate(program.parts):
        ops = _changed(part.ops, position, change)
        parts.append(part if ops is part.ops else replace(part, ops=ops))
    kept = _kept(program.parts, tuple(parts))
    return program if kept is program.parts else replace(program, parts=kept)


def _kept(old: tuple[Kind, ...], new: tuple[Kind, ...]) -> tuple[Kind, ...]:
    """``new``, or ``old`` itself where nothing of it is another object."""
    return old if all(now is before for now, before in zip(new, old, strict=True)) else new


def _changed(ops: tuple[Op, ...], position: int, change: Change) -> tuple[Op, ...]:
    return _kept(ops, tuple(_changed_op(op, position, change) for op in ops))


def _changed_op(op: Op, position: int, change: Change) -> Op:
    if isinstance(op, Repeat):
        body = _changed(op.body, position, change)
        return op if body is op.body else replace(op, body=body)
    if isinstance(op, Beside):
        branches = tuple(_changed(branch, position, change) for branch in op.branches)
        kept = _kept(op.branches, branches)
        return op if kept is op.branches else replace(op, branches=kept)
    return change(position, op)


def unit_of(op: Work | Transfer) -> str:
    """Who works: an array, a stage, ``port NAME``, ``host`` or ``overhead``."""
    return f"port {op.port}" if isinstance(op, Transfer) else op.unit or op.kind


def without(units: tuple[str, ...]) -> Change:
    """The work of ``units`` takes no time."""

    def change(_: int, op: Work | Transfer) -> Work | Transfer:
        if unit_of(op) not in units:
            return op
        if isinstance(op, Transfer):
            return replace(op, latency_cycles=0, interval=0, dram=None)
        return replace(op, cycles=0)

    return change


def half_the_work(op: Work) -> Work:
    """A unit twice as fast: half the cycles, rounded up."""
    return replace(op, cycles=-(-op.cycles // 2)) if op.cycles > 1 else op


def half_the_words(op: Transfer) -> Transfer:
    """A port twice as wide: half the words, rounded up, in bursts of as many words as before."""
    return replace(op, words=-(-op.words // 2)) if op.words > 1 else op


def half_the_latency(op: Transfer) -> Transfer:
    """Half the cycles before a burst's first word, rounded up."""
    latency = -(-op.latency_cycles // 2)
    return replace(op, latency_cycles=latency) if op.latency_cycles > 1 else op
