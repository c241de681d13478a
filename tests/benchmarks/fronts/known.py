"""Designs for the best front known of a space, from three optimisers and a local search behind them:
``python -m tests.benchmarks.fronts.known SPACE FOLDER --designs 20000`` (``pip install pymoo``), then
``python tools/best_known.py SPACE FOLDER --origin TEXT``.

The search of this project and pymoo's AGE-MOEA2 and NSGA-II judge a third of the designs each, in runs of
several seeds. Then all designs one step from the front of all of them are judged, by the knobs
themselves instead of what a search sees of them (PE, SIMD, memories of single layers), until no step
leads further or there are half as many designs again.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.front import is_on_front
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs, point_key
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.space.space import Space
from bnnsim.search.study.plan import SearchPlan
from tests.benchmarks.optimisers import Judge, own, pymoo_s

OPTIMISERS = ("own", "AGE-MOEA2", "NSGA-II")
RUNS = 2
POPULATION = 200
STEP_BATCH = 200
FURTHER = 0.5
"""Designs that the local search may judge, by those before it."""
Key = tuple[tuple[str, Any], ...]
Judged = dict[Key, tuple[Knobs, PointResult]]


def plan(space: str, trials: int) -> SearchPlan:
    return plan_of(space, None, trials, None, (), "front", 0)


def run(space: str, optimiser: str, seed: int, trials: int) -> Judged:
    """What one optimiser judges in one run."""
    judge = _Noting(plan(space, trials))
    if optimiser == "own":
        own(judge, seed)
    else:
        pymoo_s(optimiser, judge, seed, POPULATION)
    return judge.judged


class _Noting(Judge):
    """A judge that keeps the knobs of what has figures."""

    def __init__(self, plan: SearchPlan) -> None:
        super().__init__(plan)
        self.judged: Judged = {}

    def __call__(self, knobs: Knobs) -> PointResult:
        result = super().__call__(knobs)
        if not result.infeasible_reason:
            self.judged.setdefault(point_key(knobs), (knobs, result))
        return result


_judges: dict[str, Judge] = {}


def judge(space: str, batch: list[Knobs]) -> list[PointResult]:
    """Designs judged in a process of a pool."""
    if space not in _judges:
        _judges[space] = Judge(plan(space, 1))
    return [_judges[space].evaluator.screen(knobs) for knobs in batch]


def front_of(search: SearchPlan, judged: Judged) -> list[Knobs]:
    """The designs that keep every bound and that none of the others dominates."""
    kept = [(knobs, result) for knobs, result in judged.values() if result.is_feasible]
    rows = [[o.loss(float(r.figures[o.name])) for o in search.objectives] for _, r in kept]
    losses = np.array(rows).reshape(len(kept), len(search.objectives))
    return [kept[place][0] for place in np.flatnonzero(is_on_front(losses))]


def steps(raw: RawEncoding, knobs: Knobs) -> list[Knobs]:
    """Designs one step away: a knob one value up or down, or PE and SIMD of a layer both."""
    space = raw.space
    values: dict[str, Sequence[Any]] = {knob.name: knob.values for knob in space.knobs}
    pairs = []
    for layer in space.folded:
        names = [f"layers.{layer}.{side}" for side in ("pe", "simd")]
        values |= dict(zip(names, raw.sides(layer).values(), strict=True))
        pairs.append(names)
    beside: dict[str, list[Any]] = {}
    for name, choices in values.items():
        here = choices.index(knobs[name])
        beside[name] = [choices[n] for n in (here - 1, here + 1) if 0 <= n < len(choices)]
    found: list[Knobs] = [{**knobs, name: one} for name in values for one in beside[name]]
    for first, second in pairs:
        both = product(beside[first], beside[second])
        found += [{**knobs, first: one, second: other} for one, other in both]
    return found


def gather(space: str, designs: int, jobs: int) -> tuple[SearchPlan, Judged, str]:
    """Designs of all optimisers together, and a line on what they found."""
    each = -(-designs // (len(OPTIMISERS) * RUNS))
    judged: Judged = {}
    with ProcessPoolExecutor(jobs) as pool:
        asked = [pool.submit(run, space, o, s, each) for o in OPTIMISERS for s in range(RUNS)]
        for one in asked:
            judged |= one.result()
        before, search = len(judged), plan(space, each)
        if isinstance(search.space, Space):
            _walk(space, search, judged, int(before * (1 + FURTHER)), pool)
    return search, judged, f"{before:,} designs of three optimisers, {len(judged) - before:,} steps"


def _walk(space: str, search: SearchPlan, judged: Judged, most: int, pool: ProcessPoolExecutor) -> None:
    assert isinstance(search.space, Space)
    raw, draw = RawEncoding(search.space), Random(0)
    left: set[Key] = set()
    met: set[Key] = set(judged)
    while len(judged) < most:
        members = [knobs for knobs in front_of(search, judged) if point_key(knobs) not in left]
        if not members:
            return
        draw.shuffle(members)
        new: dict[Key, Knobs] = {}
        for knobs in members:
            left.add(point_key(knobs))
            for step in steps(raw, knobs):
                if point_key(step) not in met:
                    new[point_key(step)] = step
            if len(new) >= STEP_BATCH:
                break
        met |= set(new)
        points = list(new.values())
        parts = [points[start :: os.cpu_count() or 1] for start in range(os.cpu_count() or 1)]
        for part, results in zip(parts, pool.map(judge, [space] * len(parts), parts), strict=True):
            for knobs, result in zip(part, results, strict=True):
                if not result.infeasible_reason:
                    judged[point_key(knobs)] = knobs, result


def write(search: SearchPlan, judged: Judged, folder: Path) -> None:
    """``trials.csv`` as far as ``tools/best_known.py`` reads it, with each design's knobs."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [objective.name for objective in search.objectives]
    knobs_names = list(dict.fromkeys(name for knobs, _ in judged.values() for name in knobs))
    with (folder / "trials.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "feasible", *names, *knobs_names])
        for number, (knobs, result) in enumerate(judged.values()):
            kept = "yes" if result.is_feasible else "no"
            figures = [repr(float(result.figures[name])) for name in names]
            writer.writerow([number, kept, *figures, *(knobs.get(n, "") for n in knobs_names)])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("space")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--designs", type=int, default=21_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    search, judged, text = gather(options.space, options.designs, options.jobs)
    write(search, judged, options.folder)
    print(text)


if __name__ == "__main__":
    main()
