"""What ``bnnsim explore`` prints at the end: the best designs, and the answer."""

from __future__ import annotations

from rich.table import Table

from bnnsim.cli.console import SimulationFailed, output
from bnnsim.cli.explore.figure_cells import add_figure_column, figure_cell
from bnnsim.exploration.report import ExplorationReport
from bnnsim.report.search.pareto import FIGURES, sureness
from bnnsim.search.space.aims import ReferenceDesign
from bnnsim.search.space.alternatives import ALTERNATIVE, Alternatives
from bnnsim.search.storage.best_known import scale_of
from bnnsim.search.storage.record import COMPARED, TrialRecord
from bnnsim.search.storage.results import DESIGNS, design_name, no_clear_leads, verilog_workload
from bnnsim.spec.faults import InputError
from bnnsim.validation.certainty import is_ahead, needed_lead

SHOWN = 12


def show(report: ExplorationReport, space: str) -> None:
    """Print the front's best designs, then the answer; ``space`` as the user named it, for faults."""
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
        raise InputError(space, "a space with a design that keeps every bound", _nearest(found.trials))


def _nearest(trials: tuple[TrialRecord, ...]) -> str:
    """What stands in the way of the design that comes nearest."""
    built = [trial.result for trial in trials if not trial.result.infeasible_reason]
    if not built:
        return f"none of {len(trials)} designs can be built: {trials[0].result.infeasible_reason}"

    nearest = min(built, key=lambda r: sum(max(0.0, v) for v in r.normalised_violations.values()))
    broken = ", ".join(
        f"{name} by {amount:,.6g}" for name, amount in nearest.violations.items() if amount > 0
    )
    return f"none among {len(trials)}; the nearest misses {broken}"


def _front_table(report: ExplorationReport) -> Table:
    """At most ``SHOWN`` designs, evenly over the front, best in the first objective first."""
    found = report.exploration
    front = found.front
    last = len(front) - 1
    picks = sorted({round(i * last / (SHOWN - 1)) for i in range(SHOWN)}) if last else [0]
    more = "" if len(picks) == len(front) else f", {len(picks)} of {len(front)}"
    table = Table(title=f"Designs that nothing beats{more}", title_justify="left", box=None)
    table.add_column("design", no_wrap=True)
    several = isinstance(found.space, Alternatives)
    if several:
        table.add_column("alternative", no_wrap=True)
    wanted = [objective.name for objective in found.objectives]
    others = [
        name
        for name in ("throughput_fps", "power_w", "lut", "bram18", "clock_mhz")
        if name not in wanted and name in front[0].result.figures
    ]
    for name in (*wanted, *others):
        add_figure_column(table, name)
    table.add_column("bit-exact", justify="right", no_wrap=True)
    checks = {v.id: v.is_exact for v in report.verifications}
    words = {True: "yes", False: "NO", None: "not run"}
    for trial in [front[i] for i in picks]:
        figures = trial.result.figures
        cells = [figure_cell(figures.get(name)) for name in (*wanted, *others)]
        # Beside its alternative there is room for a design's number only.
        which = [trial.id, str(trial.knobs[ALTERNATIVE])] if several else [design_name(found, trial)]
        table.add_row(*which, *cells, words[checks.get(trial.id)])
    return table


def _answer(report: ExplorationReport) -> list[tuple[str, str]]:
    found = report.exploration
    space = found.space
    rows = [
        (
            "searched",
            f"{space.name} x {' or '.join(space.workloads)} for "
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
    scale = scale_of(found)
    if scale is not None:
        drawn = ""
        if found.baseline:
            share = scale.share(found, found.baseline)
            drawn = f"; {len(found.baseline)} designs drawn at random {share:.1%}"
        rows.append(("reached", f"{scale.share(found, found.trials):.1%} of {scale.text}{drawn}"))
    rows += [("outside", text) for text in space.outside]
    rows += _champions(report)
    if report.model_errors and found.feasible:
        rows.append(("how sure", sureness(report.model_errors)))
        unclear = len(no_clear_leads(found))
        if unclear:
            rows.append(
                (
                    "ties",
                    f"{unclear} of the {len(found.front)} front designs lead another one in nothing by "
                    "as much",
                )
            )
    rows += _checks(report)
    rows.append(("took", f"{report.search_seconds:.1f} s searching, {report.seconds:.1f} s in all"))
    if report.page is not None and report.page.is_file():
        rows.append(("page", str(report.page)))
        network = verilog_workload(space)
        if network and found.front:
            design = report.page.parent / DESIGNS / f"{design_name(found, found.front[0])}.yaml"
            rows.append(("as Verilog", f"bnnsim rtl {design} {network} --out DIR"))
    return rows


def _champions(report: ExplorationReport) -> list[tuple[str, str]]:
    """What beats a published design by the tool's own models."""
    found = report.exploration
    checks = {v.id: v.is_exact for v in report.verifications}
    rows = []
    for reference in found.space.reference_designs:
        beaters = [t for t in found.shown if found.beats(t, reference)]
        beaters.sort(key=lambda t: (not checks.get(t.id), found.rank(t, reference)))
        for trial in beaters[:1]:
            names = ["throughput_fps", *(n for n in COMPARED if n in reference.figures)]
            pairs = ", ".join(
                f"{figure_cell(trial.result.figures[n])} against {figure_cell(reference.figures[n])} "
                f"{FIGURES[n][1]}"
                for n in names
            )
            checked = "bit-exact" if checks.get(trial.id) else "not re-simulated"
            clock = f"at {trial.result.figures['clock_mhz']:g} MHz"
            text = f"{reference.name}: {design_name(found, trial)} {clock}, {pairs}; {checked}"
            rows.append(("beats", text + _doubts(report, trial, reference)))
    return rows


def _doubts(report: ExplorationReport, trial: TrialRecord, reference: ReferenceDesign) -> str:
    """What a lead over a published design owes to its clock, or to the models' errors."""
    figures, doubts = trial.result.figures, ""
    published = reference.figures.get("clock_mhz")
    if published is not None and figures["clock_mhz"] > published:
        fps = figures["throughput_fps"] * published / figures["clock_mhz"]
        doubts += f"; at the published {published:g} MHz {figure_cell(fps)} FPS"
    inside = [
        f"{FIGURES[e.quantity][1]} ({needed_lead(e.quantity):.0%})"
        for e in report.model_errors
        if e.quantity in COMPARED
        and e.quantity in reference.figures
        and not is_ahead(
            figures[e.quantity], reference.figures[e.quantity], False, needed_lead(e.quantity)
        )
    ]
    if inside:
        doubts += f"; ahead by too little to be sure in {', '.join(inside)}"
    return doubts


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
