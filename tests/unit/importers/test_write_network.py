"""Workloads and weights as written: the text expected, the same bytes, never half a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.files.archive import npz_bytes
from bnnsim.importers.draft.workload_text import workload_text
from bnnsim.importers.draft.write import write_network
from bnnsim.spec import InputError, Workload, load_workload
from bnnsim.spec.library import shipped_names
from bnnsim.spec.yaml.source import parse_source
from bnnsim.spec.yaml.validate import validate

SMALL: dict[str, Any] = {
    "name": "small",
    "input": {"shape": [4], "type": "bipolar"},
    "layers": [
        {"name": "a", "op": "linear", "out": 2, "activation": "bipolar"},
        {"name": "b", "op": "linear", "out": 3},
    ],
}
EVERYTHING: dict[str, Any] = {
    "name": "every-thing",
    "source": 'a "quoted" source: with a colon # and no comment',
    "input": {"shape": [8, 9, 9], "type": "uint2", "image_range": [0.0, 1e-05]},
    "layers": [
        {
            "name": "c0",
            "op": "conv",
            "out": 8,
            "kernel": [3, 1],
            "stride": [2, 1],
            "dilation": 2,
            "groups": 4,
            "pad": [1, 0, 2, 3],
            "pad_value": 0,
            "weight": "int3",
            "activation": {"type": "uint2", "compare": ">"},
        },
        {"name": "c1", "op": "conv", "out": 8, "kernel": 1, "inputs": ["c0"]},
        {"name": "c2", "op": "conv", "out": 8, "kernel": 1, "inputs": ["c0"]},
        {"name": "sum", "op": "add", "inputs": ["c1", "c2"]},
        {"name": "sign", "op": "threshold", "activation": "bipolar"},
        {"name": "vote", "op": "average_pool", "kernel": "global", "compare": ">"},
        {"name": "majority", "op": "average_pool", "kernel": 1, "inputs": ["vote"]},
        {"name": "both", "op": "concat", "inputs": ["majority", "vote"]},
        {"name": "peak", "op": "max_pool", "kernel": 1, "stride": 1},
        {"name": "on", "op": "linear", "out": 5, "accumulator": "popcount"},
    ],
    "classes": ["yes", "null", "1e3", "plain", "0x1F"],
}


def read_back(text: str) -> Workload:
    spec, faults = validate(Workload, parse_source(text, "text"))
    assert faults == []
    assert spec is not None
    return spec


def small_arrays() -> dict[str, Any]:
    return {
        "a.weights": np.eye(2, 4, dtype=np.uint8),
        "a.thresholds": np.array([1, -1], np.int32),
        "b.weights": np.ones((3, 2), np.uint8),
    }


def test_a_workload_is_written_one_layer_a_line_with_defaults_left_out() -> None:
    spec = Workload.model_validate({**SMALL, "classes": ["left", "0", "right"]})
    assert workload_text(spec, ["Small.", "", "Made here."]) == (
        "# Small.\n"
        "#\n"
        "# Made here.\n"
        "# yaml-language-server: $schema=workload.schema.json\n"
        "name: small\n"
        "input: {shape: [4], type: bipolar}\n"
        "layers:\n"
        '  - {name: a, op: linear, out: 2, activation: {type: bipolar, compare: ">="}}\n'
        "  - {name: b, op: linear, out: 3}\n"
        'classes: [left, "0", right]\n'
    )


@pytest.mark.parametrize("data", [SMALL, EVERYTHING], ids=["small", "everything"])
def test_what_is_written_loads_as_the_same_workload(data: dict[str, Any]) -> None:
    spec = Workload.model_validate(data)
    assert read_back(workload_text(spec, ["a comment"])) == spec


def test_shipped_workloads_survive_writing_and_reading() -> None:
    names = shipped_names("workload")
    assert "cnv" in names
    for name in names:
        spec = load_workload(name).spec
        assert read_back(workload_text(spec)) == spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "on",
        "~",
        "-",
        "a, b",
        "[x]",
        "{",
        "it's",
        'say "x"',
        "a\nb",
        "ü",
        "\U0001f600",
        "#",
    ],
)
def test_any_class_name_survives_writing_and_reading(text: str) -> None:
    spec = Workload.model_validate({**SMALL, "classes": [text, "x"]})
    assert read_back(workload_text(spec)).classes == [text, "x"]


def test_a_long_list_of_classes_is_wrapped() -> None:
    names = [f"class number {i}" for i in range(44)]
    spec = Workload.model_validate({**SMALL, "classes": names})
    text = workload_text(spec)
    assert read_back(text).classes == names
    assert max(len(line) for line in text.splitlines()) <= 100


def test_an_archive_keeps_order_types_and_values_and_holds_no_time() -> None:
    arrays = small_arrays()
    assert npz_bytes(arrays) == npz_bytes({name: array.copy() for name, array in arrays.items()})


def test_weights_load_without_pickle_in_the_order_of_the_layers(tmp_path: Path) -> None:
    written = write_network(tmp_path, Workload.model_validate(SMALL), small_arrays())
    with np.load(written.weights_path, allow_pickle=False) as archive:
        assert archive.files == ["a.weights", "a.thresholds", "b.weights"]
        for name, array in small_arrays().items():
            assert archive[name].dtype == array.dtype
            assert np.array_equal(archive[name], array)
    assert load_workload(written.workload_path).spec.weights == "small.npz"


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_files_and_nothing_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    spec = Workload.model_validate(SMALL)
    written = write_network(tmp_path, spec, small_arrays())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fails, fail)
    changed = {**small_arrays(), "b.weights": np.zeros((3, 2), np.uint8)}
    with pytest.raises(InputError, match=r"a folder that can be written, got No space left on dev"):
        write_network(tmp_path, spec, changed, force=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert set(before) == {written.weights_path.name, written.workload_path.name}


@pytest.mark.parametrize("edited", ["small.yaml", "small.npz"])
def test_a_file_that_holds_something_else_is_kept_unless_forced(tmp_path: Path, edited: str) -> None:
    spec = Workload.model_validate(SMALL)
    write_network(tmp_path, spec, small_arrays())
    (tmp_path / edited).write_bytes(b"# edited by hand")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(
        InputError, match=rf"{edited}: expected .*--force.*, got one that differs"
    ) as caught:
        write_network(tmp_path, spec, small_arrays())
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    write_network(tmp_path, spec, small_arrays(), force=True)
    assert (tmp_path / edited).read_bytes() != before[edited]


def test_the_same_network_is_written_twice_without_force(tmp_path: Path) -> None:
    spec = Workload.model_validate(SMALL)
    for _ in range(2):
        write_network(tmp_path, spec, small_arrays())


@pytest.mark.parametrize("wrong", ["a.weights", "a.thresholds", "b.weights"])
def test_arrays_of_another_network_are_refused(tmp_path: Path, wrong: str) -> None:
    arrays = {**small_arrays(), wrong: np.zeros((7,), np.uint8)}
    with pytest.raises(ValueError, match=r"arrays that do not belong to small: .*\(7,\)"):
        write_network(tmp_path, Workload.model_validate(SMALL), arrays)
    assert list(tmp_path.iterdir()) == []
