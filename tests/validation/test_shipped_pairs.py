"""Every shipped accelerator fits a shipped network and says where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bnnsim.design.build import build_design
from bnnsim.simulation import simulate
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.library import shipped_folder, shipped_names
from bnnsim.spec.load import load_architecture, load_workload, read_architecture
from bnnsim.spec.workload import Workload

README = shipped_folder("architecture") / "README.md"
TABLE = README.read_text("utf-8")
ROWS = re.findall(r"^\| `(\S+)` \| `(\S+)` \| (\w+) \| (\w+) \|", TABLE, re.M)
FIGURES = re.findall(r"^\| `(\S+)` \| `(\S+)` \| \w+ \| \w+ \| (.*) \|$", TABLE, re.M)


def test_every_shipped_accelerator_is_listed() -> None:
    assert sorted(row[0] for row in ROWS) == shipped_names("architecture")


@pytest.mark.parametrize(("arch", "workload", "style", "structure"), ROWS)
def test_listed_accelerator_fits_its_network(
    arch: str, workload: str, style: str, structure: str
) -> None:
    spec = load_architecture(arch).spec
    assert (spec.style, spec.structure) == (style, structure)
    assert isinstance(spec, EngineArchitecture) == (style == "engine")
    assert build_design(load_architecture(arch), load_workload(workload)).name == f"{arch} x {workload}"


@pytest.mark.parametrize(("arch", "workload", "figures"), FIGURES)
def test_listed_figures_are_what_simulate_says(arch: str, workload: str, figures: str) -> None:
    mhz, cycles, fps, reported, error = (cell.strip() for cell in figures.split("|"))
    found = simulate(arch, workload, timing_only=True)
    assert found.throughput_fps is not None
    assert f"{found.clock_mhz:g}" == mhz
    assert f"{found.initiation_interval_cycles:,}" == cycles
    assert f"{found.throughput_fps:,.1f}" == fps
    if reported != "-":
        excess = found.throughput_fps / float(reported.replace(",", "")) - 1
        assert f"{excess:+.1%}".replace("%", " %") == error


def example(style: str, folder: Path) -> Path:
    """The readme's example of a style as a file."""
    text = README.read_text("utf-8")
    block = next(b for b in re.findall(r"```yaml\n(.*?)```", text, re.S) if f"style: {style}" in b)
    head = "name: example\nsource: readme\ndevice: xc7z020\nclock_mhz: 100\n"
    path = folder / "example.yaml"
    path.write_text(head + block, "utf-8")
    return path


SMALL = {
    "name": "small",
    "input": {"shape": [64, 8, 8]},
    "layers": [
        {"name": "conv1", "op": "conv", "out": 32, "kernel": 3, "pad": 1, "activation": "bipolar"},
        {"name": "pool1", "op": "max_pool", "kernel": 2},
    ],
}


@pytest.mark.parametrize("style", ["engine", "streaming"])
def test_examples_of_the_readme_are_complete(style: str, tmp_path: Path) -> None:
    workload = Workload.model_validate(SMALL)
    design = build_design(read_architecture(example(style, tmp_path)), workload)
    assert design.architecture.style == style
