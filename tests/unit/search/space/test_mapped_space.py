"""Spaces of engines whose loops are left to the tool: chosen for each point, written in full."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from bnnsim.evaluation import figures_of
from bnnsim.exploration.explore import explore
from bnnsim.search.storage.results import design_name
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.mapped import mapped_design
from tests.unit.timing.test_engine_mapping import ENGINE

NETWORK = """\
name: small
input: {shape: [16, 8, 8]}
layers:
  - {name: conv0, op: conv, out: 16, kernel: 3, pad: 1, activation: bipolar}
  - {name: fc, op: linear, out: 10}
"""


def test_each_point_has_its_own_loops_and_its_file_says_them(tmp_path: Path) -> None:
    """Devices, unrolling, buffers and ports are free."""
    data = copy.deepcopy(ENGINE)
    data["device"] = {"choose": ["xc7z020", "xczu3eg"]}
    data["arrays"]["pes"]["spatial_unrolling"]["out_channels"] = {"knob": "outputs"}
    data["buffers"]["weights"]["words"] = {"choose": [72, 144, 288]}
    data["ports"]["ddr"]["width_bits"] = {"choose": [64, 128]}
    knobs = {"outputs": {"choose": [2, 4, 8]}}
    data["explore"] = {"workload": "small.yaml", "objectives": ["throughput_fps", "lut"], "knobs": knobs}
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    (tmp_path / "small.yaml").write_text(NETWORK, encoding="utf-8")
    found = explore(tmp_path / "space.yaml", trials=20, jobs=1, baseline=0, out=tmp_path / "out")
    front = found.exploration.front
    assert len(front) >= 2
    assert [one.is_exact for one in found.verifications] == [True] * len(front)
    devices = {str(trial.knobs["device"]) for trial in found.exploration.trials}
    assert devices == {"xc7z020", "xczu3eg"}
    for trial in front:
        path = tmp_path / "out" / "designs" / f"{design_name(found.exploration, trial)}.yaml"
        text = path.read_text(encoding="utf-8")
        assert "mapping: auto" not in text and "loops" in text
        again = mapped_design(load_architecture(path), load_workload(tmp_path / "small.yaml"))
        figures = figures_of(again).figures
        assert figures["throughput_fps"] == pytest.approx(trial.result.figures["throughput_fps"])
        assert figures["lut"] == trial.result.figures["lut"]
