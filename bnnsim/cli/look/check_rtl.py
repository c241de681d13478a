"""``bnnsim check-rtl``: hardware that was written, checked again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bnnsim.cli.console import SimulationFailed, output


def command(
    folder: Annotated[Path, typer.Argument(help="a folder that bnnsim rtl wrote", metavar="DIR")],
    netlist: Annotated[
        bool, typer.Option("--netlist", help="synthesise with Yosys and check the netlist instead")
    ] = False,
    simulator: Annotated[
        Literal["verilator", "icarus"] | None,
        typer.Option(help="which simulator; default: the fastest that is found"),
    ] = None,
) -> None:
    """Hold the Verilog in a folder against the simulation again, after changes of your own."""
    from bnnsim.rtl.handover.check import check_rtl
    from bnnsim.rtl.handover.told import verified_text
    from bnnsim.rtl.simulators import SimulatorError
    from bnnsim.rtl.synthesis import SynthesisError

    try:
        checked = check_rtl(folder, simulator, netlist)
    except (SimulatorError, SynthesisError) as error:
        raise SimulationFailed(str(error)) from error
    told = verified_text(checked.verification, checked.units, checked.streams)
    if not checked.verification.is_equal:
        raise SimulationFailed(told)
    output.print(f"verified  {told}", markup=False, soft_wrap=True)
