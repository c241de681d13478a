"""The front as it is forecast: points that nothing known dominates, judged or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bnnsim.arrays import Bools, Floats, Int64s, Words
from bnnsim.search.front.front import dominated

CANDIDATE, ASKED, JUDGED = range(3)
"""What is known of a member: a forecast, a forecast that will be replaced, its figures."""


def distances(losses: Floats, others: Floats) -> Floats:
    """By how much each row of ``losses`` must become better to be dominated by no row of ``others``:
    in the objective where that takes least, as a share of its span. At most 0 where none does."""
    span = others.max(axis=0) - others.min(axis=0)
    span = np.where(span > 0, span, 1.0)
    least = np.full((len(losses), len(others)), np.inf)
    for column in range(losses.shape[1]):
        ahead = (losses[:, column, None] - others[None, :, column]) / span[column]
        np.minimum(least, ahead, out=least)
    found: Floats = least.max(axis=1)
    return found


@dataclass
class Archive:
    """Members by row: points ``(members, parameters)``, losses ``(members, objectives)``, what is known
    of them, how often they were looked from, and their masks (:mod:`bnnsim.search.proposal.cover`)."""

    points: Int64s
    losses: Floats
    keys: list[bytes] = field(default_factory=list)
    state: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    visits: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    masks: Words | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, points: Int64s, losses: Floats, keys: Sequence[bytes], state: int) -> None:
        """Take in points as they are; :meth:`clean` removes what is dominated."""
        self.points = np.concatenate([self.points, points])
        self.losses = np.concatenate([self.losses, losses])
        self.keys += keys
        count = len(keys)
        self.state = np.concatenate([self.state, np.full(count, state)])
        self.visits = np.concatenate([self.visits, np.zeros(count, np.int64)])
        if self.masks is not None:
            self.masks = np.concatenate([self.masks, np.zeros((count, self.masks.shape[1]), np.uint64)])

    def keep(self, kept: Bools) -> None:
        """Remove all others."""
        if kept.all():
            return
        self.points, self.losses = self.points[kept], self.losses[kept]
        self.keys = [key for key, stays in zip(self.keys, kept.tolist(), strict=True) if stays]
        self.state, self.visits = self.state[kept], self.visits[kept]
        if self.masks is not None:
            self.masks = self.masks[kept]

    def remove(self, key: bytes) -> None:
        """Remove the member of this key, if there is one."""
        if key in self.keys:
            self.keep(np.arange(len(self)) != self.keys.index(key))

    def clean(self) -> None:
        """Remove what is dominated, and of equal members all but the first."""
        _, first = np.unique(self.losses, axis=0, return_index=True)
        kept = np.zeros(len(self), bool)
        kept[first] = True
        kept |= self.state == ASKED
        self.keep(kept)
        self.keep(~dominated(self.losses, self.losses) | (self.state == ASKED))
