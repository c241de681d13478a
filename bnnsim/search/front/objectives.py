"""What a search wants: objectives and constraints, by the names that results have.

A new objective is a new figure of a design, in three places: its value by name in
:func:`bnnsim.evaluation.evaluate.figures_of`, the direction in which it is better in :data:`METRICS`
here, its title and unit for pages and tables in ``FIGURES`` of :mod:`bnnsim.report.search.pareto`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bnnsim.cost.error_bars import ENDS, RESTS_ON, percentile, plain_name
from bnnsim.spec.faults import Fault, SpecError, near_names

METRICS: Mapping[str, str] = {
    "throughput_fps": "maximise",
    "latency_us": "minimise",
    "latency_cycles": "minimise",
    "initiation_interval_cycles": "minimise",
    "power_w": "minimise",
    "energy_per_frame_uj": "minimise",
    "fps_per_w": "maximise",
    "fps_per_klut": "maximise",
    "clock_mhz": "maximise",
    "lut": "minimise",
    "lutram": "minimise",
    "ff": "minimise",
    "bram18": "minimise",
    "uram": "minimise",
    "dsp": "minimise",
    "alm": "minimise",
    "m20k": "minimise",
    "fifo_bits": "minimise",
    "accuracy_percent": "maximise",
}
"""Every figure that a search can use, and the direction in which it is better."""

ROBUST: Mapping[str, str] = {
    f"{name}.{end}": METRICS[name] for name in RESTS_ON if name in METRICS for end in ENDS
}
"""Ends of costs' error bars, for robust searches: one design in ten is below p10, one above p90."""

GIVEN = ("accuracy_percent",)
"""Figures that no model here predicts: published numbers of a network, which a space may give."""

DIRECTIONS = {"maximise": -1.0, "maximize": -1.0, "minimise": 1.0, "minimize": 1.0}
_CONSTRAINT = re.compile(r"^\s*([a-z0-9_.]+)\s*(<=|>=)\s*([-+0-9.eE]+)\s*$")


@dataclass(frozen=True)
class Objective:
    """One figure and whether more of it is better."""

    name: str
    maximises: bool

    def loss(self, value: float) -> float:
        """The figure as something to minimise."""
        return -value if self.maximises else value

    @property
    def text(self) -> str:
        """The objective as :func:`parse_objectives` reads it."""
        return f"{self.name}:{'maximise' if self.maximises else 'minimise'}"

    def __str__(self) -> str:
        return f"{self.name} ({'more' if self.maximises else 'less'} is better)"


@dataclass(frozen=True)
class Constraint:
    """A bound on one figure."""

    name: str
    is_upper: bool
    bound: float

    def violation(self, value: float) -> float:
        """By how much the bound is missed; at most 0 where it holds."""
        return value - self.bound if self.is_upper else self.bound - value

    def __str__(self) -> str:
        bound = int(self.bound) if self.bound.is_integer() else self.bound
        return f"{self.name}{'<=' if self.is_upper else '>='}{bound!r}"  # reads back as the same


def parse_objectives(
    texts: Sequence[str], place: str = "--objectives", own: Collection[str] = ()
) -> tuple[Objective, ...]:
    """Read ``name`` or ``name:minimise`` (or ``:maximise``).

    ``place`` is what faults name: the option or key that the texts are from. ``own`` are names of figures
    of the user's own, whose direction must be said. Raises :class:`SpecError` with every fault: names
    that are no figure, other directions, no objective, or one twice.

    >>> [str(objective) for objective in parse_objectives(["throughput_fps", "clock_mhz:minimise"])]
    ['throughput_fps (more is better)', 'clock_mhz (less is better)']
    """
    faults, objectives = [], []
    for text in texts:
        name, _, direction = text.partition(":")
        fault = _unknown(name, place, own)
        if fault:
            faults.append(fault)
        elif name in own and not direction:
            faults.append(Fault(place, 0, name, f"{name}:minimise or {name}:maximise", repr(text)))
        elif direction and direction not in DIRECTIONS:
            near = near_names(direction, ["maximise", "minimise"])
            faults.append(Fault(place, 0, name, "minimise or maximise", repr(direction), near))
        else:
            maximises = DIRECTIONS[direction] < 0 if direction else is_better_more(name)
            objectives.append(Objective(name, maximises))
    if not texts:
        faults.append(Fault(place, 0, "", "at least one objective", "none"))
    names = [objective.name for objective in objectives]
    if len(set(names)) < len(names):
        faults.append(Fault(place, 0, "", "each objective once", ", ".join(names)))
    if faults:
        raise SpecError(faults)
    return tuple(objectives)


def parse_constraints(
    texts: Sequence[str], place: str = "--constraint", own: Collection[str] = ()
) -> tuple[Constraint, ...]:
    """Read ``name<=bound`` or ``name>=bound``, the bound in the figure's unit.

    ``place`` is what faults name, ``own`` are names of figures of the user's own. Raises
    :class:`SpecError` with every fault: names that are no figure, bounds that are no finite number.

    >>> [(c.name, c.is_upper, c.bound) for c in parse_constraints(["lut<=40000", "throughput_fps>=1e3"])]
    [('lut', True, 40000.0), ('throughput_fps', False, 1000.0)]
    """
    faults, constraints = [], []
    for text in texts:
        match = _CONSTRAINT.match(text)
        try:
            bound = float(match[3]) if match else None
        except ValueError:
            bound = None
        if match is None or bound is None or not math.isfinite(bound):
            faults.append(Fault(place, 0, "", "a bound such as lut<=40000", repr(text)))
            continue
        fault = _unknown(match[1], place, own)
        if fault:
            faults.append(fault)
        else:
            constraints.append(Constraint(match[1], match[2] == "<=", bound))
    if faults:
        raise SpecError(faults)
    return tuple(constraints)


def is_better_more(name: str) -> bool:
    """Whether more of a figure, or of an end of its error bar, is better."""
    return METRICS[plain_name(name)] == "maximise"


def robust_figures(
    names: Iterable[str], figures: Mapping[str, float], kind: str
) -> dict[str, float]:
    """Those of ``names`` that are ends of error bars, of a design of this kind with these figures."""
    found = {}
    for name in names:
        base, _, end = name.partition(".")
        if end and base in figures:
            found[name] = percentile(base, figures[base], kind, end)
    return found


def _unknown(name: str, place: str, own: Collection[str]) -> Fault | None:
    if name in METRICS or name in ROBUST or name in own:
        return None
    known = [*own, *METRICS, *ROBUST]
    expected = f"one of {', '.join([*own, *METRICS])}, or a cost's .p10 or .p90"
    return Fault(place, 0, "", expected, repr(name), near_names(name, known))
