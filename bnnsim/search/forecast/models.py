"""Models of one space: what figures its points will have, from tables of layers or from effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from bnnsim.arrays import Bools, Floats, Int64s
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES
from bnnsim.search.forecast.contributions import BOUNDED, COLUMN, SUMS
from bnnsim.search.forecast.effects import Effects
from bnnsim.search.forecast.figures import BASE, figures_from
from bnnsim.search.forecast.layer_tables import LayerTables
from bnnsim.search.points.encoding import Parameters
from bnnsim.search.points.point_design import check_point, idle_design, point_design
from bnnsim.search.points.target_encoding import TargetEncoding
from bnnsim.spec.faults import SpecError

TIMES = ("initiation_interval_cycles", "latency_cycles")
PIPELINE_STIFFNESS = 1.0
"""Designs that it takes to believe that a value makes pipelines stall."""
FLOOR = (*RESOURCES, "clock_mhz")
"""What is known of an engine without timing it."""
Forecast = tuple[Mapping[str, Floats], Mapping[str, Floats], Bools]
"""Figures by name, what there is of bounded ones by name, and for which points they are known."""


class SpaceModel(Protocol):
    """What is known of the points of one space, rows of positions in the order of its encoding.

    Where it ``is_exact``, costs that are known are those of the design.
    """

    is_exact: bool

    def identities(self, points: Int64s) -> Int64s:
        """Rows that are equal for points that are the same design."""

    def forecast(self, points: Int64s) -> Forecast:
        """What the figures of ``points`` will be."""

    def floor(self, points: Int64s) -> Forecast:
        """Figures that need no timing, exactly, and time as if nothing held units up: no design with
        these points is faster. Known of points that were looked at."""

    def least(self, point: Parameters) -> tuple[Mapping[str, Floats], Mapping[str, Floats]] | None:
        """Costs that the design of ``point`` has at least, and what there is of bounded ones, where that
        is known without building it: where loops are left to the tool, which are chosen, by all
        processes, where a design is judged."""

    def exists(self, point: Parameters) -> bool:
        """Whether there is a design of a ``point`` of which :meth:`least` is known."""

    def look_at(self, points: Int64s) -> Bools:
        """Build designs, without timing them, until what units bring to those of ``points`` is known;
        which of them have a design, as far as that was seen."""

    def learn(self, point: Int64s, figures: Mapping[str, float]) -> None:
        """Take in the figures of a design that was judged."""


class PipelineModel:
    """A space that folds: costs from tables of its layers, exactly; time is that of the slowest unit,
    and how much longer stalls make it is learnt."""

    is_exact = True

    def __init__(self, encoding: TargetEncoding) -> None:
        self.tables = LayerTables(encoding)
        self.stalls = Effects(list(encoding.sizes.values()), len(TIMES), PIPELINE_STIFFNESS)

    def identities(self, points: Int64s) -> Int64s:
        return self.tables.fields(points)

    def forecast(self, points: Int64s) -> Forecast:
        stalls = np.ones((len(points), len(TIMES)))
        if self.stalls.designs:
            stalls = np.exp(self.stalls.predict(points))
            stalls[:, 0] = stalls[:, 0].clip(min=1)
        return self._figures(points, stalls)

    def floor(self, points: Int64s) -> Forecast:
        return self._figures(points, np.ones((len(points), len(TIMES))))

    def _figures(self, points: Int64s, stalls: Floats) -> Forecast:
        sums, cycles, known = self.tables.look_up(points)
        interval, latency = cycles.clip(min=1) * stalls.T
        columns = {name: sums[:, place] for name, place in COLUMN.items() if name in SUMS}
        work = columns["clock_w_per_mhz"] + columns["work_w_per_mhz"] / interval
        clock_mhz = columns["clock_mhz"].clip(min=1e-9)
        watts = columns["static_w"] + clock_mhz * work
        costs = {name: columns[name] for name in BASE[4:]}
        base = dict(zip(BASE[:4], (interval, latency, watts, clock_mhz), strict=True))
        room = {name: columns[f"room {name}"] for name in BOUNDED}
        return figures_from({**base, **costs}), room, known

    def least(self, point: Parameters) -> None:
        return None

    def exists(self, point: Parameters) -> bool:
        raise AssertionError("of no pipeline is least known")

    def look_at(self, points: Int64s) -> Bools:
        return self.tables.fill(points)

    def learn(self, point: Int64s, figures: Mapping[str, float]) -> None:
        _, cycles, known = self.tables.look_up(point[None, :])
        if known[0] and all(figures.get(name, 0) > 0 for name in TIMES):
            slowest = max(1.0, float(cycles[0]))
            self.stalls.learn(point, np.log([figures[name] / slowest for name in TIMES]))


class EffectModel:
    """A space that does not fold: everything from effects of its knobs."""

    is_exact = False

    def __init__(self, encoding: TargetEncoding) -> None:
        self.encoding = encoding
        self.effects = Effects(list(encoding.sizes.values()), len(BASE))
        self._floors: dict[bytes, tuple[Floats, Floats]] = {}
        self._room = np.full(len(BOUNDED), np.inf)

    def identities(self, points: Int64s) -> Int64s:
        return points

    def forecast(self, points: Int64s) -> Forecast:
        values = np.exp(self.effects.predict(points))
        base = {name: values[:, place] for place, name in enumerate(BASE)}
        for name in RESOURCES:
            base[name] = base[name] - 1  # as learnt
        room = {name: np.full(len(points), self._room[place]) for place, name in enumerate(BOUNDED)}
        return figures_from(base), room, np.full(len(points), self.effects.designs > 0)

    def floor(self, points: Int64s) -> Forecast:
        nothing = np.zeros(len(FLOOR)), np.full(len(BOUNDED), np.inf)
        found = [self._floors.get(row.tobytes(), nothing) for row in points]
        known = np.array([row.tobytes() in self._floors for row in points])
        figures = {name: np.array([f[place] for f, _ in found]) for place, name in enumerate(FLOOR)}
        return figures, {n: np.array([r[i] for _, r in found]) for i, n in enumerate(BOUNDED)}, known

    def least(self, point: Parameters) -> tuple[Mapping[str, Floats], Mapping[str, Floats]] | None:
        try:
            design = idle_design(self.encoding.space, self.encoding.describe(point))
        except SpecError:
            return None
        if design is None:
            return None
        total = estimate_resources(design).total
        room = {name: getattr(design.budget, name) for name in BOUNDED}
        self._room = np.array([np.inf if r is None else r for r in room.values()])
        costs = {name: np.array([float(getattr(total, name))]) for name in RESOURCES}
        return costs, {name: self._room[i : i + 1] for i, name in enumerate(room)}

    def exists(self, point: Parameters) -> bool:
        try:
            check_point(self.encoding.space, self.encoding.describe(point))
        except SpecError:
            return False
        return True

    def look_at(self, points: Int64s) -> Bools:
        return np.array([self._look_at(point) for point in points], bool)

    def _look_at(self, row: Int64s) -> bool:
        point = dict(zip(self.encoding.sizes, row.tolist(), strict=True))
        try:
            design = point_design(self.encoding.space, self.encoding.describe(point))
        except SpecError:
            return False
        total = estimate_resources(design).total
        costs = [float(getattr(total, name)) for name in RESOURCES]
        allowed = [getattr(design.budget, name) for name in BOUNDED]
        self._room = np.array([np.inf if room is None else room for room in allowed])
        floor = np.array([*costs, float(design.architecture.clock_mhz)])
        self._floors[np.ascontiguousarray(row).tobytes()] = floor, self._room
        return True

    def learn(self, point: Int64s, figures: Mapping[str, float]) -> None:
        if all(name in figures for name in BASE):
            values = np.array([figures[name] for name in BASE], np.float64)
            values[-len(RESOURCES) :] += 1  # there may be none of a resource
            self.effects.learn(point, np.log(values.clip(min=1e-12)))


def model_of(encoding: TargetEncoding) -> SpaceModel:
    """The model for an encoding's space."""
    return PipelineModel(encoding) if encoding.choices.targets else EffectModel(encoding)
