"""The figures that sum a simulation up, as lines."""

from __future__ import annotations

from bnnsim.cli.console import output
from bnnsim.cli.facts import show_facts
from bnnsim.simulation import Simulation


def show_answer(simulation: Simulation) -> None:
    """Print the figures that sum a simulation up."""
    output.print()
    rows = [("design", f"{simulation.arch} x {simulation.workload}, {simulation.clock_mhz:g} MHz")]
    if simulation.accuracy is not None and simulation.labels:
        count = len(simulation.labels[: simulation.images])
        right = round(simulation.accuracy * count)
        rows.append(("accuracy", f"{simulation.accuracy:.2%} ({right} of {count} images)"))
    if simulation.outputs:
        shapes = (" x ".join(str(n) for n in one.shape) for one in simulation.outputs)
        named = [f"{one.name} ({shape})" for one, shape in zip(simulation.outputs, shapes, strict=True)]
        rows.append(("outputs", f"{', '.join(named)}; predictions are of {simulation.outputs[0].name}"))
    exact = "yes: " if simulation.bit_exact else ""
    rows.append(("bit exact", exact + simulation.bit_exact_basis))
    rows.append(("total", f"{simulation.cycles_total:,} cycles for {simulation.frames} frame(s)"))
    rows.append(
        ("latency", f"{simulation.latency_cycles:,} cycles = {simulation.latency_us:,.2f} us")
    )
    interval = simulation.initiation_interval_cycles
    if interval is None:
        rows.append(("interval", f"unknown: {simulation.initiation_interval_basis}"))
    else:
        basis = simulation.initiation_interval_basis
        rows.append(("interval", f"{interval:,} cycles a frame ({basis})"))
        rows.append(("throughput", f"{simulation.throughput_fps:,.1f} FPS"))
    if simulation.bottleneck is not None:
        rows.append(("bottleneck", simulation.bottleneck.text))
    if simulation.spending is not None:
        rows.append(("cycles", simulation.spending.text))
        rows += [("port", port.sentence) for port in simulation.spending.ports]
    if simulation.memory_map is not None:
        rows += [("memory", line) for line in simulation.memory_map.lines]
    rows += [("outside", text) for text in simulation.outside]
    show_facts(rows)
