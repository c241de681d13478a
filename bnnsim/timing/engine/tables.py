"""An engine's program as tables, for the compiled loop: what the controller does, and the movers' jobs.

A repeat is written once and then copied. Work without a transfer in between is one row, however many
repeats it is: nothing happens at the moments between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.design.engine.program import (
    EngineProgram,
    LayerProgram,
    Op,
    Repeat,
    Transfer,
    leaves,
    op_cycles,
)
from bnnsim.timing.engine.account import waited_as
from bnnsim.timing.engine.result import STALLS
from bnnsim.timing.engine.schedule import Mover, movers_of, waits_for_turn

_WORK, _BURST, _ARRIVE, _TAKE, _GIVE, _BEGIN, _END = 0, 1, 2, 3, 4, 5, 6
"""Codes of the controller's operations; the compiled loop spells them as numbers."""
_FIELDS, _JOB_FIELDS = 5, 6
_IN_TURN = 4
"""The field of a job that says in which part's turn it starts."""
_Rows = tuple[Int64s, dict[int, Int64s]]
"""Of the controller, and the jobs of each mover."""


@dataclass(frozen=True)
class Tables:
    """A frame of a program.

    ``controller``: rows of (code, argument, cycles, name, what is waited for). ``jobs``: rows of (port,
    bursts, burst cycles, last burst's cycles, part to wait for or -1, is load), those of each mover
    together; mover m's begin at ``starts[m]``. ``inline`` are the names of transfers in sequence.
    """

    controller: Int64s
    jobs: Int64s
    starts: Int64s
    movers: tuple[Mover, ...]
    inline: tuple[str, ...]
    parts: int
    ports: int


MOST_PARTS = 500
"""Parts whose rows a builder keeps, those that were asked for last."""


@dataclass
class _Part:
    """A part with its own names, its rows by the names of the program that it is in, and by its position
    there too."""

    part: LayerProgram
    own: _Names
    names: _Names | None = None
    rows: _Rows | None = None
    placed: dict[int, _Rows] = field(default_factory=dict)


class TableBuilder:
    """Builds tables of programs that have parts in common: the rows of each part are written once."""

    def __init__(self) -> None:
        self._parts: OrderedDict[int, _Part] = OrderedDict()

    def build(self, program: EngineProgram) -> Tables:
        names = self._names(program)
        controller: list[Int64s] = []
        jobs: list[list[Int64s]] = [[] for _ in names.movers]
        for position, part in enumerate(program.parts):
            rows, moved = self._placed_rows(part, position, names)
            controller.append(rows)
            for mover, found in moved.items():
                jobs[mover].append(found)
        counts = [sum(len(found) for found in of_mover) for of_mover in jobs]
        return Tables(
            controller=_joined(controller, _FIELDS),
            jobs=_joined([found for of_mover in jobs for found in of_mover], _JOB_FIELDS),
            starts=np.cumsum([0, *counts], dtype=np.int64),
            movers=names.movers,
            inline=names.inline,
            parts=len(program.parts),
            ports=max(1, len(program.ports)),
        )

    def _names(self, program: EngineProgram) -> _Names:
        movers: dict[Mover, None] = {}
        inline: set[str] = set()
        for part in program.parts:
            own = self._kept(part, program.ports).own
            movers |= dict.fromkeys(own.movers)
            inline.update(own.inline)
        return _Names(tuple(movers), tuple(sorted(inline)), program.ports)

    def _kept(self, part: LayerProgram, ports: tuple[str, ...]) -> _Part:
        kept = self._parts.get(id(part))
        if kept is None or kept.part is not part or kept.own.ports != ports:
            kept = self._parts[id(part)] = _Part(part, _names(part, ports))
            if len(self._parts) > MOST_PARTS:
                self._parts.popitem(last=False)
        else:
            self._parts.move_to_end(id(part))
        return kept

    def _placed_rows(self, part: LayerProgram, position: int, names: _Names) -> _Rows:
        """Its rows as those of the part at that position of the frame."""
        kept = self._kept(part, names.ports)
        if kept.rows is None or kept.names != names:
            kept.names, kept.rows = names, _Writer(names).rows(part.ops)
            kept.placed.clear()
        if position not in kept.placed:
            rows, moved = kept.rows
            begin, end = _row(_BEGIN, position), _row(_END, 0, 0, 0, STALLS.index("store_stall"))
            placed = {}
            for mover, found in moved.items():
                placed[mover] = found.copy()
                placed[mover][:, _IN_TURN] = np.where(found[:, _IN_TURN] == 1, position, -1)
            kept.placed[position] = np.concatenate([begin, rows, end]), placed
        return kept.placed[position]


