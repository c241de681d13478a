"""Simulators found on the path, and what they say of a bench."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bnnsim.rtl.tools import find_tool, missing, program

Simulator = Literal["verilator", "icarus"]
SIMULATORS: tuple[Simulator, ...] = ("verilator", "icarus")
"""The faster one first."""
_RESULT = re.compile(r"^bench: (.*)$", re.MULTILINE)
_DIFFERENCE = re.compile(r"^difference: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class BenchResult:
    """What a bench counted; ``differences`` are each stream's first of a kind, in the order of time."""

    frames: int
    cycles: int
    words: int
    wrong_words: int
    wrong_write_cycles: int
    wrong_read_cycles: int
    checks_cycles: bool
    finished: bool
    differences: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        return self.finished and not self.differences


class SimulatorError(Exception):
    """A simulator could not build or run a bench; the text is what it said."""


def found_simulator(name: Simulator) -> bool:
    """Whether all programs of a simulator are there."""
    return find_tool(name) is not None


def build_bench(
    folder: Path, simulator: Simulator, netlist: Sequence[str] = (), build: str = "build"
) -> None:
    """Compile the bench of a project ``folder`` into its ``sim/<build>``.

    ``netlist`` are the files of a synthesised top, relative to ``sim``, in the place of those in
    ``rtl``. Raises :class:`SimulatorError` where the simulator is missing or refuses them.
    """
    tool = find_tool(simulator)
    if tool is None:
        raise SimulatorError(f"not found: {missing([simulator])}")
    sim = folder / "sim"
    sources = [f"../rtl/{file.name}" for file in sorted((folder / "rtl").glob("*.v"))]
    if netlist:
        sources = ["-DNETLIST", *netlist]
    if simulator == "verilator":
        command = [*tool.command, "--cc", "--exe", "--build", "-O3", "--x-assign", "fast", "--noassert"]
        command += ["-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", build]
        command += ["-CFLAGS", "-O1", "-o", "bench", "main.cpp", "bench.v", "stream_check.v", *sources]
        _run(command, sim)
    else:
        (sim / build).mkdir(exist_ok=True)
        command = [*tool.command, "-g2005", "-s", "clock", "-o", f"{build}/bench.vvp"]
        _run([*command, "clock.v", "bench.v", "stream_check.v", *sources], sim)


def run_bench(
    folder: Path, simulator: Simulator, arguments: tuple[str, ...] = (), build: str = "build"
) -> BenchResult:
    """Run a bench that is built; ``arguments`` such as ``+gaps``."""
    icarus = [program("vvp") or "vvp", "-n", f"{build}/bench.vvp"]
    command = [f"{build}/bench"] if simulator == "verilator" else icarus
    return read_result(_run([*command, *arguments], folder / "sim"))


def read_result(text: str) -> BenchResult:
    """What a bench printed."""
    found = _RESULT.search(text)
    if not found:
        raise SimulatorError(f"the bench did not end:\n{text}")
    counts = {key: int(value) for key, value in (part.split("=") for part in found[1].split())}
    checks, finished = bool(counts.pop("checks_cycles")), bool(counts.pop("finished"))
    return BenchResult(
        **counts, checks_cycles=checks, finished=finished, differences=tuple(_DIFFERENCE.findall(text))
    )


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines or ["it said nothing"]
        raise SimulatorError(f"{Path(command[0]).name}: {errors[0].strip()}")
    return done.stdout
