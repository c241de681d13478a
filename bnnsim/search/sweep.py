"""Sweep: a plain grid over one or two fields of an architecture, for the question "what if"."""

from __future__ import annotations

import copy
import csv
import io
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bnnsim.design.build import build_design
from bnnsim.evaluation import DesignFigures, figures_of
from bnnsim.search.front.objectives import METRICS
from bnnsim.search.front.point_result import bounded_figure
from bnnsim.search.space.fields import Value
from bnnsim.search.storage.results import number_text
from bnnsim.spec.architecture import Architecture, architecture_model
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault, InputError, SpecError, key_text, near_names
from bnnsim.spec.library import find_spec
from bnnsim.spec.load import Loaded, load_workload, read_architecture_source
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.renamed import current_path, current_value
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate
from bnnsim.timing.streaming.result import DeadlockError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SweepKnob:
    """A field by its path in the spec, and the values it is given."""

    path: tuple[str, ...]
    values: tuple[Value, ...]

    @property
    def name(self) -> str:
        return key_text(self.path)


@dataclass(frozen=True)
class SweepPoint:
    """One design of the grid: its ``values`` by knob, its figures, the budgets it exceeds.

    ``infeasible_reason`` says why there are no figures.
    """

    values: tuple[Value, ...]
    figures: dict[str, float]
    exceeds: tuple[str, ...]
    infeasible_reason: str = ""


@dataclass(frozen=True)
class Sweep:
    """A grid and what became of each design, the last knob fastest."""

    arch: str
    workload: str
    knobs: tuple[SweepKnob, ...]
    points: tuple[SweepPoint, ...]


def parse_knobs(texts: Sequence[str]) -> tuple[SweepKnob, ...]:
    """Read ``layers.conv1.pe=1,2,4``, one or two of them. Raises :class:`SpecError`."""
    knobs = []
    faults = []
    for text in texts:
        path, mark, values = text.partition("=")
        read = [_value(value) for value in values.split(",")] if mark else []
        plain = all(isinstance(value, int | float | str | bool) for value in read)
        if not path or not read or not plain or len({str(v) for v in read}) < len(read):
            faults.append(
                Fault("--knob", 0, "", "a field and its values: layers.conv1.pe=1,2,4", repr(text))
            )
            continue
        field = current_path(path.split("."), f"--knob {path}")
        knobs.append(SweepKnob(field, tuple(current_value(field, value) for value in read)))
    if faults:
        raise SpecError(faults)
    if not 1 <= len(knobs) <= 2:
        raise InputError("--knob", "one or two fields to vary", str(len(knobs)))
    if len({knob.path for knob in knobs}) < len(knobs):
        raise InputError("--knob", "each field once", knobs[0].name)
    return tuple(knobs)


