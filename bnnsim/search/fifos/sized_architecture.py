"""FIFOs sized from an architecture's name to the architecture with their depths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bnnsim.design.design import Design
from bnnsim.files.whole import check_target, save_text
from bnnsim.search.fifos import sizing as sizing_of_design
from bnnsim.search.fifos.check import check_sizing, with_depths
from bnnsim.search.fifos.sizing import FifoSizing, Goal, SizingProgress
from bnnsim.simulation import load_streaming_design
from bnnsim.simulation.load import ArchitectureSource, WorkloadSource
from bnnsim.spec.yaml.write import architecture_text


def size_fifos(
    architecture: ArchitectureSource,
    workload: WorkloadSource,
    *,
    keep: float = 1.0,
    objective: Goal = "bits",
    out: str | Path | None = None,
    progress: Callable[[SizingProgress], None] | None = None,
) -> FifoSizing:
    """Find FIFO depths that keep a pipeline's throughput, by exact timing, and check them with SimPy.

    Args:
        architecture: a shipped name, a YAML file or a spec of a pipeline.
        workload: likewise.
        keep: the fraction of the best reachable throughput to keep, above 0 and at most 1.
        objective: what to make small: ``bits`` of FIFOs, or ``bram``.
        out: the file for the architecture with the depths found; None: none is written.
        progress: called after each timing, with the best until then.

    Returns:
        The depths by stream, and what they keep.

    Raises:
        SpecError: what the user gave cannot be used; every fault at once.
        InputError: for ``keep``, for engines, where no depths make the design run, and where ``out``
            cannot be written.

    Example:
        >>> from bnnsim import evaluate, size_fifos
        >>> sizing = size_fifos("digits-7z020", "digits", out="shallow.yaml")
        >>> evaluate("shallow.yaml", "digits", timing_only=True).initiation_interval_cycles
        356
    """
    check_target(out)
    design, _ = load_streaming_design(architecture, workload, "fifos", "engines have no FIFOs")
    sizing = sizing_of_design.size_fifos(design, keep, objective, progress)
    check_sizing(design, sizing)
    if out is not None:
        save_text(out, sized_text(design, sizing))
    return sizing


def sized_text(design: Design, sizing: FifoSizing) -> str:
    """The architecture with the depths found, as YAML, with how they were found in its header."""
    if not sizing.is_finished:
        how = "FIFO depths found by bnnsim fifos until it was interrupted."
    elif sizing.is_minimal:
        how = "FIFO depths found by bnnsim fifos: no single one can be made smaller."
    else:
        how = f"FIFO depths found by bnnsim fifos with {sizing.designs_timed} timings."
    keeps = (
        f"Initiation interval {sizing.initiation_interval_cycles:,} cycles "
        f"({sizing.unlimited_interval_cycles:,} without any FIFO limit), {sizing.fifo_bits:,} FIFO bits."
    )
    return architecture_text(with_depths(design, sizing), [how, keeps])
