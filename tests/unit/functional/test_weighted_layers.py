"""Convolutions and linear layers of every shape and type against the plain sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.parameters.parameters import Parameters, random_parameters

from .plain_execution import assert_executed_exactly, network_of

ACTIVATIONS = ["bipolar", "uint1", "uint2", "int2", "int3", "uint4", None]
TYPES = ["bipolar", "uint1", "uint2", "int2", "uint8", "int8", "fixed8.7"]
WEIGHTS = ["bipolar", "int2", "uint1", "int4", "int8"]


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A convolution layer and its input."""
    input_type = draw(st.sampled_from(TYPES))
    weight = draw(st.sampled_from(WEIGHTS))
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.sampled_from([1, 2, 3, 5, 16, 21, 32, 64]))
    kernel = [draw(st.integers(1, 3)), draw(st.integers(1, 3))]
    dilation = [draw(st.integers(1, 2)), draw(st.integers(1, 2))]
    pad = [draw(st.integers(0, 2)) for _ in range(4)]
    extra = [draw(st.integers(0, 4)), draw(st.integers(0, 4))]
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    shape = [
        channels,
        max(1, reach[0] - pad[0] - pad[2]) + extra[0],
        max(1, reach[1] - pad[1] - pad[3]) + extra[1],
    ]
    pads = {"bipolar": [None, -1, 0, 1], "uint1": [None, 0, 1]}.get(input_type, [None, 0, 1])
    layer = {
        "name": "layer",
        "op": "conv",
        "out": groups * draw(st.sampled_from([1, 2, 5, 23])),
        "kernel": kernel,
        "stride": [draw(st.integers(1, 3)), draw(st.integers(1, 3))],
        "dilation": dilation,
        "groups": groups,
        "pad": pad,
        "pad_value": draw(st.sampled_from(pads)),
        "weight": weight,
        **draw(activations()),
    }
    is_binary = input_type == weight == "bipolar"
    if is_binary and not (layer["pad_value"] == 0 and any(pad)):
        layer["accumulator"] = draw(st.sampled_from(["dot", "popcount"]))
    return layer, {"shape": shape, "type": input_type}


@st.composite
def activations(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(ACTIVATIONS))
    if name is None:
        return {}
    return {"activation": {"type": name, "compare": draw(st.sampled_from([">", ">="]))}}


def check(layer: dict[str, Any], given_input: dict[str, Any], seed: int, frames: int = 2) -> None:
    network = network_of([layer], **given_input)
    parameters = random_parameters(network, seed)
    # Any order of thresholds is allowed.
    rng = np.random.default_rng(seed)
    shuffled = {name: rng.permuted(t, axis=1) for name, t in parameters.thresholds.items()}
    parameters = Parameters(parameters.weights, shuffled)
    given_frames = random_frames(network, frames, seed)
    result = execute(network, parameters, given_frames, keep_sums=True)
    assert_executed_exactly(network, parameters, given_frames, result)


@settings(max_examples=250)
@given(convolutions(), st.integers(0, 1000))
def test_any_convolution_equals_the_plain_sums(
    drawn: tuple[dict[str, Any], dict[str, Any]], seed: int
) -> None:
    check(*drawn, seed)


@settings(max_examples=100)
@given(
    st.sampled_from(TYPES),
    st.sampled_from(WEIGHTS),
    st.sampled_from([[1, 1, 1], [3, 2, 2], [70, 1, 1], [64, 2, 1], [5, 3, 4], [130, 1, 2], [40]]),
    st.sampled_from([1, 10, 64, 65]),
    activations(),
    st.integers(1, 70),
    st.integers(0, 1000),
)
def test_any_linear_layer_equals_the_plain_sums(
    input_type: str,
    weight: str,
    shape: list[int],
    out: int,
    activation: dict[str, Any],
    frames: int,
    seed: int,
) -> None:
    layer = {"name": "layer", "op": "linear", "out": out, "weight": weight, **activation}
    check(layer, {"shape": shape, "type": input_type}, seed, frames if out == 1 else 2)


@pytest.mark.parametrize("channels", [3, 64, 128])
@pytest.mark.parametrize("pad_value", [-1, 0, 1])
def test_a_map_wider_than_a_tile_equals_the_plain_sums(channels: int, pad_value: int) -> None:
    layer = {"name": "layer", "op": "conv", "out": 3, "kernel": 3, "pad": 1, "pad_value": pad_value}
    check(layer, {"shape": [channels, 3, 70], "type": "bipolar"}, 3, frames=2)


