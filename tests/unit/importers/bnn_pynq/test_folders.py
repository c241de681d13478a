"""Import of BNN-PYNQ parameter folders: real ones against their decoded copies, and made ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.design.network.network import resolve_network
from bnnsim.importers import LayerFolding, import_bnn_pynq
from bnnsim.spec import load_workload
from tests.golden.networks import trained

from .parameter_folders import MadeLayer, random_layer, write_layer

CNV_LAYERS = ["conv0", "conv1", "conv2", "conv3", "conv4", "conv5", "fc0", "fc1", "fc2"]
LFC_LAYERS = ["fc0", "fc1", "fc2", "fc3"]
CLASSES = "\n".join("abcdefghij")

# Rows, columns and a folding that is not the shipped one.
CNV_SIZES = [
    (64, 27, (4, 9)),
    (64, 576, (2, 64)),
    (128, 576, (8, 16)),
    (128, 1152, (4, 48)),
    (256, 1152, (2, 64)),
    (256, 2304, (1, 64)),
    (512, 256, (1, 64)),
    (512, 512, (2, 32)),
    (64, 512, (8, 2)),
]


@pytest.fixture(scope="module")
def cnv_layers() -> list[MadeLayer]:
    layers = []
    for index, (rows, columns, fold) in enumerate(CNV_SIZES):
        limits = (0, columns) if index else (-3000, 3000)
        layers.append(random_layer(index, rows, columns, fold, limits if index < 8 else None))
    return layers


@pytest.fixture(scope="module")
def made_cnv(cnv_layers: list[MadeLayer], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole folder, never changed by a test."""
    folder = tmp_path_factory.mktemp("made") / "cnvW1A1"
    folder.mkdir()
    for index, layer in enumerate(cnv_layers):
        write_layer(folder, index, layer)
    (folder / "classes.txt").write_text(CLASSES)
    return folder


