"""What the front of a search is measured against: the best front known of its space, or a bound.

``best_known.yaml`` says for each space the aims that it was searched for, the corner that its hypervolume
is measured from, the hypervolume, and where it comes from; ``python tools/best_known.py`` replaces an
entry by a better one. A space without entry is measured against a design that is best in every objective
at once, which there rarely is. Never is a front measured against itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from pydantic import Field

from bnnsim.arrays import Floats
from bnnsim.search.front.front import hypervolume, is_on_front
from bnnsim.search.points.alternative_encoding import AlternativeEncoding
from bnnsim.search.points.encoding import point_key
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.space.alternatives import Alternatives, SearchSpace
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.spec.model import SpecModel

DATA = Path(__file__).with_name("best_known.yaml")
CURVE_POINTS = 60


class BestKnown(SpecModel):
    """The best front known of one space, for these aims and no others.

    ``corner`` has a figure for each objective: what is not better adds nothing. ``designs`` were judged
    for it; ``origin`` says by whom and when.
    """

    space: str
    workload: str
    objectives: list[str]
    constraints: list[str]
    corner: list[float]
    hypervolume: Annotated[float, Field(gt=0)]
    designs: Annotated[int, Field(gt=0)]
    origin: Annotated[str, Field(min_length=1)]

    def is_of(self, exploration: Exploration) -> bool:
        """Whether it is for the space, network and aims of a search."""
        return (
            self.space == exploration.space.name
            and self.workload == " or ".join(exploration.space.workloads)
            and self.objectives == [objective.text for objective in exploration.objectives]
            and self.constraints == [str(constraint) for constraint in exploration.constraints]
        )


@cache
def best_known() -> tuple[BestKnown, ...]:
    """All entries."""
    return tuple(BestKnown.model_validate(entry) for entry in yaml.safe_load(DATA.read_text("utf-8")))


@dataclass(frozen=True)
class Scale:
    """What hypervolumes are shares of: ``whole``, from the ``corner`` (losses); ``text`` names it."""

    corner: Floats
    whole: float
    text: str

    def share(self, exploration: Exploration, trials: Sequence[TrialRecord]) -> float:
        """What the front of ``trials`` dominates, as a share; above 1 where it beats the best known."""
        good = [trial for trial in trials if trial.result.is_feasible]
        return hypervolume(exploration.losses(good), self.corner) / self.whole if good else 0.0

    def curve(
        self, exploration: Exploration, trials: Sequence[TrialRecord]
    ) -> tuple[tuple[int, float], ...]:
        """(number of trials, their share) at up to :data:`CURVE_POINTS` moments."""
        total = len(trials)
        moments = sorted({max(1, round(total * (i + 1) / CURVE_POINTS)) for i in range(CURVE_POINTS)})
        found: list[tuple[int, float]] = []
        front, seen = np.zeros((0, len(exploration.objectives))), 0
        for moment in moments if total else ():
            new = exploration.losses([t for t in trials[seen:moment] if t.result.is_feasible])
            front, seen = np.unique(np.concatenate([front, new]), axis=0), moment
            front = front[is_on_front(front)]
            found.append((moment, hypervolume(front, self.corner) / self.whole))
        return tuple(found)


def all_designs(space: SearchSpace) -> int:
    """How many designs a space has."""
    if isinstance(space, Alternatives):
        return AlternativeEncoding({n: RawEncoding(s) for n, s in space.members.items()}).points
    return RawEncoding(space).points


def scale_of(exploration: Exploration) -> Scale | None:
    """What a search is measured against; None where no design keeps every bound."""
    if not exploration.all_feasible:
        return None
    for known in best_known():
        if known.is_of(exploration):
            pairs = zip(exploration.objectives, known.corner, strict=True)
            corner = np.array([objective.loss(figure) for objective, figure in pairs])
            text = f"the best front known of {known.space} ({known.designs:,} designs: {known.origin})"
            return Scale(corner, known.hypervolume, text)
    corner = exploration.reference_point
    judged = {point_key(trial.knobs) for trial in exploration.trials}
    if len(judged) >= all_designs(exploration.space):
        whole = hypervolume(exploration.losses(exploration.feasible), corner)
        return Scale(corner, whole, "the front of all designs there are: all designs judged")
    best = exploration.losses(exploration.all_feasible).min(axis=0)
    text = "what a design that is best in every objective at once would dominate (no best front is known)"
    return Scale(corner, float(np.prod(corner - best)), text)
