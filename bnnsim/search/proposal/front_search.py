"""The search of this project's own problem.

What makes the problem its own: costs of a design follow exactly from what its layers bring, and its time
nearly (:mod:`bnnsim.search.forecast`); only timing takes long. So moves from the front are looked at in
thousands, without timing, and of those that are forecast to be on the front the ones are judged that
would dominate most of what nothing judged dominates yet. What is judged corrects the forecasts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnnsim.arrays import Floats, Int64s, Words
from bnnsim.search.forecast.losses import PointModel
from bnnsim.search.front.front import dominated
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Parameters, PointEncoding
from bnnsim.search.proposal.archive import ASKED, CANDIDATE, JUDGED, Archive, distances
from bnnsim.search.proposal.cover import Cover, gains
from bnnsim.search.proposal.moves import neighbours

PARENTS = 8
"""Points whose neighbours are looked at together: those that were looked from least."""
FIRST_ROUNDS, ROUNDS = 60, 2
"""Of looking around: before the first point is proposed, and for each batch."""
FIRST_LOOKS, LOOKS = 600, 18
"""Designs that are built to forecast others, at most: at first, and in each batch."""
CANDIDATES = (60, 300)
"""Points of the front that is forecast and not judged: with fewer the front is looked at more finely."""
FIRST_FINENESS = 0.005
"""By how much of the front's span a candidate must be ahead of every member, in some objective."""
CLEANED = 3
"""Batches between two looks at all members: forecasts change while more is learnt."""
REDRAW = 20
"""Batches between two draws of the samples that gains are counted on."""
ENUMERATED = 4096
"""A space with so many points at most is looked at as a whole."""
SPARE_POINTS = 500
"""Points that are drawn where no move leads to the front any more."""


