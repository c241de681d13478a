"""``bnnsim evaluate``: how fast, how large and how hungry a design is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from bnnsim.cli.console import SimulationFailed, deliver, output
from bnnsim.cli.facts import show_facts
from bnnsim.cli.fitted_table import Column, FittedTable
from bnnsim.cli.options import (
    ArchArgument,
    JsonOption,
    RunRequest,
    WorkloadArgument,
    runs_design,
)
from bnnsim.cli.simulate.answer import show_answer
from bnnsim.cli.simulate.synthesis import show_synthesis
from bnnsim.cost.error_bars import SHARE
from bnnsim.cost.second_opinion import SynthesisReport
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation import POWER_BASIS, Evaluation, evaluate_design, with_advice
from bnnsim.notebook.number import figure_text
from bnnsim.simulation import Stimulus, TimingOnly, load_design, stimulate
from bnnsim.spec.faults import InputError

LARGEST_PARTS = 12


@dataclass(frozen=True)
class EvaluationRequest(RunRequest):
    """A run whose bits also tell the switching activity."""

    timing_only: Annotated[
        bool, typer.Option("--timing-only", help="leave the bits out; default switching activity")
    ] = False


@runs_design(EvaluationRequest)
def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    *,
    run: RunRequest,
    json_file: JsonOption = None,
    advise: Annotated[
        bool,
        typer.Option("--advise", help="try other designs, and say what would make this one faster"),
    ] = False,
    rate_fps: Annotated[
        float | None,
        typer.Option(
            "--rate",
            help="frames a second that watts and energy are of; default: its throughput",
            metavar="FPS",
        ),
    ] = None,
    synth: Annotated[
        bool,
        typer.Option("--synth", help="synthesise each module (units: own) with Yosys, beside the model"),
    ] = False,
) -> None:
    """Evaluate a design: timing, bits, resources and power in one record."""
    with run.started("evaluating", json_file) as options:
        design, folder = load_design(arch, workload)
        stimulus = stimulate(design, folder, options)
        report = _synthesised(design, stimulus) if synth else None
        evaluation = replace(evaluate_design(design, stimulus, options, rate_fps), synthesis=report)
        begin = time.monotonic()
        if advise:
            evaluation = with_advice(design, evaluation)
        seconds = time.monotonic() - begin
    deliver(evaluation, json_file, show)
    if advise and seconds > 1 and json_file != "-":
        output.print(f"{'':<11} other designs were tried for {seconds:.1f} s")


def _synthesised(design: Design | EngineDesign, stimulus: Stimulus | TimingOnly) -> SynthesisReport:
    """Yosys' second opinion, of what has modules and weights."""
    from bnnsim.rtl.opinion import check_own, second_opinion
    from bnnsim.rtl.synthesis import SynthesisError

    try:
        own = check_own(design)
        if isinstance(stimulus, TimingOnly):
            raise InputError("--synth", "weights (or --weights-seed)", stimulus.reason)
        return second_opinion(own, stimulus.parameters)
    except SynthesisError as error:
        raise SimulationFailed(str(error)) from error


def show(evaluation: Evaluation) -> None:
    """Print resources by unit, then the answer."""
    _units_table(evaluation).show()
    _totals_table(evaluation).show()
    if evaluation.synthesis:
        show_synthesis(evaluation.synthesis)
    show_answer(evaluation.simulation)
    _show_power(evaluation)
    show_facts(("advice", line) for line in (evaluation.advice.lines if evaluation.advice else ()))


def _units_table(evaluation: Evaluation) -> FittedTable:
    units = sorted(evaluation.resources.units, key=lambda u: (-u.lut, -u.amounts.alm, u.name))
    names = _shown_resources(evaluation)
    figures = [Column(name.upper(), "figure", rank) for rank, name in enumerate(names)]
    title = f"The {min(LARGEST_PARTS, len(units))} largest parts of {len(units)}"
    table = FittedTable(title, [Column("unit or stream", "name"), *figures])
    for unit in units[:LARGEST_PARTS]:
        table.add(unit.name, *(f"{getattr(unit.amounts, name):,}" for name in names))
    return table


def _shown_resources(evaluation: Evaluation) -> list[str]:
    if evaluation.resources.device.vendor == "intel":
        return ["alm", "ff", "m20k", "dsp"]
    return ["lut", "lutram", "ff", "bram18", "uram", "dsp"]


def _totals_table(evaluation: Evaluation) -> FittedTable:
    resources = evaluation.resources
    columns = [Column("resource", "name"), Column("used"), Column(f"{SHARE:.0%} lie within", rank=1)]
    columns += [Column("of", rank=3), Column("share", rank=2), Column("", "words")]
    table = FittedTable(f"On {resources.device.name}", columns)
    broken = {violation.name: violation for violation in evaluation.violations}
    for name in _shown_resources(evaluation):
        used = getattr(resources.total, name)
        allowed = getattr(resources.budget, name)
        share = f"{used / allowed:.1%}" if allowed else ""
        over = f"{broken[name].amount:,.0f} too many" if name in broken else ""
        bar = evaluation.error_bars.get(name)
        within = f"{bar.low:,} to {bar.high:,}" if bar else ""
        of = f"{allowed:,}" if allowed else ""
        table.add(name.upper(), f"{used:,}", within, of, share, over)
    return table


def _watts(parts: Mapping[str, float]) -> str:
    """Names with their watts."""
    return ", ".join(f"{name} {watts:.3g} W" for name, watts in parts.items())


def _show_power(evaluation: Evaluation) -> None:
    power = evaluation.power
    parts = {name.replace("_", " "): watts for name, watts in evaluation.power_parts_w.items()}
    others = {name.replace("_", " "): w for name, w in power.by_basis_w.items() if name != POWER_BASIS}
    bars = evaluation.error_bars
    rows = [
        (
            "power",
            f"{evaluation.power_w:.2f} W ({bars['power_w']}; {POWER_BASIS}: {_watts(parts)}; "
            f"switching activity: {power.activity_source})",
        ),
        ("", f"at {figure_text(evaluation.rate_fps, 5)} frames/s; {_watts(others)}"),
    ]
    if evaluation.energy_per_frame_uj is not None:
        rows.append(("energy", f"{evaluation.energy_per_frame_uj:,.1f} uJ a frame"))
    if evaluation.tops is not None:
        rows.append(
            (
                "pace",
                f"{evaluation.tops:.3f} TOPS, {evaluation.tops_per_w or 0:.3f} TOPS/W, "
                f"{evaluation.fps_per_w or 0:,.1f} FPS/W",
            )
        )
    warning = evaluation.clock.warning
    reachable = f"{evaluation.clock.achievable_mhz:.0f} MHz estimated to be reachable"
    rows.append(("clock", warning or reachable))
    rows += [("does not fit", str(capped)) for capped in evaluation.resources.capped]
    rows.append(("feasible", "yes" if evaluation.feasible else "no: over budget, see above"))
    if evaluation.remark:
        rows.append(("remark", evaluation.remark))
    notes: dict[str, list[str]] = {}
    for name, bar in bars.items():
        if bar.note:
            notes.setdefault(bar.note, []).append(name)
    if notes:
        wide = "; ".join(f"{note} ({', '.join(names)})" for note, names in notes.items())
        rows.append(("how sure", f"{evaluation.structure_kind}: {wide}"))
    show_facts(rows)
