"""A design's hardware and bench in a folder, built and run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.design.design import Design
from bnnsim.report.waveform.event_log import EventLog
from bnnsim.rtl.bench.write import write_bench
from bnnsim.rtl.project import design_instances, write_hardware
from bnnsim.rtl.simulators import BenchResult, Simulator, build_bench, found_simulator, run_bench
from bnnsim.simulation import RunOptions, Simulation, Stimulus, simulate_design, stimulate
from bnnsim.timing.streaming.programs.graph import build_timing


def needs(simulator: Simulator) -> None:
    """Skip where a simulator is not on the path."""
    if not found_simulator(simulator):
        pytest.skip(f"{simulator} is not on the path")


def write_benched(design: Design, data: Path | None, options: RunOptions, out: Path) -> Simulation:
    """Write ``rtl/``, ``memories/`` and ``sim/`` of a bit-exact run of ``design`` into ``out``.

    ``data`` is the folder of the workload's files.
    """
    stimulus = stimulate(design, data, options)
    assert isinstance(stimulus, Stimulus)
    write_hardware(design, design_instances(design, stimulus.parameters), out)
    with EventLog(design.graph, build_timing(design.graph)) as log:
        simulation = simulate_design(design, stimulus, options, log)
        write_bench(design, log, simulation.frames, simulation.cycles_total, out / "sim")
    return simulation


def run(folder: Path, simulator: Simulator, *arguments: str) -> BenchResult:
    """Build and run the bench in ``folder``."""
    build_bench(folder, simulator)
    return run_bench(folder, simulator, arguments)


def assert_equal(result: BenchResult) -> None:
    """Every word and every cycle as the simulation says."""
    assert result.differences == ()
    assert result.finished
    assert result.checks_cycles
    assert (result.wrong_words, result.wrong_write_cycles, result.wrong_read_cycles) == (0, 0, 0)
