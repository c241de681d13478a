"""An architecture whose folding is searched, judged as its file has it: a landmark of its own search."""

from __future__ import annotations

from dataclasses import replace

from bnnsim.cost.usage import RESOURCES
from bnnsim.evaluation import figures_of
from bnnsim.search.front.evaluator import frames_for
from bnnsim.search.front.objectives import METRICS
from bnnsim.search.space.aims import ReferenceDesign
from bnnsim.search.space.alternatives import Alternatives, SearchSpace
from bnnsim.search.space.space import Space
from bnnsim.spec.architecture import architecture_model
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import Loaded
from bnnsim.spec.yaml.validate import validate
from bnnsim.timing.mapped import mapped_design
from bnnsim.timing.streaming.result import DeadlockError


def with_architecture_as_given(space: SearchSpace) -> SearchSpace:
    """``space`` with each architecture of which it frees the folding as one more landmark.

    One that cannot run as it is given is none.
    """
    members = space.members if isinstance(space, Alternatives) else {None: space}
    found = [landmark for name, one in members.items() if (landmark := _landmark(one, name))]
    if not found:
        return space
    update = {"landmarks": [*space.explore.landmarks, *found]}
    if isinstance(space, Alternatives):  # the types of the two differ, what is done does not
        return replace(space, explore=space.explore.model_copy(update=update))
    return replace(space, explore=space.explore.model_copy(update=update))


def _landmark(space: Space, alternative: str | None) -> ReferenceDesign | None:
    if space.as_given is None:
        return None
    architecture, faults = validate(architecture_model(space.as_given), space.as_given)
    if architecture is None or faults:
        return None
    try:
        design = mapped_design(Loaded(architecture, space.as_given), space.workload)
        figures = figures_of(design, frames_for(design)).figures
    except (SpecError, DeadlockError):
        return None
    absent = {name for name in RESOURCES if getattr(design.device, name) is None}
    known = {n: float(figures[n]) for n in METRICS if n in figures and n not in absent}
    source = f"{space.as_given.file}, judged as every design here"
    name = f"{architecture.name} as given"
    return ReferenceDesign(name=name, source=source, figures=known, alternative=alternative)
