"""Sums of several widths in one join, against integers put side by side by hand."""

from __future__ import annotations

import numpy as np

from bnnsim.datapath.streaming.units import ConcatDatapath
from bnnsim.design.build import build_streaming_design
from bnnsim.design.streaming.units import Concat
from bnnsim.simulation import simulate
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload


def _word(values: list[int], bits: int) -> int:
    return sum((value & ((1 << bits) - 1)) << (i * bits) for i, value in enumerate(values))


def test_narrow_elements_are_extended_by_their_sign_or_by_zeros():
    rng = np.random.default_rng(2)
    concat = Concat(1, (3, 2, 2), (5, 9, 3), (True, True, False), 9)
    for _ in range(50):
        parts = [rng.integers(-16, 16, 3), rng.integers(-256, 256, 2), rng.integers(0, 8, 2)]
        lists = [part.tolist() for part in parts]
        datapath = ConcatDatapath(concat)
        datapath.push(tuple(_word(v, b) for v, b in zip(lists, (5, 9, 3), strict=True)))
        assert datapath.pop() == _word([one for values in lists for one in values], 9)


def test_joined_sums_of_three_widths_run_bit_for_bit():
    workload = Workload.model_validate(
        {
            "name": "widths",
            "input": {"shape": [4, 4, 4], "type": "int4"},
            "layers": [
                {"name": "a", "op": "conv", "out": 2, "kernel": 1, "inputs": ["input"]},
                {"name": "b", "op": "conv", "out": 4, "kernel": 3, "pad": 1, "inputs": ["input"]},
                {"name": "wide", "op": "add", "inputs": ["b", "b"]},
                {"name": "all", "op": "concat", "inputs": ["a", "b", "wide", "input"]},
                {"name": "sign", "op": "threshold", "activation": "bipolar"},
                {"name": "scores", "op": "linear", "out": 3},
            ],
        }
    )
    layers = {
        "a": {"pe": 1, "simd": 4},
        "b": {"pe": 4, "simd": 4},
        "sign": {"pe": 14},
        "scores": {"pe": 1, "simd": 14},
    }
    architecture = StreamingArchitecture.model_validate(
        {
            "name": "widths",
            "source": "made for this test",
            "style": "streaming",
            "device": "xc7z020",
            "clock_mhz": 100,
            "defaults": {"fifo_words": 256},
            "layers": layers,
        }
    )
    design = build_streaming_design(architecture, workload)
    joined = next(unit.parameters for unit in design.graph.units if unit.name == "all.concat")
    assert joined.input_bits == (7, 10, 11, 4) and joined.element_bits == 11
    assert simulate(architecture, workload, frames=2, weights_seed=5).bit_exact
