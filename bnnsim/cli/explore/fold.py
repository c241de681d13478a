"""``bnnsim fold``: a first architecture for a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from bnnsim.cli.console import output, write_whole
from bnnsim.cli.options import WorkloadArgument
from bnnsim.files.whole import check_target
from bnnsim.spec.faults import InputError
from bnnsim.spec.streaming.hardware import UnitLibrary

if TYPE_CHECKING:
    from bnnsim.search.fold.devices import DeviceAnswer


def command(
    workload: WorkloadArgument,
    device: Annotated[
        str | None, typer.Option(help="the FPGA part, such as xc7z020", show_default=False)
    ] = None,
    devices: Annotated[
        str | None,
        typer.Option(help="which part? all, or names with commas; writes the smallest", metavar="NAMES"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="the architecture to write", metavar="ARCH.yaml")
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="frames a second to reach; default: as many as fit", min=0.001)
    ] = None,
    clock_mhz: Annotated[float, typer.Option(help="clock in MHz")] = 100.0,
    name: Annotated[str | None, typer.Option(help="the architecture's name")] = None,
    objective: Annotated[
        Literal["lut", "bram18", "power"],
        typer.Option(help="what to make small (of Intel parts ALMs and M20Ks)"),
    ] = "lut",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="write what does not fit too, with the reason")
    ] = False,
    units: Annotated[
        UnitLibrary, typer.Option(help="the units' library; own: those that bnnsim rtl writes")
    ] = "hls",
) -> None:
    """Write a streaming architecture on which a network runs at the speed asked for."""
    from bnnsim.search.fold.devices import devices_named, fold_for_devices, smallest
    from bnnsim.search.fold.fold import fold

    if (device is None) == (devices is None):
        raise InputError("--device", "one of --device and --devices", "both" if device else "neither")
    if devices is None and out is None:
        raise InputError("--out", "the file to write", "none")
    if out is not None:
        check_target(out)
    if devices is None:
        assert device is not None
        answer = fold(workload, device, fps, clock_mhz, name, objective, anyway, units)
    else:
        if anyway:
            raise InputError("--anyway", "a single --device", f"--devices {devices}")
        found = fold_for_devices(
            workload, devices_named(devices), fps, clock_mhz, name, objective, units
        )
        _show_devices(found)
        chosen = smallest(found)
        if chosen is None or chosen.answer is None:
            raise InputError("--devices", "a part that holds the network at that rate", devices or "none")
        if out is None:
            return
        answer = chosen.answer
    text = answer.text()
    assert out is not None
    write_whole(out, text)
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        output.print(line.removeprefix("# "), markup=False, soft_wrap=True)
    output.print(f"written    {out}", markup=False, soft_wrap=True)


def _show_devices(found: tuple[DeviceAnswer, ...]) -> None:
    from bnnsim.search.fold.devices import least_power, smallest

    table = Table(title="Which part", title_justify="left", box=None)
    table.add_column("device", no_wrap=True)
    for column in ("FPS", "logic", "share", "block RAM", "share", "power (W)"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in found:
        if one.answer is None:
            table.add_row(one.device.name, "no")
            continue
        folded, total, has = one.answer.folded, one.answer.folded.resources.total, one.device
        logic = (total.alm, has.alm, "ALM") if has.alm else (total.lut, has.lut, "LUT")
        memory = (total.m20k, has.m20k, "M20K") if has.m20k else (total.bram18, has.bram18, "BRAM18")
        cells = [
            cell
            for used, there, unit in (logic, memory)
            for cell in (f"{used:,} {unit}", f"{used / there:.0%}" if there else "")
        ]
        table.add_row(one.device.name, f"{folded.fps:,.6g}", *cells, f"{one.answer.power_w:.2f}")
    output.print(table)
    small, frugal = smallest(found), least_power(found)
    lines = []
    if small is not None and frugal is not None:
        lines += [f"smallest    {small.device.name}", f"least power {frugal.device.name}"]
        lines += ["cheapest    not said: no prices with a source are known here"]
    lines += [f"no          {one.device.name}: {one.refusal}" for one in found if one.refusal]
    for line in lines:
        output.print(line, markup=False, soft_wrap=True)