class FrontSearch:
    """Proposes points in batches and learns what became of them.

    ``first`` are points to judge first, ``seeds`` points to begin looking around from. What it proposes
    follows from these, from ``seed`` and from what it was told, in order.
    """

    def __init__(
        self,
        encoding: PointEncoding,
        model: PointModel,
        first: Sequence[Parameters],
        seeds: Sequence[Parameters],
        is_ordered: Sequence[bool],
        seed: int,
    ) -> None:
        self.model = model
        self.names = list(encoding.sizes)
        self.sizes = np.array(list(encoding.sizes.values()), np.int64)
        self.is_ordered = is_ordered
        self.draw = np.random.default_rng(seed)
        empty = np.zeros((0, len(self.names)), np.int64)
        self.archive = Archive(empty, np.zeros((0, len(model.objectives))))
        self.cover: Cover | None = None
        self.batches = 0
        self.fineness = FIRST_FINENESS
        self.met: set[bytes] = set()
        """Designs that were looked at: on the front that is forecast, or not worth it."""
        self.taken: set[bytes] = set()
        """Designs that were proposed, or that others have."""
        self.broken: dict[bytes, tuple[float, Int64s]] = {}
        """Designs that break a bound at any pace, with by how much."""
        self.first = [self._row(point) for point in first]
        self.seeds = [self._row(point) for point in seeds]
        self.is_begun = False
        self.all: Int64s | None = None
        if encoding.points <= ENUMERATED:
            self.all = np.array([self._row(point) for point in encoding.every()], np.int64)

    def _row(self, point: Parameters) -> Int64s:
        return np.array([point[name] for name in self.names], np.int64)

    # ---- proposing ---------------------------------------------------------------------------

    def propose(self, count: int) -> list[dict[str, int]]:
        """The next points, ``count`` where there are so many new designs that can be found."""
        rows = self._firsts(count)
        if len(rows) < count:
            self._prepare()
            covered = self._covered()
            while len(rows) < count:
                row = self._best(covered)
                if row is None:
                    break
                rows.append(row)
        if len(rows) < count:
            rows += self._spare(count - len(rows))
        return [dict(zip(self.names, map(int, row), strict=True)) for row in rows]

    def _firsts(self, count: int) -> list[Int64s]:
        rows: list[Int64s] = []
        while self.first and len(rows) < count:
            row = self.first.pop(0)
            if self._take(row, self.model.keys(row[None, :])[0]):
                rows.append(row)
        return rows

    def _take(self, row: Int64s, key: bytes, is_sure: bool = False) -> bool:
        """Whether a design is new and keeps the bounds that need no timing, which ``is_sure`` already;
        it is taken then."""
        if key in self.taken or key in self.broken:
            return False
        excess = 0.0 if is_sure else self.model.look(row)
        if excess > 0:
            self.broken[key] = excess, row
            return False
        self.taken.add(key)
        return True

    def _prepare(self) -> None:
        """Look around, and have the archive and its masks as they should be."""
        if not self.is_begun:
            self.is_begun = True
            for row in self.seeds:
                if self.model.is_exact(row):
                    self.model.look(row)
            if self.seeds:
                self._meet(np.array(self.seeds), len(self.seeds))
            self._look_around(FIRST_ROUNDS, FIRST_LOOKS)
        else:
            self._look_around(ROUNDS, LOOKS)
        if self.batches % CLEANED == 0:
            self._forecast_again()
        if self.batches % REDRAW == 0 and len(self.archive):
            self.cover = Cover(self.archive.losses, self.draw)
            self.archive.masks = None
        self.batches += 1
        self._mask()

    def _mask(self) -> None:
        archive = self.archive
        if self.cover is None:
            return
        if archive.masks is None:
            archive.masks = self.cover.masks(archive.losses)
        unmasked = ~archive.masks.any(axis=1)
        archive.masks[unmasked] = self.cover.masks(archive.losses[unmasked])

    def _covered(self) -> Words:
        masks = self.archive.masks
        if masks is None:
            return np.zeros(0, np.uint64)
        covered = np.bitwise_or.reduce(masks[self.archive.state != CANDIDATE], axis=0)
        return np.asarray(covered, np.uint64)

    def _best(self, covered: Words) -> Int64s | None:
        """The candidate with the most to gain; None where there is none."""
        archive = self.archive
        while True:
            places = np.flatnonzero(archive.state == CANDIDATE)
            if not len(places) or archive.masks is None:
                return None
            gained = gains(archive.masks[places], covered)
            best = int(gained.argmax())
            if gained[best] == 0:
                best = int(self.draw.integers(len(places)))
            place = int(places[best])
            row, key = archive.points[place], archive.keys[place]
            if self._take(row, key, is_sure=self.model.is_exact(row)):
                archive.state[place] = ASKED
                covered |= archive.masks[place]
                return np.asarray(row, np.int64)
            archive.remove(key)

    # ---- looking around ----------------------------------------------------------------------

    def _look_around(self, rounds: int, looks: int) -> None:
        """Meet neighbours of the members that were looked from least, building ``looks`` designs."""
        if self.all is not None:
            self._meet(self.all, 0, again=True)
            return
        for _ in range(rounds):
            archive = self.archive
            if not len(archive):
                drawn = self.draw.integers(self.sizes, size=(SPARE_POINTS, len(self.sizes)))
                looks -= self._meet(drawn, looks)
                continue
            order = np.lexsort((self.draw.random(len(archive)), archive.visits))[:PARENTS]
            archive.visits[order] += 1
            found = [
                neighbours(
                    archive.points[place],
                    self.sizes,
                    self.is_ordered,
                    self.model.own_columns(archive.points[place]),
                    archive.points,
                    self.draw,
                )
                for place in order
            ]
            looks -= self._meet(np.concatenate(found), looks)

    def _meet(self, points: Int64s, looks: int, again: bool = False) -> int:
        """Put what is forecast to be on the front into the archive; how many designs were built for it.

        Designs that were met before are passed over, unless ``again``.
        """
        keys = self.model.keys(points)
        passed = self.taken if again else self.met
        first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
        different = dict.fromkeys(keys)
        new = {k: first[k] for k in different if k not in passed and k not in self.broken}
        if again:
            for key in self.archive.keys:
                new.pop(key, None)
        if not new:
            return 0
        rows = points[list(new.values())]
        names = list(new)
        losses, excess, known = self.model.expect(rows)
        unknown = np.flatnonzero(~known)
        drawn = self.draw.permutation(unknown)[: max(0, looks)]
        built = [place for place in drawn if self.model.is_exact(rows[place])]
        for place in np.array(built, np.int64)[~self.model.build(rows[built])]:
            self.broken[names[place]] = float("inf"), rows[place]
        if len(built):
            losses[unknown], excess[unknown], known[unknown] = self.model.expect(rows[unknown])
        if not again:
            self.met.update(name for name, sure in zip(names, known.tolist(), strict=True) if sure)
        good = known & (excess <= 0)
        apart = self._apart()
        good[good] = ~dominated(losses[good], self.archive.losses)
        good[good] = ~dominated(losses[good] + apart, self.archive.losses)
        good[good] = ~dominated(losses[good], losses[good])
        places = np.flatnonzero(good)
        if len(places):
            archive = self.archive
            beaten = dominated(archive.losses, losses[places]) & (archive.state != ASKED)
            archive.keep(~beaten)
            archive.add(rows[places], losses[places], [names[p] for p in places], CANDIDATE)
        return len(built)

    def _forecast_again(self) -> None:
        """Forecast the members that were not judged once more, and remove what is dominated."""
        archive = self.archive
        waits = np.flatnonzero(archive.state != JUDGED)
        if len(waits):
            losses, excess, _ = self.model.expect(archive.points[waits])
            archive.losses[waits] = losses
            if archive.masks is not None and self.cover is not None:
                archive.masks[waits] = self.cover.masks(losses)
            kept = np.ones(len(archive), bool)
            kept[waits] = (excess <= 0) | (archive.state[waits] == ASKED)
            archive.keep(kept)
        archive.clean()
        self._thin()

    def _apart(self) -> Floats:
        """How far apart members are, in each objective."""
        losses = self.archive.losses
        if not len(losses):
            return np.zeros(losses.shape[1])
        span: Floats = losses.max(axis=0) - losses.min(axis=0)
        return self.fineness * span

    def _thin(self) -> None:
        """Have neither too many candidates nor too few, those left out that others stand for."""
        archive = self.archive
        least, most = CANDIDATES
        count = int((archive.state == CANDIDATE).sum())
        if count < least:
            self.fineness /= 1.5
        while count > most:
            self.fineness *= 1.3
            apart = self._apart()
            kept = np.flatnonzero(archive.state != CANDIDATE).tolist()
            for place in self.draw.permutation(np.flatnonzero(archive.state == CANDIDATE)):
                row = archive.losses[place] + apart
                if not (archive.losses[kept] <= row).all(axis=1).any():
                    kept.append(int(place))
            archive.keep(np.isin(np.arange(len(archive)), kept))
            count = int((archive.state == CANDIDATE).sum())

    def _spare(self, count: int) -> list[Int64s]:
        """Points where no candidate is left: nearest to the front first, then those that break bounds."""
        rows: list[Int64s] = []
        points = self.all
        if points is None:
            drawn = self.draw.integers(self.sizes, size=(SPARE_POINTS, len(self.sizes)))
            points = np.concatenate([drawn, *self._beside_members()])
        keys = self.model.keys(points)
        new = {k: p for p, k in enumerate(keys) if k not in self.taken and k not in self.broken}
        if new:
            chosen = points[list(new.values())]
            losses, excess, known = self.model.expect(chosen)
            far = distances(losses, self.archive.losses) if len(self.archive) else np.zeros(len(new))
            for place in np.lexsort((far, excess, ~known)):
                if len(rows) < count and self._take(chosen[place], keys[list(new.values())[place]]):
                    rows.append(chosen[place])
        for key in sorted(self.broken, key=lambda key: (self.broken[key][0], key))[: count - len(rows)]:
            rows.append(self.broken.pop(key)[1])
            self.taken.add(key)
        return rows

    def _beside_members(self) -> list[Int64s]:
        archive = self.archive
        places = self.draw.permutation(len(archive))[:PARENTS]
        return [
            neighbours(
                archive.points[place],
                self.sizes,
                self.is_ordered,
                self.model.own_columns(archive.points[place]),
                archive.points,
                self.draw,
            )
            for place in places
        ]

    # ---- learning ----------------------------------------------------------------------------

    def learn(self, point: Parameters, result: PointResult) -> None:
        """Take in what became of a point, whoever proposed it."""
        row = self._row(point)
        key = self.model.keys(row[None, :])[0]
        self.taken.add(key)
        self.met.add(key)
        self.model.learn(row, result)
        archive = self.archive
        archive.remove(key)
        if not result.is_feasible:
            return
        losses = np.array([[o.loss(float(result.figures[o.name])) for o in self.model.objectives]])
        if not dominated(losses, archive.losses[archive.state == JUDGED])[0]:
            archive.add(row[None, :], losses, [key], JUDGED)

    def leave(self, point: Parameters) -> None:
        """Somebody else judges this point."""
        key = self.model.keys(self._row(point)[None, :])[0]
        self.taken.add(key)
        self.archive.remove(key)
