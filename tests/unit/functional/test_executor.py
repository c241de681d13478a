"""Whole networks: branches, pools, joins, and what an execution keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.design.network.network import Network
from bnnsim.functional.executor import Executor, execute
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.parameters.parameters import Parameters, random_parameters
from bnnsim.functional.tensors.packing import pack_bits
from bnnsim.spec.faults import InputError, SpecError

from .plain_execution import assert_executed_exactly, network_of

Layers = list[dict[str, Any]]


def check(network: Network, seed: int = 1, frames: int = 2) -> None:
    parameters = random_parameters(network, seed)
    drawn = random_frames(network, frames, seed)
    result = execute(network, parameters, drawn, keep_sums=True)
    assert_executed_exactly(network, parameters, drawn, result)


BRANCHES: dict[str, Layers] = {
    "shortcut": [
        {"name": "a", "op": "conv", "out": 6, "kernel": 3, "pad": 1, "activation": "bipolar"},
        {"name": "b", "op": "conv", "out": 6, "kernel": 3, "pad": 1, "pad_value": 0},
        {"name": "sum", "op": "add", "inputs": ["b", "a"]},
        {"name": "sign", "op": "threshold", "activation": "bipolar"},
        {"name": "scores", "op": "linear", "out": 3},
    ],
    "bits joined beyond a word": [
        {"name": "a", "op": "conv", "out": 70, "kernel": 1, "activation": "bipolar"},
        {"name": "b", "op": "conv", "out": 3, "kernel": 1, "inputs": ["input"], "activation": "bipolar"},
        {"name": "joined", "op": "concat", "inputs": ["b", "a", "b"]},
        {"name": "c", "op": "conv", "out": 5, "kernel": 2, "activation": "uint2"},
    ],
    "integers joined": [
        {"name": "a", "op": "conv", "out": 4, "kernel": 1, "activation": "int3"},
        {"name": "b", "op": "conv", "out": 2, "kernel": 1, "inputs": ["input"], "activation": "int3"},
        {"name": "joined", "op": "concat", "inputs": ["a", "b"]},
        {"name": "pool", "op": "max_pool", "kernel": 2, "stride": 1},
        {"name": "c", "op": "linear", "out": 5, "weight": "int4"},
    ],
    "levels from a shared sum": [
        {"name": "a", "op": "conv", "out": 4, "kernel": 2},
        {"name": "levels", "op": "threshold", "activation": {"type": "int3", "compare": ">"}},
        {"name": "bits", "op": "threshold", "inputs": ["a"], "activation": "bipolar"},
        {"name": "b", "op": "conv", "out": 4, "kernel": 1, "inputs": ["bits"], "weight": "int2"},
        {"name": "sum", "op": "add", "inputs": ["levels", "b", "bits"]},
    ],
}


@pytest.mark.parametrize("layers", BRANCHES.values(), ids=BRANCHES)
@pytest.mark.parametrize("input_type", ["bipolar", "fixed8.7"])
def test_a_graph_with_branches_equals_the_plain_sums(layers: Layers, input_type: str) -> None:
    check(network_of(layers, shape=[5, 4, 5], type=input_type))


@settings(max_examples=60)
@given(
    st.sampled_from(["max_pool", "average_pool"]),
    st.sampled_from(["bipolar", "uint2", "int3"]),
    st.sampled_from([1, 5, 64, 67]),
    st.integers(1, 4),
    st.sampled_from([None, 1, 2, 3]),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.sampled_from([">", ">="]),
    st.integers(0, 100),
)
def test_any_pool_equals_the_plain_one(
    op: str,
    element: str,
    channels: int,
    kernel: int,
    stride: int | None,
    extra: tuple[int, int],
    compare: str,
    seed: int,
) -> None:
    layer: dict[str, Any] = {"name": "pool", "op": op, "kernel": kernel, "stride": stride}
    if op == "average_pool":
        element = "bipolar"
        layer["compare"] = compare
    shape = [channels, kernel + extra[0], kernel + extra[1]]
    check(network_of([layer], shape=shape, type=element), seed)


@settings(max_examples=80)
@given(st.data())
def test_any_window_stride_and_border_of_a_pool_equals_the_plain_one(data: st.DataObject) -> None:
    draw = data.draw
    op = draw(st.sampled_from(["max_pool", "sum_pool"]))
    element = draw(st.sampled_from(["bipolar", "uint2", "int3", "fixed8.7"]))
    kernel = [draw(st.integers(1, 4)), draw(st.integers(1, 4))]
    pad = [draw(st.integers(0, kernel[i % 2] - 1)) for i in range(4)]
    stride = [draw(st.integers(1, 4)), draw(st.integers(1, 4))]
    layer = {"name": "pool", "op": op, "kernel": kernel, "stride": stride, "pad": pad}
    sides = [max(1, kernel[i] - pad[i] - pad[i + 2]) + draw(st.integers(0, 4)) for i in (0, 1)]
    check(network_of([layer], shape=[draw(st.sampled_from([1, 3, 67])), *sides], type=element))


@settings(max_examples=60)
@given(st.data())
def test_any_mean_equals_the_plain_one(data: st.DataObject) -> None:
    draw = data.draw
    types = ["bipolar", "uint8", "int3", "fixed8.7", "fixed9.2"]
    kernel: Any = [draw(st.integers(1, 3)), draw(st.integers(1, 3))]
    layer = {"name": "pool", "op": "mean_pool", "kernel": draw(st.sampled_from([kernel, "global"]))}
    layer["type"] = draw(st.sampled_from(["fixed16.7", "fixed6.1", "int4", "uint3"]))
    layer["rounding"] = draw(st.sampled_from(["truncate", "half_up"]))
    shape = [2, kernel[0] * draw(st.integers(1, 2)), kernel[1] * draw(st.integers(1, 2))]
    check(network_of([layer], shape=shape, type=draw(st.sampled_from(types))), draw(st.integers(0, 99)))


@pytest.mark.parametrize("compare", [">", ">="])
@pytest.mark.parametrize("shape", [[3, 2, 3], [70, 1, 4], [2, 3, 3]])
def test_a_global_average_is_the_majority_of_the_map(shape: list[int], compare: str) -> None:
    layer = {"name": "pool", "op": "average_pool", "kernel": "global", "compare": compare}
    check(network_of([layer], shape=shape, type="bipolar"), frames=8)


@settings(max_examples=20)
@given(st.data())
def test_random_chains_of_layers_equal_the_plain_sums(data: st.DataObject) -> None:
    shape = [data.draw(st.sampled_from([1, 3, 64])), 6, 5]
    layers: Layers = []
    kinds = st.sampled_from(["conv", "pool", "threshold"])
    for index in range(data.draw(st.integers(1, 4))):
        kind = data.draw(kinds)
        name = f"layer{index}"
        activation = {"type": data.draw(st.sampled_from(["bipolar", "uint2", "int4"]))}
        if kind == "conv":
            out = data.draw(st.sampled_from([2, 5, 7]))
            weight = data.draw(st.sampled_from(["bipolar", "int3"]))
            pad = data.draw(st.integers(0, 1))
            layers.append(
                {"name": name, "op": "conv", "out": out, "kernel": 2, "pad": pad, "weight": weight}
            )
            layers[-1] |= {"activation": activation} if data.draw(st.booleans()) else {}
        elif kind == "pool":
            layers.append({"name": name, "op": "max_pool", "kernel": 2, "stride": 1})
        elif layers and layers[-1]["op"] == "conv" and "activation" not in layers[-1]:
            layers.append({"name": name, "op": "threshold", "activation": activation})
    layers.append({"name": "scores", "op": "linear", "out": 3})
    check(
        network_of(layers, shape=shape, type=data.draw(st.sampled_from(["bipolar", "fixed8.7"]))),
        frames=1,
    )


CHAIN: Layers = [
    {"name": "conv", "op": "conv", "out": 130, "kernel": 3, "pad": 1, "activation": "bipolar"},
    {"name": "pool", "op": "max_pool", "kernel": 2},
    {"name": "levels", "op": "conv", "out": 70, "kernel": 3, "activation": "uint2"},
    {"name": "small", "op": "max_pool", "kernel": 2},
    {"name": "scores", "op": "linear", "out": 10},
]


@pytest.fixture(scope="module")
def chain() -> Network:
    return network_of(CHAIN, shape=[65, 20, 20], type="bipolar")


def test_any_number_of_threads_gives_the_same_bits(chain: Network) -> None:
    parameters, frames = random_parameters(chain, 3), random_frames(chain, 40, 3)
    one = execute(chain, parameters, frames, threads=1)
    for threads in (2, 5):
        more = execute(chain, parameters, frames, threads=threads)
        for name in chain.nodes:
            assert np.array_equal(more.outputs[name], one.outputs[name])


def test_frames_do_not_influence_one_another(chain: Network) -> None:
    executor = Executor(chain, random_parameters(chain, 3))
    frames = random_frames(chain, 7, 3)
    together = executor.run(frames).scores
    alone = [executor.run(frames[i : i + 1]).scores[0] for i in range(7)]
    assert np.array_equal(together, alone)


def test_random_parameters_give_mixed_bits_in_every_layer(chain: Network) -> None:
    result = execute(chain, random_parameters(chain, 4), random_frames(chain, 8, 4))
    ones = result.outputs["conv"].mean()
    assert 0.3 < ones < 0.7
    counts = np.bincount(result.outputs["levels"].reshape(-1), minlength=4)
    assert counts.min() > 0.05 * counts.sum()


def test_outputs_are_bits_where_bipolar_and_values_elsewhere(chain: Network) -> None:
    result = execute(chain, random_parameters(chain, 1), random_frames(chain, 2, 1))
    assert result.outputs["conv"].dtype == np.uint8
    assert result.outputs["conv"].shape == (2, 130, 20, 20)
    assert result.outputs["levels"].dtype == np.int32
    assert list(result.outputs) == ["conv", "pool", "levels", "small", "scores"]
    assert not result.sums


def test_packed_outputs_are_the_bits_with_channel_0_lowest(chain: Network) -> None:
    result = execute(chain, random_parameters(chain, 1), random_frames(chain, 2, 1))
    expected = pack_bits(result.outputs["conv"].transpose(0, 2, 3, 1))
    assert np.array_equal(result.packed("conv"), expected)
    with pytest.raises(ValueError, match="layer levels puts out integers, which are not packed"):
        result.packed("levels")


def test_an_execution_told_to_forget_keeps_the_output_layer_alone(chain: Network) -> None:
    executor = Executor(chain, random_parameters(chain, 1))
    frames = random_frames(chain, 2, 1)
    result = executor.run(frames, keep_outputs=False)
    assert list(result.outputs) == ["scores"]
    assert np.array_equal(result.scores, executor.run(frames).scores)


def scored(rows: list[list[int]], classes: list[str] | None = None) -> Any:
    """Activations whose scores are ``rows``: a layer that copies its input."""
    width = len(rows[0])
    layer = {"name": "scores", "op": "linear", "out": width, "weight": "int2"}
    network = network_of([layer], shape=[width], type="uint8", classes=classes)
    weights = {"scores": np.eye(width, dtype=np.int32)}
    return execute(network, Parameters(weights, {}), np.array(rows).reshape(len(rows), width, 1, 1))


def test_the_prediction_is_the_first_of_the_highest_scores() -> None:
    result = scored([[1, 7, 7], [9, 9, 9], [0, 0, 3]])
    assert result.scores.tolist() == [[1, 7, 7], [9, 9, 9], [0, 0, 3]]
    assert result.predictions.tolist() == [1, 0, 2]


def test_scores_behind_the_last_class_do_not_win() -> None:
    assert scored([[1, 2, 9]], ["cat", "dog"]).predictions.tolist() == [1]


def test_bipolar_scores_are_minus_and_plus_one() -> None:
    layer = {"name": "bits", "op": "linear", "out": 2, "activation": "bipolar"}
    network = network_of([layer], shape=[1], type="bipolar")
    weights, thresholds = {"bits": np.array([[1], [0]], np.uint8)}, {"bits": np.zeros((2, 1), np.int64)}
    result = execute(network, Parameters(weights, thresholds), np.ones((1, 1, 1, 1), np.uint8))
    assert result.scores.tolist() == [[1, -1]]


def test_frames_of_the_wrong_shape_are_refused(chain: Network) -> None:
    frames = np.zeros((1, 65, 20, 21), np.uint8)
    with pytest.raises(
        InputError, match=r"frames: expected frames of shape \[65, 20, 20\], got \[1, 65, 20, 21\]"
    ):
        execute(chain, random_parameters(chain, 1), frames)


def test_frames_of_minus_one_are_refused_where_bits_are_expected(chain: Network) -> None:
    frames = np.full((1, 65, 20, 20), -1)
    with pytest.raises(InputError, match=r"frames: expected elements of bipolar, 0 \.\. 1, got -1"):
        execute(chain, random_parameters(chain, 1), frames)


def test_frames_of_floats_are_refused(chain: Network) -> None:
    with pytest.raises(InputError, match="frames: expected integers, got float64"):
        execute(chain, random_parameters(chain, 1), np.zeros((1, 65, 20, 20)))


def test_sums_too_wide_for_any_integer_are_refused_all_at_once() -> None:
    wide = {"op": "linear", "out": 4, "weight": "int8"}
    layers = [{"name": f"fc{i}", **wide} for i in range(5)]
    network = network_of(layers, shape=[300], type="fixed32.16")
    parameters = random_parameters(network, 1)
    with pytest.raises(
        SpecError, match=r"layers.fc2: expected sums of at most 63 bits, got int\d+"
    ) as caught:
        Executor(network, parameters)
    assert [fault.key for fault in caught.value.faults] == ["layers.fc2", "layers.fc3", "layers.fc4"]


def test_parameters_of_another_network_are_refused(chain: Network) -> None:
    drawn = random_parameters(chain, 1)
    thresholds = dict(drawn.thresholds) | {"conv": np.zeros((130, 2), np.int64)}
    with pytest.raises(ValueError, match=r"conv.thresholds: expected shape \[130, 1\], got \[130, 2\]"):
        Executor(chain, Parameters(drawn.weights, thresholds))
    weights = dict(drawn.weights) | {"scores": np.zeros((10, 7), np.uint8)}
    with pytest.raises(ValueError, match=r"scores.weights: expected shape \[10, 1120\], got \[10, 7\]"):
        Executor(chain, Parameters(weights, drawn.thresholds))
