"""Measure this project's Verilog modules with Yosys, and fit the LUT ratios of ``units: own`` on that.

    python tools/fit_own_costs.py measure ARCH WORKLOAD      # synthesise; rows of cells.csv on stdout
    python tools/fit_own_costs.py units [N]                  # N drawn units of each kind: units.csv
    python tools/fit_own_costs.py fit                        # ratios fitted on the stored rows

``tests/golden/cells`` has the designs and ``cells.csv`` what Yosys said of each of their units. Designs
called ``sample-*`` are fitted on; the others are held out, and so are the small units that are drawn one
by one (``units.csv``; ``KIND-N`` is drawn from the seed of that name). Weights are drawn from seed 1.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from bnnsim.cost.blocks.amounts import Estimate
from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.cost.error_bars import SHARE, share_quantile
from bnnsim.cost.own.structure import RATIOS
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.second_opinion import lut_residual
from bnnsim.cost.usage import Resources, UnitResources
from bnnsim.design.design import Design
from bnnsim.report.waveform.vcd import signal_name
from bnnsim.rtl.opinion import (
    COMMAND,
    DEVICE,
    known_contents,
    module_estimate,
    module_estimates,
    synthesise_design,
)
from bnnsim.rtl.project import design_instances
from bnnsim.rtl.synthesis import (
    SCRIPT,
    Synthesis,
    read_synthesis,
    synthesise,
    write_synthesis,
)
from bnnsim.rtl.tools import find_tool
from bnnsim.rtl.units.registry import unit_instance
from bnnsim.simulation import RunOptions, Stimulus, load_streaming_design, stimulate
from bnnsim.spec.load import load_device
from tests.hardware.drawn.kinds import KINDS, SingleUnit
from tests.hardware.lint import TOP, write_units

CELLS = Path(__file__).resolve().parents[1] / "tests" / "golden" / "cells"
COLUMNS = ("design", "unit", "kind", "lut", "lutram", "ff", "bram18", "tool")
UNIT_COLUMNS = ("unit", "kind", "lut", "lutram", "ff", "bram18", "dsp", "tool")
AMOUNT_NAMES = UNIT_COLUMNS[2:-1]
AMOUNT_COLUMNS = ("lut_logic", *AMOUNT_NAMES[1:])
UNITS_A_KIND = 6
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
    return design, synthesise_design(design, design_instances(design, stimulus.parameters))


def drawn(name: str) -> SingleUnit:
    """The unit ``KIND-N`` as one of this project's own."""
    single = KINDS[name.rpartition("-")[0]](Random(name))
    return replace(single, unit=replace(single.unit, library="own"))


def measure_units(names: Sequence[str]) -> list[tuple[str | int, ...]]:
    """Synthesise drawn units, each by itself; a row each as ``units.csv`` has them."""
    tool = find_tool("yosys")
    assert tool is not None, "Yosys is not installed"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "project"
        (folder / "rtl").mkdir(parents=True)
        for file in write_units([drawn(name) for name in names], folder):
            (folder / file).rename(folder / "rtl" / file)
        write_synthesis(folder)
        script = folder / SCRIPT
        text = script.read_text(encoding="utf-8").replace("-top top", f"-top {TOP}")
        script.write_text(text.replace("top/c:", f"{TOP}/c:"), encoding="utf-8")
        found = synthesise(folder, TOP).units
    rows = []
    for place_of, name in enumerate(names):
        cells = found[f"u{place_of}"]
        kind = drawn(name).unit.kind
        numbers = (getattr(cells, column) for column in AMOUNT_COLUMNS)
        rows.append((name, kind, *numbers, f"{tool}, {COMMAND}"))
    return rows


def rows(design: Design, synthesis: Synthesis) -> list[tuple[str | int, ...]]:
    """A row a unit and stream, as ``cells.csv`` has them."""
    kinds = {unit.name: unit.kind for unit in design.graph.units}
    kinds |= {stream.name: "fifo" for stream in design.graph.streams}
    tool = f"{synthesis.tool}, {COMMAND}"
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
    return estimate_resources(stored_design(name)[0], coefficients)


def stored_design(name: str) -> tuple[Design, Path | None]:
    """A design that is stored beside the cells, and its workload's folder."""
    network = CELLS / f"{name}-network.yaml"  # or a shipped one: cnv-own is cnv's
    workload = network if network.exists() else name.split("-")[0]
    return load_streaming_design(CELLS / f"{name}.yaml", workload)


def stored_units() -> dict[str, dict[str, int]]:
    """``units.csv``: amounts by unit."""
    with (CELLS / "units.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["unit"]: {name: int(row[name]) for name in AMOUNT_NAMES} for row in rows}


def with_contents(name: str) -> dict[str, Estimate]:
    """What the model says of the modules of a stored design, its memories filled as they were."""
    design, place = stored_design(name)
    stimulus = stimulate(design, place, RunOptions(frames=1, weights_seed=1))
    assert isinstance(stimulus, Stimulus)
    return module_estimates(design, design_instances(design, stimulus.parameters))


def estimated_unit(name: str) -> Estimate:
    """What the model says of a drawn unit's module."""
    single = drawn(name)
    tech = technology_of(load_device(DEVICE).spec, default_coefficients())
    contents = known_contents(unit_instance(single.values))
    return module_estimate(tech, single.unit, single.graph, contents)


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


def lut_bar(designs: list[str]) -> float:
    """Half of the interval, as a logarithm, that four in five units of each design lie in by ratios that
    were fitted on the others; every kind of unit counts the same, however many there are."""
    sizes: dict[str, list[float]] = {}
    cells = stored()
    for name in designs:
        others = [other for other in designs if other != name]
        coefficients = default_coefficients().replaced(fit(others), "fitted on the others")
        units = estimated(name, coefficients).by_name
        for unit, amounts in cells[name].items():
            mine = core_luts(units[unit]) + units[unit].amounts.lutram
            size = abs(lut_residual(amounts["lut"] + amounts["lutram"], mine))
            sizes.setdefault(units[unit].kind, []).append(size)
    return share_quantile(sizes.values(), SHARE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("architecture")
    measuring.add_argument("workload")
    measuring.add_argument("--folder", help="a project that was synthesised already")
    drawing = commands.add_parser("units")
    drawing.add_argument("count", type=int, nargs="?", default=UNITS_A_KIND)
    commands.add_parser("fit")
    given = parser.parse_args()
    if given.command == "measure":
        csv.writer(sys.stdout, lineterminator="\n").writerows(
            rows(*measure(given.architecture, given.workload, given.folder))
        )
        return
    if given.command == "units":
        names = [f"{kind}-{number}" for kind in KINDS for number in range(given.count)]
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(UNIT_COLUMNS)
        writer.writerows(measure_units(names))
        return
    designs = [name for name in stored() if name.startswith("sample")]
    for name, value in fit(designs).items():
        sys.stdout.write(f"{name}: {value:.3f}\n")
    sys.stdout.write(f"own_lut_bar: {lut_bar(designs):.3f}\n")


if __name__ == "__main__":
    main()
