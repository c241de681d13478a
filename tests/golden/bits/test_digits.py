"""The shipped digits network: its accuracy, and its scores by two independent ways of counting."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.spec import load_workload

WORKLOADS = Path(__file__).resolve().parents[3] / "workloads"
Ints = npt.NDArray[np.int64]


def archive(name: str) -> dict[str, Any]:
    with np.load(WORKLOADS / name, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    return archive("digits.npz")


@pytest.fixture(scope="module")
def images() -> npt.NDArray[np.uint8]:
    pixels: npt.NDArray[np.uint8] = archive("digits-images.npz")["images_u8"]
    return pixels


@pytest.fixture(scope="module")
def labels() -> Ints:
    return np.asarray(archive("digits-images.npz")["labels"], np.int64)


@pytest.fixture(scope="module")
def executed(images: npt.NDArray[np.uint8]) -> Ints:
    """Scores (images, 10) of the functional executor."""
    workload = load_workload("digits")
    network = resolve_network(workload)
    parameters = load_parameters(network, WORKLOADS / "digits.npz")
    activations = execute(network, parameters, frames_from_images(network, images))
    scores = activations.outputs[network.output]
    return np.asarray(scores, np.int64).reshape(len(images), 10)


def evaluated(weights: dict[str, Any], images: npt.NDArray[np.uint8]) -> Ints:
    """Scores (images, 10), every sum written out as products of -1 and +1."""

    def signs(layer: str) -> Ints:
        bits = weights[f"{layer}.weights"]
        assert set(np.unique(bits)) == {0, 1}
        return np.where(bits == 1, 1, -1).astype(np.int64)

    def convolved(maps: Ints, layer: str) -> Ints:
        kernels = signs(layer)
        side = maps.shape[-1] - 2
        sums = np.zeros((len(maps), len(kernels), side, side), np.int64)
        for y in range(3):
            for x in range(3):
                shifted = maps[:, :, y : y + side, x : x + side]
                for out, kernel in enumerate(kernels):
                    for channel, tap in enumerate(kernel[:, y, x]):
                        sums[:, out] += shifted[:, channel] * tap
        return sums

    def fired(sums: Ints, layer: str) -> Ints:
        thresholds = weights[f"{layer}.thresholds"]
        result = np.full(sums.shape, -1, np.int64)
        for channel, threshold in enumerate(thresholds):
            result[:, channel][sums[:, channel] >= threshold] = 1
        return result

    table = [min(127, max(-128, math.floor((p / 255 * 2 - 1) * 128 + 0.5))) for p in range(256)]
    maps = np.array(table, np.int64)[images]
    maps = fired(convolved(maps, "conv0"), "conv0")
    maps = fired(convolved(maps, "conv1"), "conv1")
    vector = []
    for y in (0, 2):
        for x in (0, 2):
            vector += [maps[:, c, y : y + 2, x : x + 2].max((1, 2)) for c in range(maps.shape[1])]
    features = np.stack(vector, 1)
    hidden = fired((features[:, None] * signs("fc0")).sum(2), "fc0")
    scores: Ints = (hidden[:, None] * signs("fc1")).sum(2)
    return scores


def test_the_test_set_is_all_of_the_held_out_digits(images: npt.NDArray[np.uint8], labels: Ints) -> None:
    assert images.shape == (360, 1, 8, 8)
    assert images.dtype == np.uint8
    # Grey levels 0 .. 16, spread over 0 .. 255; the ten digits evenly drawn.
    assert set(np.unique(images)) == {(v * 255 * 2 + 16) // 32 for v in range(17)}
    counts = np.bincount(labels, minlength=10)
    assert counts.min() >= 35
    assert counts.max() <= 37


def test_the_executor_gives_every_score_that_the_plain_sums_give(
    executed: Ints, weights: dict[str, Any], images: npt.NDArray[np.uint8]
) -> None:
    assert np.array_equal(executed, evaluated(weights, images))


def test_the_accuracy_that_the_workload_states_is_the_accuracy_it_has(
    executed: Ints, labels: Ints
) -> None:
    stated = re.search(r"(\d+) of (\d+) held-out images right", load_workload("digits").spec.source)
    assert stated is not None
    right = int((executed.argmax(1) == labels).sum())
    assert (right, len(labels)) == (int(stated[1]), int(stated[2]))
    assert right / len(labels) >= 0.97


def test_every_threshold_lies_within_what_its_sums_can_reach(
    weights: dict[str, Any],
) -> None:
    for layer, columns, largest in (("conv0", 9, 128), ("conv1", 144, 1), ("fc0", 128, 1)):
        assert weights[f"{layer}.weights"][0].size == columns
        assert np.abs(weights[f"{layer}.thresholds"]).max() <= columns * largest


def test_the_shipped_files_stay_small() -> None:
    total = sum(path.stat().st_size for path in WORKLOADS.glob("digits*"))
    assert total < 50_000
