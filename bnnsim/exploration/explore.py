"""Exploration: search a space for its Pareto front, check the front, and leave it on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bnnsim.exploration import DEFAULT_SPACE
from bnnsim.exploration.as_given import with_architecture_as_given
from bnnsim.exploration.plan import plan_of
from bnnsim.exploration.report import ExplorationReport
from bnnsim.exploration.run import ExplorationRun, StageProgress
from bnnsim.files.folder import prepare_folder
from bnnsim.search.front.own_figures import PLACE, OwnFigure
from bnnsim.search.front.verify import VERIFY_WORDS
from bnnsim.search.storage.database import Database, check_storage, open_storage, wait_for_plan
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import warm_up
from bnnsim.search.study.progress import SearchProgress
from bnnsim.search.study.samplers import SamplerName
from bnnsim.search.study.worker_group import run_worker_group
from bnnsim.spec.bounds import MAX_TRIALS
from bnnsim.spec.faults import InputError


def explore(
    space: str | Path = DEFAULT_SPACE,
    workload: str | Path | None = None,
    *,
    trials: int = 300,
    objectives: Sequence[str] | None = None,
    constraints: Sequence[str] = (),
    own_figures: Mapping[str, OwnFigure] | None = None,
    sampler: SamplerName = "front",
    jobs: int | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    storage: str | None = None,
    study: str | None = None,
    resume: bool = False,
    baseline: int | None = None,
    verify_words: int | None = VERIFY_WORDS,
    single_file: bool = False,
    progress: StageProgress | None = None,
) -> ExplorationReport:
    """Search a space for the designs that nothing beats.

    The same seed gives the same trials whatever ``jobs`` and however often the search was stopped, killed
    and resumed, except on a server, where workers race.

    Args:
        space: a shipped space's name or a YAML file.
        workload: the network, by shipped name or file; default: the space's own.
        trials: how many different designs to evaluate.
        objectives: figures by name (``objectives.METRICS``), each with ``:minimise`` or ``:maximise``
            where the usual direction is not wanted; default: the space's own.
        constraints: bounds such as ``"lut<=40000"``, beside the space's own and the device's budget.
        own_figures: further figures by name, each a function of a design's
            :class:`~bnnsim.evaluation.record.Evaluation` (timing only) that gives a number, or None where
            the design has none; ``objectives`` (with their direction) and ``constraints`` name them. Each
            must give the same number for the same design. Functions that other processes cannot import
            (lambdas, those of a script, a notebook or a prompt) run in this one alone. A search that is
            resumed must have functions of the same source.
        sampler: who proposes designs (``samplers.SAMPLERS``); ``exact`` computes the front instead, where
            layers only share the budget or the space is small.
        jobs: processes; default: one a core.
        seed: of the sampler, and of drawn weights where the front is verified, from 0 to 2**32 - 1;
            default: 0, or that of the study that is resumed.
        out: the folder for tables, designs, page and journal; None: nothing is written.
        storage: a database server's address; trials are kept there instead of in ``out``.
        study: the study's name there; default: ``bnnsim-<space>``.
        resume: go on with the trials in ``out`` or in ``storage``.
        baseline: designs to draw at random for comparison; default: as many as trials.
        verify_words: front designs are re-simulated word by word with one frame, the smallest first, up
            to so many stream words in all; None: all of them, 0: none.
        single_file: the page has the library that draws inside and can be sent alone; else it lies
            beside the page.
        progress: called with ``"search"`` or ``"baseline"`` and a
            :class:`~bnnsim.search.study.progress.SearchProgress`, then with ``"verify"`` and
            (designs verified, of so many).

    Returns:
        The trials with their front, and how the front was verified. After Ctrl-C, what there is by then.

    Raises:
        SpecError: for what the user gave wrong, with every fault located, and for a folder, disk or
            server that does not take the results.

    Example:
        >>> from bnnsim import explore
        >>> report = explore("pynq-tfc", "tfc", trials=20, jobs=1, baseline=0)
        >>> len(report.exploration.trials), report.interrupted
        (20, False)
        >>> best = report.exploration.front[0]
        >>> best.result.is_feasible, [o.name for o in report.exploration.objectives]
        (True, ['throughput_fps', 'lut'])
        >>> all(checked.is_exact for checked in report.verifications)
        True
    """
    if storage is None:
        warm_up(_jobs(jobs))
    if baseline is not None and baseline < 0:
        raise InputError("--baseline", "a number >= 0", str(baseline))
    if baseline is not None and baseline > MAX_TRIALS:
        raise InputError("--baseline", f"at most {MAX_TRIALS:,}", str(baseline))
    plan = plan_of(
        space, workload, trials, objectives, constraints, sampler, seed or 0, own_figures
    )
    jobs = _jobs_for(plan, jobs, storage)
    folder = None if out is None else Path(out)
    database = Database(storage, study or f"bnnsim-{plan.space.name}") if storage else None
    if database is not None:
        check_storage(database, jobs)
        open_storage(database)  # before anything is written
    if folder is not None:
        prepare_folder(folder)
    run = ExplorationRun(
        plan=replace(plan, space=with_architecture_as_given(plan.space)),
        jobs=jobs,
        out=folder,
        baseline=trials if baseline is None else baseline,
        verify_words=verify_words,
        is_single_file=single_file,
        progress=progress,
        resume=resume,
        any_seed=seed is None,
    )
    return run.run_alone() if database is None else run.run_on_server(database)


def join_study(
    storage: str,
    study: str,
    *,
    jobs: int | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
) -> bool:
    """Work at a study that :func:`explore` began on a server, until it is complete.

    Args:
        storage: the server's address.
        study: the study's name there; space, aims and seed come with it.
        jobs: processes; default: one a core.
        progress: called now and then with how far the study is.

    Returns:
        Whether Ctrl-C ended the work before the study was complete.

    Raises:
        InputError: where there is no such server or study, or no worker lives.
    """
    database = Database(storage, study)
    check_storage(database, 2)  # whoever began it works at it too
    return run_worker_group(database, wait_for_plan(database), _jobs(jobs), progress)


def _jobs_for(plan: SearchPlan, jobs: int | None, storage: str | None) -> int:
    """Processes that can judge: one where figures of the user's own are functions of this process."""
    if plan.own.functions and storage is not None:
        raise InputError(PLACE, "none with a server, whose workers do not have the functions", "some")
    if plan.own.are_importable:
        return _jobs(jobs)
    if jobs not in (None, 1):
        expected = "functions at the top of a module that is imported, or jobs=1"
        raise InputError(PLACE, expected, f"others, and jobs={jobs}")
    return 1


def _jobs(jobs: int | None) -> int:
    if jobs is not None and jobs < 1:
        raise InputError("--jobs", "a number >= 1", str(jobs))
    return jobs or os.cpu_count() or 1
