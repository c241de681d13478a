"""Where maps lie in memories of a great many copies: the first and the last ones are looked at."""

from __future__ import annotations

from bnnsim.design.placement import Piece, Resident, Room, place

COPY_BITS = 256
ROOM = Room(COPY_BITS * 2_147_483_647, 32, COPY_BITS)


def _resident(name: str, bits: int, made: int, last: int) -> Resident:
    return Resident(name, bits, ("maps",), made, last)


def test_maps_of_two_turns_lie_in_the_first_and_the_last_of_a_great_many_copies() -> None:
    maps = [_resident("even", 200, 0, 2), _resident("odd", 200, 1, 3), _resident("next", 200, 2, 4)]
    assert place(maps, {"maps": ROOM}) == {
        "even": (Piece("maps", 0, 200),),
        "odd": (Piece("maps", ROOM.bits - COPY_BITS + 32, 200),),  # from the last line that holds it
        "next": (Piece("maps", COPY_BITS, 200),),  # the first copy has no room for both
    }


def test_a_map_wider_than_a_copy_lies_across_copies() -> None:
    maps = [_resident("wide", 1_000, 0, 1), _resident("small", 100, 0, 1)]
    assert place(maps, {"maps": ROOM}) == {
        "wide": (Piece("maps", 0, 1_000),),
        "small": (Piece("maps", 1_024, 100),),  # the line behind it; its copy is not full
    }
