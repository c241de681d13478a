"""The ways of one turn as far as they were looked at, for whatever sizes its buffers have.

What a way does and how long it takes does not depend on the words of buffers; whether it fits does: what
fits fits with more words, what does not fit does not with fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bnnsim.design.engine.program import LayerProgram
from bnnsim.design.network.network import Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Step
from bnnsim.spec.load import Loaded
from bnnsim.timing.engine.mapping.bounds import Bound, Bounds
from bnnsim.timing.engine.mapping.free_steps import FreeSteps
from bnnsim.timing.engine.mapping.nests import Mapper, Room

OWN = 0
"""The place of the steps as they are written; those of the ways that are made follow."""
Words = tuple[int, ...]


@dataclass(frozen=True)
class Timed:
    """A way as steps, as a turn, and the cycles of that turn repeated by itself; ``place`` is its place
    among all ways, ``bound`` what it cannot be faster than."""

    place: int
    steps: tuple[Step, ...]
    turn: LayerProgram
    bound: Bound
    cycles: int

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """The fastest first, of these the one that moves least."""
        return self.cycles, self.bound.words, self.bound.cycles, self.place


@dataclass
class Fits:
    """Words of buffers with which a way fits, and with which it does not."""

    enough: list[Words] = field(default_factory=list)
    too_few: list[Words] = field(default_factory=list)

    def known(self, words: Words) -> bool | None:
        """Whether a way fits with those ``words``; None where that is not known yet."""
        if any(_are_covered(known, words) for known in self.enough):
            return True
        return False if any(_are_covered(words, known) for known in self.too_few) else None

    def keep(self, words: Words, is_fitting: bool) -> None:
        (self.enough if is_fitting else self.too_few).append(words)


def _are_covered(few: Words, many: Words) -> bool:
    return all(one <= other for one, other in zip(few, many, strict=True))


class TurnWays:
    """All ways of a turn: their bounds, and the turns and cycles of those that were built."""

    def __init__(
        self,
        architecture: Loaded[EngineArchitecture],
        network: Network,
        names: Sequence[str],
        free: FreeSteps,
        own: Sequence[Step],
    ) -> None:
        self.mapper = Mapper(architecture.spec, network, names[0], free)
        self.own = own
        self.made = list(self.mapper.every())
        self._bounds = Bounds(architecture, network, names, self.mapper)
        self._held = [self.mapper.asked(way) for way in self.made]
        self._asked = [
            {**self._bounds.moved(way), **held} for way, held in zip(self.made, self._held, strict=True)
        ]
        self._bound: dict[int, Bound] = {}
        self._turns: dict[tuple[int, tuple[str, ...]], LayerProgram] = {}
        self._fits: dict[tuple[object, int], Fits] = {}
        self.built: dict[int, tuple[tuple[Step, ...], LayerProgram]] = {}
        self.timed: dict[int, Timed] = {}

    def places(self, room: Room) -> list[int]:
        """Those that may fit, or where none does those whose weights and sums do, or the one of the
        smallest tiles; not the own steps."""
        for every in (self._asked, self._held):
            found = [
                i
                for i, asked in enumerate(every, OWN + 1)
                if all(bits <= room.get(name, bits) for name, bits in asked.items())
            ]
            if found:
                return found
        return [len(self.made)]

    def steps(self, place: int) -> Sequence[Step]:
        """Of the way at a place."""
        return self.own if place == OWN else self.mapper.steps(self.made[place - OWN - 1])

    def bound(self, place: int) -> Bound:
        """Of the way at a place, which is made."""
        if place not in self._bound:
            self._bound[place] = self._bounds.of(self.made[place - OWN - 1])
        return self._bound[place]

    def of_layers(self, place: int, names: tuple[str, ...]) -> LayerProgram:
        """The turn of layers ``names`` in a way that was built, for these or others like them."""
        if (place, names) not in self._turns:
            turn = replace(self.built[place][1], name=names[0], layers=names)
            self._turns[place, names] = turn
        return self._turns[place, names]

    def fits(self, place: int, buffers: object) -> Fits:
        """What is known of words with which a way fits, for ``buffers`` that have all else in common."""
        return self._fits.setdefault((buffers, place), Fits())
