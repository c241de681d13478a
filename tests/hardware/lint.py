"""What the tools' lint says of units at random parameters, in one module that only has their ports."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bnnsim.rtl.memories import write_rom
from bnnsim.rtl.project import library_files
from bnnsim.rtl.units.registry import unit_instance
from tests.hardware.drawn.unit import SingleUnit

TOP = "many_units"


def write_units(units: Sequence[SingleUnit], folder: Path) -> list[str]:
    """Write the library and a module with all ``units``; returns the names of the files to read."""
    (folder / "data").mkdir(parents=True)
    for file in library_files():
        shutil.copyfile(file, folder / file.name)
    ports, body = ["input wire clk", "input wire rst", "input wire [31:0] frames"], []
    for i, single in enumerate(units):
        instance = unit_instance(single.values)
        parameters = [f".{name}({value})" for name, value in instance.parameters.items()]
        for memory in instance.memories:
            write_rom(folder / "data" / f"m{i}_{memory.name}{memory.owner}", memory)
        for name in dict.fromkeys(memory.name for memory in instance.memories):
            parameters.append(f'.{name.upper()}_FILE("data/m{i}_{name}")')
        pins = [".clk(clk)", ".rst(rst)"] if instance.is_clocked else []
        pins += [".frames(frames)"] if instance.counts_frames else []
        sides = (("in", single.inputs, ("input", "output")), ("out", single.outputs, ("output", "input")))
        for side, streams, (there, back) in sides:
            shared = streams[:1] if side == "out" else streams
            width = sum(stream.width_bits for stream in shared)
            for pin, way, bits in (
                ("valid", there, len(streams)),
                ("ready", back, len(streams)),
                ("data", there, width),
            ):
                ports.append(f"{way} wire [{bits - 1}:0] u{i}_{side}_{pin}")
                pins.append(f".{side}_{pin}(u{i}_{side}_{pin})")
        body.append(f"    {instance.module} #({', '.join(parameters)}) u{i} ({', '.join(pins)});")
    text = f"module {TOP} (\n    " + ",\n    ".join(ports) + "\n);\n" + "\n".join(body) + "\nendmodule\n"
    (folder / f"{TOP}.v").write_text(text, encoding="utf-8")
    return [f"{TOP}.v", *(file.name for file in library_files())]


def lint_verilator(folder: Path, sources: Sequence[str]) -> str:
    """What Verilator says with all warnings on; nothing where it is content."""
    command = ["verilator", "--lint-only", "-Wall", "--top-module", TOP, *sources]
    return _said(command, folder)


def lint_icarus(folder: Path, sources: Sequence[str]) -> str:
    """What Icarus says with all warnings on, but for the time scale and files found at run time."""
    command = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-t", "null", "-s", TOP, *sources]
    return _said(command, folder)


def check_yosys(folder: Path, sources: Sequence[str]) -> str:
    """What Yosys' check says; nothing where it is content."""
    script = f"read_verilog -defer {' '.join(sources)}; hierarchy -top {TOP}; proc; check -assert"
    return _said(["yosys", "-q", "-p", script], folder)


def _said(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    return text or ("" if done.returncode == 0 else f"{command[0]} ended with {done.returncode}")
