"""A grid of designs over one or two fields, each evaluated as it is."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bnnsim.evaluation import figures_of
from bnnsim.notebook.picture import Picture, Series
from bnnsim.notebook.table import Row, Table
from bnnsim.search.front.point_result import bounded_figure, reason_of
from bnnsim.search.space.fields import Value
from bnnsim.search.sweep.grid import Grid, GridDesign
from bnnsim.search.sweep.knobs import Knobs, SweepKnob, changed_spec, parse_knobs, path_faults
from bnnsim.spec.architecture import Architecture, architecture_model
from bnnsim.spec.engine.outside import outside_of
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.library import find_spec
from bnnsim.spec.load import Loaded, load_workload, read_architecture_source
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.validate import validate
from bnnsim.timing.mapped import mapped_design
from bnnsim.timing.streaming.result import DeadlockError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SweepPoint:
    """One design of the grid: its ``values`` by knob, its figures, the budgets it exceeds.

    ``infeasible_reason`` says why there are no figures.
    """

    values: tuple[Value, ...]
    figures: dict[str, float]
    exceeds: tuple[str, ...]
    infeasible_reason: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    """What it takes of each budget, as a share (1 is all)."""

    @property
    def note(self) -> str:
        """What it exceeds, as shares of what it may; empty where it fits."""
        said = [f"{n} ({self.shares[n]:,.0%})" if n in self.shares else n for n in self.exceeds]
        return f"exceeds {', '.join(said)}" if said else ""


@dataclass(frozen=True, repr=False)
class Sweep(Table):
    """A grid and what became of each design, the last knob fastest. Rows are designs.

    Example:
        >>> from bnnsim import sweep
        >>> found = sweep("digits-7z020", "digits", {"layers.conv1.pe": [1, 2]})
        >>> [row["throughput_fps"] > 0 for row in found.rows()]
        [True, True]
    """

    arch: str
    workload: str
    knobs: tuple[SweepKnob, ...]
    points: tuple[SweepPoint, ...]
    outside: tuple[str, ...] = ()
    """What an engine leaves to others: in no figure."""

    def __repr__(self) -> str:
        built = sum(not point.infeasible_reason for point in self.points)
        knobs = " and ".join(knob.name for knob in self.knobs)
        return f"<Sweep {self.arch} x {self.workload} over {knobs}: {built} of {len(self.points)} run>"

    def rows(self) -> list[Row]:
        """One row a design: knobs, figures, ``exceeds`` and ``obstacle``; no figure is None."""
        names = dict.fromkeys(name for point in self.points for name in point.figures)
        knobs = [knob.name for knob in self.knobs]
        return [
            dict(zip(knobs, point.values, strict=True))
            | {name: point.figures.get(name) for name in names if name not in knobs}
            | {"exceeds": " ".join(point.exceeds), "obstacle": point.infeasible_reason}
            for point in self.points
        ]

    def to_json(self) -> dict[str, Any]:
        """What ``sweep --json`` writes, under the same names (docs/json.md)."""
        names = tuple(knob.name for knob in self.knobs)
        designs = tuple(
            GridDesign(
                dict(zip(names, point.values, strict=True)),
                dict(point.figures),
                point.exceeds,
                point.infeasible_reason or None,
            )
            for point in self.points
        )
        return Grid(self.arch, self.workload, names, designs, self.outside).to_json()

    def picture(self) -> Picture:
        """Frames a second over the first knob, a line for each value of the second."""
        lines: dict[str, list[tuple[str, float | None]]] = {}
        for point in self.points:
            second = str(point.values[1]) if len(point.values) > 1 else "throughput_fps"
            figure = point.figures.get("throughput_fps")
            lines.setdefault(second, []).append((str(point.values[0]), figure))
        series = [
            Series(name, tuple(x for x, _ in line), tuple(y for _, y in line))
            for name, line in lines.items()
        ]
        title = f"{self.arch} x {self.workload}"
        return Picture(title, self.knobs[0].name, "throughput (FPS)", tuple(series), "lines")


def sweep(
    architecture: str | Path,
    workload: str | Path,
    knobs: Knobs,
    *,
    progress: Progress | None = None,
) -> Sweep:
    """Evaluate every combination of the knobs' values by exact timing and the cost model.

    Args:
        architecture: a shipped name or a YAML file.
        workload: a shipped name or a YAML file.
        knobs: one or two fields with their values, ``{"layers.conv1.pe": [1, 2, 4]}``, or texts as the
            command has them, ``["layers.conv1.pe=1,2,4"]``.
        progress: called with (designs evaluated, of so many).

    Returns:
        The grid, the last knob fastest. A combination that cannot be built or deadlocks keeps its place
        with the reason.

    Raises:
        SpecError: for wrong paths and values, located in the architecture's file, and where no
            combination can be built.

    Example:
        >>> from bnnsim import sweep
        >>> sweep("digits-7z020", "digits", {"layers.conv1.pe": [1, 2], "clock_mhz": [100, 150]})
        <Sweep digits-7z020 x digits over layers.conv1.pe and clock_mhz: 4 of 4 run>
    """
    chosen = parse_knobs(knobs)
    work = load_workload(workload)
    source = read_architecture_source(find_spec(architecture, "architecture"))
    model = architecture_model(source)
    base, faults = validate(model, source)
    faults += [f for knob in chosen for f in path_faults(source, knob, list(model.model_fields))]
    if base is None or faults:
        raise SpecError(faults)
    grid = list(itertools.product(*(knob.values for knob in chosen)))
    specs = [changed_spec(source, model, chosen, values) for values in grid]  # all wrong values at once
    wrong = [fault for spec in specs for fault in spec.faults]
    if wrong:
        raise SpecError(wrong)
    points = []
    for count, (values, spec) in enumerate(zip(grid, specs, strict=True)):
        points.append(_point(values, spec, work))
        if progress is not None:
            progress(count + 1, len(grid))
    outside = outside_of(source.data)
    found = Sweep(base.name, work.spec.name, chosen, tuple(points), outside)
    if all(point.infeasible_reason for point in points):
        with contextlib.suppress(DeadlockError):
            figures_of(mapped_design(specs[0], work))  # says in the file's terms what is wrong, if any
        raise InputError(
            f"--knob {chosen[0].name}", "a value with which the design runs", points[0].infeasible_reason
        )
    return found


def _point(values: tuple[Value, ...], spec: Loaded[Architecture], work: Loaded[Workload]) -> SweepPoint:
    try:
        found = figures_of(mapped_design(spec, work))
    except (SpecError, DeadlockError) as error:
        return SweepPoint(values, {}, (), reason_of(error))
    shares = {
        name: found.figures[name] / (found.figures[name] - amount)
        for name, amount in found.violations.items()
        if found.figures[name] > amount
    }
    exceeds = tuple(bounded_figure(n) for n, amount in found.violations.items() if amount > 0)
    return SweepPoint(values, dict(found.figures), exceeds, shares=shares)
