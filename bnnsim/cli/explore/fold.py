"""``bnnsim fold``: a first architecture for a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bnnsim.cli.completion import names_of
from bnnsim.cli.console import deliver, output, write_whole
from bnnsim.cli.facts import show_facts, show_places
from bnnsim.cli.fitted_table import Column, FittedTable
from bnnsim.cli.options import JsonOption, WorkloadArgument
from bnnsim.cli.progress import Work
from bnnsim.files.whole import check_target
from bnnsim.notebook.number import figure_text
from bnnsim.spec.faults import InputError
from bnnsim.spec.streaming.hardware import UnitLibrary
from bnnsim.spec.yaml.write import EDITOR_LINE

if TYPE_CHECKING:
    from bnnsim.search.fold.devices import DeviceAnswer


def command(
    workload: WorkloadArgument,
    device: Annotated[
        str | None,
        typer.Option(
            help="the FPGA part, such as xc7z020", show_default=False, autocompletion=names_of("device")
        ),
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
    json_file: JsonOption = None,
) -> None:
    """Write a streaming architecture on which a network runs at the speed asked for."""
    from bnnsim.search.fold.devices import (
        DeviceAnswer,
        devices_named,
        fold_for_devices,
        folded_parts,
        smallest,
    )
    from bnnsim.search.fold.fold import fold
    from bnnsim.spec.load import load_device

    if (device is None) == (devices is None):
        raise InputError("--device", "one of --device and --devices", "both" if device else "neither")
    if devices is None and out is None:
        raise InputError("--out", "the file to write", "none")
    for target in (out, json_file):
        check_target(target)
    if devices is None:
        assert device is not None
        with Work("folding"):
            answer = fold(workload, device, fps, clock_mhz, name, objective, anyway, units)
        found: tuple[DeviceAnswer, ...] = (DeviceAnswer(load_device(device).spec, answer),)
    else:
        if anyway:
            raise InputError("--anyway", "a single --device", f"--devices {devices}")
        parts = devices_named(devices)
        with Work("folding") as work:
            found = fold_for_devices(
                workload, parts, fps, clock_mhz, name, objective, units, progress=work.advance
            )
    chosen = smallest(found)
    text = "" if chosen is None or chosen.answer is None else chosen.answer.text()
    path = out if text else None
    if path is not None:
        write_whole(path, text)

    def show(_: object) -> None:
        if devices is not None:
            _show_devices(found)
        if path is not None:
            _show_written(path, text)

    deliver(folded_parts(found, path), json_file, show)
    if not text:
        raise InputError("--devices", "a part that holds the network at that rate", devices or "none")


def _show_written(path: Path, text: str) -> None:
    """The architecture's head, and where it is."""
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith(EDITOR_LINE):
            output.print(line.removeprefix("# "), markup=False)
    show_places([("written", str(path))], 10)


def _show_devices(found: tuple[DeviceAnswer, ...]) -> None:
    from bnnsim.search.fold.devices import least_power, smallest

    headings = {"FPS": 0, "logic": 0, "share": 1, "block RAM": 0, "share ": 2, "power (W)": 0}
    columns = [Column(heading, rank=rank) for heading, rank in headings.items()]
    table = FittedTable("Which part", [Column("device", "name"), *columns])
    for one in found:
        if one.answer is None:
            table.add(one.device.name, "no", *[""] * (len(headings) - 1))
            continue
        folded, total, has = one.answer.folded, one.answer.folded.resources.total, one.device
        logic = (total.alm, has.alm, "ALM") if has.alm else (total.lut, has.lut, "LUT")
        memory = (total.m20k, has.m20k, "M20K") if has.m20k else (total.bram18, has.bram18, "BRAM18")
        cells = [
            cell
            for used, there, unit in (logic, memory)
            for cell in (f"{used:,} {unit}", f"{used / there:.0%}" if there else "")
        ]
        table.add(one.device.name, figure_text(folded.fps, 6), *cells, f"{one.answer.power_w:.2f}")
    table.show()
    small, frugal = smallest(found), least_power(found)
    lines = []
    if small is not None and frugal is not None:
        lines += [("smallest", small.device.name), ("least power", frugal.device.name)]
        lines += [("cheapest", "not said: no prices with a source are known here")]
    lines += [("no", f"{one.device.name}: {one.refusal}") for one in found if one.refusal]
    show_facts(lines)
