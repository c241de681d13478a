"""A written design checked again, after its user's own changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnsim.report.vectors.manifest import FILE
from bnnsim.rtl.simulators import Simulator
from bnnsim.rtl.verification import Verification, chosen_simulator, not_checked, verify
from bnnsim.spec.faults import Fault, InputError, SpecError

_NEEDED = (
    "rtl/top.v",
    "sim/bench.v",
    "sim/stream_check.v",
    "sim/main.cpp",
    "sim/clock.v",
    "synth/yosys.ys",
)


@dataclass(frozen=True)
class Checked:
    """A project and what its check found."""

    units: int
    streams: int
    verification: Verification


def check_rtl(folder: Path, simulator: Simulator | None = None, netlist: bool = False) -> Checked:
    """Run the bench of a project that ``bnnsim rtl`` wrote; of its ``netlist`` after synthesis.

    Raises :class:`SpecError` with all that is missing of the project, :class:`InputError` where no
    simulator is found, and what :func:`~bnnsim.rtl.verification.verify` raises.
    """
    entry = _manifest(folder)
    chosen = chosen_simulator(simulator)
    if chosen is None:
        expected, got = "a simulator", not_checked(folder, simulator)
        raise InputError("check-rtl", expected, got)
    words = sum(stream["words"] for stream in entry["streams"])
    found = verify(folder, chosen, entry["frames"], words, netlist)
    return Checked(len(entry["units"]), len(entry["streams"]), found)


def _manifest(folder: Path) -> dict[str, Any]:
    """The project's manifest, checked as far as the bench needs it."""
    expected = "a folder that bnnsim rtl wrote"
    try:
        entry = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(folder / FILE), expected, error.strerror or str(error)) from None
    except ValueError as error:  # no JSON, no UTF-8, or nested too deep
        raise InputError(str(folder / FILE), "JSON as bnnsim rtl writes it", str(error)) from None
    faults = _faults(folder, entry)
    if faults:
        raise SpecError(faults)
    known: dict[str, Any] = entry
    return known


def _faults(folder: Path, entry: Any) -> list[Fault]:
    """What is missing of a project: entries of the manifest, files that the bench reads."""
    file = str(folder / FILE)
    if not isinstance(entry, dict):
        return [Fault(file, 0, "", "an object as bnnsim rtl writes it", type(entry).__name__)]
    faults = []
    frames = entry.get("frames")
    if not isinstance(frames, int) or isinstance(frames, bool) or frames < 1:
        faults.append(Fault(file, 0, "frames", "a number >= 1", repr(frames)))
    units = entry.get("units")
    if not isinstance(units, list) or not units:
        faults.append(Fault(file, 0, "units", "a list of units", repr(units)))
    elif not all(isinstance(unit, dict) and "module" in unit for unit in units):
        got = "units without (vectors writes such; bnnsim rtl writes hardware)"
        faults.append(Fault(file, 0, "units", "a module for each unit", got))
    streams = entry.get("streams")
    if not isinstance(streams, list) or not streams:
        faults.append(Fault(file, 0, "streams", "a list of streams", repr(streams)))
        streams = []
    needed = list(_NEEDED)
    for position, stream in enumerate(streams):
        key = f"streams[{position}]"
        words = stream.get("words") if isinstance(stream, dict) else None
        if not isinstance(words, int) or isinstance(words, bool) or words < 0:
            faults.append(Fault(file, 0, f"{key}.words", "a number >= 0", repr(words)))
            continue
        for name in ("words_file", "written_cycles_file", "read_cycles_file"):
            value = stream.get(name)
            if isinstance(value, str):
                needed.append(value)
            else:
                faults.append(Fault(file, 0, f"{key}.{name}", "a file's name", repr(value)))
    faults += [
        Fault(str(folder / name), 0, "", "a file as bnnsim rtl writes it", "none")
        for name in needed
        if not (folder / name).is_file()
    ]
    return faults
