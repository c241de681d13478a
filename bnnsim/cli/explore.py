"""``bnnsim explore``: search a space for the designs that nothing beats."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from bnnsim.cli.console import SimulationFailed, errors, output
from bnnsim.exploration import DEFAULT_SPACE, ExplorationReport, Stage, help_out
from bnnsim.exploration import explore as run_exploration
from bnnsim.report.pareto import FIGURES
from bnnsim.search.coordinator import Progress as SearchProgress
from bnnsim.search.record import TrialRecord
from bnnsim.search.results import design_name
from bnnsim.search.verify import WORDS
from bnnsim.spec.faults import InputError

SHOWN = 12
Verify = Literal["some", "all", "none"]


def command(
    space: Annotated[
        str, typer.Argument(help="space: a shipped name or a YAML file")
    ] = DEFAULT_SPACE,
    workload: Annotated[
        str | None, typer.Argument(help="workload; default: the space's own")
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
    sampler: Annotated[
        Literal["nsga2", "nsga3", "tpe", "gp", "qmc", "random", "exact"],
        typer.Option(help="who proposes designs"),
    ] = "nsga2",
    jobs: Annotated[int | None, typer.Option(help="processes; default: all cores", metavar="N")] = None,
    seed: Annotated[int, typer.Option(help="of the sampler and of drawn weights")] = 0,
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
        typer.Option(help="random designs to compare with; default: as many as trials", metavar="N"),
    ] = None,
    verify: Annotated[
        Verify, typer.Option(help="front designs to re-simulate bit by bit; some: seconds at most")
    ] = "some",
) -> None:
    """Search a space for the designs that nothing beats: python explore.py does the same."""
    if worker:
        _help(storage, study or f"bnnsim-{Path(space).stem}", jobs)
        return
    if resume and out is None and storage is None:
        raise InputError("--resume", "the folder to go on in (--out)", "none")
    out = out or _free_folder(Path(space).stem)
    with _Line() as line:
        report = run_exploration(
            space,
            workload,
            trials=trials,
            objectives=objectives.split(",") if objectives else None,
            constraints=constraint or (),
            sampler=sampler,
            jobs=jobs,
            seed=seed,
            out=out,
            storage=storage,
            study=study,
            resume=resume,
            baseline=baseline,
            verify_words={"some": WORDS, "all": None, "none": 0}[verify],
            progress=line.advance,
        )
    show(report)


def _help(storage: str | None, study: str, jobs: int | None) -> None:
    if storage is None:
        raise InputError("--worker", "the database of the study (--storage)", "none")
    with _Line() as line:
        interrupted = help_out(
            storage, study, jobs=jobs, progress=lambda p: line.advance("search", p)
        )
    output.print("stopped before the study was complete" if interrupted else "the study is complete")


def _free_folder(space: str) -> Path:
    for number in itertools.count(1):
        folder = Path("explorations") / f"{space}-{number}"
        if not folder.exists():
            return folder
    raise AssertionError


class _Line:
    """One line of progress: trials, front, hypervolume and designs a second."""

    names = {"search": "searching", "baseline": "random, to compare", "verify": "re-simulating the front"}

    def __init__(self) -> None:
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:,}/{task.total:,}"),
            TextColumn("{task.fields[text]}"),
            console=errors,
            transient=True,
        )
        self.task = self.bar.add_task("starting", total=1, text="")
        self.stage: Stage | None = None
        self.printed = time.monotonic()

    def __enter__(self) -> _Line:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, stage: Stage, progress: SearchProgress | tuple[int, int]) -> None:
        if isinstance(progress, SearchProgress):
            done, total = progress.trials, progress.wanted
            text = (
                f"front {progress.front}  hypervolume {progress.hypervolume:.0%}  "
                f"{progress.designs_per_s:.0f} designs/s"
            )
        else:
            (done, total), text = progress, ""
        self.bar.update(
            self.task, description=self.names[stage], completed=done, total=total, text=text
        )
        # Where stderr is no terminal, a line now and then instead of a moving one.
        if not errors.is_terminal and time.monotonic() - self.printed > 10:
            self.printed = time.monotonic()
            errors.print(f"{self.names[stage]} {done}/{total}  {text}", markup=False)


def show(report: ExplorationReport) -> None:
    """Print the front's best designs, then the answer."""
    found = report.exploration
    if found.front:
        output.print(_front_table(report))
        output.print()
    for name, text in _answer(report):
        output.print(f"{name:<12} {text}", markup=False, soft_wrap=True)
    if report.differing:
        notes = "; ".join(f"design {v.id}: {v.note}" for v in report.differing)
        raise SimulationFailed(f"the executors differ, which is an error of bnnsim: {notes}")
    if report.interrupted:
        return
    if found.trials and not found.feasible:
        raise InputError(
            found.space.name, "a space with a design that keeps every bound", _nearest(found.trials)
        )


