"""The part of an engine's account that no waiting can change."""

from __future__ import annotations

from collections.abc import Mapping

from bnnsim.design.engine.program import (
    Beside,
    EngineProgram,
    LayerProgram,
    Op,
    Repeat,
    Transfer,
    Work,
    counted,
    pure_cycles,
)
from bnnsim.timing.engine.result import (
    LOADED_AS,
    Booked,
    EngineUnitCycles,
    EngineUnitKind,
    PartCycles,
    Stall,
)


def booked_as(op: Transfer) -> Booked:
    """The account of a transfer in sequence."""
    return "activation_store" if op.direction == "store" else LOADED_AS[op.payload]


def waited_as(op: Transfer) -> Stall:
    """The account of the controller's waiting for a transfer."""
    if op.direction == "store":
        return "store_stall"
    return "weight_stall" if LOADED_AS[op.payload] == "weight_load" else "activation_stall"


def frame_account(program: EngineProgram, frames: int) -> list[PartCycles]:
    """Every part's cycles over ``frames`` frames, stalls left out."""
    parts = []
    for part in program.parts:
        account = PartCycles(part.name)
        _book(part.ops, frames, account)
        parts.append(account)
    return parts


def frame_cycles(program: EngineProgram) -> int:
    """Cycles a frame of an engine without double buffers (with them: an upper bound)."""
    return sum(pure_cycles(part.ops) for part in program.parts)


def _book(ops: tuple[Op, ...], times: int, account: PartCycles) -> None:
    for op in ops:
        if isinstance(op, Repeat):
            _book(op.body, times * op.trips, account)
        elif isinstance(op, Beside):
            _book(max(op.branches, key=pure_cycles), times, account)
        elif isinstance(op, Work):
            account.book(op.kind, op.cycles * times)
        elif not op.double:
            account.book(booked_as(op), op.cycles * times)


def frame_busy(program: EngineProgram) -> dict[str, int]:
    """Busy cycles a frame of every unit, mover (``buffer.direction``) and port."""
    busy: dict[str, int] = {}
    for part in program.parts:
        for name, cycles in part_busy(part).items():
            busy[name] = busy.get(name, 0) + cycles
    return busy


def part_busy(part: LayerProgram) -> dict[str, int]:
    """Busy cycles, in one part of the frame, of every unit, mover (``buffer.direction``) and port."""
    busy: dict[str, int] = {}
    for op, times in counted(part.ops):
        if not times:
            continue
        names = (
            (op.unit,) if isinstance(op, Work) else (f"{op.buffer}.{op.direction}", f"port {op.port}")
        )
        for name in names:
            busy[name] = busy.get(name, 0) + op.cycles * times
    return busy


def report_units(
    program: EngineProgram,
    busy: Mapping[str, int],
    frames: int,
    total: int,
    stalls: Mapping[str, int],
) -> list[EngineUnitCycles]:
    """Arrays, stages, host, movers, ports, in this order. ``busy`` is a frame's, ``stalls`` those of
    movers (``buffer.direction``) in all frames."""
    names: list[tuple[str, EngineUnitKind, str]] = [(name, "array", name) for name in program.arrays]
    names += [(name, "stage", name) for name in program.stages]
    names += [("host", "host", "host")] * program.host
    transfers = sorted(name for name in busy if name.endswith((".load", ".store")))
    names += [(name, "mover", name) for name in transfers]
    names += [(name, "port", f"port {name}") for name in program.ports]
    units = []
    for name, kind, key in names:
        spent = busy.get(key, 0) * frames
        stalled = stalls.get(name, 0) if kind == "mover" else 0
        units.append(EngineUnitCycles(name, kind, spent, stalled, total - spent - stalled))
    return units
