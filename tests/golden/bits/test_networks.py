"""Trained networks whose accumulators, bits and scores are known: BNN-PYNQ's and FINN's.

CNV for CIFAR-10 and TFC stand in ``tests/golden/networks``; the others are looked for beside the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.functional.activations import Activations
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import check_parameters
from bnnsim.spec import load_workload
from bnnsim.spec.load import from_spec
from bnnsim.spec.workload import Workload
from tests.golden.networks import trained

FIRES_ABOVE = {"type": "bipolar", "compare": ">"}
CNV_LAYERS = ["conv0", "conv1", "conv2", "conv3", "conv4", "conv5", "fc0", "fc1", "fc2"]
POOLED = {"conv1": "pool1", "conv3": "pool3"}
FC_LAYERS = ["fc0", "fc1", "fc2", "fc3"]
DEER = [234, 231, 265, 248, 410, 257, 224, 262, 226, 233]
CAR = [258, 417, 233, 206, 238, 215, 222, 238, 236, 249]
"""Scores that the FPGA board printed in BNN-PYNQ's notebooks."""


@dataclass(frozen=True)
class Executed:
    data: dict[str, Any]
    network: Network
    activations: Activations


def fully_connected(name: str, outs: list[int], given: dict[str, Any], ends_in_bits: bool) -> Network:
    layers: list[dict[str, Any]] = [
        {
            "name": f"fc{i}",
            "op": "linear",
            "out": out,
            "accumulator": "popcount",
            "activation": FIRES_ABOVE,
        }
        for i, out in enumerate(outs)
    ]
    if not ends_in_bits:
        del layers[-1]["activation"]
    frame = {"type": "bipolar", "image_range": [-1.0, 1.0], **given}
    workload = Workload.model_validate({"name": name, "input": frame, "layers": layers})
    return resolve_network(from_spec(workload))


@cache
def executed(name: str) -> Executed:
    """A stored network run on all of its stored images."""
    with np.load(trained(f"{name}.npz"), allow_pickle=False) as file:
        data = dict(file)
    if name.startswith("cnv"):
        network, layers = resolve_network(load_workload("cnv")), CNV_LAYERS
    elif name.startswith("lfc"):
        network = fully_connected("lfc", [1024, 1024, 1024, 64], {"shape": [784], "pad_to": 832}, True)
        layers = FC_LAYERS
    else:
        network = fully_connected("tfc", [64, 64, 64, 10], {"shape": [784]}, False)
        layers = FC_LAYERS
    arrays = {f"{layer}.weights": data[f"l{i}_w"] for i, layer in enumerate(layers)}
    for i, layer in enumerate(layers):
        if f"l{i}_t" in data:
            arrays[f"{layer}.thresholds"] = data[f"l{i}_t"]
    if name.startswith("cnv"):
        # The first layer's thresholds have a fraction bit more than its sums: 2 sum > t.
        arrays["conv0.thresholds"] = data["l0_t"] // 2
    parameters = check_parameters(network, arrays, name)
    frames = frames_from_images(network, data["images_u8"])
    return Executed(data, network, execute(network, parameters, frames, keep_sums=True))


CNVS = ["cnvW1A1_cifar10", "cnvW1A1_road-signs", "cnvW1A1_streetview"]


@pytest.mark.parametrize("name", CNVS)
@pytest.mark.parametrize("index", range(8))
def test_every_accumulator_and_bit_of_cnv_is_the_golden_one(name: str, index: int) -> None:
    run, layer = executed(name), CNV_LAYERS[index]
    channels = run.network.nodes[layer].output.channels
    sums = run.activations.sums[layer][0].reshape(channels, -1).T
    assert np.array_equal(sums, run.data[f"golden0_l{index}_acc"].reshape(sums.shape))
    bits = run.activations.outputs[POOLED.get(layer, layer)][0]
    assert np.array_equal(bits, run.data[f"golden0_l{index}_out"].reshape(bits.shape))


@pytest.mark.parametrize("name", CNVS)
def test_all_scores_of_all_images_of_cnv_are_the_stored_ones(name: str) -> None:
    run = executed(name)
    assert np.array_equal(run.activations.scores, run.data["scores"])


@pytest.mark.parametrize("name", CNVS)
def test_predictions_of_cnv_are_the_highest_stored_scores(name: str) -> None:
    run = executed(name)
    classes = len(run.data["classes"])
    predictions = run.activations.scores[:, :classes].argmax(axis=1)
    assert predictions.tolist() == run.data["scores"][:, :classes].argmax(axis=1).tolist()


@pytest.mark.parametrize(("image", "board"), [("deer.jpg", DEER), ("car.png", CAR)])
def test_scores_of_cnv_are_those_the_board_printed(image: str, board: list[int]) -> None:
    run = executed("cnvW1A1_cifar10")
    positions = [i for i, name in enumerate(run.data["image_names"]) if str(name).startswith(image)]
    assert len(positions) == 1
    assert run.activations.scores[positions[0], :10].tolist() == board


def test_road_signs_are_classed_as_the_board_classed_them() -> None:
    run = executed("cnvW1A1_road-signs")
    assert run.activations.scores[:, :44].argmax(axis=1).tolist() == [41, 27, 14]


@pytest.mark.parametrize("index", range(4))
def test_every_accumulator_of_lfc_is_the_golden_one(index: int) -> None:
    run = executed("lfcW1A1_mnist")
    sums = run.activations.sums[f"fc{index}"][0].reshape(-1)
    assert np.array_equal(sums, run.data[f"golden0_l{index}_acc"])


def test_lfc_sets_the_one_bit_of_the_digit() -> None:
    run = executed("lfcW1A1_mnist")
    bits = run.activations.outputs["fc3"].reshape(1, 64)
    assert np.array_equal(bits, run.data["out_bits"])
    assert run.activations.predictions.tolist() == run.data["labels"].tolist() == [3]


def test_scores_of_tfc_are_the_stored_ones_and_its_predictions_right() -> None:
    run = executed("tfcW1A1_mnist")
    assert np.array_equal(run.activations.scores, run.data["scores"])
    assert run.activations.predictions.tolist() == run.data["labels"].tolist() == [7, 2, 1, 0]
