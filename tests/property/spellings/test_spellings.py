"""One network in the files of several tools: whatever wrote it, the import computes its scores, bit by
bit, as plain loops over the network's definition do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.importers.check.check import check_model
from bnnsim.importers.keras.network import import_keras
from bnnsim.importers.onnx.network import import_onnx
from tests.property.spellings.definition import Definition, drawn, scores
from tests.property.spellings.keras_files import KerasWriter
from tests.property.spellings.onnx_files import OnnxWriter

IMAGES = 12
SPELLINGS: dict[str, Callable[[Definition, int, Path], Path]] = {
    "first.onnx": lambda n, seed, path: OnnxWriter(n, is_last=False).save(path),
    "last.onnx": lambda n, seed, path: OnnxWriter(n, is_last=True).save(path),
    "second.h5": lambda n, seed, path: KerasWriter(n, seed).save_h5(path, is_third=False),
    "third.h5": lambda n, seed, path: KerasWriter(n, seed).save_h5(path, is_third=True),
    "2-12.keras": lambda n, seed, path: KerasWriter(n, seed).save_archive(path, "2.12.0"),
    "2-14.keras": lambda n, seed, path: KerasWriter(n, seed).save_archive(path, "2.14.0"),
    "2-15.keras": lambda n, seed, path: KerasWriter(n, seed).save_archive(path, "2.15.0"),
    "3.keras": lambda n, seed, path: KerasWriter(n, seed).save_archive(path, "3.5.0"),
}


def _imported_scores(path: Path, images: np.ndarray) -> np.ndarray:
    read = import_onnx if path.suffix == ".onnx" else import_keras
    imported = read(path, path.parent / path.stem, name="net", image_range=(-1.0, 1.0))
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    return execute(network, parameters, frames_from_images(network, images)).scores


def _holds(seed: int, folder: Path) -> None:
    network = drawn(seed)
    images = np.random.default_rng(seed).integers(0, 256, (IMAGES, *network.shape), np.uint8)
    expected = scores(network, images)
    for name, write in SPELLINGS.items():
        path = write(network, seed, folder / name)
        assert np.array_equal(_imported_scores(path, images), expected), name


@pytest.mark.parametrize("seed", range(8))
def test_every_spelling_of_a_network_gives_its_scores(seed: int, tmp_path: Path) -> None:
    _holds(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8, 120))
def test_every_spelling_of_many_networks_gives_their_scores(seed: int, tmp_path: Path) -> None:
    _holds(seed, tmp_path)


@pytest.mark.parametrize("name", SPELLINGS)
def test_check_reads_every_spelling(name: str, tmp_path: Path) -> None:
    path = SPELLINGS[name](drawn(1), 1, tmp_path / name)
    read = import_onnx if path.suffix == ".onnx" else import_keras
    imported = read(path, tmp_path / "nets", name="net", image_range=(-1.0, 1.0))
    report = check_model(path, imported.workload_path, None, 30, 0, (-1.0, 1.0))
    assert report.verdict == "equal", str(report)
