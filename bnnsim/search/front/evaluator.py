"""From a point of a space to its figures: what every trial, in every process, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bnnsim.cost.error_bars import plain_name, structure_kind
from bnnsim.cost.known_sizes import KnownSizes
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation import DesignFigures, figures_of
from bnnsim.search.front.objectives import Constraint, Objective, robust_figures
from bnnsim.search.front.own_figures import NONE, OwnFigures
from bnnsim.search.front.point_result import BUDGET, PointResult, reason_of
from bnnsim.search.points.encoding import Knobs, point_key
from bnnsim.search.points.point_design import (
    finished_design,
    point_architecture,
    point_design,
    with_sized_fifos,
)
from bnnsim.search.space.alternatives import SearchSpace
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import Loaded
from bnnsim.timing.streaming.bottleneck import unlimited_interval
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.result import DeadlockError

THROUGHPUT = "throughput_fps"
STEADY_STATE_FRAMES = (12, 64)
"""Frames within which a search looks for a design's steady state: at least, and at most."""
STEADY_STATE_WORDS = 1_500_000
"""Between those two, frames with so many stream words in all: a fraction of a second of simulation.
Nearly all designs reach their steady state within a dozen frames. One that does not has no interval; its
result says so."""


def frames_for(design: Design | EngineDesign) -> int:
    """Frames that a search spends on finding the steady state of ``design``."""
    least, most = STEADY_STATE_FRAMES
    if isinstance(design, EngineDesign):
        return least  # its own rule knows how many it needs
    words = sum(stream.words for stream in design.graph.streams)
    return max(least, min(most, STEADY_STATE_WORDS // max(1, words)))


class Evaluator:
    """Evaluates points of one space: builds the design, times it exactly, estimates its cost.

    It is callable, ``evaluator(knobs)``, so that a pool of processes can map it over points.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        constraints: tuple[Constraint, ...],
        own: OwnFigures = NONE,
    ) -> None:
        self.space = space
        self.objectives = objectives
        self.constraints = constraints
        self.own = own
        self.sizes = KnownSizes()

    def __call__(self, knobs: Knobs) -> PointResult:
        try:
            design = point_design(self.space.member(knobs), knobs)
        except SpecError as error:
            return PointResult({}, {}, reason_of(error))
        return self._judge(design, knobs)

    def _judge(self, design: Design | EngineDesign, knobs: Knobs) -> PointResult:
        try:
            design = with_sized_fifos(self.space.member(knobs), knobs, design)
            found = figures_of(design, frames_for(design), self.sizes)
        except (SpecError, DeadlockError) as error:
            return PointResult({}, {}, reason_of(error))
        own = self.own.of(design)  # what is wrong with the user's functions is no property of the design
        figures = {**found.figures, **self.space.given(knobs), **own}
        asked = [o.name for o in self.objectives] + [c.name for c in self.constraints]
        figures |= robust_figures(asked, figures, structure_kind(design))
        return self.hold_against_bounds(replace(found, figures=figures))

    def screen(self, knobs: Knobs) -> PointResult:
        """The result of a call, without timing a design that breaks a bound whatever its timing is.

        Resources and clock need no timing, and no pipeline is faster than its slowest unit. A baseline is
        screened: only its feasible designs count, and nearly all random designs are too large, or have a
        unit that is too slow on its own. Feasible designs have the same result as from a call.
        """
        try:
            design = point_design(self.space.member(knobs), knobs)
            known = limits_of(design, self.sizes)
        except SpecError as error:
            return PointResult({}, {}, reason_of(error))
        violations = {
            str(c): c.violation(known[c.name])
            for c in self.constraints
            if c.name in known and not (c.name == THROUGHPUT and c.is_upper)
        }
        for name in RESOURCES:
            allowed = getattr(design.budget, name)
            if allowed is not None:
                violations.setdefault(BUDGET + name, known[name] - allowed)
        broken = [name for name, amount in violations.items() if amount > 0]
        if broken:
            return PointResult({}, {}, f"breaks {', '.join(broken)} at any pace")
        return self._judge(design, knobs)

    def loaded(self, knobs: Knobs) -> Loaded[Architecture]:
        """A point's architecture, located in its space's file."""
        return point_architecture(self.space.member(knobs), knobs)

    def design(self, knobs: Knobs) -> Design | EngineDesign:
        """A point as hardware. Raises :class:`SpecError` where it cannot be built."""
        return finished_design(self.space.member(knobs), knobs)

    def hold_against_bounds(self, found: DesignFigures) -> PointResult:
        """The result for these figures: constraints of the search first, then the device's budget."""
        violations = {
            str(constraint): constraint.violation(found.figures[constraint.name])
            for constraint in self.constraints
            if constraint.name in found.figures
        }
        for name, amount in found.violations.items():
            violations.setdefault(BUDGET + name, amount)
        missing = ""
        for name in [o.name for o in self.objectives] + [c.name for c in self.constraints]:
            if name not in found.figures:
                given = "its function gives None" if name in self.own.functions else "not modelled"
                why = found.reasons.get(plain_name(name), given)
                missing = f"no {name} for this design: {why}"
        return PointResult(found.figures, violations, missing)


def limits_of(design: Design | EngineDesign, sizes: KnownSizes) -> dict[str, float]:
    """Figures of a design that need no timing; ``sizes`` are those known of others' units.

    Of a pipeline also ``throughput_fps`` as an upper bound: what its slowest unit allows.
    """
    total = estimate_resources(design, known=sizes).total
    clock_mhz = design.architecture.clock_mhz
    figures: dict[str, float] = {name: getattr(total, name) for name in RESOURCES}
    figures["clock_mhz"] = clock_mhz
    if isinstance(design, Design):
        interval = unlimited_interval(build_timing(design.graph))
        figures[THROUGHPUT] = float(clock_mhz * 1e6 / interval)
    return figures


_evaluators: list[Evaluator] = []


def set_evaluator(evaluator: Evaluator) -> None:
    """Make ``evaluator`` this process's."""
    _evaluators[:] = [evaluator]


def the_evaluator() -> Evaluator:
    """This process's evaluator."""
    return _evaluators[0]


def screen_here(knobs: Knobs) -> PointResult:
    """Screen one point with this process's evaluator (see :meth:`Evaluator.screen`)."""
    return the_evaluator().screen(knobs)


def depths_here(knobs: Knobs) -> Mapping[str, int]:
    """The FIFO depths that this process finds, or has found, for a point of a space that sizes them."""
    evaluator = the_evaluator()
    evaluator.design(knobs)
    return evaluator.space.member(knobs).sized[point_key(knobs)]


def evaluate_here(knobs: Knobs) -> PointResult:
    """Evaluate one point with this process's evaluator."""
    return the_evaluator()(knobs)
