"""Every shipped accelerator fits a shipped network and says where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bnnsim.design.build import build_design
from bnnsim.design.engine import build_engine_design
from bnnsim.spec.architecture import EngineArchitecture
from bnnsim.spec.library import shipped_folder
from bnnsim.spec.load import load_architecture, load_workload, read_architecture
from bnnsim.spec.workload import Workload

README = shipped_folder("architecture") / "README.md"
ROWS = re.findall(r"^\| `(\S+)` \| `(\S+)` \| (\w+) \| (\w+) \|", README.read_text("utf-8"), re.M)


@pytest.mark.parametrize(("arch", "workload", "style", "structure"), ROWS)
def test_listed_accelerator_fits_its_network(
    arch: str, workload: str, style: str, structure: str
) -> None:
    spec = load_architecture(arch).spec
    assert (spec.style, spec.structure) == (style, structure)
    build = build_engine_design if isinstance(spec, EngineArchitecture) else build_design
    assert build(load_architecture(arch), load_workload(workload)).name == (f"{arch} x {workload}")


def test_example_of_the_readme_is_a_complete_engine(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.S)
    assert block
    head = "name: example\nsource: readme\ndevice: xc7z020\nclock_mhz: 100\n"
    (tmp_path / "example.yaml").write_text(head + block.group(1), "utf-8")
    layers = [
        {"name": "conv1", "op": "conv", "out": 32, "kernel": 3, "pad": 1, "activation": "bipolar"},
        {"name": "pool1", "op": "max_pool", "kernel": 2},
    ]
    workload = Workload.model_validate(
        {"name": "small", "input": {"shape": [64, 8, 8]}, "layers": layers}
    )
    design = build_engine_design(read_architecture(tmp_path / "example.yaml"), workload)
    assert yaml.safe_load(block.group(1))["style"] == design.architecture.style
