"""``import finn`` and ``finn-folding`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.cli.app import run

BUILDS = Path(__file__).resolve().parents[2] / "golden" / "imported" / "finn"


def test_a_build_is_imported_and_its_folding_written_back(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build = BUILDS / "cnv"
    assert run(["import", "finn", str(build), "--out", "nets"]) == 0
    said = capsys.readouterr().out
    assert "arch      nets/cnv-finn.yaml" in said
    assert "not said  Pool_hls_0: windows of a unit in front" in said
    arguments = ["nets/cnv-finn.yaml", "nets/cnv.yaml", str(build), "--out", "folding.json"]
    assert run(["finn-folding", *arguments]) == 0
    assert "folding   folding.json" in capsys.readouterr().out
    own = json.loads((build / "final_hw_config.json").read_text())
    assert json.loads((tmp_path / "folding.json").read_text()) == own


def test_an_engine_has_no_folding(tmp_path, capsys):
    arguments = ["acce-bnn", "binarynet", str(BUILDS / "cnv"), "--out", str(tmp_path / "f.json")]
    assert run(["finn-folding", *arguments]) == 2
    assert "a streaming accelerator (FINN builds pipelines)" in capsys.readouterr().err
    assert not (tmp_path / "f.json").exists()
