"""The search against pymoo's AGE-MOEA2 and NSGA-II (``pip install pymoo``): the same encoding, seeds and
rule of what counts. A design that breaks a bound whatever its timing is costs nobody anything. Shares are
of the best front known of the space (``bnnsim/search/storage/best_known.yaml``), or of what all judged
here dominate where that is more."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.front.front import hypervolume
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs, point_key
from bnnsim.search.storage.best_known import best_known
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool
from tests.benchmarks.row import Row

CORNERS = {
    "cnv-7z020": (300, 4, 53_200),
    "cnv-zu3eg": (900, 8, 70_560),
    "binarynet-engine": (0, 4, 53_200),
}
"""Throughput, watts and LUTs that hypervolumes are measured from."""
BUDGETS = (100, 300, 1_000)
SEEDS = 5
POPULATION = 50
GENERATIONS = 2_000
MOST_IDLE = 5_000
"""Points without a new design after which pymoo's are done: small spaces have no more."""
WORST = 1e9


class Enough(Exception):
    """As many designs are judged as there were to be, or as are found."""


class Judge:
    """Judges designs once, whoever asks, and notes what each asker's front dominates.

    ``corner`` has a figure for each objective; without it there is no volume.
    """

    def __init__(self, plan: SearchPlan, corner: tuple[float, ...] = ()) -> None:
        self.plan = plan
        self.evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
        pairs = zip(plan.objectives, corner, strict=bool(corner))
        self.corner = np.array([objective.loss(figure) for objective, figure in pairs])
        self.known: dict[Any, PointResult] = {}

    def __call__(self, knobs: Knobs) -> PointResult:
        key = point_key(knobs)
        if key not in self.known:
            self.known[key] = self.evaluator.screen(knobs)
        return self.known[key]

    def losses(self, result: PointResult) -> list[float]:
        return [o.loss(float(result.figures[o.name])) for o in self.plan.objectives]

    def volume(self, results: list[PointResult]) -> float:
        rows = [self.losses(result) for result in results if result.is_feasible]
        return hypervolume(np.array(rows).reshape(len(rows), len(self.corner)), self.corner)


def own(judge: Judge, seed: int) -> list[PointResult]:
    """The designs that this project's search judges."""
    plan = replace(judge.plan, seed=seed)
    found, _ = search(plan, Pool(None), evaluate=judge)
    return [trial.result for trial in found.trials]


def pymoo_s(name: str, judge: Judge, seed: int, population: int = POPULATION) -> list[PointResult]:
    """The designs that one of pymoo's algorithms judges, with its operators for whole numbers."""
    from pymoo.algorithms.moo.age2 import AGEMOEA2
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.optimize import minimize

    encoding = judge.plan.encoding
    sizes = np.array(list(encoding.sizes.values()))
    judged: dict[Any, PointResult] = {}
    idle = 0

    class Problem(ElementwiseProblem):  # type: ignore[misc]
        def _evaluate(self, x: Any, out: dict[str, Any], *_: Any, **__: Any) -> None:
            nonlocal idle
            point = {n: int(v) for n, v in zip(encoding.sizes, np.round(x), strict=True)}
            knobs = encoding.describe(point)
            result = judge(knobs)
            if result.infeasible_reason:
                out["F"], out["G"] = [WORST] * len(judge.plan.objectives), [1.0]
                return
            idle = idle + 1 if point_key(knobs) in judged else 0
            judged.setdefault(point_key(knobs), result)
            out["F"] = judge.losses(result)
            out["G"] = [sum(max(0.0, v) for v in result.normalised_violations.values())]
            if len(judged) >= judge.plan.trials or idle > MOST_IDLE:
                raise Enough

    seeds = [list(seed.values()) for seed in judge.plan.seeds()]
    draw = np.random.default_rng(seed)
    drawn = [draw.integers(sizes).tolist() for _ in range(population - len(seeds))]
    size, limits = len(sizes), {"xl": np.zeros(len(sizes)), "xu": sizes - 1, "vtype": int}
    whole = {"prob": 1.0, "eta": 3.0, "vtype": float, "repair": RoundingRepair()}
    algorithm = {"AGE-MOEA2": AGEMOEA2, "NSGA-II": NSGA2}[name](
        pop_size=population, sampling=np.array(seeds + drawn, float), crossover=SBX(**whole),
        mutation=PM(**whole), eliminate_duplicates=True,
    )  # fmt: skip
    problem = Problem(n_var=size, n_obj=len(judge.plan.objectives), n_ieq_constr=1, **limits)
    with contextlib.suppress(Enough):
        minimize(problem, algorithm, ("n_gen", GENERATIONS), seed=seed, verbose=False)
    return list(judged.values())


def compared(space: str, seeds: int = SEEDS, budgets: tuple[int, ...] = BUDGETS) -> list[Row]:
    """What each dominates after each number of designs, as a share of the best known."""
    plan = plan_of(space, None, max(budgets), None, (), "front", 0)
    judge = Judge(plan, CORNERS[space])
    found: Mapping[str, list[list[PointResult]]] = {
        "own": [own(judge, seed) for seed in range(seeds)],
        "AGE-MOEA2": [pymoo_s("AGE-MOEA2", judge, seed) for seed in range(seeds)],
        "NSGA-II": [pymoo_s("NSGA-II", judge, seed) for seed in range(seeds)],
    }
    together = judge.volume(list(judge.known.values()))
    whole = max([together, *known_volumes(space)])
    note = f"{len(judge.known):,} designs judged, {together / whole:.1%} of the best known"
    rows = [Row(f"{space}: all together", together, "", note=note)]
    for budget in budgets:
        for name, runs in found.items():
            shares = [judge.volume(run[:budget]) / whole for run in runs]
            note = f"worst of {seeds}: {min(shares):.1%}"
            rows.append(Row(f"{space}, {budget}: {name}", 100 * sum(shares) / seeds, "%", note=note))
    return rows


def known_volumes(space: str) -> list[float]:
    """What the best front known of a space dominates, from the same corner."""
    return [
        one.hypervolume
        for one in best_known()
        if one.space == space and tuple(one.corner) == CORNERS[space]
    ]


def measure() -> list[Row]:
    """All three spaces."""
    return [row for space in CORNERS for row in compared(space)]
