"""From a point of a space to its figures: what every trial, in every process, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation import DesignFigures, figures_of
from bnnsim.search.front.objectives import Constraint, Objective
from bnnsim.search.points.encoding import Knobs
from bnnsim.search.points.point_design import point_architecture, point_design
from bnnsim.search.space.alternatives import SearchSpace
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import Loaded
from bnnsim.timing.streaming.bottleneck import unlimited_interval
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.result import DeadlockError

BUDGET = "budget "
PACE = "throughput_fps"


@dataclass(frozen=True)
class Judgement:
    """What became of one point.

    ``figures`` by name (see ``objectives.METRICS``); ``violations`` by constraint, at most 0 where it
    holds; ``obstacle`` says why there are no figures: the design cannot be built, or deadlocks.
    """

    figures: Mapping[str, float]
    violations: Mapping[str, float]
    obstacle: str = ""

    @property
    def is_feasible(self) -> bool:
        return not self.obstacle and all(amount <= 0 for amount in self.violations.values())

    @property
    def strains(self) -> Mapping[str, float]:
        """The violations as shares of their bounds, so that a sampler can add them up."""
        result = {}
        for name, amount in self.violations.items():
            figure = self.figures.get(bounded_figure(name), 0.0)
            bound = abs(figure - amount) or 1.0
            result[name] = amount / bound
        return result


def bounded_figure(name: str) -> str:
    """The figure that a violation is about: ``lut`` for ``budget lut`` and for ``lut<=40000``."""
    return name.removeprefix(BUDGET).split("<=")[0].split(">=")[0]


FRAMES = (12, 64)
"""Frames within which a search looks for a design's steady state: at least, and at most."""
WORDS = 1_500_000
"""Stream words in between: what a fraction of a second can move. Nearly all designs settle within a dozen
frames; the others keep a figure open and are recorded as such, with the reason."""


def frames_for(design: Design | EngineDesign) -> int:
    """Frames that a search spends on finding the steady state of ``design``."""
    least, most = FRAMES
    if isinstance(design, EngineDesign):
        return least  # its own rule knows how many it needs
    words = sum(stream.words for stream in design.graph.streams)
    return max(least, min(most, WORDS // max(1, words)))


class Judge:
    """Judges points of one space."""

    def __init__(
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        constraints: tuple[Constraint, ...],
    ) -> None:
        self.space = space
        self.objectives = objectives
        self.constraints = constraints

    def __call__(self, knobs: Knobs) -> Judgement:
        try:
            design = self.design(knobs)
            found = figures_of(design, frames_for(design))
        except SpecError as error:
            return Judgement({}, {}, str(error.faults[0]))
        except DeadlockError as error:
            return Judgement({}, {}, str(error))
        return self.weigh(replace(found, figures={**found.figures, **self.space.given(knobs)}))

    def at_a_glance(self, knobs: Knobs) -> Judgement:
        """The same for feasible designs; one that breaks a bound at any pace is not timed.

        For a baseline, of which only the feasible designs count: nearly all random designs are too
        large, or have a unit that is too slow on its own.
        """
        try:
            design = self.design(knobs)
            known = limits_of(design)
        except SpecError as error:
            return Judgement({}, {}, str(error.faults[0]))
        violations = {
            str(c): c.violation(known[c.name])
            for c in self.constraints
            if c.name in known and not (c.name == PACE and c.is_upper)
        }
        for name in RESOURCES:
            allowed = getattr(design.budget, name)
            if allowed is not None:
                violations.setdefault(BUDGET + name, known[name] - allowed)
        broken = [name for name, amount in violations.items() if amount > 0]
        if broken:
            return Judgement({}, {}, f"breaks {', '.join(broken)} at any pace")
        return self(knobs)

    def loaded(self, knobs: Knobs) -> Loaded[Architecture]:
        """A point's architecture, located in its space's file."""
        return point_architecture(self.space.member(knobs), knobs)

    def design(self, knobs: Knobs) -> Design | EngineDesign:
        """A point as hardware. Raises :class:`SpecError` where it cannot be built."""
        return point_design(self.space.member(knobs), knobs)

    def weigh(self, found: DesignFigures) -> Judgement:
        """Hold figures against the constraints."""
        violations = {
            str(constraint): constraint.violation(found.figures[constraint.name])
            for constraint in self.constraints
            if constraint.name in found.figures
        }
        for name, amount in found.violations.items():
            violations.setdefault(BUDGET + name, amount)
        obstacle = ""
        for name in [o.name for o in self.objectives] + [c.name for c in self.constraints]:
            if name not in found.figures:
                obstacle = f"no {name} for this design: {found.reasons.get(name, 'not modelled')}"
        return Judgement(found.figures, violations, obstacle)


def limits_of(design: Design | EngineDesign) -> dict[str, float]:
    """Figures of a design that need no timing, and of its pace the best that its slowest unit allows."""
    total = estimate_resources(design).total
    clock_mhz = design.architecture.clock_mhz
    figures: dict[str, float] = {name: getattr(total, name) for name in RESOURCES}
    figures["clock_mhz"] = clock_mhz
    if isinstance(design, Design):
        interval = unlimited_interval(build_timing(design.graph))
        figures[PACE] = float(clock_mhz * 1e6 / interval)
    return figures


_judges: list[Judge] = []


def set_judge(judge: Judge) -> None:
    """Make ``judge`` this process's."""
    _judges[:] = [judge]


def the_judge() -> Judge:
    """This process's judge."""
    return _judges[0]


def glance_here(knobs: Knobs) -> Judgement:
    """As :meth:`Judge.at_a_glance`, with this process's judge."""
    return the_judge().at_a_glance(knobs)


def judge_here(knobs: Knobs) -> Judgement:
    """Judge one point with this process's judge."""
    return the_judge()(knobs)
