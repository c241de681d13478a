"""One exploration from its plan to its files: search, baseline, verification, results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Set
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from bnnsim.exploration.report import IMPORTANCE, PARETO_PAGE, ExplorationReport
from bnnsim.search.front.evaluator import (
    Evaluator,
    depths_here,
    evaluate_here,
    screen_here,
    set_evaluator,
)
from bnnsim.search.front.judge_again import doubted_trials, judge_again
from bnnsim.search.front.verify import verify
from bnnsim.search.points.encoding import point_key
from bnnsim.search.space.alternatives import Alternatives
from bnnsim.search.storage.database import Database, create_study
from bnnsim.search.storage.outage import through_outages
from bnnsim.search.storage.record import Exploration
from bnnsim.search.storage.results import write_results
from bnnsim.search.storage.store import BASELINE, STUDY, TrialStore, open_journal
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool, load_solver, open_pool
from bnnsim.search.study.progress import SearchProgress
from bnnsim.search.study.stored_trials import stored_exploration
from bnnsim.search.study.worker_group import run_worker_group
from bnnsim.spec.faults import InputError
from bnnsim.validation.certainty import model_errors

Stage = Literal["baseline", "search", "verify"]
StageProgress = Callable[[Stage, SearchProgress | tuple[int, int]], None]
"""Called with a stage and how far it is: a search's progress, or (designs verified, of so many)."""


