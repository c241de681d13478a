"""Where in its memories everything lies that is alive at once: addresses from sizes and lifetimes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

Side = Literal["both", "low"]


@dataclass(frozen=True)
class Resident:
    """Something of ``bits`` that is kept in one of ``memories`` from turn ``made`` to turn ``last``.

    ``over`` are residents whose place it may take in the turn in which it is made, their last.
    """

    name: str
    bits: int
    memories: tuple[str, ...]
    made: int
    last: int
    over: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Room:
    """``bits`` of a memory in lines of ``line_bits``, as copies of ``copy_bits`` (0: one)."""

    bits: int
    line_bits: int = 1
    copy_bits: int = 0


@dataclass(frozen=True)
class Piece:
    """``bits`` of a memory from ``first_bit`` on."""

    memory: str
    first_bit: int
    bits: int

    @property
    def end_bit(self) -> int:
        return self.first_bit + self.bits


Places = dict[str, tuple[Piece, ...]]


def place(residents: Sequence[Resident], rooms: Mapping[str, Room]) -> Places:
    """Every resident's place: whole, from the start of a line and within a copy, where some order of
    placing them finds such places for all, else in pieces wherever bits are free.

    What has no place is left out; where all are in one memory, only where their sum is too much.
    """
    orders: tuple[tuple[list[Resident], Side], ...] = (
        (sorted(residents, key=lambda one: one.made), "both"),
        (sorted(residents, key=lambda one: one.made), "low"),
        (sorted(residents, key=lambda one: -one.bits), "low"),
    )
    for may_replace, (order, side) in product((False, True), orders):
        places = _whole(order, rooms, side, may_replace)
        if len(places) == len(residents):
            return places
    return _in_pieces(orders[0][0], rooms)


def _whole(order: Sequence[Resident], rooms: Mapping[str, Room], side: Side, may_replace: bool) -> Places:
    known = {one.name: one for one in order}
    places: Places = {}
    for one in order:
        taken = _taken(one, places, known, may_replace)
        from_end = side == "both" and one.made % 2 == 1
        found = _first_fit(one, taken, rooms, from_end)
        if found is None:
            return {}
        places[one.name] = (found,)
    return places


def _taken(
    one: Resident, places: Places, known: Mapping[str, Resident], may_replace: bool
) -> list[Piece]:
    """What others have while it is there."""
    return [
        piece
        for name, pieces in places.items()
        if _are_together(one, known[name], may_replace)
        for piece in pieces
    ]


def _are_together(one: Resident, other: Resident, may_replace: bool) -> bool:
    """Whether neither may take the other's place."""
    if one.made > other.last or other.made > one.last:
        return False
    return not (may_replace and (_replaces(one, other) or _replaces(other, one)))


def _replaces(one: Resident, other: Resident) -> bool:
    return other.name in one.over and one.made == other.last


def _first_fit(
    one: Resident, taken: Sequence[Piece], rooms: Mapping[str, Room], from_end: bool
) -> Piece | None:
    for within_copies in (True, False):
        for memory in one.memories:
            room = rooms[memory]
            gaps = list(_gaps(memory, taken, room, within_copies))
            for start, end in reversed(gaps) if from_end else gaps:
                first = -(-start // room.line_bits) * room.line_bits
                last = (end - one.bits) // room.line_bits * room.line_bits
                if first <= last:
                    return Piece(memory, last if from_end else first, one.bits)
    return None


def _gaps(
    memory: str, taken: Sequence[Piece], room: Room, within_copies: bool
) -> Iterator[tuple[int, int]]:
    """What is free, from low to high; with ``within_copies`` parted where a copy ends.

    Of copies that nothing lies in there are the first and the last one: they are all alike.
    """
    step = max(1, room.copy_bits if within_copies and room.copy_bits else room.bits)
    here = sorted((p for p in taken if p.memory == memory), key=lambda piece: piece.first_bit)
    for start in _starts(here, room, step):
        end = min(start + step, room.bits)
        at = start
        for piece in here:
            if piece.end_bit <= at or piece.first_bit >= end:
                continue
            if piece.first_bit > at:
                yield at, piece.first_bit
            at = piece.end_bit
        if at < end:
            yield at, end


def _starts(here: Sequence[Piece], room: Room, step: int) -> Iterator[int]:
    """Where copies start that pieces begin and end in, those beside them, the first and the last."""
    last = (room.bits - 1) // step
    near = {0, last}
    for piece in here:
        for copy in (piece.first_bit // step, (piece.end_bit - 1) // step):
            near |= {copy - 1, copy, copy + 1}
    return (copy * step for copy in sorted(near) if 0 <= copy <= last)


def _in_pieces(order: Sequence[Resident], rooms: Mapping[str, Room]) -> Places:
    known = {one.name: one for one in order}
    places: Places = {}
    for one in order:
        for may_replace in (False, True):
            taken = _taken(one, places, known, may_replace)
            pieces = tuple(_filled(one, taken, rooms))
            if sum(piece.bits for piece in pieces) == one.bits:
                places[one.name] = pieces
                break
    return places


def _filled(one: Resident, taken: Sequence[Piece], rooms: Mapping[str, Room]) -> Iterator[Piece]:
    left = one.bits
    for memory in one.memories:
        for start, end in _gaps(memory, taken, rooms[memory], within_copies=False):
            bits = min(left, end - start)
            if bits > 0:
                yield Piece(memory, start, bits)
                left -= bits
