"""Residual binarization against scalar arithmetic, one activation at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.layers.residual import residual_layer, residual_pool, wrapped
from bnnsim.functional.parameters.parameters import Parameters, check_parameters
from bnnsim.spec.faults import SpecError
from bnnsim.spec.workload import Workload

Ints = NDArray[Any]


def workload(levels: int, **options: Any) -> Workload:
    return Workload.model_validate(
        {
            "name": "small",
            "input": {"shape": [2, 4, 4], "type": "fixed8.7"},
            "layers": [
                {"name": "a", "op": "conv", "out": 3, "kernel": 1, "activation": f"residual{levels}"},
                {"name": "pool", "op": "max_pool", "kernel": 2},
                {"name": "b", "op": "linear", "out": 2, **options},
            ],
        }
    )


def value(code: int, means: list[int]) -> int:
    return sum(mean if code >> level & 1 else -mean for level, mean in enumerate(means))


@settings(max_examples=60)
@given(st.integers(1, 3), st.integers(0, 2**16))
def test_codes_equal_sign_after_sign_of_what_is_left(levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = resolve_network(workload(levels))
    node = network.nodes["a"]
    x = rng.integers(-128, 128, (2, 1, 4, 4))
    means = [200 >> level for level in range(levels)]
    values = {
        "weights": rng.integers(0, 2, (3, 2, 1, 1), np.uint8),
        "alpha": rng.integers(100, 500, 3),
        "bias": rng.integers(-300, 300, 3),
        "out_means": np.array(means),
    }
    codes = residual_layer(node, values, x)
    for out in range(3):
        for row in range(4):
            for column in range(4):
                total = sum(
                    (1 if values["weights"][out, c, 0, 0] else -1) * int(x[c, 0, row, column]) * 2
                    for c in range(2)
                )
                rest = (total * int(values["alpha"][out]) + int(values["bias"][out]) * 256) // 256
                for level in range(levels):
                    bit = int(rest > 0)
                    assert codes[out, 0, row, column] >> level & 1 == bit
                    rest -= means[level] if bit else -means[level]


@settings(max_examples=60)
@given(st.integers(1, 3), st.integers(0, 2**16))
def test_scores_count_matches_level_by_level(levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = resolve_network(workload(levels))
    node = network.nodes["b"]
    codes = rng.integers(0, 1 << levels, (3, 2, 2, 2))
    means = [200 >> level for level in range(levels)]
    weights = rng.integers(0, 2, (2, 12), np.uint8)
    found = residual_layer(node, {"weights": weights, "in_means": np.array(means)}, codes)
    for frame in range(2):
        flat = codes[:, frame].transpose(1, 2, 0).reshape(-1)
        for out in range(2):
            expected = sum(
                mean * sum(int(w == (c >> level & 1)) for w, c in zip(weights[out], flat, strict=True))
                for level, mean in enumerate(means)
            )
            assert found[out, frame, 0, 0] == expected


@settings(max_examples=40)
@given(st.integers(1, 3), st.integers(0, 2**16))
def test_pool_keeps_the_largest_value(levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    node = resolve_network(workload(levels)).nodes["pool"]
    codes = rng.integers(0, 1 << levels, (3, 1, 4, 4))
    means = [256 >> level for level in range(levels)]
    pooled = residual_pool(node, codes)
    for channel in range(3):
        for row in range(2):
            for column in range(2):
                window = codes[channel, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
                best = max(value(int(code), means) for code in window.reshape(-1))
                assert value(int(pooled[channel, 0, row, column]), means) == best


def test_sums_wrap_at_24_bits() -> None:
    assert wrapped(np.array([2**23, -(2**23) - 1, 5])).tolist() == [-(2**23), 2**23 - 1, 5]


def test_residual_layers_refuse_popcount_wide_weights_and_other_activations() -> None:
    spec = workload(2, accumulator="popcount", weight="int2", activation="bipolar")
    with pytest.raises(SpecError, match="expected dot beside residual activations") as caught:
        resolve_network(spec)
    assert "expected bipolar beside residual activations, got int2" in str(caught.value)
    assert "expected residual1..residual4 behind residual, got bipolar" in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (
            {"op": "conv", "out": 2, "kernel": 3, "pad": 1, "pad_value": 1},
            r"pad_value: expected 0 \(every level at -1\) or 3 \(every level at \+1\)",
        ),
        ({"op": "threshold", "activation": "bipolar"}, "op: expected conv, linear or max_pool behind"),
        ({"op": "add", "inputs": ["a", "a"]}, "op: expected conv, linear or max_pool behind"),
    ],
)
def test_layers_that_do_not_know_the_levels_are_refused(layer: dict[str, Any], expected: str) -> None:
    spec = workload(2).model_dump()
    spec["layers"] = [spec["layers"][0], {"name": "late", **layer}]
    with pytest.raises(SpecError, match=expected):
        resolve_network(Workload.model_validate(spec))


@settings(max_examples=60)
@given(
    st.integers(1, 3), st.sampled_from([1, 3]), st.integers(1, 2), st.booleans(), st.integers(0, 2**16)
)
def test_border_dilation_and_groups_count_the_matches_of_every_tap(
    levels: int, groups: int, dilation: int, is_high: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    code = (1 << levels) - 1 if is_high else 0
    spec = workload(levels).model_dump()
    options = {"kernel": [2, 3], "dilation": dilation, "pad": [1, 2, 0, 1], "pad_value": code}
    late = {"name": "late", "op": "conv", "out": 3, "groups": groups, "stride": [1, 2], **options}
    spec["layers"] = [spec["layers"][0], late]
    node = resolve_network(Workload.model_validate(spec)).nodes["late"]
    codes = rng.integers(0, 1 << levels, (3, 2, 4, 4))
    means = [200 >> level for level in range(levels)]
    weights = rng.integers(0, 2, (3, 3 // groups, 2, 3), np.uint8)
    found = residual_layer(node, {"weights": weights, "in_means": np.array(means)}, codes)
    assert found.shape == (3, 2, *node.output.shape[1:])
    for out, frame, row, column in np.ndindex(*found.shape):
        expected = 0
        for channel, y, z in np.ndindex(3 // groups, 2, 3):
            r, c = row + y * dilation - 1, 2 * column + z * dilation - 2
            inside = 0 <= r < 4 and 0 <= c < 4
            source = out // (3 // groups) * (3 // groups) + channel
            given_code = int(codes[source, frame, r, c]) if inside else code
            for level, mean in enumerate(means):
                expected += mean * int(weights[out, channel, y, z] == (given_code >> level & 1))
        assert found[out, frame, row, column] == expected


def test_levels_do_not_come_out_of_a_threshold_layer() -> None:
    spec = workload(2).model_dump()
    late = {"name": "late", "op": "threshold", "activation": "residual2"}
    spec["layers"] = [{"name": "sum", "op": "conv", "out": 2, "kernel": 1}, late]
    with pytest.raises(SpecError, match="activation: expected a type other than residual") as caught:
        resolve_network(Workload.model_validate(spec))
    assert "got residual2" in str(caught.value)


def test_frames_are_no_levels_and_have_no_more_than_8_bits_behind_the_point() -> None:
    spec = workload(2).model_dump()
    for frame, expected in (
        ("residual2", "input.type: expected a type other than residual, got residual2"),
        ("fixed12.9", "activation: expected an input with at most 8 bits behind the point"),
    ):
        spec["input"]["type"] = frame
        with pytest.raises(SpecError, match=expected):
            resolve_network(Workload.model_validate(spec))


def in_integers(levels: int, mean_bits: int, pad_value: int, end: str | None) -> Workload:
    late: dict[str, Any] = {"name": "b", "op": "conv", "out": 2, "kernel": [2, 3]}
    late |= {"pad": [1, 2, 0, 1], "pad_value": pad_value, "activation": end}
    first = {"name": "a", "op": "conv", "out": 3, "kernel": 1, "weight": "int4"}
    return Workload.model_validate(
        {
            "name": "small",
            "input": {"shape": [2, 4, 4], "type": "int4"},
            "layers": [
                {**first, "activation": f"residual{levels}.{mean_bits}"},
                {"name": "pool", "op": "max_pool", "kernel": 2},
                late,
            ],
        }
    )


@settings(max_examples=60)
@given(
    st.integers(1, 4),
    st.integers(1, 20),
    st.sampled_from([-1, 0, 1]),
    st.sampled_from([None, "bipolar", "uint2", "residual2.3"]),
    st.integers(0, 2**16),
)
def test_every_element_follows_from_signs_and_what_they_are_worth(
    levels: int, mean_bits: int, pad_value: int, end: str | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    network = resolve_network(in_integers(levels, mean_bits, pad_value, end))
    means = sorted(rng.integers(0, 2**mean_bits, levels).tolist(), reverse=True)
    count = network.nodes["b"].threshold_count
    arrays = {
        "a.weights": rng.integers(-8, 8, (3, 2, 1, 1)),
        "a.thresholds": np.sort(rng.integers(-60, 60, (3, 2**levels - 1)), axis=1),
        "b.weights": rng.integers(0, 2, (2, 3, 2, 3)),
        "b.in_means": np.array(means),
    }
    if end is not None:
        reach = sum(means) + 1
        arrays["b.thresholds"] = np.sort(rng.integers(-reach, reach, (2, count)), axis=1)
    frames = rng.integers(-8, 8, (1, 2, 4, 4))
    outputs = execute(network, check_parameters(network, arrays, "arrays"), frames).outputs
    codes = outputs["a"]
    for out, row, column in np.ndindex(3, 4, 4):
        taps = [(arrays["a.weights"][out, c, 0, 0], frames[0, c, row, column]) for c in (0, 1)]
        total = sum(int(weight) * int(pixel) for weight, pixel in taps)
        rank = sum(total >= int(t) for t in arrays["a.thresholds"][out])
        signs = f"{rank:0{levels}b}"  # the first level's first
        assert codes[0, out, row, column] == sum(int(bit) << i for i, bit in enumerate(signs))
    for channel, row, column in np.ndindex(3, 2, 2):
        window = codes[0, channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        ranks = [int(f"{code:0{levels}b}"[::-1], 2) for code in window.reshape(-1)]
        best = window.reshape(-1)[int(np.argmax(ranks))]
        assert outputs["pool"][0, channel, row, column] == best
    pooled = outputs["pool"][0]
    for out, row, column in np.ndindex(*network.nodes["b"].output.shape):
        total = 0
        for channel, y, x in np.ndindex(3, 2, 3):
            r, c = row + y - 1, column + x - 2
            inside = 0 <= r < 2 and 0 <= c < 2
            x_value = value(int(pooled[channel, r, c]), means) if inside else pad_value * sum(means)
            total += (2 * int(arrays["b.weights"][out, channel, y, x]) - 1) * x_value
        expected = total
        if end is not None:
            fired = sum(total >= int(t) for t in arrays["b.thresholds"][out])
            expected = {"residual2.3": [0, 2, 1, 3][fired] if count == 3 else 0}.get(end, fired)
        assert outputs["b"][0, out, row, column] == expected


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        ({"activation": "residual2"}, "expected residual2.5 behind residual2.5, got residual2"),
        ({"weight": "int2"}, "weight: expected bipolar behind residual activations, got int2"),
        ({"accumulator": "popcount"}, "expected dot beside residual activations, got popcount"),
        ({"pad": 1, "pad_value": 3}, r"pad_value: expected 0 or a value of residual2.5, got 3"),
    ],
)
def test_what_does_not_go_with_levels_worth_integers_is_said(late: dict[str, Any], expected: str) -> None:
    spec = in_integers(2, 5, 0, None).model_dump()
    spec["layers"][2] |= late
    with pytest.raises(SpecError, match=expected):
        resolve_network(Workload.model_validate(spec))


@pytest.mark.parametrize("name", ["residual5.3", "residual2.0", "residual2.32", "residual2.x"])
def test_types_of_levels_have_bounds(name: str) -> None:
    with pytest.raises(ValueError, match=r"residualM\.W"):
        in_integers(2, 5, 0, name)


def test_what_a_level_is_worth_is_held_against_its_bits() -> None:
    network = resolve_network(in_integers(2, 5, 0, None))
    arrays: dict[str, Ints] = {
        "a.weights": np.ones((3, 2, 1, 1), np.int64),
        "a.thresholds": np.zeros((3, 3), np.int64),
        "b.weights": np.ones((2, 3, 2, 3), np.int64),
        "b.in_means": np.array([32, 3]),
    }
    with pytest.raises(SpecError, match=r"b.in_means: expected uint5 values, 0 .. 31, got 32"):
        check_parameters(network, arrays, "arrays")
    arrays["b.in_means"] = np.array([31, 3])
    assert isinstance(check_parameters(network, arrays, "arrays"), Parameters)
