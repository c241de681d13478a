"""``check`` of parameter folders: read once more by the reference, held against what was imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers import ImportedNetwork, import_bnn_pynq
from bnnsim.importers.check.check import check_model
from bnnsim.importers.model import import_model
from bnnsim.spec.faults import SpecError

from .parameter_folders import MadeLayer, write_layer

NETWORK = """
name: small
input: {shape: [3, 10, 8], type: fixed8.7, image_range: [-1.0, 1.0]}
layers:
  - {name: a, op: conv, out: 8, kernel: 3, pad: 1, weight: WEIGHT, activation: ACTIVATION}
  - {name: p, op: max_pool, kernel: 2}
  - {name: b, op: conv, out: 12, kernel: 3, weight: WEIGHT, activation: ACTIVATION}
  - {name: c, op: linear, out: 16, weight: WEIGHT}
classes: [x, y, z]
"""
TERNARY = "{type: int2, lowest: -1, highest: 1}"
CASES = [("bipolar", "bipolar"), ("bipolar", TERNARY), ("int2", TERNARY)]


def _folder(tmp_path: Path, weight: str, activation: str) -> tuple[Path, Path]:
    rng, folder = np.random.default_rng(3), tmp_path / "params"
    folder.mkdir()
    bits, count = (1 if weight == "bipolar" else 2), (1 if activation == "bipolar" else 2)
    is_counted = weight == activation == "bipolar"
    limits = [(-900, 900), (24, 48) if is_counted else (-12, 12), None]
    sizes = [(8, 27, (4, 9)), (12, 72, (3, 24)), (16, 72, (2, 24))]
    for index, (rows, columns, fold) in enumerate(sizes):
        matrix = rng.integers(*((0, 2) if bits == 1 else (-2, 2)), (rows, columns))
        bounds = limits[index]
        given: Any = None if bounds is None else rng.integers(*bounds, (rows, count)).tolist()
        write_layer(folder, index, MadeLayer(matrix, given, *fold, bits))
    topology = tmp_path / "small.yaml"
    topology.write_text(NETWORK.replace("WEIGHT", weight).replace("ACTIVATION", activation))
    return folder, topology


def _imported(tmp_path: Path, weight: str, activation: str) -> tuple[Path, ImportedNetwork]:
    folder, topology = _folder(tmp_path, weight, activation)
    return folder, import_bnn_pynq(folder, str(topology), tmp_path / "out")


@pytest.mark.parametrize(("weight", "activation"), CASES)
def test_what_was_imported_is_equal_layer_by_layer(weight, activation, tmp_path):
    folder, imported = _imported(tmp_path, weight, activation)
    report = check_model(folder, imported.workload_path, random_inputs=100)
    assert report.verdict == "equal", str(report)
    assert {layer.layer for layer in report.layers} == {"a", "p", "b", "c"}


@pytest.mark.parametrize("array", ["a.weights", "b.weights", "b.thresholds", "c.weights"])
@pytest.mark.parametrize(("weight", "activation"), CASES)
def test_one_row_that_differs_is_found_in_its_layer(array, weight, activation, tmp_path):
    folder, imported = _imported(tmp_path, weight, activation)
    arrays = dict(np.load(imported.weights_path))
    changed = arrays[array].copy()
    if array.endswith("weights"):
        changed[0] = changed[0] == 0
    else:
        changed[0] -= 40
    np.savez(imported.weights_path, **{**arrays, array: changed})
    report = check_model(folder, imported.workload_path, random_inputs=100)
    assert report.verdict == "wrong"
    first = next(layer for layer in report.layers if layer.differing)
    assert first.layer == array[0]


def test_a_padded_input_and_rows_that_are_not_stored_are_those_of_the_hardware(tmp_path):
    rng, folder = np.random.default_rng(4), tmp_path / "mnist" / "lfcW1A1"
    folder.mkdir(parents=True)
    for index, (rows, columns) in enumerate([(1024, 832), (1024, 1024), (1024, 1024), (64, 1024)]):
        half = columns // 2
        thresholds = rng.integers(half - 30, half + 30, rows).tolist()
        layer = MadeLayer(rng.integers(0, 2, (rows, columns)), thresholds, 16, 32)
        write_layer(folder, index, layer, rows=16 if rows == 64 else None)
    (folder / "classes.txt").write_text("\n".join("0123456789"))
    report = check_model(folder, import_model(folder, tmp_path / "out").workload_path)
    assert report.verdict == "equal", str(report)


def test_a_folder_that_has_lost_a_file_is_one_line(tmp_path):
    folder, imported = _imported(tmp_path, *CASES[0])
    (folder / "1-0-weights.bin").unlink()
    with pytest.raises(SpecError, match=r"layer 1 \(b\): expected files 1-PE-weights\.bin, got none"):
        check_model(folder, imported.workload_path)
    (folder / "0-0-thres.bin").write_bytes(bytes(8))
    with pytest.raises(SpecError, match="params: expected"):
        check_model(folder, imported.workload_path)