def _nearest(trials: tuple[TrialRecord, ...]) -> str:
    """What stands in the way of the design that comes nearest."""
    judged = [t for t in trials if not t.judgement.obstacle]
    if not judged:
        return f"none of {len(trials)} designs can be built: {trials[0].judgement.obstacle}"

    def excess(trial: TrialRecord) -> float:
        over = [(n, v) for n, v in trial.judgement.violations.items() if v > 0]
        return sum(v / max(1.0, abs(_bound(trial, n, v))) for n, v in over)

    trial = min(judged, key=excess)
    broken = ", ".join(
        f"{name} by {amount:,.6g}" for name, amount in trial.judgement.violations.items() if amount > 0
    )
    return f"none among {len(trials)}; the nearest misses {broken}"


def _bound(trial: TrialRecord, name: str, amount: float) -> float:
    figure = name.removeprefix("budget ").split("<=")[0].split(">=")[0]
    return float(trial.judgement.figures.get(figure, amount)) - amount


def _front_table(report: ExplorationReport) -> Table:
    """At most ``SHOWN`` designs, evenly over the front, best in the first objective first."""
    found = report.exploration
    front = found.front
    last = len(front) - 1
    picks = sorted({round(i * last / (SHOWN - 1)) for i in range(SHOWN)}) if last else [0]
    more = "" if len(picks) == len(front) else f", {len(picks)} of {len(front)}"
    table = Table(title=f"Designs that nothing beats{more}", title_justify="left", box=None)
    table.add_column("design", no_wrap=True)
    wanted = [objective.name for objective in found.objectives]
    others = [
        name
        for name in ("throughput_fps", "latency_us", "power_w", "lut", "bram18", "dsp", "clock_mhz")
        if name not in wanted and name in front[0].judgement.figures
    ]
    for name in (*wanted, *others):
        title, unit = FIGURES.get(name, (name, ""))
        table.add_column(f"{title.lower()}\n[{unit}]".replace("[", r"\["), justify="right")
    table.add_column("bit-exact", justify="right")
    checks = {v.id: v.is_exact for v in report.verifications}
    words = {True: "yes", False: "NO", None: "not run"}
    for trial in [front[i] for i in picks]:
        figures = trial.judgement.figures
        cells = [_number(figures.get(name)) for name in (*wanted, *others)]
        table.add_row(design_name(found, trial), *cells, words[checks.get(trial.id)])
    return table


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:,.4g}"


def _answer(report: ExplorationReport) -> list[tuple[str, str]]:
    found = report.exploration
    space = found.space
    rows = [
        (
            "searched",
            f"{space.name} x {space.workload.spec.name} for "
            f"{', '.join(str(o) for o in found.objectives)}",
        )
    ]
    if found.constraints:
        rows.append(("bounds", ", ".join(str(c) for c in found.constraints) + ", device and budget"))
    cut = "; stopped by Ctrl-C, --resume goes on" if report.interrupted else ""
    rows.append(
        (
            "judged",
            f"{len(found.trials)} designs, {len(found.feasible)} keep every bound, "
            f"{len(found.front)} on the front{cut}",
        )
    )
    if found.trials:
        random = f" (random: {found.share(found.baseline):.1%})" if found.baseline else ""
        rows.append(("hypervolume", f"{found.share(found.trials):.1%}{random}"))
    rows += _checks(report)
    rows.append(("took", f"{report.search_seconds:.1f} s searching, {report.seconds:.1f} s in all"))
    if report.page is not None and report.page.is_file():
        rows.append(("page", str(report.page)))
    return rows


def _checks(report: ExplorationReport) -> list[tuple[str, str]]:
    if not report.verifications:
        return []
    exact = sum(v.is_exact is True for v in report.verifications)
    skipped = [v for v in report.verifications if v.is_exact is None]
    rest = ""
    if skipped:
        names = ", ".join(v.id for v in skipped[:8]) + (" …" if len(skipped) > 8 else "")
        rest = f"; not re-simulated: {names} (--verify all does)"
    return [("bit-exact", f"{exact} of {len(report.verifications)} front designs{rest}")]
