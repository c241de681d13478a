"""``bnnsim explore``: search a space for the designs that nothing beats."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bnnsim.cli.completion import names_of
from bnnsim.cli.console import Interrupted, deliver, output
from bnnsim.cli.options import JsonOption, SingleFileOption
from bnnsim.cli.progress import Work
from bnnsim.exploration import DEFAULT_SPACE
from bnnsim.files.whole import check_target
from bnnsim.search.study.samplers import SamplerName
from bnnsim.spec.faults import Fault, InputError, SpecError

if TYPE_CHECKING:
    from bnnsim.exploration.run import Stage
    from bnnsim.search.study.progress import SearchProgress

Verify = Literal["some", "all", "none"]


def command(
    space: Annotated[
        str,
        typer.Argument(help="space: a shipped name or a YAML file", autocompletion=names_of("space")),
    ] = DEFAULT_SPACE,
    workload: Annotated[
        str | None,
        typer.Argument(help="workload; default: the space's own", autocompletion=names_of("workload")),
    ] = None,
    trials: Annotated[int, typer.Option(help="how many designs to judge", metavar="N")] = 300,
    objectives: Annotated[
        str | None,
        typer.Option(help="figures by name, with commas; name:minimise or name:maximise", metavar="A,B"),
    ] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(help="a bound such as 'lut<=40000'; may be given again", metavar="BOUND"),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="one design that keeps this bound, with --minimise or --maximise; may be given again",
            metavar="BOUND",
        ),
    ] = None,
    minimise: Annotated[
        str | None, typer.Option(help="the one figure to make small, such as lut", metavar="FIGURE")
    ] = None,
    maximise: Annotated[
        str | None, typer.Option(help="the one figure to make large", metavar="FIGURE")
    ] = None,
    sampler: Annotated[
        SamplerName,
        typer.Option(help="who proposes designs"),
    ] = "front",
    jobs: Annotated[int | None, typer.Option(help="processes; default: all cores", metavar="N")] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="of sampler and weights; default: 0, or the resumed study's", metavar="N"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="folder for the results; default: explorations/SPACE-1, -2, …", metavar="DIR"),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(help="a database for many machines: postgresql://user@host/db", metavar="URL"),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="the study's name there; default: bnnsim-SPACE", metavar="NAME")
    ] = None,
    worker: Annotated[
        bool, typer.Option("--worker", help="help with a study that another process began")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with the study in --out or --storage")
    ] = False,
    baseline: Annotated[
        int | None,
        typer.Option(
            help="random designs to compare with; default: as many, none for a single figure", metavar="N"
        ),
    ] = None,
    verify: Annotated[
        Verify, typer.Option(help="front designs to re-simulate bit by bit; some: seconds at most")
    ] = "some",
    single_file: SingleFileOption = False,
    json_file: JsonOption = None,
) -> None:
    """Search a space for the designs that nothing beats: python explore.py does the same."""
    from bnnsim.search.study.pool import warm_up

    if storage is None:
        warm_up(jobs)
    from bnnsim.cli.explore.answer import check_outcome, show
    from bnnsim.exploration.explore import explore as run_exploration
    from bnnsim.search.front.verify import VERIFY_WORDS

    if worker:
        if json_file is not None:
            expected = "none beside --worker: who began the study writes what it found"
            raise InputError("--json", expected, repr(json_file))
        _help(storage, study or f"bnnsim-{Path(space).stem}", jobs)
        return
    check_target(json_file)
    goal = goal_of(at or (), minimise, maximise, objectives)
    if goal is not None and baseline is None:
        baseline = 0
    if resume and out is None and storage is None:
        raise InputError("--resume", "the folder to go on in (--out)", "none")
    out = out or _free_folder(Path(space).stem)
    with _SearchWork() as work:
        report = run_exploration(
            space,
            workload,
            trials=trials,
            objectives=_names(objectives) if goal is None else [goal],
            constraints=[*(constraint or ()), *(at or ())],
            sampler=sampler,
            jobs=jobs,
            seed=seed,
            out=out,
            storage=storage,
            study=study,
            resume=resume,
            baseline=baseline,
            verify_words={"some": VERIFY_WORDS, "all": None, "none": 0}[verify],
            single_file=single_file,
            progress=work.advance_in,
        )
    deliver(report, json_file, show)
    check_outcome(report, space)
    if report.interrupted:
        place = f"--out {out}" if storage is None else "the same --storage"
        raise Interrupted(f"interrupted; {place} with --resume goes on")


def _help(storage: str | None, study: str, jobs: int | None) -> None:
    from bnnsim.exploration.explore import join_study

    if storage is None:
        raise InputError("--worker", "the database of the study (--storage)", "none")
    with _SearchWork() as work:
        interrupted = join_study(
            storage, study, jobs=jobs, progress=lambda found: work.advance_in("search", found)
        )
    if interrupted:
        raise Interrupted("interrupted before the study was complete; the same command goes on")
    output.print("the study is complete")


def _names(objectives: str | None) -> list[str] | None:
    return None if objectives is None else [name.strip() for name in objectives.split(",")]


def goal_of(
    at: Sequence[str], minimise: str | None, maximise: str | None, objectives: str | None
) -> str | None:
    """The one objective of a search for one design; None where the front is asked for.

    Raises :class:`SpecError` with every fault of the options that ask for it.
    """
    from bnnsim.search.front.objectives import parse_constraints, parse_objectives

    given = {"--minimise": minimise, "--maximise": maximise}
    wanted = {option: name for option, name in given.items() if name is not None}
    faults: list[Fault] = []
    if at and not wanted:
        faults += InputError("--at", "--minimise or --maximise with it", "neither").faults
    if len(wanted) > 1:
        faults += InputError("--minimise", "one figure, here or in --maximise", "both").faults
    if wanted and objectives is not None:
        faults += InputError("--objectives", f"none beside {next(iter(wanted))}", objectives).faults
    goals = [(option, f"{name}:{option[2:]}") for option, name in wanted.items()]
    try:
        parse_constraints(at, "--at")
    except SpecError as error:
        faults += error.faults
    for option, goal in goals:
        if goal.count(":") > 1:  # the option says the direction
            faults += InputError(option, "a figure's name", repr(wanted[option])).faults
            continue
        try:
            parse_objectives([goal], option)
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(faults)
    return goals[0][1] if goals else None


def _free_folder(space: str) -> Path:
    for number in itertools.count(1):
        folder = Path("explorations") / f"{space}-{number}"
        if not folder.exists():
            return folder
    raise AssertionError


STAGES: Mapping[str, str] = {
    "search": "searching",
    "baseline": "random, to compare",
    "verify": "re-simulating the front",
}


class _SearchWork(Work):
    """Trials, front, hypervolume and designs a second."""

    def __init__(self) -> None:
        super().__init__("starting")

    def advance_in(self, stage: Stage, progress: SearchProgress | tuple[int, int]) -> None:
        if isinstance(progress, tuple):
            (done, total), parts = progress, []
        else:
            done, total = progress.trials, progress.wanted
            # The front of a single figure is one design, and dominates all of its own box.
            covered = [f"hypervolume {progress.hypervolume:.0%}"] if progress.front > 1 else []
            parts = [f"front {progress.front:,}", *covered, f"{progress.designs_per_s:.0f} designs/s"]
        self.tell(STAGES[stage], done, total, ", ".join([f"{done:,} of {total:,}", *parts]))
