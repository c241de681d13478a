"""What a search keeps of each trial, and the search's outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.search.front.front import hypervolume, is_on_front
from bnnsim.search.front.objectives import Constraint, Objective
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.space.aims import ReferenceDesign
from bnnsim.search.space.alternatives import ALTERNATIVE, SearchSpace
from bnnsim.search.space.fields import Value
from bnnsim.validation.certainty import ties

COMPARED = ("lut", "bram18", "alm", "m20k")
"""What a design must not use more of to beat a landmark."""


@dataclass(frozen=True, eq=False)
class TrialRecord:
    """One evaluated point. ``parameters`` are the sampler's, ``knobs`` the user's names and values."""

    number: int
    parameters: Mapping[str, int]
    knobs: Mapping[str, Value]
    result: PointResult

    @property
    def id(self) -> str:
        """The design's name in files."""
        return f"{self.number:05d}"


def losses_of(trials: Sequence[TrialRecord], objectives: tuple[Objective, ...]) -> Floats:
    """The objectives of ``trials`` as figures to minimise, ``(trials, objectives)``."""
    rows = [[o.loss(float(t.result.figures[o.name])) for o in objectives] for t in trials]
    return np.array(rows, dtype=np.float64).reshape(len(trials), len(objectives))


def reference_corner(worst: Floats, best: Floats) -> Floats:
    """The corner that hypervolumes are measured from: a hundredth of the span beyond the worst.

    It lies at 0 where it would have another sign than all figures: there are no frames a second below 0.
    """
    corner: Floats = worst + 0.01 * np.where(worst > best, worst - best, np.abs(worst) + 1)
    held: Floats = np.where(worst < 0, np.minimum(corner, 0.0), corner)
    return held


@dataclass(frozen=True)
class Exploration:
    """The trials of a search so far, in order.

    ``baseline`` are trials of a search without knowledge (everything drawn) over the same space.
    """

    space: SearchSpace
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    sampler: str
    seed: int
    trials: tuple[TrialRecord, ...]
    baseline: tuple[TrialRecord, ...] = ()

    @cached_property
    def feasible(self) -> tuple[TrialRecord, ...]:
        return tuple(t for t in self.trials if t.result.is_feasible)

    def losses(self, trials: Sequence[TrialRecord]) -> Floats:
        """The objectives of ``trials`` as figures to minimise, ``(trials, objectives)``."""
        return losses_of(trials, self.objectives)

    @cached_property
    def front(self) -> tuple[TrialRecord, ...]:
        """The feasible trials that no other dominates, best in the first objective first.

        Of trials with equal objectives the first stands for all.
        """
        losses = self.losses(self.feasible)
        chosen = [t for t, on in zip(self.feasible, is_on_front(losses), strict=True) if on]
        chosen.sort(key=lambda t: (tuple(self.losses([t])[0]), t.number))
        result: list[TrialRecord] = []
        for trial in chosen:
            if not result or not np.array_equal(self.losses([trial]), self.losses(result[-1:])):
                result.append(trial)
        return tuple(result)

    @cached_property
    def no_clear_leads(self) -> Mapping[str, str]:
        """Front designs, by id, that lead another (its id) in nothing, nine chances in ten."""
        directions = {o.name: o.maximises for o in self.objectives}
        found = ties([trial.result.figures for trial in self.front], directions)
        pairs = zip(self.front, found, strict=True)
        return {trial.id: self.front[k].id for trial, k in pairs if k is not None}

    @cached_property
    def champions(self) -> tuple[TrialRecord, ...]:
        """For each reference design the feasible trial that beats it best, unless it is on the front.

        It has more frames a second and no more of any resource that the reference's source gives. Of
        several the fastest of those whose clock is no faster than the reference's, or, where there are
        none, of all.
        """
        found: list[TrialRecord] = []
        for reference in self.space.reference_designs:
            better = [trial for trial in self.feasible if self.beats(trial, reference)]
            better.sort(key=lambda t: self.rank(t, reference))
            found += better[:1]
        return tuple(t for t in dict.fromkeys(found) if t not in self.front)

    def rank(self, trial: TrialRecord, reference: ReferenceDesign) -> tuple[bool, float, int]:
        """The order of the designs that beat a published one, best first."""
        figures = trial.result.figures
        clock = reference.figures.get("clock_mhz")
        outpaces = clock is not None and figures["clock_mhz"] > clock
        return outpaces, -figures["throughput_fps"], trial.number

    def beats(self, trial: TrialRecord, reference: ReferenceDesign) -> bool:
        """Whether a design is faster than a published one of the same network with no more resources."""
        if reference not in self.space.reference_designs or reference.alternative not in (
            None,
            trial.knobs.get(ALTERNATIVE),
        ):
            return False
        figures, landmark = trial.result.figures, reference.figures
        if not self.can_be_beaten(reference):
            return False
        if figures.get("throughput_fps", 0.0) <= landmark["throughput_fps"]:
            return False
        return all(figures.get(n, np.inf) <= landmark[n] for n in COMPARED if n in landmark)

    def can_be_beaten(self, reference: ReferenceDesign) -> bool:
        """Whether a landmark has the figures that designs are held against."""
        return "throughput_fps" in reference.figures and not reference.figures.keys().isdisjoint(COMPARED)

    @cached_property
    def shown(self) -> tuple[TrialRecord, ...]:
        """The designs worth keeping: the front and the champions."""
        return (*self.front, *self.champions)

    @cached_property
    def reference_point(self) -> Floats:
        """The corner that hypervolumes are measured from: the worst of all feasible trials."""
        if not self.all_feasible:
            return np.zeros(len(self.objectives))
        losses = self.losses(self.all_feasible)
        return reference_corner(losses.max(axis=0), losses.min(axis=0))

    @cached_property
    def all_feasible(self) -> tuple[TrialRecord, ...]:
        """All feasible designs, the baseline's too."""
        return (*self.feasible, *(t for t in self.baseline if t.result.is_feasible))

    def hypervolume_of(self, trials: Sequence[TrialRecord]) -> float:
        """The hypervolume of the front of ``trials``, from the ``reference_point``."""
        good = [t for t in trials if t.result.is_feasible]
        return hypervolume(self.losses(good), self.reference_point) if good else 0.0
