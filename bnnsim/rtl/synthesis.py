"""Yosys on a written design: what each unit's cells are, and a netlist."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.rtl.handover.scripts import yosys_script
from bnnsim.rtl.tools import Tool, find_tool, missing

SCRIPT = "synth/yosys.ys"
CELLS_FILE = "synth/cells.txt"
NETLIST_FILE = "synth/netlist.v"
_MODULE = re.compile(r"^=== (.+?) ===$(.*?)(?=^===|\Z)", re.MULTILINE | re.DOTALL)
_CELL = re.compile(
    r"^\s+(?:(?P<type>\\?\$?[A-Za-z]\S*)\s+(?P<count>\d+)|(?P<n>\d+)\s+(?P<t>\\?\$?[A-Za-z]\S*))$",
    re.MULTILINE,
)
_INSTANCE = re.compile(r"^  \\?(\S+) +\\?(\S+) \($", re.MULTILINE)
_LUT = re.compile(r"LUT[1-6]|INV")
_RAM_LUTS = {
    "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4,
    "RAM32M": 4, "RAM64M": 4, "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1,
}  # fmt: skip
"""LUTs of each LUT memory and shift register (UG474)."""
_BLOCK_RAMS = {"BLOCK_RAM_18": 1, "BLOCK_RAM_36": 2, "RAMB18E1": 1, "RAMB36E1": 2}


class SynthesisError(Exception):
    """Yosys is missing or failed; the text is what it said last."""


@dataclass(frozen=True)
class Synthesis:
    """Cells as Yosys counts them: of the whole, and of each unit and stream.

    LUTs are LUT1 to LUT6 and inverters, one each; block RAM is in BRAM18.
    """

    tool: str
    total: Amounts[int]
    units: Mapping[str, Amounts[int]]
    """By the instance's name in the top."""
    modules: Mapping[str, str]
    """The module that each instance is: equal ones are one module, whose cells were counted once."""


def write_synthesis(folder: Path) -> None:
    """Write what Yosys needs beside the Verilog of the project in ``folder``: ``synth/``."""
    (folder / SCRIPT).parent.mkdir(exist_ok=True)
    verilog = sorted(file.name for file in (folder / "rtl").glob("*.v"))
    (folder / SCRIPT).write_text(yosys_script(verilog), encoding="utf-8")
    with as_file(files("bnnsim.rtl.handover") / "block_ram.v") as models:
        shutil.copyfile(models, folder / "synth" / "block_ram.v")


def synthesise(folder: Path, top: str = "top") -> Synthesis:
    """Run Yosys on the project in ``folder``, whose module ``top`` has all units.

    Writes ``synth/cells.txt`` and ``synth/netlist.v``.

    Raises :class:`SynthesisError`.
    """
    tool = find_tool("yosys")
    if tool is None:
        raise SynthesisError(f"no synthesis: not found: {missing(['yosys'])}")
    run_yosys(tool, folder, SCRIPT)
    return read_synthesis(folder, str(tool), top)


def read_synthesis(folder: Path, tool: str, top: str = "top") -> Synthesis:
    """What a run of ``tool`` left in the project's ``synth``."""
    modules, total = read_cells((folder / CELLS_FILE).read_text(encoding="utf-8"))
    netlist = (folder / NETLIST_FILE).read_text(encoding="utf-8")
    text = netlist[netlist.index(f"\nmodule {top}(") :]
    placed = {name: module for module, name in _INSTANCE.findall(text) if module in modules}
    units = {name: modules[module] for name, module in placed.items()}
    return Synthesis(tool, total, units, placed)


def run_yosys(tool: Tool, folder: Path, script: str) -> None:
    """Run a script in ``folder``. Raises :class:`SynthesisError` with what Yosys said of its end."""
    done = subprocess.run(
        [*tool.command, script], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode or "ERROR:" in done.stderr:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line] or lines[-1:] or ["nothing"]
        raise SynthesisError(f"{tool}: {errors[0]}")


def read_cells(text: str) -> tuple[dict[str, Amounts[int]], Amounts[int]]:
    """Amounts by module, and of the whole, from the text of Yosys' ``stat``.

    Where there are modules below the top, the whole is what Yosys says of the design hierarchy.
    """
    modules = {}
    for name, body in _MODULE.findall(text):
        modules[name.strip()] = _amounts(body)
    total = modules.pop("design hierarchy", None)
    top = modules.pop("top", Amounts())
    return modules, total if total is not None else top


def _amounts(body: str) -> Amounts[int]:
    lut = lutram = ff = bram18 = dsp = 0
    for match in _CELL.finditer(body):
        cell = (match["type"] or match["t"]).lstrip("\\")
        count = int(match["count"] or match["n"])
        if _LUT.fullmatch(cell):
            lut += count
        elif cell in _RAM_LUTS:
            lutram += count * _RAM_LUTS[cell]
        elif cell.startswith("FD"):
            ff += count
        elif cell in _BLOCK_RAMS:
            bram18 += count * _BLOCK_RAMS[cell]
        elif cell == "DSP48E1":
            dsp += count
    return Amounts(lut_logic=lut, lutram=lutram, ff=ff, bram18=bram18, dsp=dsp)


def netlist_files(folder: Path) -> list[str]:
    """The files of a netlist's bench, relative to ``sim``: the netlist and the models of its cells.

    Raises :class:`SynthesisError` where Yosys, whose models they are, is missing.
    """
    tool = find_tool("yosys")
    if tool is None or tool.data is None:
        raise SynthesisError(f"no models of cells: not found: {missing(['yosys'])}")
    cells = tool.data / "xilinx" / "cells_sim.v"
    return [f"../{NETLIST_FILE}", "../synth/block_ram.v", str(cells)]
