"""``bnnsim rtl``: a design as Verilog, held against its simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import SimulationFailed, output
from bnnsim.cli.options import ArchArgument, RunRequest, WorkloadArgument, runs_design


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
) -> None:
    """Write a design as Verilog with its bench, and hold every word and cycle against the simulation."""
    from bnnsim.rtl.handover.told import not_checked_text, verified_text
    from bnnsim.rtl.handover.write import write_rtl
    from bnnsim.rtl.simulators import SimulatorError
    from bnnsim.rtl.synthesis import SynthesisError

    with run.started("simulating") as options:
        try:
            written = write_rtl(arch, workload, out, options, not no_check, synth)
        except (SimulatorError, SynthesisError) as error:
            raise SimulationFailed(str(error)) from error
    output.print(
        f"written   {out}: {written.units} units, {written.streams} streams, "
        f"{written.memories} memories; {out / 'README.md'} says what is what",
        markup=False,
        soft_wrap=True,
    )
    if written.synthesis:
        cells = written.synthesis.total
        output.print(
            f"cells     {cells.lut_logic:,} LUT, {cells.lutram:,} LUTRAM, {cells.ff:,} FF, "
            f"{cells.bram18:,} BRAM18, {cells.dsp:,} DSP (7 series, the core alone, "
            f"{written.synthesis.tool})",
            markup=False,
            soft_wrap=True,
        )
    found = written.verification
    if found is None:
        output.print(not_checked_text(str(out), not no_check), markup=False, soft_wrap=True)
        return
    told = verified_text(found, written.units, written.streams)
    if not found.is_equal:
        raise SimulationFailed(told)
    output.print(f"verified  {told}", markup=False, soft_wrap=True)
