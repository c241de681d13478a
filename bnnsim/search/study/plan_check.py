"""What must hold before a search begins: there is something to search, and a design to begin with."""

from __future__ import annotations

from bnnsim.search.front.objectives import GIVEN
from bnnsim.search.front.own_figures import PLACE
from bnnsim.search.points.encoding import Knobs
from bnnsim.search.points.knob_seeds import knob_seeds
from bnnsim.search.points.point_design import check_point
from bnnsim.search.points.target_encoding import TargetEncoding
from bnnsim.search.space.alternatives import ALTERNATIVE, Alternatives, SearchSpace
from bnnsim.search.space.space import Space
from bnnsim.search.study.plan import SearchPlan
from bnnsim.spec.faults import Fault, InputError, SpecError

FIRST_POINTS = 40
"""Points of which one must be a design where fields depend on each other."""


def check_given(plan: SearchPlan) -> None:
    """Raise :class:`SpecError` where a figure is wanted that nothing predicts or gives."""
    space = plan.space
    wanted = {*(o.name for o in plan.objectives), *(c.name for c in plan.constraints)}
    for name in sorted(wanted.intersection(GIVEN)):
        expected = f"alternatives that give {name}, which nothing here predicts"
        if not isinstance(space, Alternatives) or not any(
            name in space.given({ALTERNATIVE: member}) for member in space.members
        ):
            raise InputError(space.name, expected, "none")


def check_own(plan: SearchPlan) -> None:
    """Raise :class:`SpecError` for a figure of the user's own that is neither wanted nor bounded."""
    wanted = {*(o.name for o in plan.objectives), *(c.name for c in plan.constraints)}
    for name in plan.own.functions:
        if name not in wanted:
            expected = f"{name} among the objectives ({name}:minimise) or constraints ({name}<=1)"
            raise InputError(PLACE, expected, "it in neither")


def check_buildable(space: SearchSpace) -> None:
    """Raise :class:`SpecError` where a space has nothing free, or nothing to begin with can be built.

    With the first value of everything free there must be a design; of an engine, whose fields depend on
    each other, one of the points that a search begins with is enough.
    """
    if not space.knob_names:
        raise InputError(space.source.file, "free fields to search (choose, range, divisors)", "none")
    members = space.members.values() if isinstance(space, Alternatives) else [space]
    faults: list[Fault] = []
    for member in members:
        points = [member.first_knobs]
        if not member.folded:
            points += [TargetEncoding(member).describe(seed) for seed in knob_seeds(member, FIRST_POINTS)]
        first = _build_faults(member, points[0])
        if first and all(_build_faults(member, point) for point in points[1:]):
            faults += first
    if faults:
        raise SpecError(faults)


def _build_faults(space: Space, point: Knobs) -> tuple[Fault, ...]:
    try:
        check_point(space, point)
    except SpecError as error:
        return error.faults
    return ()
