"""Exploration: search a space for its Pareto front, check the front, and leave it on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bnnsim.files.folder import prepare_folder
from bnnsim.search.front.evaluator import Evaluator, screen_here, set_evaluator
from bnnsim.search.front.exact import check_exact
from bnnsim.search.front.objectives import parse_constraints, parse_objectives
from bnnsim.search.front.verify import VERIFY_WORDS, Verification, verify
from bnnsim.search.space.alternatives import load_search_space
from bnnsim.search.storage.database import (
    Database,
    check_storage,
    create_study,
    open_storage,
    wait_for_plan,
)
from bnnsim.search.storage.record import Exploration
from bnnsim.search.storage.results import write_results
from bnnsim.search.storage.store import BASELINE, STUDY, TrialStore, open_journal
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.plan_check import check_buildable, check_given
from bnnsim.search.study.pool import Pool, open_pool, warm_up
from bnnsim.search.study.progress import SearchProgress
from bnnsim.search.study.samplers import SAMPLERS, SamplerName, make_sampler
from bnnsim.search.study.stored_trials import stored_exploration
from bnnsim.search.study.worker_group import run_worker_group
from bnnsim.spec.faults import InputError, near_names
from bnnsim.validation.certainty import ModelError, model_errors

DEFAULT_SPACE = "cnv-7z020"
PAGE = "pareto.html"
Stage = Literal["baseline", "search", "verify"]
Advance = Callable[[Stage, SearchProgress | tuple[int, int]], None]


@dataclass(frozen=True)
class ExplorationReport:
    """What an exploration found and left behind.

    ``verifications`` has one entry for each design of the front, in its order; ``model_errors`` say how
    far the estimates among the figures may be off. ``seconds`` are those
    of search, baseline and verification together with everything written; ``search_seconds`` those of
    the search alone.
    """

    exploration: Exploration
    verifications: tuple[Verification, ...]
    out: Path | None
    model_errors: tuple[ModelError, ...]
    interrupted: bool
    seconds: float
    search_seconds: float

    @property
    def page(self) -> Path | None:
        """The page to look at."""
        return None if self.out is None else self.out / PAGE

    @property
    def differing(self) -> tuple[Verification, ...]:
        """Front designs whose bits or cycles differ between the executors: errors of the tool."""
        return tuple(v for v in self.verifications if v.is_exact is False)


def explore(
    space: str | Path = DEFAULT_SPACE,
    workload: str | Path | None = None,
    *,
    trials: int = 300,
    objectives: Sequence[str] | None = None,
    constraints: Sequence[str] = (),
    sampler: SamplerName = "nsga2",
    jobs: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    storage: str | None = None,
    study: str | None = None,
    resume: bool = False,
    baseline: int | None = None,
    verify_words: int | None = VERIFY_WORDS,
    progress: Advance | None = None,
) -> ExplorationReport:
    """Search ``space`` (a shipped name or a file) for the designs that nothing beats.

    ``workload`` and ``objectives`` default to the space's own; ``constraints`` are added to the space's.
    ``baseline`` is the number of designs that are drawn at random, and evaluated for comparison
    (default: as many as trials). The front's designs are re-simulated word by word with one
    frame, the smallest first, up to ``verify_words`` words in all (None: all of them, 0: none).
    Trials are kept in
    ``out`` (nothing is written where it is None), or on the database server at ``storage`` under the
    name ``study``; ``resume`` goes on with them. The same seed gives the same trials whatever ``jobs``,
    except on a server, where workers race.

    Raises :class:`~bnnsim.spec.faults.SpecError` for what the user gave wrong, and for a folder, disk
    or server that does not take the results.
    """
    if storage is None:
        warm_up(_jobs(jobs))
    if baseline is not None and baseline < 0:
        raise InputError("--baseline", "a number >= 0", str(baseline))
    run = _Run(
        plan=plan_of(space, workload, trials, objectives, constraints, sampler, seed),
        jobs=_jobs(jobs),
        out=None if out is None else Path(out),
        baseline=trials if baseline is None else baseline,
        verify_words=verify_words,
        progress=progress,
        resume=resume,
    )
    database = Database(storage, study or f"bnnsim-{run.plan.space.name}") if storage else None
    if database is not None:
        check_storage(database, run.jobs)
        open_storage(database)  # before anything is written
    if run.out is not None:
        prepare_folder(run.out)
    return run.alone() if database is None else run.on_server(database)


def help_out(
    storage: str,
    study: str,
    *,
    jobs: int | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
) -> bool:
    """Work at a study that :func:`explore` began on a server, until it is complete.

    Everything else comes from the study. Returns whether Ctrl-C ended it before. Raises
    :class:`~bnnsim.spec.faults.InputError` where there is no such server or study.
    """
    database = Database(storage, study)
    check_storage(database, 2)  # whoever began it works at it too
    return run_worker_group(database, wait_for_plan(database), _jobs(jobs), progress)


def plan_of(
    space: str | Path,
    workload: str | Path | None,
    trials: int,
    objectives: Sequence[str] | None,
    constraints: Sequence[str],
    sampler: SamplerName,
    seed: int,
) -> SearchPlan:
    """What to search, checked: there is a design to begin with.

    Raises :class:`~bnnsim.spec.faults.SpecError`.
    """
    if trials < 1:
        raise InputError("--trials", "a number >= 1", str(trials))
    if sampler not in SAMPLERS:
        near = near_names(sampler, SAMPLERS)
        raise InputError("--sampler", f"one of {', '.join(SAMPLERS)}", repr(sampler), near)
    loaded = load_search_space(space, workload)
    file = loaded.source.file
    wanted = parse_objectives(objectives) if objectives is not None else None
    bounds = parse_constraints(constraints)
    plan = SearchPlan(
        loaded,
        wanted or parse_objectives(loaded.explore.objectives, f"{file}: explore.objectives"),
        (*parse_constraints(loaded.explore.constraints, f"{file}: explore.constraints"), *bounds),
        sampler,
        trials,
        seed,
    )
    check_given(plan)
    if sampler == "exact":
        check_exact(loaded, plan.encoding.points, plan.objectives, plan.constraints)
    else:
        make_sampler(sampler, seed, trials)
    check_buildable(loaded)
    return plan


def _jobs(jobs: int | None) -> int:
    if jobs is not None and jobs < 1:
        raise InputError("--jobs", "a number >= 1", str(jobs))
    return jobs or os.cpu_count() or 1


@dataclass
class _Run:
    """One exploration from its plan to its files."""

    plan: SearchPlan
    jobs: int
    out: Path | None
    baseline: int
    verify_words: int | None
    progress: Advance | None
    resume: bool
    started: float = field(default_factory=time.monotonic)

    def alone(self) -> ExplorationReport:
        """On this machine, trials in a journal in the folder."""
        plan = self.plan
        plans = {STUDY: plan, BASELINE: self.random}
        evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
        journal = nullcontext(None) if self.out is None else open_journal(self.out, plans, self.resume)
        with journal as stores, open_pool(self.jobs, set_evaluator, evaluator) as pool:
            store = stores[STUDY] if stores else None
            begun = time.monotonic()
            found, interrupted = search(
                plan, pool, store, store.records() if store else (), self._stage("search")
            )
            seconds = time.monotonic() - begun
            if self.baseline and not interrupted:
                found, interrupted = self.compared(found, pool, stores[BASELINE] if stores else None)
            return self.finish(found, pool, interrupted, seconds)

    def on_server(self, database: Database) -> ExplorationReport:
        """With any number of other machines, trials on a database server."""
        plan = self.plan
        if plan.sampler == "exact":
            raise InputError("--storage", "a sampler that proposes point by point", "exact")
        create_study(database, plan, self.resume)
        begun = time.monotonic()
        interrupted = run_worker_group(database, plan, self.jobs, self._stage("search"))
        seconds = time.monotonic() - begun
        found = stored_exploration(database, plan)
        evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
        with open_pool(self.jobs, set_evaluator, evaluator) as pool:
            if self.baseline and not interrupted:
                found, interrupted = self.compared(found, pool, None)
            return self.finish(found, pool, interrupted, seconds)

    @property
    def random(self) -> SearchPlan:
        """The plan of a search without knowledge for the same aims."""
        return replace(self.plan, sampler="random", trials=max(1, self.baseline))

    def compared(
        self, found: Exploration, pool: Pool, store: TrialStore | None
    ) -> tuple[Exploration, bool]:
        """``found`` with its baseline, and whether Ctrl-C ended that."""
        earlier = store.records() if store else ()
        advance = self._stage("baseline")
        other, interrupted = search(self.random, pool, store, earlier, advance, screen_here)
        return replace(found, baseline=other.trials), interrupted

    def finish(
        self, found: Exploration, pool: Pool, interrupted: bool, search_seconds: float
    ) -> ExplorationReport:
        """Check the front and write everything down."""
        words = 0 if interrupted else self.verify_words
        checked = verify(found, pool, self.plan.seed, words, self._advance)
        given = {name for trial in found.trials for name in trial.result.figures}
        errors = tuple(error for error in model_errors() if error.quantity in given)
        if self.out is not None and found.trials:
            from bnnsim.report.search.pareto import pareto_info, pareto_page

            notes = {v.id: v.note for v in checked}
            info = pareto_info(found, notes, {v.id: v.is_exact for v in checked}, errors)
            write_results(found, self.out, notes, {PAGE: pareto_page(info)})
        seconds = time.monotonic() - self.started
        return ExplorationReport(
            found, checked, self.out, errors, interrupted, seconds, search_seconds
        )

    def _stage(self, stage: Stage) -> Callable[[SearchProgress], None] | None:
        advance = self.progress
        return None if advance is None else lambda progress: advance(stage, progress)

    def _advance(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress("verify", (done, total))