@dataclass(frozen=True)
class _Names:
    """Whose place in these is their number in the tables."""

    movers: tuple[Mover, ...]
    inline: tuple[str, ...]
    ports: tuple[str, ...]


def _names(part: LayerProgram, ports: tuple[str, ...]) -> _Names:
    single = {_name(op) for op in leaves(part.ops) if isinstance(op, Transfer) and not op.double}
    return _Names(movers_of([part]), tuple(sorted(single)), ports)


def _row(code: int, argument: int = 0, cycles: int = 0, name: int = 0, cause: int = 0) -> Int64s:
    return np.array([[code, argument, cycles, name, cause]], np.int64)


def _joined(blocks: Sequence[Int64s], fields: int) -> Int64s:
    return np.concatenate(blocks) if blocks else np.zeros((0, fields), np.int64)


class _Writer:
    """Writes the rows of operations; jobs come by mover, with 1 or 0 for whether in their own turn."""

    def __init__(self, names: _Names) -> None:
        self.ports = {name: i for i, name in enumerate(names.ports)}
        self.places = {(mover.buffer, mover.direction): i for i, mover in enumerate(names.movers)}
        self.names = {name: i for i, name in enumerate(names.inline)}

    def rows(self, ops: Sequence[Op]) -> _Rows:
        blocks: list[Int64s] = []
        jobs: dict[int, list[Int64s]] = {}
        work = 0
        for op in ops:
            if isinstance(op, Repeat) and op.trips:
                body, moved = self.rows(op.body)
                if len(body) and (len(body) > 1 or body[0, 0] != _WORK):
                    blocks += [_row(_WORK, 0, work)] * bool(work)
                    work = 0
                    blocks.append(np.tile(body, (op.trips, 1)))
                    for mover, found in moved.items():
                        jobs.setdefault(mover, []).append(np.tile(found, (op.trips, 1)))
                    continue
            if not isinstance(op, Transfer):
                work += op_cycles(op)
                continue
            blocks += [_row(_WORK, 0, work)] * bool(work)
            work = 0
            blocks += self._transfer(op)
            if op.double:
                jobs.setdefault(self.places[op.buffer, op.direction], []).append(self._job(op))
        blocks += [_row(_WORK, 0, work)] * bool(work)
        return (
            _joined(blocks, _FIELDS),
            {mover: np.concatenate(found) for mover, found in jobs.items()},
        )

    def _transfer(self, op: Transfer) -> list[Int64s]:
        cause = STALLS.index(waited_as(op))
        if not op.double:
            name, port = self.names[_name(op)], self.ports[op.port]
            whole = _row(_BURST, port, op.burst_cycles(0), name, cause)
            last = _row(_BURST, port, op.burst_cycles(op.bursts - 1), name, cause)
            return [np.tile(whole, (op.bursts - 1, 1)), last]
        mover = self.places[op.buffer, op.direction]
        if op.direction == "load":
            return [_row(_ARRIVE, mover), _row(_TAKE, mover, 0, 0, cause)]
        return [_row(_GIVE, mover, 0, 0, cause)]

    def _job(self, op: Transfer) -> Int64s:
        cycles = op.burst_cycles(0), op.burst_cycles(op.bursts - 1)
        waits, is_load = int(waits_for_turn(op)), int(op.direction == "load")
        row = (self.ports[op.port], op.bursts, *cycles, waits, is_load)
        return np.array([row], np.int64)


def _name(op: Transfer) -> str:
    return f"{op.buffer}.{op.direction}"
