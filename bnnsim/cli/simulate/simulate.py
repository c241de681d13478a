"""``bnnsim simulate``: run a network on an accelerator and show where the cycles go."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bnnsim.cli.console import deliver, output
from bnnsim.cli.options import (
    ArchArgument,
    JsonOption,
    RunRequest,
    WorkloadArgument,
    runs_design,
)
from bnnsim.cli.simulate.answer import show_answer
from bnnsim.simulation import (
    Simulation,
    load_design,
    simulate_design,
    stimulate,
)
from bnnsim.spec.yaml.write import architecture_text

SHOWN_PREDICTIONS = 10


@runs_design()
def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    *,
    run: RunRequest,
    json_file: JsonOption = None,
    print_spec: Annotated[
        bool,
        typer.Option("--print-spec", help="print the architecture, every default said, and end"),
    ] = False,
    resolved: Annotated[
        bool,
        typer.Option("--resolved", help="print the network, every block written out, and end"),
    ] = False,
) -> None:
    """Simulate a network on an accelerator: every bit, every cycle."""
    if resolved:
        from bnnsim.design.network.network import resolve_network
        from bnnsim.importers.draft.workload_text import workload_text
        from bnnsim.spec.load import load_workload

        network = resolve_network(load_workload(workload))
        output.file.write(workload_text(network.workload))
        return
    if print_spec:
        shown, _ = load_design(arch, workload)
        output.file.write(architecture_text(shown.architecture, with_defaults=True))
        return
    with run.started("simulating", json_file) as options:
        design, folder = load_design(arch, workload)
        simulation = simulate_design(design, stimulate(design, folder, options), options)
    deliver(simulation, json_file, show)


def show(simulation: Simulation) -> None:
    """Print the tables: units, FIFOs, and the answer last."""
    if simulation.layers:
        output.print(_layers_table(simulation))
    output.print(_units_table(simulation))
    if simulation.fifos:
        output.print(_fifos_table(simulation))
    _show_predictions(simulation)
    show_answer(simulation)


def _units_table(simulation: Simulation) -> Table:
    title = f"Where the cycles go ({_covered(simulation)})"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("unit", no_wrap=True)
    for name in ("busy", "stalled on input", "stalled on output", "idle"):
        table.add_column(f"{name} (cycles)", justify="right")
    for unit in simulation.units:
        cells = (
            unit.busy_cycles,
            unit.stalled_on_input_cycles,
            unit.stalled_on_output_cycles,
            unit.idle_cycles,
        )
        total = sum(cells) or 1
        table.add_row(Text(unit.name), *(f"{cell:,} {cell * 100 // total:3d} %" for cell in cells))
    return table


def _layers_table(simulation: Simulation) -> Table:
    names = ("array", "stages", "weights", "maps in", "maps out", "host", "overhead")
    rows = [
        (
            layer.compute_cycles,
            layer.stage_cycles,
            layer.weight_load_cycles + layer.weight_stall_cycles,
            layer.activation_load_cycles + layer.activation_stall_cycles,
            layer.activation_store_cycles + layer.store_stall_cycles,
            layer.host_cycles,
            layer.overhead_cycles,
        )
        for layer in simulation.layers
    ]
    shown = [i for i in range(len(names)) if any(row[i] for row in rows)]
    title = f"Layers in turn (cycles, {_covered(simulation)})"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("layer", no_wrap=True)
    for i in shown:
        table.add_column(names[i], justify="right", no_wrap=True)
    found = {one.name: one for one in simulation.spending.layers} if simulation.spending else {}
    if found:
        table.add_column("bound by", no_wrap=True)
        table.add_column("ops/byte", justify="right", no_wrap=True)
    for layer, row in zip(simulation.layers, rows, strict=True):
        one = found.get(layer.name)
        ratio = one.operations_a_byte if one else None
        more = [one.bound or "", "" if ratio is None else f"{ratio:,.0f}"] if one else []
        table.add_row(Text(layer.name), *(f"{row[i]:,}" for i in shown), *more)
    return table


def _covered(simulation: Simulation) -> str:
    """Which frames the counts of units and FIFOs are of."""
    if simulation.counted_frames == simulation.frames:
        return f"{simulation.frames:,} frame{'s' if simulation.frames > 1 else ''}"
    return (
        f"a run of {simulation.counted_frames} frames, {simulation.counted_cycles:,} cycles; "
        f"of {simulation.frames:,} frames only the cycles are proven"
    )


def _fifos_table(simulation: Simulation) -> Table:
    table = Table(title=f"FIFOs ({_covered(simulation)})", title_justify="left", box=None)
    table.add_column("stream", no_wrap=True, overflow="ellipsis")
    for name in ("width (bits)", "depth (words)", "highest (words)"):
        table.add_column(name, justify="right")
    for fifo in simulation.fifos:
        full = " full" if fifo.max_occupancy_words >= fifo.depth_words else ""
        table.add_row(
            Text(fifo.name),
            str(fifo.width_bits),
            str(fifo.depth_words),
            f"{fifo.max_occupancy_words}{full}",
        )
    return table


def _show_predictions(simulation: Simulation) -> None:
    predictions = simulation.predictions
    if predictions is None:
        return

    classes = simulation.classes or ()

    def named(index: int) -> Text:
        # As text, not markup: a class may be called [red] or [/].
        return Text(classes[index] if 0 <= index < len(classes) else str(index))

    labels = simulation.labels
    table = Table(title="Predictions", title_justify="left", box=None)
    for name in ("frame", "prediction", "label") if labels else ("frame", "prediction"):
        table.add_column(name, justify="right")
    for i, prediction in enumerate(predictions[:SHOWN_PREDICTIONS]):
        label = [named(labels[i])] if labels else []
        table.add_row(str(i), named(prediction), *label)
    output.print(table)
    if len(predictions) > SHOWN_PREDICTIONS:
        output.print(f"  … and {len(predictions) - SHOWN_PREDICTIONS} more")
