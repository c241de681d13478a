"""What units and streams take, for designs that have them in common.

Designs of a search share their units and streams (:mod:`bnnsim.design.known_parts`), so each is looked at
once.
"""

from __future__ import annotations

from collections.abc import Callable

from bnnsim.cost.usage import UnitResources

MOST_SIZES = 200_000
"""Sizes that are kept at once."""


class KnownSizes:
    """Resources by the identity of what they follow from, which is kept beside them, so that nothing else
    has its place in memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, ...], tuple[tuple[object, ...], UnitResources]] = {}

    def __reduce__(self) -> tuple[type[KnownSizes], tuple[()]]:
        return KnownSizes, ()  # another process finds its own

    def make_room(self) -> None:
        """Forget everything where there is too much of it."""
        if len(self._kept) > MOST_SIZES:
            self._kept.clear()

    def of(self, things: tuple[object, ...], size: Callable[[], UnitResources]) -> UnitResources:
        """What is known to follow from these ``things``, else the ``size``, which is known then."""
        key = tuple(map(id, things))
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = things, size()
        return found[1]
