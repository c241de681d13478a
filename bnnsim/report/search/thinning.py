"""Which designs a page has room for: the front always, of the others every one or every n-th."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

MOST_CHARACTERS = 220_000
"""Of all packed designs of a page, which has some 60,000 besides."""
MOST_OTHERS, LEAST_OTHERS = 10_000, 300
"""Of the designs that are not on the front, so many are tried at most, and kept at least."""


class Judged(Protocol):
    """A design that is on the front, or was simulated once more, is kept."""

    @property
    def state(self) -> str: ...
    @property
    def checked(self) -> str: ...


D = TypeVar("D", bound=Judged)


@dataclass(frozen=True)
class Thinned:
    """Packed designs of a search and of its baseline: one in ``step`` of those off the front."""

    points: str
    baseline: str
    step: int


def thinned(
    points: Sequence[D],
    baseline: Sequence[D],
    pack: Callable[[Sequence[D]], str],
    most_characters: int = MOST_CHARACTERS,
) -> Thinned:
    """The most designs that ``pack`` brings into ``most_characters``, all where they have room."""
    others = sum(not _is_kept(point) for point in (*points, *baseline))
    last = max(1, others // LEAST_OTHERS)
    step = min(last, max(1, math.ceil(others / MOST_OTHERS)))
    while True:
        some, drawn = every(points, step), every(baseline, step)
        found = Thinned(pack(some), pack(drawn), step)
        size = len(found.points) + len(found.baseline)
        if size <= most_characters or step == last:
            return found
        a_design = size / (len(some) + len(drawn))
        room = most_characters / a_design - sum(_is_kept(point) for point in some)
        step = min(last, max(step + 1, math.ceil(others / max(1.0, room))))


def every(points: Sequence[D], step: int) -> list[D]:
    """The front, what was simulated once more, and every ``step``-th of the others, in their order."""
    found: list[D] = []
    others = 0
    for point in points:
        if _is_kept(point) or others % step == 0:
            found.append(point)
        others += not _is_kept(point)
    return found


def _is_kept(point: Judged) -> bool:
    return point.state == "front" or bool(point.checked)
