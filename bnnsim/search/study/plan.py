"""What to search, for what and how; kept with the study, so that another session or machine can go on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bnnsim.cost.error_bars import RESTS_ON, plain_name
from bnnsim.search.front.objectives import Constraint, Objective, parse_constraints, parse_objectives
from bnnsim.search.front.own_figures import NONE, OwnFigures
from bnnsim.search.points.alternative_encoding import AlternativeEncoding
from bnnsim.search.points.encoding import PointEncoding, point_key
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.points.target_encoding import TargetEncoding
from bnnsim.search.space.alternatives import Alternatives, SearchSpace
from bnnsim.search.space.space import CLOCK, Space
from bnnsim.search.storage.judging_code import judging_code
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.study.samplers import SamplerName
from bnnsim.search.study.stored_space import space_data, stored_space
from bnnsim.spec.faults import InputError
from bnnsim.version import __version__

if TYPE_CHECKING:
    import optuna

PLAN_ATTRIBUTE = "bnnsim plan"
MOST_SEEDS = 40
"""Points that an encoding knows to be good or telling, at most."""
MOST_COUNTED_POINTS = 20_000
"""Up to so many points it is counted how many designs they are; larger encodings have enough."""
OWN = "own figures"
_SAME = (
    "bnnsim", "code", "optuna", "space", "workload", "members", "objectives", "constraints", OWN,
    "sampler",
)  # fmt: skip
_SHOWN_KEYS = {
    "code": "a study of the same code of bnnsim (a digest of what judges designs)",
    "optuna": "a study of the same version of Optuna",
}


@dataclass(frozen=True)
class SearchPlan:
    """What to search, for what, and how."""

    space: SearchSpace
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    sampler: SamplerName = "front"
    trials: int = 300
    seed: int = 0
    own: OwnFigures = NONE
    """Functions that objectives and constraints may name."""
    begun_trials: int | None = None
    """How many trials the search was begun with, where it is a longer one by now: seeds are chosen by it,
    so that a search made longer goes on as it began."""

    @property
    def encoding(self) -> PointEncoding:
        """What the sampler sees; the random baseline and the exact front see raw knobs."""
        return self._raw if self.sampler in ("random", "exact") else self._encoded

    @cached_property
    def _raw(self) -> PointEncoding:
        if isinstance(self.space, Alternatives):
            return AlternativeEncoding({n: RawEncoding(space) for n, space in self.space.members.items()})
        return RawEncoding(self.space)

    @cached_property
    def _encoded(self) -> PointEncoding:
        if isinstance(self.space, Alternatives):
            members = self.space.members.items()
            return AlternativeEncoding({name: self._encoding_of(space) for name, space in members})
        return self._encoding_of(self.space)

    def _encoding_of(self, space: Space) -> TargetEncoding:
        bounds: dict[str, float] = {}
        for c in self.constraints:
            if c.is_upper:
                bounds[c.name] = min(c.bound, bounds.get(c.name, c.bound))
        return TargetEncoding(space, self._slowest_cycles(space), bounds, self._counts_power(space))

    def _counts_power(self, space: Space) -> bool:
        """Whether an objective, a constraint or the space's budget rests on watts."""
        names = [*(o.name for o in self.objectives), *(c.name for c in self.constraints)]
        budget = space.source.data.get("budget") or {}
        return "power_w" in {*budget, *(RESTS_ON.get(plain_name(name)) for name in names)}

    def _slowest_cycles(self, space: Space) -> int | None:
        """The longest interval that the constraints allow at the fastest clock of a space."""
        clock_mhz = max(float(value) for value in space.values_at(CLOCK))
        limits = [
            clock_mhz * 1e6 / c.bound
            for c in self.constraints
            if c.name == "throughput_fps" and not c.is_upper and c.bound > 0
        ]
        limits += [
            c.bound for c in self.constraints if c.name == "initiation_interval_cycles" and c.is_upper
        ]
        return int(min(limits)) if limits else None

    @cached_property
    def designs(self) -> int:
        """How many different designs the search can come to: the trials, or all there are."""
        encoding = self.encoding
        if encoding.points > MOST_COUNTED_POINTS:
            return self.trials
        keys: set[object] = set()
        for point in encoding.every():  # several points may be one design
            keys.add(point_key(encoding.describe(point)))
            if len(keys) == self.trials:
                break
        return len(keys)

    @property
    def size(self) -> int:
        """The number of trials that seeds are chosen by."""
        return self.trials if self.begun_trials is None else self.begun_trials

    def seeds(self) -> list[dict[str, int]]:
        """The points that promise something before anything is judged, at most as many as trials."""
        return self.encoding.seeds(min(MOST_SEEDS, self.size))

    def first(self) -> list[dict[str, int]]:
        """The points to judge first, at most as many as trials."""
        return self.encoding.first()[: min(MOST_SEEDS, self.size)]

    def outcome(self, records: Sequence[TrialRecord]) -> Exploration:
        """The search's outcome with these trials."""
        return Exploration(
            self.space, self.objectives, self.constraints, self.sampler, self.seed, tuple(records)
        )


