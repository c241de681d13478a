"""Trace: a simulation's every cycle on disk, as a waveform and as a trace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bnnsim.design.design import EngineDesign
from bnnsim.files.whole import check_target, whole_text
from bnnsim.report.engine.trace import trace_engine
from bnnsim.report.waveform.event_log import EventLog
from bnnsim.report.waveform.perfetto import write_perfetto
from bnnsim.report.waveform.vcd import VcdDump
from bnnsim.simulation import (
    RunOptions,
    Simulation,
    load_design,
    simulate_design,
    stimulate,
)
from bnnsim.spec.faults import InputError
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.result import UnitCycles


@dataclass(frozen=True)
class Trace:
    """What was written: the simulation and the window ``first_cycle`` <= cycle < ``end_cycle``."""

    simulation: Simulation
    first_cycle: int
    end_cycle: int
    has_bits: bool


def trace(
    architecture: str | Path,
    workload: str | Path,
    options: RunOptions,
    *,
    vcd: Path | None = None,
    perfetto: Path | None = None,
    first_cycle: int = 0,
    end_cycle: int | None = None,
) -> Trace:
    """Simulate and write the cycles of a window to ``vcd``, to ``perfetto``, or to both.

    Of a pipeline every word, of an engine every unit's work and every burst. The run is SimPy's,
    whatever ``options`` say of an executor, and no longer than the window asks for:
    frames that cannot have begun before ``end_cycle`` are left out. Memory does not grow with the run;
    files appear whole or not at all. Raises :class:`InputError` for a window that holds no cycle and for
    one file named twice, and what ``simulate`` raises.
    """
    if vcd is None and perfetto is None:
        raise InputError("trace", "--vcd FILE, --perfetto FILE or both", "neither")
    if first_cycle < 0:
        raise InputError("--from", "a cycle >= 0", str(first_cycle))
    if end_cycle is not None and end_cycle <= first_cycle:
        raise InputError("--to", f"a cycle after --from ({first_cycle})", str(end_cycle))
    check_target(vcd)
    check_target(perfetto)
    if vcd is not None and perfetto is not None and vcd.resolve() == perfetto.resolve():
        raise InputError("--perfetto", "a file other than --vcd's", str(perfetto))
    design, folder = load_design(architecture, workload)
    if isinstance(design, EngineDesign):
        run = trace_engine(design, folder, options, vcd, perfetto, first_cycle, end_cycle)
        return Trace(run.simulation, first_cycle, run.end_cycle, bool(run.simulation.bit_exact))
    timing = build_timing(design.graph)
    asked = options.frames
    if asked is not None and end_cycle is not None:
        asked = min(asked, _frames_begun(timing, end_cycle))
    options = replace(options, executor="simpy", frames=asked)
    stimulus = stimulate(design, folder, options)
    with EventLog(design.graph, timing) as log:
        simulation = simulate_design(design, stimulus, options, log)
        log.finish(simulation.cycles_total, accounts(simulation))
        end = min(end_cycle or simulation.cycles_total, simulation.cycles_total)
        if first_cycle >= end:
            expected = f"a cycle of the run (0 to {simulation.cycles_total - 1})"
            raise InputError("--from", expected, str(first_cycle))
        has_bits = bool(simulation.bit_exact)
        clock = simulation.clock_mhz
        if vcd is not None:
            with whole_text(vcd) as file:
                VcdDump(log, file, clock, first_cycle, end, has_bits).write()
        if perfetto is not None:
            with whole_text(perfetto) as file:
                write_perfetto(log, file, clock, first_cycle, end)
    return Trace(simulation, first_cycle, end, has_bits)


def _frames_begun(timing: TimingGraph, end_cycle: int) -> int:
    """How many frames a run needs, so that its cycles before ``end_cycle`` are those of every longer one:
    those that the source can have begun by then, the one that is read ahead of them, and one
    for the words that a program leaves unread in its last frame."""
    (source,) = (unit.program for unit in timing.units if not unit.inputs)
    assert isinstance(source, Lockstep)
    return end_cycle // source.steps + 3


def accounts(simulation: Simulation) -> dict[str, UnitCycles]:
    """The units' accounts of cycles by name."""
    return {
        unit.name: UnitCycles(
            unit.busy_cycles,
            unit.stalled_on_input_cycles,
            unit.stalled_on_output_cycles,
            unit.idle_cycles,
        )
        for unit in simulation.units
    }
