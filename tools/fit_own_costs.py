"""Measure this project's Verilog modules with Yosys, and fit the LUT ratios of ``units: own`` on that.

    python tools/fit_own_costs.py measure ARCH WORKLOAD      # synthesise; rows of cells.csv on stdout
    python tools/fit_own_costs.py fit                        # ratios fitted on the stored rows

``tests/golden/cells`` has the designs and ``cells.csv`` what Yosys said of each of their units. Designs
called ``sample-*`` are fitted on; the others are held out. Weights are drawn: block memories do not
depend on them, and modules keep no weights in logic beyond 64 words.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.cost.own.structure import RATIOS
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import Resources, UnitResources
from bnnsim.design.design import Design
from bnnsim.report.waveform.vcd import signal_name
from bnnsim.rtl.handover.scripts import SYNTHESIS_OPTIONS, yosys_script
from bnnsim.rtl.project import design_instances, write_hardware
from bnnsim.rtl.synthesis import Synthesis, read_synthesis, synthesise
from bnnsim.rtl.tools import find_tool
from bnnsim.simulation import RunOptions, Stimulus, load_streaming_design, stimulate

CELLS = Path(__file__).resolve().parents[1] / "tests" / "golden" / "cells"
COLUMNS = ("design", "unit", "kind", "lut", "lutram", "ff", "bram18", "tool")
FIFO_RATIOS = ("fifo_luts", "fifo_luts_per_bit", "fifo_wrap_luts_per_bit", "fifo_lookup_luts_per_bit")
FITTED = tuple(f"own_{name}" for name in (*RATIOS, *FIFO_RATIOS))
EXPECTED = (2.0, 1.0, 75.0, 1.0, 1.2, 1.0, 0.5, 0.8, 0.8, 1.2, 8.0, 2.0, 1.0, 2.0)
"""What the pieces take by hand, in that order: the fit stays near it where the samples say little."""
_NEARNESS = 8.0
"""Weight of an expectation: as much as so many units that are off by all of their LUTs."""


def measure(architecture: str, workload: str, project: str | None) -> tuple[Design, Synthesis]:
    """Synthesise a design's core, or read the synthesis of a ``project`` that has been written."""
    design, place = load_streaming_design(architecture, workload)
    if project:
        return design, read_synthesis(Path(project), str(find_tool("yosys")))
    stimulus = stimulate(design, place, RunOptions(frames=1, weights_seed=1))
    assert isinstance(stimulus, Stimulus)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        write_hardware(design, design_instances(design, stimulus.parameters), folder)
        (folder / "synth").mkdir()
        verilog = sorted(file.name for file in (folder / "rtl").glob("*.v"))
        (folder / "synth" / "yosys.ys").write_text(yosys_script(verilog), encoding="utf-8")
        with as_file(files("bnnsim.rtl.handover") / "block_ram.v") as models:
            shutil.copyfile(models, folder / "synth" / "block_ram.v")
        return design, synthesise(folder)


def rows(design: Design, synthesis: Synthesis) -> list[tuple[str | int, ...]]:
    """A row a unit and stream, as ``cells.csv`` has them."""
    kinds = {unit.name: unit.kind for unit in design.graph.units}
    kinds |= {stream.name: "fifo" for stream in design.graph.streams}
    tool = f"{synthesis.tool}, synth_xilinx {SYNTHESIS_OPTIONS}"
    found = []
    for name, kind in kinds.items():
        cells = synthesis.units[signal_name(name)]
        numbers = (cells.lut_logic, cells.lutram, cells.ff, cells.bram18)
        found.append((design.architecture.name, name, kind, *numbers, tool))
    return found


def stored() -> dict[str, dict[str, dict[str, int]]]:
    """``cells.csv``: amounts by design and unit."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    with (CELLS / "cells.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            amounts = {name: int(row[name]) for name in ("lut", "lutram", "ff", "bram18")}
            found.setdefault(row["design"], {})[row["unit"]] = amounts
    return found


def estimated(name: str, coefficients: Coefficients | None = None) -> Resources:
    """The estimate of a design that is stored beside the cells."""
    network = CELLS / f"{name}-network.yaml"  # or a shipped one: cnv-own is cnv's
    workload = network if network.exists() else name.split("-")[0]
    design, _ = load_streaming_design(CELLS / f"{name}.yaml", workload)
    return estimate_resources(design, coefficients)


def core_luts(unit: UnitResources) -> float:
    """LUTs of a unit's module, not rounded: what moves frames to memory is none of it."""
    return sum(part.amounts.lut_logic for part in unit.parts if part.name != "memory port")


def fit(designs: list[str]) -> dict[str, float]:
    """Ratios with the least relative squares over the units of ``designs``."""
    known = default_coefficients()
    nothing = dict.fromkeys(FITTED, 0.0)
    features: list[list[float]] = []
    measured: list[float] = []
    cells = stored()
    bases = {name: estimated(name, known.replaced(nothing, "none")) for name in designs}
    single = {
        ratio: {name: estimated(name, known.replaced(nothing | {ratio: 1.0}, "one")) for name in designs}
        for ratio in FITTED
    }
    for name in designs:
        for unit, amounts in cells[name].items():
            base = core_luts(bases[name].by_name[unit])
            features.append([core_luts(single[ratio][name].by_name[unit]) - base for ratio in FITTED])
            measured.append(amounts["lut"] - base)
    weights = 1 / np.sqrt(np.maximum(np.array(measured), 10.0))
    matrix, target = np.array(features) * weights[:, None], np.array(measured) * weights
    expected = np.array(EXPECTED)
    near = _NEARNESS * np.diag(1 / expected)
    matrix, target = np.vstack([matrix, near]), np.concatenate([target, near @ expected])
    values = np.linalg.lstsq(matrix, target, rcond=None)[0]
    assert (values > 0).all(), values
    return dict(zip(FITTED, (float(value) for value in values), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("architecture")
    measuring.add_argument("workload")
    measuring.add_argument("--folder", help="a project that was synthesised already")
    commands.add_parser("fit")
    given = parser.parse_args()
    if given.command == "measure":
        csv.writer(sys.stdout, lineterminator="\n").writerows(
            rows(*measure(given.architecture, given.workload, given.folder))
        )
        return
    designs = [name for name in stored() if name.startswith("sample")]
    for name, value in fit(designs).items():
        sys.stdout.write(f"{name}: {value:.3f}\n")


if __name__ == "__main__":
    main()
