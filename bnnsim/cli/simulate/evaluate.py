"""``bnnsim evaluate``: how fast, how large and how hungry a design is."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from bnnsim.cli.console import output, progress, simulation_errors, write_json
from bnnsim.evaluation.evaluate import POWER_BASIS, Evaluation
from bnnsim.evaluation.evaluate import evaluate as run_evaluation
from bnnsim.files.whole import check_target

LARGEST_PARTS = 12


def command(
    arch: Annotated[str, typer.Argument(help="architecture: a shipped name or a YAML file")],
    workload: Annotated[str, typer.Argument(help="workload: a shipped name or a YAML file")],
    images: Annotated[
        list[str] | None,
        typer.Option(help="frames: .npz with images_u8 (and labels), .npy, or pictures", metavar="FILE…"),
    ] = None,
    frames: Annotated[int | None, typer.Option(help="how many frames", metavar="N")] = None,
    timing_only: Annotated[
        bool, typer.Option("--timing-only", help="leave the bits out; default switching activity")
    ] = False,
    weights_seed: Annotated[
        int | None, typer.Option(help="draw weights (and frames) from this seed", metavar="SEED")
    ] = None,
    executor: Annotated[
        Literal["simpy", "compiled"] | None,
        typer.Option(help="who counts the cycles; default: compiled for --timing-only, else simpy"),
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", help="write the result as JSON (- for stdout)", metavar="FILE")
    ] = None,
) -> None:
    """Evaluate a design: timing, bits, resources and power in one record."""
    check_target(json_file)
    with simulation_errors(), progress("evaluating") as advance:
        evaluation = run_evaluation(
            arch,
            workload,
            images=images,
            frames=frames,
            timing_only=timing_only,
            weights_seed=weights_seed,
            executor=executor,
            progress=advance,
        )
    if json_file is not None:
        write_json(evaluation.to_json(), json_file)
    if json_file != "-":
        show(evaluation)


def show(evaluation: Evaluation) -> None:
    """Print resources by unit, then the answer."""
    from bnnsim.cli.simulate.simulate import show_answer

    output.print(_units_table(evaluation))
    output.print(_totals_table(evaluation))
    show_answer(evaluation.simulation)
    _show_power(evaluation)


def _units_table(evaluation: Evaluation) -> Table:
    units = sorted(evaluation.resources.units, key=lambda u: (-u.lut, -u.amounts.alm, u.name))
    table = Table(
        title=f"The {min(LARGEST_PARTS, len(units))} largest parts of {len(units)}",
        title_justify="left",
        box=None,
    )
    table.add_column("unit or stream", no_wrap=True, overflow="ellipsis")
    names = _shown_resources(evaluation)
    for name in names:
        table.add_column(name.upper(), justify="right")
    for unit in units[:LARGEST_PARTS]:
        table.add_row(Text(unit.name), *(f"{getattr(unit.amounts, name):,}" for name in names))
    return table


def _shown_resources(evaluation: Evaluation) -> list[str]:
    if evaluation.resources.device.vendor == "intel":
        return ["alm", "ff", "m20k", "dsp"]
    return ["lut", "lutram", "ff", "bram18", "uram", "dsp"]


def _totals_table(evaluation: Evaluation) -> Table:
    resources = evaluation.resources
    table = Table(title=f"On {resources.device.name}", title_justify="left", box=None)
    table.add_column("resource")
    for name in ("used", "of", "share"):
        table.add_column(name, justify="right")
    table.add_column("")
    broken = {violation.name: violation for violation in evaluation.violations}
    for name in _shown_resources(evaluation):
        used = getattr(resources.total, name)
        allowed = getattr(resources.budget, name)
        share = f"{used / allowed:.1%}" if allowed else ""
        over = f"{broken[name].amount:,.0f} too many" if name in broken else ""
        table.add_row(name.upper(), f"{used:,}", f"{allowed:,}" if allowed else "", share, over)
    return table


def _show_power(evaluation: Evaluation) -> None:
    power = evaluation.power
    rows = [
        (
            "power",
            f"{evaluation.power_w:.2f} W ({POWER_BASIS}: static {power.static_w:.2f}, "
            f"processing system {power.processing_system_w:.2f}, dynamic {power.dynamic_w:.2f}; "
            f"switching activity: {power.activity_source})",
        )
    ]
    if evaluation.energy_per_frame_uj is not None:
        rows.append(("energy", f"{evaluation.energy_per_frame_uj:,.1f} uJ a frame"))
    if evaluation.tops is not None:
        rows.append(
            (
                "pace",
                f"{evaluation.tops:.3f} TOPS, {evaluation.tops / evaluation.power_w:.3f} TOPS/W, "
                f"{evaluation.per(evaluation.power_w) or 0:,.1f} FPS/W",
            )
        )
    warning = evaluation.clock.warning
    reachable = f"{evaluation.clock.achievable_mhz:.0f} MHz estimated to be reachable"
    rows.append(("clock", warning or reachable))
    rows.append(("feasible", "yes" if evaluation.feasible else "no: over budget, see above"))
    for name, text in rows:
        output.print(f"{name:<11} {text}", markup=False, soft_wrap=True)
