"""What happened in an engine's run, on disk: turns, what each unit did, bursts, fill levels."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self, get_args

from bnnsim.design.engine.program import EngineProgram, Transfer, leaves
from bnnsim.report.waveform.spool import Spool
from bnnsim.spec.engine.blocks import Payload
from bnnsim.timing.engine.result import STALLS, Activity, Booked

_TURN = struct.Struct("<qqHI")
_DID = struct.Struct("<qqHB")
_WORK = struct.Struct("<qqH")
_BURST = struct.Struct("<qqHBI")
_LEVEL = struct.Struct("<qq")
ACTIVITIES: tuple[Activity, ...] = (
    *(name for kind in get_args(Booked) for name in (get_args(kind) or (kind,))),
    *STALLS,
)
PAYLOADS: tuple[Payload, ...] = get_args(Payload)


class Turn(NamedTuple):
    """A part's turn, by position in the program: ``start`` <= cycle < ``end``."""

    start: int
    end: int
    part: int
    frame: int


class Did(NamedTuple):
    """What the controller did in a part's turn."""

    start: int
    end: int
    part: int
    activity: Activity


class Worked(NamedTuple):
    """A unit at work in a part's turn."""

    start: int
    end: int
    part: int


class Burst(NamedTuple):
    """A burst on a port: for which buffer and direction (``buffer.load``), of what, how many words."""

    start: int
    end: int
    mover: str
    payload: Payload
    words: int


class Level(NamedTuple):
    """From the start of ``cycle`` a buffer held ``bits`` that transfers brought or wait to store."""

    cycle: int
    bits: int


class EngineLog:
    """An observer that writes down what it sees; memory does not grow with the run.

    ``widths``: bits of a word of each port. ``capacities``: bits of each buffer; what a transfer brings
    beyond, padding or another buffer's, is in no level.
    """

    def __init__(
        self,
        program: EngineProgram,
        widths: Mapping[str, int],
        capacities: Mapping[str, int],
    ) -> None:
        self.program = program
        self.units = (*program.arrays, *program.stages, *(("host",) if program.host else ()))
        moves = [op for part in program.parts for op in leaves(part.ops) if isinstance(op, Transfer)]
        self.movers = tuple(dict.fromkeys(f"{op.buffer}.{op.direction}" for op in moves))
        self.ports = tuple(name for name in program.ports if any(op.port == name for op in moves))
        self.buffers = tuple(name for name in program.buffers if any(op.buffer == name for op in moves))
        self._widths = widths
        self._capacities = capacities
        self._bits = dict.fromkeys(self.buffers, 0)
        self._track: dict[str, int] = {}
        sizes = [_TURN.size, _DID.size]
        for names, kind, size in (
            (self.units, "unit", _WORK.size),
            (self.ports, "port", _BURST.size),
            (self.buffers, "buffer", _LEVEL.size),
        ):
            for name in names:
                self._track[f"{kind} {name}"] = len(sizes)
                sizes.append(size)
        self._spool = Spool(sizes)

    # ---- what an observer is told ------------------------------------------------------------

    def turn(self, part: int, frame: int, start: int, end: int) -> None:
        self._spool.append(0, _TURN.pack(start, end, part, frame))

    def controlled(self, part: int, activity: Activity, start: int, end: int) -> None:
        self._spool.append(1, _DID.pack(start, end, part, ACTIVITIES.index(activity)))

    def worked(self, unit: str, part: int, start: int, end: int) -> None:
        self._spool.append(self._track[f"unit {unit}"], _WORK.pack(start, end, part))

    def burst(self, op: Transfer, words: int, start: int, end: int) -> None:
        mover = self.movers.index(f"{op.buffer}.{op.direction}")
        record = _BURST.pack(start, end, mover, PAYLOADS.index(op.payload), words)
        self._spool.append(self._track[f"port {op.port}"], record)
        moved = words * self._widths[op.port]
        self._level(op.buffer, self._bits[op.buffer] + (moved if op.direction == "load" else -moved), end)

    def begun(self, op: Transfer, cycle: int) -> None:
        filled = op.words * self._widths[op.port] if op.direction == "store" else 0
        self._level(op.buffer, filled, cycle)

    def handed(self, op: Transfer, cycle: int) -> None:
        moved = op.words * self._widths[op.port]
        by = moved if op.direction == "store" else -moved
        self._level(op.buffer, self._bits[op.buffer] + by, cycle)

    def _level(self, buffer: str, bits: int, cycle: int) -> None:
        self._bits[buffer] = bits
        self._spool.append(self._track[f"buffer {buffer}"], _LEVEL.pack(cycle, bits))

    # ---- what was seen -----------------------------------------------------------------------

    def turns(self) -> Iterator[Turn]:
        return (Turn(*_TURN.unpack(record)) for record in self._spool.records(0))

    def controller(self) -> Iterator[Did]:
        """Without gaps, from cycle 0 to the end."""
        for record in self._spool.records(1):
            start, end, part, activity = _DID.unpack(record)
            yield Did(start, end, part, ACTIVITIES[activity])

    def work(self, unit: str) -> Iterator[Worked]:
        records = self._spool.records(self._track[f"unit {unit}"])
        return (Worked(*_WORK.unpack(record)) for record in records)

    def bursts(self, port: str) -> Iterator[Burst]:
        for record in self._spool.records(self._track[f"port {port}"]):
            start, end, mover, payload, words = _BURST.unpack(record)
            yield Burst(start, end, self.movers[mover], PAYLOADS[payload], words)

    def levels(self, buffer: str) -> Iterator[Level]:
        """Levels in the order of time, the last of each cycle; 0 before the first."""
        last: Level | None = None
        for record in self._spool.records(self._track[f"buffer {buffer}"]):
            cycle, bits = _LEVEL.unpack(record)
            level = Level(cycle, min(bits, self._capacities[buffer]))
            if last is not None and last.cycle != level.cycle:
                yield last
            last = level
        if last is not None:
            yield last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()
