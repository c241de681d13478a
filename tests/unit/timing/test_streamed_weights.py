"""Cycles of a matrix that comes as a stream, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.design.streaming.units import Unit, WeightBuffer
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.programs.graph import build_bench, build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy


def _ends(pixels: int, frames: int) -> list[int]:
    """Cycles of the last words of four frames of a buffer alone: 12 words in, 6 x pixels out."""
    buffer = WeightBuffer(True, 2, 2, 6, 4, 1, pixels, frames, "auto")
    assert (buffer.words_in, buffer.words_out) == (12, 6 * pixels)
    bench = build_bench(Unit("buffer", "layer", buffer, "rtl", False, ("in",), ("out",)))
    return list(run_simpy(bench, 4).frame_end_cycles)


@pytest.mark.parametrize("frames", [1, 2])
def test_the_first_word_leaves_two_cycles_behind_the_last_that_came(frames: int) -> None:
    assert _ends(1, frames)[0] == 11 + 2 + 6 - 1


def test_one_frame_is_given_before_the_next_comes() -> None:
    """12 cycles to come, 2 to the first word, 18 to leave; the next comes from the cycle after on."""
    assert _ends(3, 1) == [30, 61, 92, 123]


def test_of_two_frames_one_comes_while_the_other_is_given() -> None:
    assert _ends(3, 2) == [30, 48, 66, 84]


def test_a_matrix_that_takes_longer_to_come_than_to_be_given_sets_the_pace() -> None:
    """With two frames a word in a cycle: the last word of frame n comes in cycle 12 n + 11."""
    assert _ends(1, 2) == [18, 30, 42, 54]


@pytest.mark.parametrize(("frames", "interval"), [(1, 4 * 8 + 8 + 1), (2, 4 * 8)])
def test_a_matrix_product_takes_its_steps_a_frame_and_with_one_frame_of_weights_what_they_take_to_come(
    frames: int, interval: int
) -> None:
    """4 vectors of 4 columns times a matrix of 4 rows, two columns and one row a step: 8 steps each."""
    spec = {"name": "p", "source": "made for this test", "style": "streaming", "device": "xc7z020"}
    keys = {"name": "keys", "op": "conv", "out": 4, "kernel": 1, "activation": "bipolar"}
    layers: list[dict[str, Any]] = [
        keys,
        {"name": "scores", "op": "matmul", "transposed": True, "inputs": ["input", "keys"]},
    ]
    hardware = {"keys": {"pe": 4, "simd": 4, "out_fifo_words": 64}}
    hardware["scores"] = {"pe": 1, "simd": 2, "weight_frames": frames}
    depths = {"input.split->scores.narrow2": 64}
    data = {**spec, "clock_mhz": 100, "layers": hardware, "fifo_words": depths}
    frame = {"shape": [4, 4, 1], "type": "bipolar"}
    workload = Workload.model_validate({"name": "n", "input": frame, "layers": layers})
    data["frame_source"] = {"inter_frame_gap_steps": 0}
    design = build_streaming_design(StreamingArchitecture.model_validate(data), workload)
    ends = run_simpy(build_timing(design.graph), 6).frame_end_cycles
    assert ends[-1] - ends[-2] == interval


DYNLOAD = {
    (2, 3, 4, 6, 5): (33, 53, 73, 93),
    (2, 3, 4, 6, 1): (17, 29, 41, 53),
    (1, 1, 4, 4, 3): (63, 111, 159, 207),
    (4, 2, 8, 8, 4): (47, 79, 111, 143),
    (2, 2, 4, 8, 2): (31, 47, 63, 79),
    (3, 2, 3, 6, 4): (18, 30, 42, 54),
    (2, 4, 8, 8, 1): (41, 73, 105, 137),
    (1, 2, 2, 4, 1): (13, 21, 29, 37),
}
"""Cycles of the last words of four frames that FINN's ``dynamic_load`` (finn-rtllib/dynload, commit
01849501) gives in Verilator 5.006, by PE, SIMD, matrix height and width, and vectors a frame; words are
always there and always taken."""


@pytest.mark.parametrize("shape", DYNLOAD)
def test_frames_follow_each_other_as_in_finn_s_dynload(shape: tuple[int, int, int, int, int]) -> None:
    """That one begins before the matrix is whole, reads three cycles ahead and has a register more: its
    frames end up to two cycles apart from ours, which keep pace but for a cycle in two frames."""
    pe, simd, height, width, vectors = shape
    buffer = WeightBuffer(False, pe, simd, height, width, 1, vectors, 2, "auto")
    bench = build_bench(Unit("buffer", "layer", buffer, "rtl", False, ("in",), ("out",)))
    ends, measured = run_simpy(bench, 4).frame_end_cycles, DYNLOAD[shape]
    assert all(abs(end - right) <= 2 for end, right in zip(ends, measured, strict=True))
    assert 0 <= (ends[3] - ends[1]) - (measured[3] - measured[1]) <= 1
