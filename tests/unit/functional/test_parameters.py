"""Weights files: what loads, and what is wrong with those that do not."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.design.network.network import Network
from bnnsim.functional.parameters.parameters import (
    Parameters,
    load_parameters,
    random_parameters,
    save_parameters,
)
from bnnsim.spec.faults import SpecError

from .plain_execution import network_of

LAYERS = [
    {"name": "conv", "op": "conv", "out": 4, "kernel": 2, "activation": "bipolar"},
    {"name": "fc", "op": "linear", "out": 3, "weight": "int4", "activation": "uint2"},
    {"name": "scores", "op": "linear", "out": 2},
]


@pytest.fixture(scope="module")
def network() -> Network:
    return network_of(LAYERS, shape=[3, 2, 2], type="bipolar")


@pytest.fixture(scope="module")
def right(network: Network) -> dict[str, np.ndarray[Any, Any]]:
    drawn = random_parameters(network, 7)
    weights = {f"{name}.weights": array for name, array in drawn.weights.items()}
    return weights | {f"{name}.thresholds": array for name, array in drawn.thresholds.items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.npz"


def test_saved_parameters_load_as_they_were(network: Network, file: Path) -> None:
    saved = random_parameters(network, 7)
    save_parameters(file, saved)
    loaded = load_parameters(network, file)
    assert list(loaded.weights) == ["conv", "fc", "scores"]
    assert list(loaded.thresholds) == ["conv", "fc"]
    for name in loaded.weights:
        assert np.array_equal(loaded.weights[name], saved.weights[name])
        assert loaded.weights[name].dtype == saved.weights[name].dtype
    for name in loaded.thresholds:
        assert np.array_equal(loaded.thresholds[name], saved.thresholds[name])
        assert loaded.thresholds[name].dtype == np.int64


def test_equal_parameters_are_saved_as_equal_bytes(network: Network, tmp_path: Path) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    save_parameters(first, random_parameters(network, 7))
    save_parameters(second, random_parameters(network, 7))
    assert first.read_bytes() == second.read_bytes()


def test_saving_leaves_no_other_file_behind(network: Network, file: Path) -> None:
    save_parameters(file, random_parameters(network, 7))
    save_parameters(file, random_parameters(network, 8))
    assert [path.name for path in file.parent.iterdir()] == ["net.npz"]


def test_saving_into_a_missing_folder_says_so(network: Network, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="expected a place to write, got No such file or directory"):
        save_parameters(tmp_path / "none" / "net.npz", random_parameters(network, 7))


def test_one_seed_gives_one_set_of_parameters_and_another_seed_another(network: Network) -> None:
    first, again, other = (random_parameters(network, seed) for seed in (3, 3, 4))
    for name in first.weights:
        assert np.array_equal(first.weights[name], again.weights[name])
    assert any(not np.array_equal(first.weights[n], other.weights[n]) for n in first.weights)


def test_one_threshold_a_channel_may_be_a_plain_vector(
    network: Network, right: dict[str, Any], file: Path
) -> None:
    np.savez(file, **right | {"conv.thresholds": np.array([1, 2, 3, 4], np.int16)})
    loaded = load_parameters(network, file)
    assert loaded.thresholds["conv"].tolist() == [[1], [2], [3], [4]]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "conv weights of the wrong shape": (
        {"conv.weights": np.zeros((4, 3, 2, 3), np.uint8)},
        r"conv.weights: expected shape \[4, 3, 2, 2\], got \[4, 3, 2, 3\]",
    ),
    "a bit that is 2": (
        {"conv.weights": np.full((4, 3, 2, 2), 2, np.uint8)},
        r"conv.weights: expected bipolar weights, 0 or 1 \(-1 or \+1\), got 2 and 47 more",
    ),
    "signs instead of bits": (
        {"scores.weights": np.array([[1, -1, 1], [1, 1, 1]])},
        r"scores.weights: expected bipolar weights, 0 or 1 \(-1 or \+1\), got -1$",
    ),
    "a weight beyond its type": (
        {"fc.weights": np.array([[8, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, -9]])},
        r"fc.weights: expected int4 weights, -8 \.\. 7, got 8 and 1 more",
    ),
    "weights of floats": (
        {"fc.weights": np.zeros((3, 4))},
        "fc.weights: expected integers, got float64",
    ),
    "thresholds of floats": (
        {"fc.thresholds": np.zeros((3, 3), np.float32)},
        "fc.thresholds: expected integers, got float32",
    ),
    "too few thresholds": (
        {"fc.thresholds": np.zeros((3, 2), np.int64)},
        r"fc.thresholds: expected shape \[3, 3\], got \[3, 2\]",
    ),
    "a vector of thresholds where there are several": (
        {"fc.thresholds": np.zeros(3, np.int64)},
        r"fc.thresholds: expected shape \[3, 3\], got \[3\]",
    ),
    "thresholds beyond int64": (
        {"conv.thresholds": np.full(4, 1 << 63, np.uint64)},
        "conv.thresholds: expected thresholds that fit int64, got 9223372036854775808",
    ),
    "a key too many": (
        {"scores.thresholds": np.zeros(2, np.int64)},
        "scores.thresholds: expected only keys of this network's layers, got an unknown key",
    ),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_each_wrong_array_is_named_with_what_was_expected(
    network: Network, right: dict[str, Any], file: Path, change: dict[str, Any], message: str
) -> None:
    np.savez(file, **right | change)
    fc_shape = {"fc.weights": np.zeros((3, 4), np.int64)}
    assert fc_shape["fc.weights"].shape == network.nodes["fc"].weight_shape
    with pytest.raises(SpecError, match=message):
        load_parameters(network, file)


def test_a_misspelt_key_is_reported_with_the_right_one(
    network: Network, right: dict[str, Any], file: Path
) -> None:
    renamed = {("scores.weigths" if k == "scores.weights" else k): v for k, v in right.items()}
    np.savez(file, **renamed)
    with pytest.raises(SpecError) as caught:
        load_parameters(network, file)
    assert [str(fault).removeprefix(f"{file}: ") for fault in caught.value.faults] == [
        "scores.weights: expected this key, got none (nearest: scores.weigths)",
        "scores.weigths: expected only keys of this network's layers, got an unknown key"
        " (nearest: scores.weights)",
    ]


def test_all_faults_of_a_file_are_reported_at_once(
    network: Network, right: dict[str, Any], file: Path
) -> None:
    wrong = right | {
        "conv.weights": np.full((4, 3, 2, 2), 3, np.uint8),
        "fc.thresholds": np.zeros((3, 3)),
        "more": np.zeros(1),
    }
    del wrong["scores.weights"]
    np.savez(file, **wrong)
    with pytest.raises(SpecError) as caught:
        load_parameters(network, file)
    keys = [fault.key for fault in caught.value.faults]
    assert keys == ["conv.weights", "fc.thresholds", "more", "scores.weights"]


def test_a_missing_file_is_reported_by_name(network: Network, file: Path) -> None:
    with pytest.raises(SpecError, match=r"net.npz: expected an .npz file, got no such file"):
        load_parameters(network, file)


def test_a_folder_is_not_a_weights_file(network: Network, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"expected an .npz file, got a folder"):
        load_parameters(network, tmp_path)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_off_anywhere_is_reported_as_damaged(
    network: Network, file: Path, kept: float
) -> None:
    save_parameters(file, random_parameters(network, 7))
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(SpecError, match=r"expected an .npz file, got (a damaged|pickled)"):
        load_parameters(network, file)


def test_a_file_with_a_flipped_byte_in_its_data_is_reported_as_damaged(
    network: Network, file: Path
) -> None:
    save_parameters(file, random_parameters(network, 7))
    content = bytearray(file.read_bytes())
    content[80] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(SpecError, match="got a damaged or cut-off file"):
        load_parameters(network, file)


def test_text_is_not_a_weights_file(network: Network, file: Path) -> None:
    file.write_text("weights: none")
    with pytest.raises(SpecError, match="never loaded, or a file of another kind"):
        load_parameters(network, file)


def test_pickled_objects_are_never_loaded(network: Network, right: dict[str, Any], file: Path) -> None:
    np.savez(file, **right | {"conv.weights": np.array([{"a": 1}], object)})
    with pytest.raises(SpecError, match="got pickled Python objects, which are never loaded"):
        load_parameters(network, file)


def test_a_single_array_is_not_a_weights_file(network: Network, file: Path) -> None:
    with file.open("wb") as opened:
        np.save(opened, np.zeros(3))
    with pytest.raises(SpecError, match=r"expected an .npz file, got a single array \(.npy\)"):
        load_parameters(network, file)


def test_a_member_that_is_no_array_is_reported(
    network: Network, right: dict[str, Any], file: Path
) -> None:
    np.savez(file, **right)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(SpecError, match=r"notes.txt: expected only keys of this network's layers"):
        load_parameters(network, file)


def test_parameters_are_complete_for_networks_without_thresholds(file: Path) -> None:
    network = network_of([{"name": "scores", "op": "linear", "out": 2}], shape=[3], type="bipolar")
    save_parameters(file, Parameters({"scores": np.ones((2, 3), np.uint8)}, {}))
    assert load_parameters(network, file).thresholds == {}
