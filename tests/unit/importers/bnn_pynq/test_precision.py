"""BNN-PYNQ's folders of 2 bits and of one's own topologies, against plain loops over what was packed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.importers import ImportedNetwork, import_bnn_pynq
from bnnsim.importers.model import import_model
from bnnsim.spec.faults import SpecError

from .parameter_folders import MadeLayer, write_layer

LFC = [(1024, 832), (1024, 1024), (1024, 1024), (64, 1024)]


def _made(
    rng: Any,
    rows: int,
    columns: int,
    fold: tuple[int, int],
    weight_bits: int,
    thresholds: int,
    reach: int,
) -> MadeLayer:
    """Thresholds in no order: of a negative gain the tool writes them falling."""
    low, high = (0, 2) if weight_bits == 1 else (-1, 2)
    matrix = rng.integers(low, high, (rows, columns))
    given = rng.integers(-reach, reach, (rows, thresholds)).tolist() if thresholds else None
    return MadeLayer(matrix, given, *fold, weight_bits)


def _values(layer: MadeLayer) -> np.ndarray:
    matrix = layer.matrix.astype(np.int64)
    return 2 * matrix - 1 if layer.weight_bits == 1 else matrix


def _fired(sums: np.ndarray, layer: MadeLayer, point: int = 0) -> np.ndarray:
    """How many of a row's thresholds lie below its sum, which counts in ``2**-point`` of them."""
    levels = np.array(layer.thresholds)
    return (levels < (sums << point)[..., None]).sum(axis=-1)


def _scores(imported: ImportedNetwork, images: np.ndarray) -> np.ndarray:
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    return execute(network, parameters, frames_from_images(network, images)).scores


@pytest.mark.parametrize("weight_bits", [1, 2])
def test_a_folder_of_two_bits_tells_its_precision_and_computes_as_the_hardware(weight_bits, tmp_path):
    rng, folder = np.random.default_rng(weight_bits), tmp_path / "mnist" / f"lfcW{weight_bits}A2"
    folder.mkdir(parents=True)
    layers = [
        _made(rng, *size, (32, 32), weight_bits, 2 if index < 3 else 1, 30)
        for index, size in enumerate(LFC)
    ]
    for index, layer in enumerate(layers):
        write_layer(folder, index, layer)
    imported = import_model(folder, tmp_path / "out")
    assert imported.workload.name == f"lfcW{weight_bits}A2-mnist"
    images = rng.integers(0, 256, (40, 784, 1, 1), np.uint8)
    x = np.where(images.reshape(40, 784) >= 128, 1, -1)
    x = np.concatenate([x, np.full((40, 48), -1)], axis=1)
    for layer in layers[:3]:
        x = _fired(x @ _values(layer).T, layer) - 1
    bits = _fired(x @ _values(layers[3]).T, layers[3])
    assert np.array_equal(_scores(imported, images), 2 * bits - 1)
    assert 0.2 < bits.mean() < 0.8


SIXTY = """
name: small
input: {shape: [3, 12, 10], type: fixed8.7, image_range: [-1.0, 1.0]}
layers:
  - {name: a, op: conv, out: 8, kernel: 3, activation: ACTIVATION}
  - {name: p, op: max_pool, kernel: 2}
  - {name: b, op: conv, out: 12, kernel: 3, activation: ACTIVATION}
  - {name: c, op: linear, out: 16}
classes: [x, y, z]
"""


def _windows(maps: np.ndarray) -> np.ndarray:
    """``(n, rows, columns, channels)`` as windows of 3 x 3: kernel row, kernel column, channel."""
    n, rows, columns, _ = maps.shape
    cut = [maps[:, r : rows - 2 + r, c : columns - 2 + c] for r in range(3) for c in range(3)]
    return np.stack(cut, axis=3).reshape(n, rows - 2, columns - 2, -1)


@pytest.mark.parametrize("activation", ["bipolar", "{type: int2, lowest: -1, highest: 1}"])
def test_a_topology_of_ones_own_is_a_workloads_file(activation, tmp_path):
    rng, folder = np.random.default_rng(5), tmp_path / "params"
    folder.mkdir()
    is_binary = activation == "bipolar"
    count = 1 if is_binary else 2
    layers = [
        _made(rng, 8, 27, (4, 9), 1, count, 900),
        _made(rng, 12, 72, (3, 24), 1, count, 12),
        _made(rng, 16, 72, (2, 36), 1, 0, 0),
    ]
    if is_binary:  # equal bits are counted
        layers[1].thresholds = [[36 + t // 2 for t in row] for row in layers[1].thresholds]
    for index, layer in enumerate(layers):
        write_layer(folder, index, layer)
    topology = tmp_path / "small.yaml"
    topology.write_text(SIXTY.replace("ACTIVATION", activation))
    imported = import_bnn_pynq(folder, str(topology), tmp_path / "out")
    assert imported.workload.name == "small" and imported.workload.classes == ["x", "y", "z"]
    images = rng.integers(0, 256, (30, 3, 12, 10), np.uint8)
    x = np.floor((images / 255 * 2 - 1) * 128 + 0.5).clip(-128, 127).astype(np.int64)
    decode = (lambda n: 2 * n - 1) if is_binary else (lambda n: n - 1)
    x = decode(_fired(_windows(x.transpose(0, 2, 3, 1)) @ _values(layers[0]).T, layers[0], point=1))
    x = x.reshape(30, 5, 2, 4, 2, 8).max(axis=(2, 4))
    sums = _windows(x) @ _values(layers[1]).T
    x = decode(_fired((sums + 72) // 2 if is_binary else sums, layers[1])).reshape(30, -1)
    sums = x @ _values(layers[2]).T
    assert np.array_equal(_scores(imported, images), (sums + 72) // 2 if is_binary else sums)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("{name: c, op: affine}", "layers.c: expected conv, linear, max_pool"),
        (
            "{name: c, op: linear, out: 16, weight: uint2}",
            "layers.c: expected bipolar or intN weights, got uint2",
        ),
    ],
)
def test_a_topology_with_what_folders_do_not_hold_is_refused(layer, message, tmp_path):
    topology = tmp_path / "small.yaml"
    text = SIXTY.replace("ACTIVATION", "bipolar").replace("{name: c, op: linear, out: 16}", layer)
    topology.write_text(text)
    with pytest.raises(SpecError, match=message):
        import_bnn_pynq(tmp_path, str(topology), tmp_path / "out")


def test_a_folder_of_no_known_topology_says_how_to_name_ones_own(tmp_path):
    for index in range(3):
        (tmp_path / f"{index}-0-weights.bin").write_bytes(bytes(64))
    with pytest.raises(SpecError, match="or a topology of your own"):
        import_model(tmp_path, tmp_path / "out")


def test_a_huge_file_is_refused_unread(tmp_path):
    rng, folder = np.random.default_rng(1), tmp_path / "params"
    folder.mkdir()
    for index, (rows, columns) in enumerate([(8, 27), (12, 72), (16, 72)]):
        write_layer(folder, index, _made(rng, rows, columns, (4, 9), 1, 1, 30))
    with Path(folder / "0-3-weights.bin").open("wb") as file:
        file.truncate(1 << 40)
    topology = tmp_path / "small.yaml"
    topology.write_text(SIXTY.replace("ACTIVATION", "bipolar"))
    match = r"0-3-weights\.bin: expected at most 1728 bytes, got 1099511627776"
    with pytest.raises(SpecError, match=match):
        import_bnn_pynq(folder, str(topology), tmp_path / "out")
