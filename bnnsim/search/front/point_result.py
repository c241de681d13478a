"""What became of one point: its figures and the bounds it breaks, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bnnsim.spec.faults import SpecError
from bnnsim.timing.streaming.result import DeadlockError

BUDGET = "budget "


@dataclass(frozen=True)
class PointResult:
    """What became of one point.

    ``figures`` by name (see ``objectives.METRICS``). ``violations`` by constraint: the figure minus the
    bound in the figure's unit, at most 0 where the constraint holds. ``infeasible_reason`` says why there
    are no figures to compare: the design cannot be built, deadlocks, or lacks a figure that is wanted;
    empty where there are.
    """

    figures: Mapping[str, float]
    violations: Mapping[str, float]
    infeasible_reason: str = ""

    @property
    def is_feasible(self) -> bool:
        return not self.infeasible_reason and all(amount <= 0 for amount in self.violations.values())

    @property
    def normalised_violations(self) -> Mapping[str, float]:
        """The violations as shares of their bounds (no unit), so that a sampler can add them up."""
        result = {}
        for name, amount in self.violations.items():
            figure = self.figures.get(bounded_figure(name), 0.0)
            bound = abs(figure - amount) or 1.0
            result[name] = amount / bound
        return result

    @property
    def shares(self) -> Mapping[str, float]:
        """What it takes of each resource that the budget and the device bound, as a share (1 is all)."""
        found = {}
        for name, amount in self.violations.items():
            figure = bounded_figure(name)
            allowed = self.figures.get(figure, 0.0) - amount
            if name.startswith(BUDGET) and figure in self.figures and allowed > 0:
                found[figure] = self.figures[figure] / allowed
        return found


def bounded_figure(name: str) -> str:
    """The figure that a violation is about: ``lut`` for ``budget lut`` and for ``lut<=40000``."""
    return name.removeprefix(BUDGET).split("<=")[0].split(">=")[0]


def reason_of(error: SpecError | DeadlockError) -> str:
    """Why a design cannot be built or run, in one sentence: of several faults the first."""
    return str(error.faults[0]) if isinstance(error, SpecError) else str(error)
