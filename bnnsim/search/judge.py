"""From a point of a space to its figures: what every trial, in every process, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bnnsim.evaluation import DesignFigures, figures_of

from bnnsim.design.build import build_design
from bnnsim.search.encoding import Encoding, Parameters, RawEncoding
from bnnsim.search.objectives import Constraint, Objective
from bnnsim.search.space import Space
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import from_spec
from bnnsim.timing.result import DeadlockError


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


class Judge:
    """Judges points of one space. Equal points are judged once."""

    def __init__(
        self,
        space: Space,
        objectives: tuple[Objective, ...],
        constraints: tuple[Constraint, ...],
        is_raw: bool = False,
    ) -> None:
        self.space = space
        self.encoding = RawEncoding(space) if is_raw else Encoding(space)
        self.objectives = objectives
        self.constraints = constraints
        self._workload = from_spec(space.network.workload)

    def __call__(self, parameters: Parameters) -> Judgement:
        try:
            architecture = self.encoding.architecture(parameters, self.space.name)
            design = build_design(self.space.loaded(architecture), self._workload)
            found = figures_of(design)
        except SpecError as error:
            return Judgement({}, {}, str(error.faults[0]))
        except DeadlockError as error:
            return Judgement({}, {}, str(error))
        return self.weigh(found)

    def weigh(self, found: DesignFigures) -> Judgement:
        """Hold figures against the constraints."""
        violations = {
            str(constraint): constraint.violation(found.figures[constraint.name])
            for constraint in self.constraints
            if constraint.name in found.figures
        }
        for name, amount in found.violations.items():
            violations.setdefault(f"budget {name}", amount)
        obstacle = ""
        for objective in self.objectives:
            if objective.name not in found.figures:
                obstacle = f"no {objective.name} for this design: {found.reasons.get(objective.name, '')}"
        return Judgement(found.figures, violations, obstacle)


_judge: Judge | None = None


def start_worker(arguments: tuple[Any, ...]) -> None:
    """Prepare a worker process: build its judge and load the compiled executor."""
    import signal

    global _judge
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's
    _judge = Judge(*arguments)


def judge_in_worker(parameters: Parameters) -> Judgement:
    """Judge one point in a prepared worker process."""
    assert _judge is not None
    return _judge(parameters)
