"""What a user asks for, checked: a space, aims, a sampler, and a design to begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bnnsim.search.front.exact import check_exact
from bnnsim.search.front.objectives import parse_constraints, parse_objectives
from bnnsim.search.front.own_figures import OwnFigure, own_figures
from bnnsim.search.space.alternatives import load_search_space
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.plan_check import check_buildable, check_given, check_own
from bnnsim.search.study.samplers import SAMPLERS, SamplerName
from bnnsim.spec.bounds import MAX_TRIALS
from bnnsim.spec.faults import InputError, near_names

LAST_SEED = 2**32 - 1
"""The largest seed that Optuna's samplers take."""


def plan_of(
    space: str | Path,
    workload: str | Path | None,
    trials: int,
    objectives: Sequence[str] | None,
    constraints: Sequence[str],
    sampler: SamplerName,
    seed: int,
    own: Mapping[str, OwnFigure] | None = None,
) -> SearchPlan:
    """What to search, checked: every figure that is wanted exists, and there is a design to begin with.

    Arguments as for :func:`~bnnsim.exploration.explore.explore`. Raises
    :class:`~bnnsim.spec.faults.SpecError` with every fault of the space, its network and the aims.
    """
    if trials < 1:
        raise InputError("--trials", "a number >= 1", str(trials))
    if trials > MAX_TRIALS:
        raise InputError("--trials", f"at most {MAX_TRIALS:,}", str(trials))
    if not 0 <= seed <= LAST_SEED:
        raise InputError("--seed", f"a number from 0 to {LAST_SEED}", str(seed))
    if sampler not in SAMPLERS:
        near = near_names(sampler, SAMPLERS)
        raise InputError("--sampler", f"one of {', '.join(SAMPLERS)}", repr(sampler), near)
    loaded = load_search_space(space, workload)
    file = loaded.source.file
    ours = own_figures(own or {}, loaded.knob_names)
    names = ours.functions.keys()
    wanted = parse_objectives(objectives, own=names) if objectives is not None else None
    bounds = parse_constraints(constraints, own=names)
    plan = SearchPlan(
        loaded,
        wanted or parse_objectives(loaded.explore.objectives, f"{file}: explore.objectives"),
        (*parse_constraints(loaded.explore.constraints, f"{file}: explore.constraints"), *bounds),
        sampler,
        trials,
        seed,
        ours,
    )
    check_own(plan)
    check_given(plan)
    if sampler == "exact":
        check_exact(loaded, plan.encoding.points, plan.objectives, plan.constraints)
    check_buildable(loaded)
    return plan
