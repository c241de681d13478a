"""``bnnsim simulate``: run a network on an accelerator and show where the cycles go."""

from __future__ import annotations

from typing import Annotated

import typer

from bnnsim.cli.console import deliver, output
from bnnsim.cli.fitted_table import Column, FittedTable
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
        _layers_table(simulation).show()
    _units_table(simulation).show()
    if simulation.fifos:
        _fifos_table(simulation).show()
    _show_predictions(simulation)
    show_answer(simulation)


def _units_table(simulation: Simulation) -> FittedTable:
    title = f"Where the cycles go ({_covered(simulation)})"
    names = ("busy", "stalled on input", "stalled on output", "idle")
    ranks = (0, 1, 1, 2)
    columns = [Column(f"{name} (cycles)", rank=rank) for name, rank in zip(names, ranks, strict=True)]
    table = FittedTable(title, [Column("unit", "name"), *columns])
    for unit in simulation.units:
        cells = (
            unit.busy_cycles,
            unit.stalled_on_input_cycles,
            unit.stalled_on_output_cycles,
            unit.idle_cycles,
        )
        total = sum(cells) or 1
        table.add(unit.name, *(f"{cell:,} {cell * 100 // total:3d} %" for cell in cells))
    return table


def _layers_table(simulation: Simulation) -> FittedTable:
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
    columns = [Column("layer", "name"), *(Column(names[i], rank=i) for i in shown)]
    found = {one.name: one for one in simulation.spending.layers} if simulation.spending else {}
    if found:
        columns += [Column("bound by", "name"), Column("ops/byte", rank=len(names))]
    table = FittedTable(title, columns)
    for layer, row in zip(simulation.layers, rows, strict=True):
        one = found.get(layer.name)
        ratio = one.operations_a_byte if one else None
        more = [one.bound or "", "" if ratio is None else f"{ratio:,.0f}"] if one else []
        table.add(layer.name, *(f"{row[i]:,}" for i in shown), *(more or [""] * 2 * bool(found)))
    return table


def _covered(simulation: Simulation) -> str:
    """Which frames the counts of units and FIFOs are of."""
    if simulation.counted_frames == simulation.frames:
        return f"{simulation.frames:,} frame{'s' if simulation.frames > 1 else ''}"
    return (
        f"a run of {simulation.counted_frames} frames, {simulation.counted_cycles:,} cycles; "
        f"of {simulation.frames:,} frames only the cycles are proven"
    )


def _fifos_table(simulation: Simulation) -> FittedTable:
    columns = [Column("stream", "name"), Column("width (bits)", rank=1)]
    columns += [Column("depth (words)"), Column("highest (words)")]
    table = FittedTable(f"FIFOs ({_covered(simulation)})", columns)
    for fifo in simulation.fifos:
        full = " full" if fifo.max_occupancy_words >= fifo.depth_words else ""
        highest = f"{fifo.max_occupancy_words}{full}"
        table.add(fifo.name, str(fifo.width_bits), str(fifo.depth_words), highest)
    return table


def _show_predictions(simulation: Simulation) -> None:
    predictions = simulation.predictions
    if predictions is None:
        return

    classes = simulation.classes or ()

    def named(index: int) -> str:
        return classes[index] if 0 <= index < len(classes) else str(index)

    labels = simulation.labels
    headings = ("frame", "prediction", "label") if labels else ("frame", "prediction")
    table = FittedTable("Predictions", [Column(name) for name in headings])
    for i, prediction in enumerate(predictions[:SHOWN_PREDICTIONS]):
        label = [named(labels[i])] if labels else []
        table.add(str(i), named(prediction), *label)
    table.show()
    if len(predictions) > SHOWN_PREDICTIONS:
        output.print(f"  … and {len(predictions) - SHOWN_PREDICTIONS} more")