@pytest.fixture
def cnv(made_cnv: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    copy: Path = shutil.copytree(made_cnv, tmp_path / "pictures" / "cnvW1A1")
    return copy


def weights_of(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def import_cnv(folder: Path, tmp_path: Path) -> dict[str, Any]:
    return weights_of(import_bnn_pynq(folder, "cnv", tmp_path / "out").weights_path)


@pytest.mark.parametrize(
    ("folder", "topology", "decoded", "names"),
    [
        ("cifar10/cnvW1A1", "cnv", "cnvW1A1_cifar10.npz", CNV_LAYERS),
        ("mnist/lfcW1A1", "lfc", "lfcW1A1_mnist.npz", LFC_LAYERS),
    ],
)
def test_a_shipped_folder_is_read_bit_for_bit_as_its_independently_decoded_copy(
    folder: str, topology: Any, decoded: str, names: list[str], tmp_path: Path
) -> None:
    imported = import_bnn_pynq(trained("bnn-pynq") / folder, topology, tmp_path)
    ours = weights_of(imported.weights_path)
    theirs = np.load(trained(decoded))
    expected = set()
    for index, name in enumerate(names):
        expected.add(f"{name}.weights")
        assert ours[f"{name}.weights"].dtype == np.uint8
        assert np.array_equal(ours[f"{name}.weights"], theirs[f"l{index}_w"])
        if f"l{index}_t" in theirs.files:
            expected.add(f"{name}.thresholds")
            stored = theirs[f"l{index}_t"]
            floored = np.array([int(t) // 2 for t in stored]) if name == "conv0" else stored
            assert ours[f"{name}.thresholds"].dtype == np.int32
            assert np.array_equal(ours[f"{name}.thresholds"], floored)
    assert set(ours) == expected
    assert imported.workload.classes == [str(c) for c in theirs["classes"]]
    for name, shipped in zip(names, json.loads(bytes(theirs["meta_json"]))["layers"], strict=True):
        folding = imported.folding[name]
        assert (folding.pe, folding.simd) == (shipped["pe"], shipped["simd"])


@pytest.mark.parametrize(
    ("decoded", "index", "rows", "columns", "fold", "stored_rows"),
    [
        ("cnvW1A1_streetview.npz", 8, 64, 512, (4, 1), 12),
        ("lfcW1A1_chars_merged.npz", 3, 64, 1024, (16, 8), 48),
    ],
)
def test_missing_rows_of_a_trained_last_layer_are_zeros_that_never_fire(
    decoded: str,
    index: int,
    rows: int,
    columns: int,
    fold: tuple[int, int],
    stored_rows: int,
    tmp_path: Path,
) -> None:
    theirs = np.load(trained(decoded))
    topology: Any = decoded[:3]
    folder = tmp_path / "lfcW1A1"
    folder.mkdir()
    count = index + 1
    for layer in range(count):
        weights = theirs[f"l{layer}_w"]
        if weights.ndim == 4:
            weights = weights.transpose(0, 2, 3, 1)
        matrix = weights.reshape(len(weights), -1)
        thresholds = None
        if f"l{layer}_t" in theirs.files:
            thresholds = [int(t) for t in theirs[f"l{layer}_t"]]
        if layer == index:
            write_layer(folder, layer, MadeLayer(matrix, thresholds, *fold), stored_rows)
        else:
            simd = 3 if matrix.shape[1] == 27 else 32
            write_layer(folder, layer, MadeLayer(matrix, thresholds, 8, simd))
    # The decoder of the copy kept the empty lines at the end of streetview's classes.txt.
    classes = [str(c) for c in theirs["classes"] if str(c)]
    (folder / "classes.txt").write_text("\r\n".join(classes) + "\r\n\r\n")
    imported = import_bnn_pynq(folder, topology, tmp_path / "out", "short")
    ours = weights_of(imported.weights_path)
    name = (CNV_LAYERS if topology == "cnv" else LFC_LAYERS)[index]
    assert np.array_equal(ours[f"{name}.weights"], theirs[f"l{index}_w"])
    if f"l{index}_t" in theirs.files:
        assert np.array_equal(ours[f"{name}.thresholds"], theirs[f"l{index}_t"])
        assert (ours[f"{name}.thresholds"][stored_rows:] >= columns).all()
    assert imported.folding[name] == LayerFolding(*fold, rows_stored=stored_rows)
    assert imported.workload.classes == classes


def test_any_folding_gives_back_the_matrix_it_was_made_from(
    made_cnv: Path, cnv_layers: list[MadeLayer], tmp_path: Path
) -> None:
    imported = import_bnn_pynq(made_cnv, "cnv", tmp_path)
    ours = weights_of(imported.weights_path)
    for name, layer in zip(CNV_LAYERS, cnv_layers, strict=True):
        weights = ours[f"{name}.weights"]
        if weights.ndim == 2:
            assert np.array_equal(weights, layer.matrix)
        else:
            channels, height, width = weights.shape[1:]
            for channel in range(channels):
                for y in range(height):
                    for x in range(width):
                        column = (y * width + x) * channels + channel
                        assert np.array_equal(weights[:, channel, y, x], layer.matrix[:, column])
        assert imported.folding[name] == LayerFolding(layer.pe, layer.simd, len(layer.matrix))


def test_first_layer_thresholds_fire_on_the_same_sums_as_the_stored_ones(
    made_cnv: Path, cnv_layers: list[MadeLayer], tmp_path: Path
) -> None:
    ours = import_cnv(made_cnv, tmp_path)["conv0.thresholds"]
    stored = cnv_layers[0].thresholds
    assert stored is not None
    assert any(t < 0 and t % 2 for t in stored)
    for t, floored in zip(stored, ours, strict=True):
        for total in range(t // 2 - 2, t // 2 + 4):
            assert (2 * total > t) == (total > floored)


def test_the_imported_cnv_is_the_shipped_workload_with_weights_and_classes(
    made_cnv: Path, tmp_path: Path
) -> None:
    imported = import_bnn_pynq(made_cnv, "cnv", tmp_path)
    loaded = load_workload(imported.workload_path).spec
    shipped = load_workload("cnv").spec
    assert loaded == imported.workload
    assert (loaded.input, loaded.layers) == (shipped.input, shipped.layers)
    assert loaded.weights == imported.weights_path.name
    assert loaded.classes == list("abcdefghij")
    assert list(resolve_network(loaded).nodes) == [layer.name for layer in shipped.layers]


def test_a_network_is_named_after_topology_and_data_set(cnv: Path, tmp_path: Path) -> None:
    assert import_bnn_pynq(cnv, "cnv", tmp_path).workload_path == tmp_path / "cnv-pictures.yaml"
    moved = cnv.rename(cnv.parent / "my own")
    assert import_bnn_pynq(moved, "cnv", tmp_path).workload.name == "cnv-my-own"
    assert import_bnn_pynq(moved, "cnv", tmp_path, "x1").weights_path == tmp_path / "x1.npz"


def test_importing_twice_gives_the_same_bytes_and_leaves_nothing_else(
    made_cnv: Path, tmp_path: Path
) -> None:
    first = import_bnn_pynq(made_cnv, "cnv", tmp_path / "a", "n")
    second = import_bnn_pynq(made_cnv, "cnv", tmp_path / "b", "n")
    import_bnn_pynq(made_cnv, "cnv", tmp_path / "b", "n")
    assert first.weights_path.read_bytes() == second.weights_path.read_bytes()
    assert first.workload_path.read_bytes() == second.workload_path.read_bytes()
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == ["n.npz", "n.yaml"]


def test_a_folder_without_classes_gives_a_workload_without_classes(
    cnv: Path, tmp_path: Path
) -> None:
    (cnv / "classes.txt").unlink()
    assert import_bnn_pynq(cnv, "cnv", tmp_path).workload.classes is None


def test_classes_may_start_with_a_byte_order_mark_and_end_in_empty_lines(
    cnv: Path, tmp_path: Path
) -> None:
    (cnv / "classes.txt").write_bytes("\ufeffno\r\n3 km/h: \u00e4\r\n\r\n\r\n".encode())
    imported = import_bnn_pynq(cnv, "cnv", tmp_path)
    assert load_workload(imported.workload_path).spec.classes == ["no", "3 km/h: ä"]


def test_unused_thresholds_of_the_last_layer_are_passed_over(cnv: Path, tmp_path: Path) -> None:
    (cnv / "8-0-thres.bin").write_bytes(bytes(24))
    assert "fc2.thresholds" not in import_cnv(cnv, tmp_path)


def test_the_bits_in_use_tell_a_short_file_from_a_whole_one_of_the_same_size(
    cnv: Path, cnv_layers: list[MadeLayer], tmp_path: Path
) -> None:
    # 16 rows on 4 PEs of SIMD 1 are 2,048 words a file, and so are 64 rows of SIMD 4.
    (cnv / "classes.txt").write_text("\n".join("abcdefghijklmnop"))
    for path in cnv.glob("8-*"):
        path.unlink()
    short = MadeLayer(cnv_layers[8].matrix, None, 4, 1)
    write_layer(cnv, 8, short, rows=16)
    imported = import_bnn_pynq(cnv, "cnv", tmp_path, "short")
    weights = weights_of(imported.weights_path)["fc2.weights"]
    assert imported.folding["fc2"] == LayerFolding(4, 1, 16)
    assert np.array_equal(weights[:16], short.matrix[:16])
    assert not weights[16:].any()
    write_layer(cnv, 8, MadeLayer(cnv_layers[8].matrix, None, 4, 4))
    imported = import_bnn_pynq(cnv, "cnv", tmp_path, "whole")
    assert imported.folding["fc2"] == LayerFolding(4, 4, 64)
    assert np.array_equal(weights_of(imported.weights_path)["fc2.weights"], short.matrix)
