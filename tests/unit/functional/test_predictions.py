"""Predictions are of classes, never of a map's pixels, and accuracy counts each image once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnsim import simulate
from bnnsim.design.network.network import Network, resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.parameters.parameters import random_parameters
from bnnsim.simulation.predictions import class_predictions
from bnnsim.spec.workload import Workload


def _network(layers: list[dict[str, object]], **more: object) -> Network:
    entries = {"name": "net", "input": {"shape": [3, 5, 6], "type": "bipolar"}, "layers": layers}
    return resolve_network(Workload.model_validate({**entries, **more}))


MAP = {"name": "conv0", "op": "conv", "out": 4, "kernel": 3}


def test_a_map_has_no_class_predictions() -> None:
    network = _network([MAP])
    scores = np.arange(2 * 4 * 3 * 4).reshape(2, -1)
    assert class_predictions(network, scores) is None


def test_the_executor_s_predictions_of_a_map_are_of_each_pixel() -> None:
    network = _network([MAP])
    parameters = random_parameters(network, 1)
    made = execute(network, parameters, random_frames(network, 3, 2))
    assert made.predictions.shape == (3, 3, 4)
    maps = made.outputs["conv0"]
    for frame in range(3):
        for row in range(3):
            for column in range(4):
                scores = maps[frame, :, row, column].tolist()
                assert made.predictions[frame, row, column] == scores.index(max(scores))


def test_scores_behind_the_last_class_are_not_predicted() -> None:
    network = _network([{"name": "fc0", "op": "linear", "out": 4}], classes=["a", "b"])
    assert class_predictions(network, np.array([[1, 3, 9, 9], [2, 2, 0, 5]])) == (1, 0)


@pytest.mark.parametrize(("frames", "accuracy"), [(3, 1 / 3), (4, 1 / 3), (5, 1 / 3), (2, 1 / 2)])
def test_accuracy_counts_each_image_once(frames: int, accuracy: float, tmp_path: Path) -> None:
    with np.load(Path(__file__).parents[3] / "workloads" / "digits-images.npz") as archive:
        arrays = dict(archive)
    images, labels = arrays["images_u8"][:3], arrays["labels"][:3].copy()
    labels[1:] = (labels[1:] + 1) % 10
    np.savez(tmp_path / "three.npz", images_u8=images, labels=labels)
    run = simulate("digits-7z020", "digits", images=tmp_path / "three.npz", frames=frames)
    assert run.images == 3 and len(run.predictions or ()) == frames
    assert run.accuracy == pytest.approx(accuracy)
