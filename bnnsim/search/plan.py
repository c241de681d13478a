"""What to search, for what and how; kept with the study, so that another session or machine can go on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import bnnsim
from bnnsim.search.encoding import Encoding, RawEncoding
from bnnsim.search.objectives import Constraint, Objective, parse_constraints, parse_objectives
from bnnsim.search.record import Exploration, TrialRecord
from bnnsim.search.samplers import SamplerName
from bnnsim.search.space import Space, read_space
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import from_spec
from bnnsim.spec.source import SourceText
from bnnsim.spec.workload import Workload

if TYPE_CHECKING:
    import optuna

ATTRIBUTE = "bnnsim plan"
_SAME = ("bnnsim", "space", "workload", "objectives", "constraints", "sampler")


@dataclass(frozen=True)
class SearchPlan:
    """What to search, for what, and how."""

    space: Space
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    sampler: SamplerName = "nsga2"
    trials: int = 300
    seed: int = 0

    @property
    def encoding(self) -> Encoding:
        """What the sampler sees; the random baseline and the exact front see raw knobs."""
        is_raw = self.sampler in ("random", "exact")
        return RawEncoding(self.space) if is_raw else self._encoding

    @cached_property
    def _encoding(self) -> Encoding:
        bounds: dict[str, float] = {}
        for c in self.constraints:
            if c.is_upper:
                bounds[c.name] = min(c.bound, bounds.get(c.name, c.bound))
        return Encoding(self.space, self.slowest_cycles, bounds)

    @property
    def slowest_cycles(self) -> int | None:
        """The longest interval that the constraints allow at the fastest clock of the space."""
        clocks = [k.values for k in self.space.knobs if k.path == ("clock_mhz",)]
        given = clocks[0] if clocks else (self.space.source.data["clock_mhz"],)
        clock_mhz = max(float(value) for value in given)
        limits = [
            clock_mhz * 1e6 / c.bound
            for c in self.constraints
            if c.name == "throughput_fps" and not c.is_upper and c.bound > 0
        ]
        limits += [
            c.bound for c in self.constraints if c.name == "initiation_interval_cycles" and c.is_upper
        ]
        return int(min(limits)) if limits else None

    def outcome(self, records: Sequence[TrialRecord]) -> Exploration:
        """The search's outcome with these trials."""
        return Exploration(
            self.space, self.objectives, self.constraints, self.sampler, self.seed, tuple(records)
        )


def plan_data(plan: SearchPlan) -> dict[str, Any]:
    """All of a plan as plain data: space and workload included."""
    space = plan.space
    return {
        "bnnsim": bnnsim.__version__,
        "file": space.source.file,
        "space": {**space.source.data, "explore": space.explore.model_dump(mode="json")},
        "workload": space.workload.spec.model_dump(mode="json", exclude_unset=True),
        "objectives": [objective.text for objective in plan.objectives],
        "constraints": [str(constraint) for constraint in plan.constraints],
        "sampler": plan.sampler,
        "trials": plan.trials,
        "seed": plan.seed,
    }


def keep_plan(study: optuna.Study, plan: SearchPlan) -> None:
    """Write the plan to a study: from then on it is ready for others."""
    study.set_user_attr(ATTRIBUTE, json.dumps(plan_data(plan)))


def kept_plan(study: optuna.Study) -> SearchPlan | None:
    """The plan kept with a study; None where there is none (yet).

    Raises :class:`InputError` where another version of bnnsim wrote it: figures would not compare.
    """
    text = study.user_attrs.get(ATTRIBUTE)
    if text is None:
        return None
    data = json.loads(text)
    if data["bnnsim"] != bnnsim.__version__:
        raise InputError(
            f"study {study.study_name}", f"a study of bnnsim {bnnsim.__version__}", data["bnnsim"]
        )
    workload = from_spec(Workload.model_validate_json(json.dumps(data["workload"])))
    return SearchPlan(
        read_space(SourceText(data["file"], data["space"]), workload),
        parse_objectives(data["objectives"]),
        parse_constraints(data["constraints"]),
        data["sampler"],
        data["trials"],
        data["seed"],
    )


def check_plan(study: optuna.Study, plan: SearchPlan, place: str) -> None:
    """Raise :class:`InputError` where ``study`` is of another space, network, sampler or aim.

    The number of trials and the seed may differ: a search can be made longer.
    """
    text = study.user_attrs.get(ATTRIBUTE)
    if text is None:
        raise InputError(place, "a study that bnnsim made", f"the study {study.study_name}")
    kept, ours = json.loads(text), json.loads(json.dumps(plan_data(plan)))
    for key in _SAME:
        if kept[key] != ours[key]:
            shown = "another" if isinstance(ours[key], dict) else _shown(ours[key])
            wanted = "the same" if isinstance(ours[key], dict) else _shown(kept[key])
            raise InputError(place, f"{key} {wanted}, which its study was made with", shown)


def _shown(value: object) -> str:
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)
