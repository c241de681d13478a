"""Files that TensorFlow, Larq and Keras 3 wrote, held against what these computed with them.

tools/models/export_larq.py wrote both: tensorflow 2.15.1 (Keras 2.15), larq 0.13.3, and for .tflite
larq-compute-engine 0.16.0, whose interpreter computed the scores; tools/models/export_keras3.py
those of keras 3.15.1. They are of 1,000 frames a model. tools/models/export_larq_zoo.py wrote networks
of larq-zoo 2.4.0 at small sizes, and what TensorFlow computed on 100 frames.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import Executor
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.importers.check.check import check_model
from bnnsim.importers.model import import_model
from bnnsim.spec.faults import InputError

FOLDER = Path(__file__).parent / "larq"
KERAS_3 = Path(__file__).parent / "keras3"
LARQ_ZOO = Path(__file__).parent / "larq_zoo"
LARQ_ZOO_SIDES = {
    "MeliusNet": 32,
    "BinaryDenseNet": 64,
    "BiRealNet": 64,
    "BinaryResNetE": 64,
    "RealToBinaryNet": 32,
    "QuickNet": 32,
}
WHOLE_LARQ_ZOO = [
    *("BiRealNet", "BinaryResNetE18", "BinaryDenseNet28"),
    *("RealToBinaryNet", "MeliusNet22", "QuickNetSmall"),
]
INPUTS = 1000
SHAPES = {
    "sequential": (8, 8, 3),
    "dorefa": (8, 8, 2),
    "shared": (8, 8, 3),
    "subclassed": (6, 6, 3),
    "samples": (24, 2),
    "thresholds": (8, 8, 3),
    "shortcuts": (10, 10, 2),
    "parted": (10, 10, 2),
    "gated": (8, 8, 3),
    "gated_lite": (8, 8, 3),
    "sliced": (8, 8, 3),
    "functional": (10, 12, 3),
}
KERAS_3_FILES = [
    *("functional.keras", "functional-structure.json"),
    *("sequential.keras", "sequential.h5"),
]
FILES = {
    "sequential.h5": "sequential",
    "dorefa.keras": "dorefa",
    "dorefa-structure.json": "dorefa",
    "dorefa-structure.weights.h5": "dorefa",
    "shared.h5": "shared",
    "shared.keras": "shared",
    "shared-structure.json": "shared",
    "shared-structure.h5": "shared",
    "subclassed.h5": "subclassed",
    "samples.keras": "samples",
    "thresholds.tflite": "thresholds",
    "shortcuts.tflite": "shortcuts",
    "parted.tflite": "parted",
    "gated.h5": "gated",
    "sliced.h5": "sliced",
    "gated_lite.tflite": "gated_lite",
}


def frames_of(shape: tuple[int, ...]) -> np.ndarray:
    """The frames that the tool ran the models on: coarse patches with noise on them."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (INPUTS, *[2] * (len(shape) - 1), shape[-1]))
    for axis, size in enumerate(shape[:-1], 1):
        coarse = np.take(coarse, np.arange(size) * 2 // size, axis=axis)
    return np.clip(coarse + rng.integers(-60, 61, coarse.shape), 0, 255).astype(np.uint8)


def workload_scores(
    path: Path, out: Path, frames: np.ndarray, **more: Any
) -> tuple[np.ndarray, Path]:
    """The workload's scores, and the workload, of a model that takes ``frames`` as they are.

    ``more``: what else the import is told."""
    imported = import_model(path, out, "net", input_type="uint8", image_range=(0, 255), **more)
    network = resolve_network(imported.workload)
    maps = np.moveaxis(frames, -1, 1).reshape(len(frames), *network.input.shape)
    executor = Executor(network, load_parameters(network, imported.weights_path))
    last = executor.run(frames_from_images(network, maps)).outputs[imported.workload.layers[-1].name]
    return last.reshape(len(frames), -1).astype(np.float64), imported.workload_path


def as_scores(probabilities: np.ndarray) -> np.ndarray:
    """What a softmax was made of, up to one number for each frame."""
    logs = np.log(np.maximum(probabilities.astype(np.float64), 1e-300))
    return np.asarray(logs - logs.max(axis=1, keepdims=True))


def assert_scores(
    expected: np.ndarray, found: np.ndarray, ends_in_softmax: bool, least_different: int
) -> None:
    """A framework's scores ``(frames, classes)`` are a workload's but for one gain and one offset, and of
    frames that tell networks apart. A softmax at the end is left out of the workload."""
    if ends_in_softmax:
        kept = expected > 1e-30
        expected, found = as_scores(expected), found - found.max(axis=1, keepdims=True)
        expected, found = np.where(kept, expected, 0), np.where(kept, found, 0)
    gain, offset = np.polyfit(found.reshape(-1), expected.reshape(-1), 1)
    off = np.abs(gain * found + offset - expected)
    assert gain > 0 and np.count_nonzero(off > 1e-4 * np.ptp(expected)) == 0
    assert len(np.unique(expected.round(4), axis=0)) > least_different, "frames that tell networks apart"


@pytest.mark.parametrize("file", FILES)
def test_a_thousand_frames_give_what_tensorflow_gave(file: str, tmp_path: Path) -> None:
    if file.endswith(".tflite"):
        pytest.importorskip("tflite", reason="the extra bnnsim[tflite] is not installed")
        pytest.importorskip("flatbuffers", reason="the extra bnnsim[tflite] is not installed")
    name = FILES[file]
    expected = np.load(FOLDER / f"{name}.npz")["scores"].astype(np.float64)
    found, workload = workload_scores(FOLDER / file, tmp_path, frames_of(SHAPES[name]))
    ends_in_softmax = name in ("sequential", "subclassed", "thresholds")
    assert_scores(expected, found, ends_in_softmax, least_different=10)
    report = check_model(FOLDER / file, workload, random_inputs=20)
    # a gate's table times a sum of 288 bits is bounded by more than 1 % of the scores' span
    allowed = ("equal", "undecided") if name.startswith("gated") else ("equal",)
    assert report.verdict in allowed, str(report)


def larq_zoo_frames(side: int) -> np.ndarray:
    """The frames that the tool ran larq-zoo's networks on: patches with noise on them."""
    rng = np.random.default_rng(11)
    coarse = rng.integers(0, 256, (100, 4, 4, 3))
    for axis in (1, 2):
        coarse = np.take(coarse, np.arange(side) * 4 // side, axis=axis)
    return np.clip(coarse + rng.integers(-60, 61, coarse.shape), 0, 255).astype(np.uint8)


def larq_zoo_file(name: str, folder: Path) -> Path:
    """The file that TensorFlow wrote, unpacked."""
    path = folder / f"{name}.h5"
    path.write_bytes(gzip.decompress((LARQ_ZOO / f"{name}.h5.gz").read_bytes()))
    return path


@pytest.mark.parametrize("name", LARQ_ZOO_SIDES)
def test_networks_of_larq_zoo_give_what_tensorflow_gave(name: str, tmp_path: Path) -> None:
    """Real weights lie on 255 steps of each channel, so int8 holds them as they are."""
    path = larq_zoo_file(name, tmp_path)
    expected = np.load(LARQ_ZOO / f"{name}.npz")["scores"].astype(np.float64)
    frames = larq_zoo_frames(LARQ_ZOO_SIDES[name])
    found, workload = workload_scores(path, tmp_path, frames, real_layers="int8")
    gain, offset = np.polyfit(found.reshape(-1), expected.reshape(-1), 1)
    off = np.abs(gain * found + offset - expected).max(axis=1) / np.ptp(expected)
    assert len(np.unique(expected.argmax(axis=1))) >= 8, "frames that tell networks apart"
    if name == "RealToBinaryNet":  # its gates are tables, and here and there a sign behind them flips
        assert np.median(off) < 3e-4 and np.quantile(off, 0.9) < 1e-3
    else:
        assert off.max() < 1e-5
    report = check_model(path, workload, random_inputs=10)
    assert report.verdict == "equal", str(report)


@pytest.mark.long
@pytest.mark.parametrize("name", WHOLE_LARQ_ZOO)
def test_networks_of_larq_zoo_are_imported_at_their_real_size(name: str, tmp_path: Path) -> None:
    python = os.environ.get("LARQ_ZOO_PYTHON")
    if python is None:
        pytest.skip("LARQ_ZOO_PYTHON names no Python that has tensorflow and larq-zoo")
    tool = Path(__file__).parents[3] / "tools" / "models" / "export_larq_zoo.py"
    subprocess.run([python, tool, tmp_path, name], check=True, capture_output=True)
    options = {"input_type": "uint8", "image_range": (-1, 1), "real_layers": "int8"}
    path = tmp_path / f"{name}.h5"
    imported = import_model(path, tmp_path / "out", "net", **options)
    report = check_model(path, imported.workload_path, random_inputs=2)
    assert report.verdict in ("equal", "flips"), str(report)


@pytest.mark.parametrize("file", KERAS_3_FILES)
def test_a_thousand_frames_give_what_keras_3_gave(file: str, tmp_path: Path) -> None:
    name = file.split(".")[0].removesuffix("-structure")
    expected = np.load(KERAS_3 / f"{name}.npz")["scores"].astype(np.float64)
    shape = SHAPES[name] if name == "functional" else (9, 9, 2)
    frames = np.random.default_rng(7).integers(0, 256, (INPUTS, *shape)).astype(np.uint8)
    found, workload = workload_scores(KERAS_3 / file, tmp_path, frames)
    gain, offset = np.polyfit(found.reshape(-1), expected.reshape(-1), 1)
    off = np.abs(gain * found + offset - expected)
    assert gain > 0 and np.count_nonzero(off > 1e-3 * np.ptp(expected)) == 0
    assert len(np.unique(expected.round(4), axis=0)) > 10, "frames that tell networks apart"
    report = check_model(KERAS_3 / file, workload, random_inputs=20)
    assert report.verdict in ("equal", "flips"), str(report)


def test_weights_are_found_by_name_or_as_the_only_ones(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    shutil.copy(FOLDER / "shared-structure.json", folder / "network.json")
    with pytest.raises(InputError, match=r"network.json: expected its weights beside it .*, got none"):
        import_model(folder, tmp_path / "out", input_type="uint8")
    shutil.copy(FOLDER / "shared-structure.h5", folder / "final.h5")
    assert import_model(folder, tmp_path / "out", input_type="uint8").workload.name == "network"
    shutil.copy(FOLDER / "dorefa-structure.weights.h5", folder / "other.h5")
    with pytest.raises(InputError, match=r"expected its weights beside it .*, got final.h5, other.h5"):
        import_model(folder, tmp_path / "out2", input_type="uint8")


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "shared-structure.json", tmp_path / "net.json")
    shutil.copy(FOLDER / "dorefa-structure.weights.h5", tmp_path / "net.h5")
    with pytest.raises(InputError, match=r"net.h5: expected a group of weights for each layer"):
        import_model(tmp_path / "net.json", tmp_path / "out", input_type="uint8")


def test_python_code_in_a_model_is_never_run(tmp_path: Path) -> None:
    text = (FOLDER / "shared-structure.json").read_text()
    (tmp_path / "net.json").write_text(text.replace('"Concatenate"', '"Lambda"'))
    shutil.copy(FOLDER / "shared-structure.h5", tmp_path / "net.h5")
    match = r"concatenate \(Lambda\): expected layers whose meaning the file says, got Python code"
    with pytest.raises(InputError, match=match):
        import_model(tmp_path / "net.json", tmp_path / "out", input_type="uint8")


def test_weights_beyond_all_bounds_are_refused_unread(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "shared-structure.json", tmp_path / "net.json")
    shutil.copy(FOLDER / "shared-structure.h5", tmp_path / "net.h5")
    with (tmp_path / "net.h5").open("r+b") as file:
        file.truncate(1 << 38)
    match = r"net.h5: expected a file of at most 2,147,483,648 bytes, got 274,877,906,944"
    with pytest.raises(InputError, match=match):
        import_model(tmp_path / "net.json", tmp_path / "out", input_type="uint8")
