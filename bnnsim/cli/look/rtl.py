"""``bnnsim rtl``: a design as Verilog, held against its simulation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bnnsim.cli.console import SimulationFailed, deliver
from bnnsim.cli.facts import show_facts, show_lines
from bnnsim.cli.options import ArchArgument, JsonOption, RunRequest, WorkloadArgument, runs_design

if TYPE_CHECKING:
    from bnnsim.rtl.handover.write import Written


@runs_design(without=("timing_only", "executor"))
def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    out: Annotated[Path, typer.Option(help="a folder that is new or empty", metavar="DIR")],
    run: RunRequest,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="write only; run no simulator on what is written")
    ] = False,
    synth: Annotated[
        bool, typer.Option("--synth", help="count LUTs and flip-flops with Yosys, write a netlist")
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Write a design as Verilog with its bench, and hold every word and cycle against the simulation."""
    from bnnsim.rtl.handover.record import hardware_check
    from bnnsim.rtl.handover.told import verified_text
    from bnnsim.rtl.handover.write import write_rtl
    from bnnsim.rtl.simulators import SimulatorError
    from bnnsim.rtl.synthesis import SynthesisError

    with run.started("simulating", json_file) as options:
        try:
            written = write_rtl(arch, workload, out, options, not no_check, synth)
        except (SimulatorError, SynthesisError) as error:
            raise SimulationFailed(str(error)) from error
    found = written.verification
    record = hardware_check(str(out), written.units, written.streams, found)
    deliver(record, json_file, lambda _: _show(written))
    if found and not found.is_equal:
        raise SimulationFailed(verified_text(found, written.units, written.streams))


def _show(written: Written) -> None:
    from bnnsim.rtl.handover.told import not_checked_text, verified_text

    out = written.folder
    facts = [
        (
            "written",
            f"{out}: {written.units} units, {written.streams} streams, {written.memories} memories; "
            f"{out / 'README.md'} says what is what",
        )
    ]
    if written.synthesis:
        cells = written.synthesis.total
        text = (
            f"{cells.lut_logic:,} LUT, {cells.lutram:,} LUTRAM, {cells.ff:,} FF, "
            f"{cells.bram18:,} BRAM18, {cells.dsp:,} DSP (7 series, the core alone, "
            f"{written.synthesis.tool})"
        )
        facts.append(("cells", text))
    found = written.verification
    if found is not None and found.is_equal:
        facts.append(("verified", verified_text(found, written.units, written.streams)))
    show_facts(facts, 9)
    if found is None:
        show_lines(not_checked_text(str(out), written.was_asked))
