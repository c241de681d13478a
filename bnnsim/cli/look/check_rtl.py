"""``bnnsim check-rtl``: hardware that was written, checked again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bnnsim.cli.console import SimulationFailed, deliver
from bnnsim.cli.facts import show_facts
from bnnsim.cli.options import JsonOption
from bnnsim.cli.progress import Work
from bnnsim.files.whole import check_target


def command(
    folder: Annotated[Path, typer.Argument(help="a folder that bnnsim rtl wrote", metavar="DIR")],
    netlist: Annotated[
        bool, typer.Option("--netlist", help="synthesise with Yosys and check the netlist instead")
    ] = False,
    simulator: Annotated[
        Literal["verilator", "icarus"] | None,
        typer.Option(help="which simulator; default: the fastest that is found"),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Hold the Verilog in a folder against the simulation again, after changes of your own."""
    from bnnsim.rtl.handover.check import check_rtl
    from bnnsim.rtl.handover.record import hardware_check
    from bnnsim.rtl.handover.told import verified_text
    from bnnsim.rtl.simulators import SimulatorError
    from bnnsim.rtl.synthesis import SynthesisError

    check_target(json_file)
    try:
        with Work("checking"):
            checked = check_rtl(folder, simulator, netlist)
    except (SimulatorError, SynthesisError) as error:
        raise SimulationFailed(str(error)) from error
    found = checked.verification
    told = verified_text(found, checked.units, checked.streams)
    record = hardware_check(str(folder), checked.units, checked.streams, found)

    def show(_: object) -> None:
        if found.is_equal:
            show_facts([("verified", told)], 9)

    deliver(record, json_file, show)
    if not found.is_equal:
        raise SimulationFailed(told)
