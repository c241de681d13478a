"""What ``bnnsim explore`` prints at the end: the best designs, and the answer."""

from __future__ import annotations

from bnnsim.cli.console import SimulationFailed, output
from bnnsim.cli.explore.design_facts import Facts, figures_text, knob_facts, ways_on
from bnnsim.cli.explore.figure_cells import figure_cell
from bnnsim.cli.explore.front_table import front_table
from bnnsim.cli.facts import show_facts, show_places
from bnnsim.exploration.report import ExplorationReport
from bnnsim.notebook.number import figure_text
from bnnsim.report.search.pareto import FIGURES, sureness
from bnnsim.search.space.aims import ReferenceDesign
from bnnsim.search.storage.best_known import scale_of
from bnnsim.search.storage.kinds import unbuildable
from bnnsim.search.storage.record import COMPARED, TrialRecord
from bnnsim.search.storage.results import design_name
from bnnsim.spec.faults import InputError
from bnnsim.spec.streaming.hls_words import WIDEST_HLS_WORD_BITS
from bnnsim.validation.certainty import is_ahead, needed_lead

WIDTH = 12
_NAMED = 5
"""So many designs that HLS cannot build are named; the others are counted."""


def show(report: ExplorationReport) -> None:
    """Print the front's best designs, then the answer.

    Of a search for one figure the front is one design, which the answer tells.
    """
    found = report.exploration
    if found.front and len(found.objectives) > 1:
        front_table(report).show()
        output.print()
    if found.front:
        show_facts(_best(report), WIDTH)
    show_facts(_answer(report), WIDTH)
    show_places(_places(report), WIDTH)


def check_outcome(report: ExplorationReport, space: str) -> None:
    """Raise where the executors differ, and where no design keeps every bound.

    ``space`` is as the user named it.
    """
    found = report.exploration
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
        f"{name} by {figure_text(amount, 6)}" for name, amount in nearest.violations.items() if amount > 0
    )
    return f"none among {len(trials)}; the nearest misses {broken}"


def _best(report: ExplorationReport) -> Facts:
    """The front's first design, with its knobs."""
    found = report.exploration
    best, aim = found.front[0], found.objectives[0]
    most = "most" if aim.maximises else "least"
    text = f"{design_name(found, best)} ({most} {aim.name}): {figures_text(report, best)}"
    return [("best", text), *knob_facts(report, best)]


def _places(report: ExplorationReport) -> Facts:
    """The page, and what leads on from the front's first design."""
    if report.page is None or not report.page.is_file():
        return []
    front = report.exploration.front
    return [("page", str(report.page)), *(ways_on(report, front[0]) if front else [])]


def _answer(report: ExplorationReport) -> Facts:
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
    scale = scale_of(found) if len(found.objectives) > 1 else None  # one figure says itself
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
        unclear = len(found.no_clear_leads)
        if unclear:
            rows.append(
                (
                    "ties",
                    f"{unclear} of the {len(found.front)} front designs lead another one in nothing by "
                    "as much",
                )
            )
    rows += _checks(report)
    rows += _unbuildable(report)
    rows.append(("took", f"{report.search_seconds:.1f} s searching, {report.seconds:.1f} s in all"))
    return rows


def _champions(report: ExplorationReport) -> Facts:
    """What beats each landmark by the tool's own models, or that nothing does."""
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
        if found.feasible and not beaters and found.can_be_beaten(reference):
            known = [n for n in ("throughput_fps", "power_w", *COMPARED) if n in reference.figures]
            said = ", ".join(f"{figure_cell(reference.figures[n])} {FIGURES[n][1]}" for n in known)
            rows.append(("unbeaten", f"{reference.name}: {said}"))
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


def _unbuildable(report: ExplorationReport) -> Facts:
    """Front designs that HLS cannot build, with their widest word."""
    found = report.exploration
    widest = {
        trial.id: max(word.bits for word in words)
        for trial in found.front
        if (words := unbuildable(found, trial))
    }
    if not widest:
        return []
    named = ", ".join(f"{name} ({bits:,})" for name, bits in list(widest.items())[:_NAMED])
    rest = " …" if len(widest) > _NAMED else ""
    text = f"{len(widest)} of {len(found.front)} front designs have words of more than "
    text += f"{WIDEST_HLS_WORD_BITS:,} bits, which HLS cannot build: {named}{rest}"
    return [("not by HLS", text)]


def _checks(report: ExplorationReport) -> Facts:
    if not report.verifications:
        return []
    exact = sum(v.is_exact is True for v in report.verifications)
    skipped = [v for v in report.verifications if v.is_exact is None]
    rest = ""
    if skipped:
        names = ", ".join(v.id for v in skipped[:8]) + (" …" if len(skipped) > 8 else "")
        rest = f"; not re-simulated: {names} (--verify all does)"
    beyond = len(report.verifications) - len(report.exploration.front)
    of = "front designs" + (f" (with {beyond} that only beat published ones)" if beyond else "")
    return [("bit-exact", f"{exact} of {len(report.verifications)} {of}{rest}")]
