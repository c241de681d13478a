"""An engine's run on disk, and from there as a waveform and as a trace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bnnsim.design.design import EngineDesign
from bnnsim.files.whole import whole_text
from bnnsim.report.engine.log import EngineLog
from bnnsim.report.engine.perfetto import write_engine_perfetto
from bnnsim.report.engine.vcd import write_engine_vcd
from bnnsim.simulation import RunOptions, Simulation, stimulate
from bnnsim.simulation.engine import simulate_engine
from bnnsim.spec.faults import InputError
from bnnsim.timing.engine.steady_state import shortest_gap
from bnnsim.timing.engine.traffic import word_bits
from bnnsim.timing.prefix import whole_program


@dataclass(frozen=True)
class EngineTrace:
    """The run, and the cycle before which what was written ends."""

    simulation: Simulation
    end_cycle: int


def logged(design: EngineDesign) -> EngineLog:
    """A log for a run of ``design``; it is a context that ends with its file."""
    capacities = {name: buffer.whole_bits for name, buffer in design.architecture.buffers.items()}
    return EngineLog(whole_program(design), word_bits(design.architecture), capacities)


def trace_engine(
    design: EngineDesign,
    folder: Path | None,
    options: RunOptions,
    vcd: Path | None,
    perfetto: Path | None,
    first_cycle: int,
    end_cycle: int | None,
) -> EngineTrace:
    """Run an engine and write cycles ``first_cycle`` <= cycle < ``end_cycle`` of it."""
    asked = options.frames
    if asked is not None and end_cycle is not None:
        asked = min(asked, end_cycle // max(1, shortest_gap(whole_program(design))) + 2)
    options = replace(options, executor="simpy", frames=asked)
    with logged(design) as log:
        simulation = simulate_engine(design, stimulate(design, folder, options), options, log)
        end = min(end_cycle or simulation.cycles_total, simulation.cycles_total)
        if first_cycle >= end:
            expected = f"a cycle of the run (0 to {simulation.cycles_total - 1})"
            raise InputError("--from", expected, str(first_cycle))
        clock = simulation.clock_mhz
        if vcd is not None:
            with whole_text(vcd) as file:
                write_engine_vcd(log, file, clock, first_cycle, end)
        if perfetto is not None:
            with whole_text(perfetto) as file:
                write_engine_perfetto(log, file, clock, first_cycle, end)
    return EngineTrace(simulation, end)