@dataclass
class ExplorationRun:
    """One exploration from its plan to its files.

    ``baseline`` is the number of random designs to compare with; the other fields are arguments of
    :func:`~bnnsim.exploration.explore.explore`, checked.
    """

    plan: SearchPlan
    jobs: int
    out: Path | None
    baseline: int
    verify_words: int | None
    progress: StageProgress | None
    resume: bool
    is_single_file: bool = False
    """Whether the page has the library that draws inside, instead of beside it."""
    any_seed: bool = False
    """Whether a study that is gone on with keeps its own seed."""
    started: float = field(default_factory=time.monotonic)

    def run_alone(self) -> ExplorationReport:
        """Search on this machine, trials in a journal in the folder."""
        plan = self.plan
        plans = {STUDY: plan, BASELINE: self.random_plan}
        evaluator = Evaluator(plan.space, plan.objectives, plan.constraints, plan.own)
        journal = (
            nullcontext(None)
            if self.out is None
            else open_journal(self.out, plans, self.resume, self.any_seed)
        )
        with journal as stores, open_pool(self.jobs, set_evaluator, evaluator) as pool:
            store = stores[STUDY] if stores else None
            if store is not None:
                self.plan = store.plan
            if self._judges_pipelines(store):
                if self.jobs == 1:
                    load_solver()  # as all other processes have it before they begin
                for point in self.plan.first()[:1]:
                    pool.rehearse(evaluate_here, self.plan.encoding.describe(point))
            begun = time.monotonic()
            found, interrupted = search(self.plan, pool, store, self._stage("search"))
            seconds = time.monotonic() - begun
            if self.baseline and not interrupted:
                found, interrupted = self.with_baseline(found, pool, stores[BASELINE] if stores else None)
            return self.finish(found, pool, interrupted, seconds, store)

    def _judges_pipelines(self, store: TrialStore | None) -> bool:
        """Whether pipelines that fold are still to be judged."""
        space = self.plan.space
        members = space.members.values() if isinstance(space, Alternatives) else (space,)
        missing = store is None or len(store.numbers) < self.plan.trials
        return missing and any(member.folded for member in members)

    def run_on_server(self, database: Database) -> ExplorationReport:
        """Search with any number of other machines, trials on a database server.

        Raises :class:`InputError` for the exact front, which nobody can share, and where the server does
        not answer or has another study of that name.
        """
        plan = self.plan
        if plan.sampler == "exact":
            raise InputError("--storage", "a sampler that proposes point by point", "exact")
        create_study(database, plan, self.resume)
        begun = time.monotonic()
        interrupted = run_worker_group(database, plan, self.jobs, self._stage("search"))
        seconds = time.monotonic() - begun
        patience_s = 0.0 if interrupted else None
        found = through_outages(
            database, lambda: stored_exploration(database, plan), is_said=True, patience_s=patience_s
        )
        evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
        with open_pool(self.jobs, set_evaluator, evaluator) as pool:
            if self.baseline and not interrupted:
                found, interrupted = self.with_baseline(found, pool, None)
            return self.finish(found, pool, interrupted, seconds, database)

    @property
    def random_plan(self) -> SearchPlan:
        """The plan of a search without knowledge for the same aims."""
        return replace(self.plan, sampler="random", trials=max(1, self.baseline))

    def with_baseline(
        self, found: Exploration, pool: Pool, store: TrialStore | None
    ) -> tuple[Exploration, bool]:
        """``found`` with its random baseline, and whether Ctrl-C ended drawing that."""
        plan = self.random_plan if store is None else store.plan
        other, interrupted = search(plan, pool, store, self._stage("baseline"), screen_here)
        if store is not None:
            place = f"{_place(store)}: {store.name}"
            judge_again(doubted_trials(other, store.numbers), pool, place, screen_here)
        return replace(found, baseline=other.trials), interrupted

    def finish(
        self,
        found: Exploration,
        pool: Pool,
        interrupted: bool,
        search_seconds: float,
        storage: TrialStore | Database | None,
    ) -> ExplorationReport:
        """Check the front and write everything down.

        What is shown is judged again: all of it, or, where nothing is to be verified, what was stored;
        of what was stored some besides.
        """
        words = 0 if interrupted else self.verify_words
        stored: Set[int] = storage.numbers if isinstance(storage, TrialStore) else frozenset()
        is_all = words != 0 or isinstance(storage, Database)
        fresh = [trial for trial in found.shown if is_all and trial.number not in stored]
        judge_again([*fresh, *doubted_trials(found, stored)], pool, _place(storage) or found.space.name)
        checked = verify(found, pool, self.plan.seed, words, self._advance)
        given = {name for trial in found.trials for name in trial.result.figures}
        errors = tuple(error for error in model_errors() if error.quantity in given)
        if isinstance(storage, TrialStore):
            storage.journal.check()
        if self.out is not None and found.trials:
            _keep_depths(found, pool)
            from bnnsim.report.figures.plot_page import library
            from bnnsim.report.search.pareto import pareto_info, pareto_page

            notes = {v.id: v.note for v in checked}
            info = pareto_info(found, notes, {v.id: v.is_exact for v in checked}, errors)
            moved = {"importance": [asdict(knob) for knob in info.importance], "axes": info.axes}
            pages = {
                **library(self.is_single_file),
                PARETO_PAGE: pareto_page(info, self.is_single_file),
                IMPORTANCE: json.dumps(moved, indent=1) + "\n",
            }
            write_results(found, self.out, notes, pages)
            if isinstance(storage, TrialStore):
                storage.journal.check()
        seconds = time.monotonic() - self.started
        return ExplorationReport(found, checked, self.out, errors, interrupted, seconds, search_seconds)

    def _stage(self, stage: Stage) -> Callable[[SearchProgress], None] | None:
        advance = self.progress
        return None if advance is None else lambda progress: advance(stage, progress)

    def _advance(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress("verify", (done, total))


def _keep_depths(found: Exploration, pool: Pool) -> None:
    """Have the depths of the front's designs found by all processes, where a space sizes FIFOs."""
    members = ((found.space.member(trial.knobs), trial.knobs) for trial in found.shown)
    sized = [(member, knobs) for member, knobs in members if member.explore.fifos == "sized"]
    depths = pool.map(depths_here, [knobs for _, knobs in sized])
    for (member, knobs), words in zip(sized, depths, strict=True):
        member.sized[point_key(knobs)] = words


def _place(storage: TrialStore | Database | None) -> str:
    """Where a search's trials are kept, for messages."""
    if isinstance(storage, TrialStore):
        return str(storage.journal.path)
    return "" if storage is None else f"study {storage.study}"