def test_sums_of_32_bit_inputs_do_not_overflow() -> None:
    layer = {"name": "layer", "op": "linear", "out": 4, "weight": "int8", "activation": "bipolar"}
    network = network_of([layer], shape=[9], type="fixed32.16")
    weights = np.full((4, 9), -128, np.int32)
    weights[1] = 127
    extremes = np.array([-(2**31), 2**31 - 1], np.int64)
    frames = np.repeat(extremes, 9).reshape(2, 9, 1, 1)
    thresholds = np.array([[9 * 2**38], [0], [2**62], [-(2**62)]], np.int64)
    result = execute(
        network, Parameters({"layer": weights}, {"layer": thresholds}), frames, keep_sums=True
    )
    assert result.sums["layer"][0, 0, 0, 0] == 9 * 2**38
    assert result.sums["layer"][1, 1, 0, 0] == 9 * 127 * (2**31 - 1)
    assert result.outputs["layer"].reshape(2, 4).tolist() == [[1, 0, 0, 1], [0, 1, 0, 1]]


@pytest.mark.parametrize("compare", [">", ">="])
@pytest.mark.parametrize("accumulator", ["dot", "popcount"])
def test_thresholds_at_and_beyond_the_largest_sum_fire_as_compared(
    compare: str, accumulator: str
) -> None:
    activation = {"type": "bipolar", "compare": compare}
    layer = {"name": "layer", "op": "linear", "out": 8, "activation": activation}
    # 7 is also the largest value of the sums' type, 0 the least: no room is left beyond them.
    network = network_of([layer | {"accumulator": accumulator}], shape=[7], type="bipolar")
    limits = np.iinfo(np.int64)
    wanted = [limits.min, limits.max, -100, -1, 0, 6, 7, 8]
    weights = np.ones((8, 7), np.uint8)
    thresholds = np.array(wanted, np.int64)[:, None]
    frames = np.repeat(np.array([0, 1], np.uint8), 7).reshape(2, 7, 1, 1)
    result = execute(network, Parameters({"layer": weights}, {"layer": thresholds}), frames)
    for index, total in enumerate([0 if accumulator == "popcount" else -7, 7]):
        fires = [int(total > t if compare == ">" else total >= t) for t in wanted]
        assert result.outputs["layer"][index].reshape(-1).tolist() == fires


@pytest.mark.parametrize(
    ("element", "weight", "columns"),
    [("uint8", "int8", 1), ("int8", "int8", 2), ("int8", "bipolar", 255), ("fixed24.0", "int8", 1)],
)
def test_a_threshold_that_no_sum_reaches_never_fires_in_any_accumulator(
    element: str, weight: str, columns: int
) -> None:
    layer = {"name": "layer", "op": "linear", "out": 2, "weight": weight, "activation": "bipolar"}
    network = network_of([layer], shape=[columns], type=element)
    weights = random_parameters(network, 1).weights
    thresholds = {"layer": np.array([[2**40], [-(2**40)]], np.int64)}
    frames = random_frames(network, 50, 1)
    result = execute(network, Parameters(weights, thresholds), frames)
    assert result.outputs["layer"].reshape(50, 2).tolist() == [[0, 1]] * 50


@pytest.mark.parametrize("group_outputs", [13, 33, 64, 65, 96])
def test_groups_whose_outputs_straddle_words_equal_the_plain_sums(group_outputs: int) -> None:
    layer = {"name": "layer", "op": "conv", "out": 6 * group_outputs, "kernel": 1, "groups": 6}
    check(layer | {"activation": "bipolar"}, {"shape": [6, 1, 2], "type": "bipolar"}, 1)


def test_columns_of_a_linear_layer_on_a_map_run_pixel_by_pixel_channel_fastest() -> None:
    network = network_of([{"name": "layer", "op": "linear", "out": 12}], shape=[3, 2, 2], type="uint8")
    identity = np.zeros((12, 12), np.uint8)
    np.fill_diagonal(identity, 1)
    frame = np.arange(12).reshape(1, 3, 2, 2)
    result = execute(network, Parameters({"layer": identity}, {}), frame)
    order = [frame[0, c, y, x] for y in range(2) for x in range(2) for c in range(3)]
    # Weight -1 but for one +1: the sum is twice that element minus all of them.
    assert [(s + 66) // 2 for s in result.scores[0]] == order
