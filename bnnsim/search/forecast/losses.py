"""What a search minimises, of points that were not judged: losses, and by how much bounds are broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bnnsim.arrays import Bools, Floats, Int64s
from bnnsim.cost.error_bars import PIECES, plain_name
from bnnsim.search.forecast.effects import Effects
from bnnsim.search.forecast.models import Forecast, SpaceModel, model_of
from bnnsim.search.front.objectives import ROBUST, Constraint, Objective
from bnnsim.search.front.own_figures import are_own
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.alternative_encoding import AlternativeEncoding
from bnnsim.search.points.encoding import PointEncoding
from bnnsim.search.points.target_encoding import TargetEncoding
from bnnsim.search.space.alternatives import ALTERNATIVE, Alternatives, SearchSpace

OWN_STIFFNESS = 0.3
"""Designs that it takes to believe what a value does to a figure of the user's own."""
MOST = 700.0
"""Of which the hyperbolic sine is a float."""


class PointModel:
    """Losses and broken bounds of the points of a search space.

    Points are rows ``(points, parameters)`` of positions in the order of ``encoding.sizes``. Objectives
    that no model forecasts are learnt from what was judged, as effects of parameters on their inverse
    hyperbolic sine: a logarithm that has room for 0 and for negative figures.
    """

    def __init__(
        self,
        space: SearchSpace,
        encoding: PointEncoding,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
    ) -> None:
        self.space = space
        self.encoding = encoding
        self.objectives = objectives
        self.constraints = constraints
        self.names = list(encoding.sizes)
        members: Mapping[str, object] = (
            encoding.members if isinstance(encoding, AlternativeEncoding) else {"": encoding}
        )
        self._models: list[SpaceModel] = []
        self._columns: list[list[int]] = []
        self._parameters: list[tuple[str, ...]] = []
        self._given: list[Mapping[str, float]] = []
        for name, member in members.items():
            assert isinstance(member, TargetEncoding), "only the baseline sees raw knobs"
            prefix = f"{name}/" if name else ""
            self._models.append(model_of(member))
            self._parameters.append(tuple(member.sizes))
            self._columns.append([self.names.index(prefix + parameter) for parameter in member.sizes])
            given = space.given({ALTERNATIVE: name}) if isinstance(space, Alternatives) else {}
            self._given.append(given)
        self._ratios: dict[tuple[int, str], float] = {}
        wanted = [*(o.name for o in objectives), *(c.name for c in constraints)]
        self._own = list(dict.fromkeys(are_own(wanted)))
        self._own_effects = [
            Effects([encoding.sizes[self.names[c]] for c in columns], len(self._own), OWN_STIFFNESS)
            for columns in self._columns
            if self._own
        ]
        self._which = self.names.index(ALTERNATIVE) if ALTERNATIVE in self.names else None

    def _members(self, points: Int64s) -> list[tuple[int, Int64s]]:
        """For each alternative that ``points`` are of: its place, and which rows they are."""
        if self._which is None:
            return [(0, np.arange(len(points)))]
        which = points[:, self._which]
        return [(int(place), np.flatnonzero(which == place)) for place in np.unique(which)]

    def own_columns(self, point: Int64s) -> list[int]:
        """The columns that a point's design depends on, but for the one that says its alternative."""
        return self._columns[self._place(point)]

    def keys(self, points: Int64s) -> list[bytes]:
        """Equal for points that are the same design."""
        keys = [b""] * len(points)
        for place, rows in self._members(points):
            found = self._models[place].identities(points[rows][:, self._columns[place]])
            width, text, first = found.shape[1] * found.itemsize, found.tobytes(), bytes([place])
            for number, row in enumerate(rows.tolist()):
                keys[row] = first + text[number * width : (number + 1) * width]
        return keys

    def expect(self, points: Int64s) -> tuple[Floats, Floats, Bools]:
        """Losses ``(points, objectives)``, broken bounds as shares ``(points,)``, 0 where none is, and of
        which points they are known."""
        losses = np.zeros((len(points), len(self.objectives)))
        excess = np.zeros(len(points))
        known = np.zeros(len(points), bool)
        for place, rows in self._members(points):
            found = self._models[place].forecast(points[rows][:, self._columns[place]])
            figures = {**found[0], **self._fixed(place, len(rows))}
            figures |= self._robust(place, figures)
            figures |= self._users(place, points[rows])
            for column, objective in enumerate(self.objectives):
                if objective.name in figures:
                    losses[rows, column] = figures[objective.name] * (-1 if objective.maximises else 1)
            excess[rows] = self._excess((figures, *found[1:]))
            known[rows] = found[2]
        return losses, excess, known

    def _robust(self, place: int, figures: Mapping[str, Floats]) -> dict[str, Floats]:
        """Ends of error bars, as far as a judged design of the alternative showed how wide they are."""
        found = {}
        for (where, name), ratio in self._ratios.items():
            base = plain_name(name)
            if where == place and base in figures:
                pieces = PIECES.get(base, 0)
                found[name] = (figures[base] + pieces) * ratio - pieces
        return found

    def _users(self, place: int, points: Int64s) -> dict[str, Floats]:
        """Figures of the user's own, as the judged designs of the alternative let expect them."""
        if not self._own or not self._own_effects[place].designs:
            return {}
        effects = self._own_effects[place]
        found = np.sinh(effects.predict(points[:, self._columns[place]]).clip(-MOST, MOST))
        return {name: found[:, column] for column, name in enumerate(self._own)}

    def _fixed(self, place: int, count: int) -> dict[str, Floats]:
        return {name: np.full(count, value) for name, value in self._given[place].items()}

    def _excess(self, found: Forecast, at_least: bool = False) -> Floats:
        """``at_least``: figures may be higher, so that only bounds from above can be broken."""
        figures, room, known = found
        excess = np.zeros(len(known))
        for constraint in self.constraints:
            if constraint.name in figures and (constraint.is_upper or not at_least):
                over = figures[constraint.name] - constraint.bound
                over = over if constraint.is_upper else -over
                excess += over.clip(min=0) / (abs(constraint.bound) or 1.0)
        for name, allowed in room.items():
            if name in figures:
                over = (figures[name] - allowed).clip(min=0)
                excess += over / allowed.clip(min=1e-9, max=1e18)
        return excess

    def is_exact(self, point: Int64s) -> bool:
        """Whether what is expected of ``point`` has the costs that its design has."""
        return self._models[self._place(point)].is_exact

    def build(self, points: Int64s) -> Bools:
        """Build designs until all of ``points`` can be expected; which have one, as far as was seen."""
        exists = np.ones(len(points), bool)
        for place, rows in self._members(points):
            exists[rows] = self._models[place].look_at(points[rows][:, self._columns[place]])
        return exists

    def _named(self, point: Int64s) -> dict[str, int]:
        place = self._place(point)
        own = point[self._columns[place]]
        return {n: int(value) for n, value in zip(self._parameters[place], own, strict=True)}

    def look(self, point: Int64s) -> float:
        """By how much the design of ``point`` breaks bounds at any pace, as a share; infinite where there
        is no such design. Builds it where nothing less tells: exactly, then; else at least so much."""
        place = self._place(point)
        model, own = self._models[place], point[None, self._columns[place]]
        found = model.floor(own)
        if not found[2][0]:
            least = model.least(self._named(point))
            if least is not None:
                excess = float(self._excess((*least, np.ones(1, bool)), at_least=True)[0])
                return excess if excess > 0 or model.exists(self._named(point)) else float("inf")
            if not self.build(point[None])[0]:
                return float("inf")
            found = model.floor(own)
        figures = {**found[0], **self._fixed(place, 1)}
        figures = {n: f for n, f in figures.items() if n not in _PACED}
        return float(self._excess((figures, *found[1:]))[0])

    def _place(self, point: Int64s) -> int:
        return 0 if self._which is None else int(point[self._which])

    def learn(self, point: Int64s, result: PointResult) -> None:
        """Take in what became of a point."""
        place = self._place(point)
        figures = {name: value for name, value in result.figures.items() if name not in ROBUST}
        own = point[self._columns[place]]
        self._models[place].learn(own, figures)
        if self._own and all(name in figures for name in self._own):
            values = np.array([figures[name] for name in self._own], np.float64)
            self._own_effects[place].learn(own, np.arcsinh(values))
        for name in ROBUST.keys() & result.figures.keys():
            base = plain_name(name)
            pieces = PIECES.get(base, 0)
            if result.figures.get(base):
                ratio = (result.figures[name] + pieces) / (result.figures[base] + pieces)
                self._ratios[place, name] = ratio


_PACED = ("power_w", "energy_per_frame_uj", "fps_per_w", "latency_us", "latency_cycles")
"""Figures for which the fastest pace is no bound."""