def _value(text: str) -> Any:
    """A value as it would stand in a spec; None where it could not."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # an impossible date is a ValueError
        return None


def sweep(
    architecture: str | Path,
    workload: str | Path,
    knobs: Sequence[str],
    *,
    progress: Progress | None = None,
) -> Sweep:
    """Evaluate every combination of the knobs' values by exact timing and the cost model.

    ``knobs`` are texts such as ``layers.conv1.pe=1,2,4``. A combination that cannot be built or
    deadlocks keeps its place with the reason. Raises :class:`SpecError` for wrong paths and values,
    located in the architecture's file, and where no combination can be built.
    """
    chosen = parse_knobs(knobs)
    work = load_workload(workload)
    source = read_architecture_source(find_spec(architecture, "architecture"))
    model = architecture_model(source)
    base, faults = validate(model, source)
    faults += [f for knob in chosen for f in _misplaced(source, knob, list(model.model_fields))]
    if base is None or faults:
        raise SpecError(faults)
    grid = list(itertools.product(*(knob.values for knob in chosen)))
    specs = [_spec(source, model, chosen, values) for values in grid]  # all wrong values at once
    wrong = [fault for spec in specs for fault in spec.faults]
    if wrong:
        raise SpecError(wrong)
    points = []
    for count, (values, spec) in enumerate(zip(grid, specs, strict=True)):
        points.append(_point(values, spec, work))
        if progress is not None:
            progress(count + 1, len(grid))
    found = Sweep(base.name, work.spec.name, chosen, tuple(points))
    if all(point.infeasible_reason for point in points):
        _figures(specs[0], work)  # says in the file's terms what is wrong, if anything is
        raise InputError(
            f"--knob {chosen[0].name}", "a value with which the design runs", points[0].infeasible_reason
        )
    return found


def _misplaced(source: SourceText, knob: SweepKnob, sections: Sequence[str]) -> list[Fault]:
    """Where the path leaves what the file or the spec has."""
    here: Any = source.data
    for depth, part in enumerate(knob.path[:-1]):
        here = _entry(here, part)
        if isinstance(here, dict | list):
            continue
        if depth == 0 and part in sections:
            return []  # a section that the file leaves out
        around: Any = source.data
        for above in knob.path[:depth]:
            around = _entry(around, above)
        names = list(sections) if depth == 0 else _sections(around)
        path = knob.path[: depth + 1]
        near = near_names(part, names)
        return [source.fault(path, "a section of this architecture", f"'{part}'", near)]
    last = knob.path[-1]
    if isinstance(here, list) and _entry(here, last) is None:
        return [source.fault(knob.path, f"one of {len(here)} positions, from 0", f"'{last}'")]
    return []


def _sections(around: Any) -> list[str]:
    entries = enumerate(around) if isinstance(around, list) else dict(around).items()
    return [str(name) for name, entry in entries if isinstance(entry, dict | list)]


def _entry(here: Any, part: str) -> Any:
    """What stands at a key of a mapping, or at a position of a list; None where nothing does."""
    if isinstance(here, dict):
        return here.get(part)
    if isinstance(here, list) and part.isdecimal() and int(part) < len(here):
        return here[int(part)]
    return None


def _spec(
    source: SourceText,
    model: type[StreamingArchitecture] | type[EngineArchitecture],
    knobs: Sequence[SweepKnob],
    values: Sequence[Value],
) -> Loaded[Architecture]:
    data = copy.deepcopy(source.data)
    for knob, value in zip(knobs, values, strict=True):
        here = data
        for part in knob.path[:-1]:
            here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
        here[int(knob.path[-1]) if isinstance(here, list) else knob.path[-1]] = value
    changed = source.with_data(data)
    spec, faults = validate(model, changed)
    if spec is None:
        raise SpecError(faults)
    return Loaded(spec, changed, None, tuple(faults))


def _figures(spec: Loaded[Architecture], work: Loaded[Workload]) -> DesignFigures:
    return figures_of(build_design(spec, work))


def _point(values: tuple[Value, ...], spec: Loaded[Architecture], work: Loaded[Workload]) -> SweepPoint:
    try:
        found = _figures(spec, work)
    except (SpecError, DeadlockError) as error:
        reason = str(error.faults[0]) if isinstance(error, SpecError) else str(error)
        return SweepPoint(values, {}, (), reason)
    exceeds = tuple(bounded_figure(n) for n, amount in found.violations.items() if amount > 0)
    return SweepPoint(values, dict(found.figures), exceeds)


def sweep_figures(found: Sweep) -> tuple[str, ...]:
    """The figures in which the grid's designs differ, in the usual order."""
    values: dict[str, set[float]] = {}
    for point in found.points:
        for name, value in point.figures.items():
            values.setdefault(name, set()).add(value)
    varied = {knob.name for knob in found.knobs}
    names = [n for n in METRICS if n not in varied and len(values.get(n, ())) > 1]
    return tuple(names) or tuple(values)[:1]


def sweep_table(found: Sweep) -> str:
    """The grid as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    given = {name for point in found.points for name in point.figures}
    names = [n for n in METRICS if n in given and n not in {knob.name for knob in found.knobs}]
    writer.writerow([*(knob.name for knob in found.knobs), *names, "exceeds", "obstacle"])
    for point in found.points:
        figures = [number_text(point.figures.get(name)) for name in names]
        writer.writerow([*point.values, *figures, " ".join(point.exceeds), point.infeasible_reason])
    return text.getvalue()