def plan_data(plan: SearchPlan) -> dict[str, Any]:
    """All of a plan as plain data: space and workload included."""
    return {
        "bnnsim": __version__,
        "code": judging_code(),
        "optuna": version("optuna"),
        **space_data(plan.space),
        "objectives": [objective.text for objective in plan.objectives],
        "constraints": [str(constraint) for constraint in plan.constraints],
        "sampler": plan.sampler,
        "trials": plan.trials,
        "seed": plan.seed,
        **({OWN: plan.own.digests} if plan.own.functions else {}),
    }


def store_plan(study: optuna.Study, plan: SearchPlan) -> None:
    """Write the plan to a study: from then on it is ready for others."""
    study.set_user_attr(PLAN_ATTRIBUTE, json.dumps(plan_data(plan)))


def stored_plan(study: optuna.Study) -> SearchPlan | None:
    """The plan kept with a study; None where there is none (yet).

    Raises :class:`InputError` where another version, or other code, of bnnsim wrote it: figures would not
    compare, and fields may have had other names.
    """
    text = study.user_attrs.get(PLAN_ATTRIBUTE)
    if text is None:
        return None
    stored, place = json.loads(text), f"study {study.study_name}"
    ours = {"bnnsim": __version__, "code": judging_code()}
    for key, value in ours.items():
        if stored.get(key) != value:
            raise InputError(place, _wanted(key, str(value)), str(stored.get(key, "none")))
    return SearchPlan(
        stored_space(stored),
        parse_objectives(stored["objectives"]),
        parse_constraints(stored["constraints"]),
        stored["sampler"],
        stored["trials"],
        stored["seed"],
    )


def check_plan(study: optuna.Study, plan: SearchPlan, place: str) -> None:
    """Raise :class:`InputError` where ``study`` is of another space, network, sampler, aim or code.

    The number of trials and the seed may differ.
    """
    text = study.user_attrs.get(PLAN_ATTRIBUTE)
    if text is None:
        raise InputError(place, "a study that bnnsim made", f"the study {study.study_name}")
    continued_plan(text, plan, place, any_seed=True)


def continued_plan(text: str, plan: SearchPlan, place: str, any_seed: bool) -> SearchPlan:
    """``plan`` as the search with the stored plan ``text`` goes on: by the size and seed it began with.

    Raises :class:`InputError` as :func:`check_plan` does, and for another seed unless ``any_seed``.
    """
    stored = json.loads(text)
    ours = json.loads(json.dumps(plan_data(plan)))
    for key in _SAME if any_seed else (*_SAME, "seed"):
        if stored.get(key) != ours.get(key):
            if key in ("space", "workload", "members"):
                raise InputError(place, f"{key} the same, which its study was made with", "another")
            if key in ("code", "optuna"):
                raise InputError(place, _wanted(key, ours[key]), str(stored.get(key, "none")))
            wanted = f"{key} {_shown(stored.get(key, []))}, which its study was made with"
            raise InputError(place, wanted, _shown(ours.get(key, [])))
    return replace(plan, seed=int(stored["seed"]), begun_trials=int(stored["trials"]))


def _wanted(key: str, value: str) -> str:
    if key == "bnnsim":
        return f"a study of bnnsim {value}"
    return f"{_SHOWN_KEYS[key]}, {value}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        value = [f"{name} (source {digest})" for name, digest in value.items()]
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)
