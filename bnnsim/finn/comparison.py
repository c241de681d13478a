"""FINN's reports beside the simulation: which estimate is off, and which FIFO stalls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bnnsim.evaluation import Evaluation, evaluate_design
from bnnsim.files.schema_version import versioned
from bnnsim.finn.reports import FinnReports, NodeFigures, read_reports
from bnnsim.importers.finn.network import FinnDesign, read_finn
from bnnsim.importers.onnx.network import import_options
from bnnsim.simulation import RunOptions, stimulate
from bnnsim.timing.streaming.bottleneck import slowest_units
from bnnsim.timing.streaming.programs.graph import build_timing

RESOURCES = ("lut", "ff", "bram18", "dsp")


@dataclass(frozen=True)
class NodeRow:
    """One of FINN's nodes and the unit it is here."""

    node: str
    """FINN's name of the node."""
    unit: str
    """The unit that it is here; empty where there is none."""
    estimated_cycles: int | None
    """Cycles a frame that FINN expects; null where no report says any."""
    simulated_cycles: int | None
    """Cycles a frame of the unit by itself, with words always there and room for all it makes; null where
    there is no unit, or none that counts its steps alone."""
    stalled_on_input_cycles: int | None
    """Cycles in which the unit waited for a word, over the simulated frames; null where there is no
    unit."""
    stalled_on_output_cycles: int | None
    """Cycles in which it waited for room; null where there is no unit."""
    estimated: Mapping[str, int]
    """Resources that FINN expects, by name."""
    synthesised: Mapping[str, int]
    """Resources after synthesis, by name."""
    modelled: Mapping[str, int]
    """Resources of the unit by this simulator's models."""


@dataclass(frozen=True)
class FullFifo:
    """A stream whose FIFO was full while its writer waited."""

    stream: str
    """The stream: its writer, ->, its reader."""
    depth_words: int
    """Words the FIFO can hold."""
    stalled_cycles: int
    """Cycles in which its writer waited for room."""


@dataclass(frozen=True)
class FinnComparison:
    """A build's figures by FINN's estimate, FINN's simulation or synthesis, and this simulator."""

    build: str
    """The build's folder."""
    clock_mhz: float
    """Clock of the simulated design."""
    estimated_latency_cycles: int | None
    """FINN's estimate, all nodes one after the other; null where no report says it."""
    rtlsim_latency_cycles: int | None
    """Of FINN's simulation of the stitched design; null where there is no such report."""
    simulated_latency_cycles: int
    """Of this simulation."""
    estimated_interval_cycles: int | None
    """FINN's estimate, the slowest node's cycles; null where no report says it."""
    rtlsim_interval_cycles: int | None
    """Of FINN's simulation; null where it ran one frame alone, which tells none."""
    simulated_interval_cycles: int | None
    """Of this simulation; null where it is not proven."""
    nodes: tuple[NodeRow, ...]
    """Node by node, in FINN's order."""
    full_fifos: tuple[FullFifo, ...]
    """FIFOs that were full, the longest wait first."""
    estimated: Mapping[str, int]
    """Resources that FINN expects of all nodes together."""
    synthesised: Mapping[str, int]
    """Resources of the whole design after synthesis; empty where there is no such report."""
    modelled: Mapping[str, int]
    """Resources by this simulator's models."""
    limited_by: str | None
    """The slowest unit; null where no interval is proven."""
    losses: tuple[str, ...]
    """What of FINN's hardware the simulated design does not have as FINN builds it."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned(asdict(self))


def compare_with_finn(
    folder: str | Path,
    device: str | None = None,
    clock_mhz: float | None = None,
    input_type: str | None = None,
) -> FinnComparison:
    """Simulate a FINN build and put its own reports beside; part, clock and input as in
    :func:`~bnnsim.importers.finn.network.import_finn`.

    Raises :class:`~bnnsim.spec.faults.SpecError` where the build cannot be read, or has no reports.
    """
    told = import_options(input_type=input_type)
    reports = read_reports(Path(folder))
    found = read_finn(folder, "build", None, device, clock_mhz, told)
    options = RunOptions(frames=1, timing_only=True)
    evaluation = evaluate_design(found.design, stimulate(found.design, None, options), options)
    run = evaluation.simulation
    return FinnComparison(
        Path(folder).name,
        run.clock_mhz,
        reports.estimated_latency_cycles,
        reports.rtlsim_latency_cycles,
        run.latency_cycles,
        reports.estimated_interval_cycles,
        reports.rtlsim_interval_cycles,
        run.initiation_interval_cycles,
        tuple(_rows(found, reports, evaluation)),
        tuple(_full(found, evaluation)),
        _sum(reports),
        reports.synthesised,
        {name: getattr(evaluation.resources.total, name) for name in RESOURCES},
        None if run.bottleneck is None else run.bottleneck.unit,
        found.losses,
    )


def _rows(found: FinnDesign, reports: FinnReports, evaluation: Evaluation) -> Iterator[NodeRow]:
    own = slowest_units(build_timing(found.design.graph))
    counted = {unit.name: unit for unit in evaluation.simulation.units}
    costs = {unit.name: unit.amounts for unit in evaluation.resources.units}
    for name in found.chain.nodes:
        one = found.chain.units.get(name)
        figures = reports.nodes.get(name, NodeFigures())
        unit = one.unit if one is not None else ""
        if unit not in counted and figures == NodeFigures():
            continue
        run, cost = counted.get(unit), costs.get(unit)
        yield NodeRow(
            name,
            unit if run is not None else "",
            figures.cycles,
            int(-(-own[unit] // 1)) if unit in own else None,
            None if run is None else run.stalled_on_input_cycles,
            None if run is None else run.stalled_on_output_cycles,
            figures.estimated,
            figures.synthesised,
            {} if cost is None else {key: getattr(cost, key) for key in RESOURCES},
        )


def _full(found: FinnDesign, evaluation: Evaluation) -> Iterator[FullFifo]:
    """FIFOs that were full, the longest wait in front of them first."""
    waits = {u.name: u.stalled_on_output_cycles for u in evaluation.simulation.units}
    streams = found.design.graph.stream_by_name
    rows = [
        FullFifo(fifo.name, fifo.depth_words, waits.get(streams[fifo.name].writer, 0))
        for fifo in evaluation.simulation.fifos
        if fifo.max_occupancy_words >= fifo.depth_words
    ]
    yield from sorted((r for r in rows if r.stalled_cycles), key=lambda r: -r.stalled_cycles)


def _sum(reports: FinnReports) -> dict[str, int]:
    """FINN's estimates of all nodes together."""
    total: dict[str, int] = {}
    for figures in reports.nodes.values():
        for key, amount in figures.estimated.items():
            total[key] = total.get(key, 0) + amount
    return total
