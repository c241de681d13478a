"""Products of two matrices of activations: what they are, by integer loops, and what is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.design.network.network import Network, resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload

RANGES = {"bipolar": (0, 2), "uint3": (0, 8), "int4": (-8, 8), "fixed6.2": (-32, 32)}


def _network(kind: str, shape: list[int], *layers: dict[str, Any]) -> Network:
    frame = {"shape": shape, "type": kind}
    return resolve_network(Workload.model_validate({"name": "n", "input": frame, "layers": [*layers]}))


def _attention(heads: int) -> list[dict[str, Any]]:
    """Scores of all pixels of a map against each other, and what they weigh of the map."""
    copy = {"name": "copy", "op": "sum_pool", "kernel": 1, "inputs": ["input"]}
    scores = {"name": "scores", "op": "matmul", "transposed": True, "inputs": ["input", "copy"]}
    mixed = {"name": "mixed", "op": "matmul", "inputs": ["scores", "copy"]}
    return [copy, {**scores, "heads": heads}, {**mixed, "heads": heads}]


@pytest.mark.parametrize("kind", RANGES)
@pytest.mark.parametrize("heads", [1, 2])
def test_a_matrix_product_is_a_sum_of_products_head_by_head(kind: str, heads: int) -> None:
    channels, height, width = 4, 3, 2
    pixels, part = height * width, channels // heads
    network = _network(kind, [channels, height, width], *_attention(heads))
    drawn = np.random.default_rng(heads).integers(*RANGES[kind], (2, channels, height, width))
    found = execute(network, Parameters({}, {}, {}), drawn).outputs
    values = (drawn * 2 - 1 if kind == "bipolar" else drawn).reshape(2, channels, pixels)
    for n, head, row, key in np.ndindex(2, heads, pixels, pixels):
        of_head = range(head * part, (head + 1) * part)
        score = sum(int(values[n, c, row]) * int(values[n, c, key]) for c in of_head)
        assert found["scores"].reshape(2, -1, pixels)[n, head * pixels + key, row] == score
    for n, channel, row in np.ndindex(2, channels, pixels):
        first = channel // part * pixels
        scores = found["scores"].reshape(2, -1, pixels)[n, first : first + pixels, row]
        mixed = sum(int(s) * int(v) for s, v in zip(scores, values[n, channel], strict=True))
        assert found["mixed"].reshape(2, channels, pixels)[n, channel, row] == mixed


def test_sums_have_room_for_all_products_and_points_add_up() -> None:
    network = _network("fixed6.2", [4, 3, 2], *_attention(1))
    # 4 x 32 x 32 is 4096, which takes 14 bits; 6 x 8192 x 32 is 1,572,864, which takes 22
    assert str(network.tensor("scores").type) == "fixed14.4"
    assert str(network.tensor("mixed").type) == "fixed22.6"
    # a sign times -2, 2 of them: 4
    assert str(_network("bipolar", [4, 3, 2], *_attention(2)).tensor("scores").type) == "int4"


def test_multiply_accumulates_are_those_of_both_products() -> None:
    network = _network("bipolar", [4, 3, 2], *_attention(2))
    assert network.macs == 2 * 6 * 6 * 4


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"inputs": ["input"]}, "inputs: expected two or more layers, got 1"),
        ({"inputs": ["input"] * 3}, "inputs: expected two layers, vectors and a matrix, got 3"),
        ({"inputs": ["input", "half"], "heads": 3}, r"heads: expected a divisor of 4 \(channels of inp"),
        (
            {"inputs": ["input", "half"], "transposed": True},
            "inputs: expected 4 channels a head of half: input has 4 channels a head, got 2",
        ),
        (
            {"inputs": ["input", "half"]},
            "inputs: expected 4 pixels of half: input has 4 channels a head, got 6",
        ),
    ],
)
def test_what_no_matrix_product_is(layer: dict[str, Any], message: str) -> None:
    half = {"name": "half", "op": "conv", "out": 2, "kernel": 1}
    with pytest.raises(SpecError, match=message):
        _network("int4", [4, 3, 2], half, {"name": "x", "op": "matmul", **layer})


def test_a_sum_of_more_bits_than_a_word_has_is_refused() -> None:
    copy = {"name": "copy", "op": "sum_pool", "kernel": 1, "inputs": ["input"]}
    layer = {"name": "x", "op": "matmul", "transposed": True, "inputs": ["input", "copy"]}
    with pytest.raises(SpecError, match=r"products of at most 62 bits, got fixed31\.0 times int31, 8 of"):
        _network("fixed31.0", [8, 2, 1], copy, layer)


@pytest.mark.parametrize(
    ("hardware", "message"),
    [
        ({"pe": 4, "simd": 2}, r"layers\.scores\.pe: expected a divisor of 6, got 4"),
        ({"pe": 3}, r"layers\.scores\.simd: expected a divisor of 4, got nothing"),
        ({"pe": 3, "simd": 3}, r"layers\.scores\.simd: expected a divisor of 4, got 3"),
        (None, r"layers\.scores: expected a unit for layer scores \(matmul\), got none"),
    ],
)
def test_a_folding_that_does_not_fit_is_told_in_a_line(
    hardware: dict[str, Any] | None, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        _pipeline({} if hardware is None else {"scores": hardware})


def test_only_streamed_weights_have_frames_that_are_kept() -> None:
    with pytest.raises(SpecError, match=r"layers\.copy\.weight_frames: expected no weight_frames"):
        _pipeline({"scores": {"pe": 1, "simd": 1}, "copy": {"weight_frames": 2}})


def _pipeline(layers: dict[str, Any]) -> object:
    spec = {"name": "p", "source": "made for this test", "style": "streaming", "device": "xc7z020"}
    architecture = StreamingArchitecture.model_validate({**spec, "clock_mhz": 100, "layers": layers})
    frame = {"shape": [4, 3, 2], "type": "int4"}
    layer = _attention(1)[:2]
    workload = Workload.model_validate({"name": "n", "input": frame, "layers": layer})
    return build_streaming_design(architecture, workload)
