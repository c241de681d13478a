"""Folders of FINN builds: which model is read, and what is said where the one around it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.finn.network import read_finn
from bnnsim.importers.model import found_model

BUILD = Path(__file__).resolve().parents[3] / "golden" / "imported" / "finn" / "labels"


def test_a_folder_without_the_parent_says_what_may_be_missing(tmp_path):
    models = tmp_path / "intermediate_models"
    models.mkdir()
    for name in ("step_set_fifo_depths.onnx", "dataflow_parent.onnx"):
        (models / name).write_bytes((BUILD / "intermediate_models" / name).read_bytes())
    assert not any("scale and offset" in note for note in read_finn(tmp_path, "x").build.notes)
    (models / "dataflow_parent.onnx").unlink()
    [note] = [note for note in read_finn(tmp_path, "x").build.notes if "scale and offset" in note]
    assert note.startswith("no dataflow_parent.onnx beside step_set_fifo_depths.onnx")


def test_a_model_that_is_read_without_the_parent_beside_it_says_so():
    [note] = read_finn(BUILD / "intermediate_models" / "step_set_fifo_depths.onnx", "x").build.notes
    assert note.startswith("read without its dataflow_parent.onnx (import the folder)")
    assert read_finn(BUILD / "intermediate_models" / "dataflow_parent.onnx", "x").build.notes == ()


def test_steps_with_a_number_in_front_are_read_as_those_without(tmp_path):
    """As Brainsmith writes them; of a step that ran twice the later one."""
    models = tmp_path / "intermediate_models"
    models.mkdir()
    given = BUILD / "intermediate_models"
    for name, target in (
        ("dataflow_parent", "dataflow_parent"),
        ("step_create_dataflow_partition", "9_step_set_fifo_depths"),
        ("step_generate_estimate_reports", "19_step_set_fifo_depths"),
        ("step_set_fifo_depths", "22_step_set_fifo_depths"),
    ):
        (models / f"{target}.onnx").write_bytes((given / f"{name}.onnx").read_bytes())
    assert found_model(tmp_path).format.name == "a FINN build"
    found = read_finn(tmp_path, "x")
    assert found.build.notes[0] == "read intermediate_models/22_step_set_fifo_depths.onnx"
    assert found.design.architecture.layers == read_finn(BUILD, "x").design.architecture.layers
