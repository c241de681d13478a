"""Pools over maps that their kernel does not divide: rows and columns left over are read and dropped."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from bnnsim.datapath.streaming.build import sink_values
from bnnsim.design.streaming.units import Pool
from bnnsim.simulation import datapaths_for
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from tests.property.clockwork import run_clockwork
from tests.property.networks import _build
from tests.property.test_residual_designs import FRAMES, stimulus_of

MAPS = [(5, 5), (4, 7), (7, 4), (6, 6)]
KINDS = {"bits": "bipolar", "numbers": "uint2", "levels": "residual2"}


def _workload(height: int, width: int, op: str, activation: str, kernel: int) -> Workload:
    layers: list[dict[str, Any]] = [
        {"name": "conv", "op": "conv", "out": 2, "kernel": 1, "activation": activation},
        {"name": "pool", "op": op, "kernel": kernel},
        {"name": "fc", "op": "linear", "out": 2},
    ]
    frame = {"shape": [2, height, width], "type": "bipolar"}
    return Workload.model_validate({"name": "odd", "input": frame, "layers": layers})


CASES = [
    (op, kind, shape, kernel)
    for (op, kind), shape, kernel in itertools.product(
        [("max_pool", "bits"), ("average_pool", "bits"), ("max_pool", "numbers"), ("max_pool", "levels")],
        MAPS,
        (2, 3),
    )
]


@pytest.mark.parametrize("style", ["line_buffered", "streaming"])
@pytest.mark.parametrize(("op", "kind", "shape", "kernel"), CASES)
def test_windows_that_are_whole_come_out_and_all_executors_agree(
    op: str, kind: str, shape: tuple[int, int], kernel: int, style: str
) -> None:
    height, width = shape
    workload = _workload(height, width, op, KINDS[kind], kernel)
    hardware = {"conv": {"pe": 2, "simd": 2}, "pool": {"pool": style}, "fc": {"pe": 2, "simd": 1}}
    design = _build(workload, hardware, {"fifo_words": 3, "sliding_window": "rtl"})
    (pool,) = (u.parameters for u in design.graph.units if isinstance(u.parameters, Pool))
    whole = (height // kernel) * (width // kernel)
    assert (pool.words_in, pool.words_out) == (
        height * width * pool.levels,
        whole * pool.levels,
    )
    stimulus = stimulus_of(design, 7)
    datapaths = datapaths_for(design, stimulus)
    timing = build_timing(design.graph)
    simpy = run_simpy(timing, FRAMES, datapaths)  # every word is held against the functional executor
    (scores,) = sink_values(design.graph, design.network, datapaths, FRAMES).values()
    assert np.array_equal(scores.reshape(FRAMES, -1), np.asarray(stimulus.activations.scores))
    ends = tuple(simpy.frame_end_cycles)
    assert tuple(run_compiled(timing, FRAMES).result.frame_end_cycles) == ends
    assert tuple(run_clockwork(timing, FRAMES).result.frame_end_cycles) == ends


@pytest.mark.parametrize("shape", MAPS)
def test_pooled_bits_are_the_or_of_whole_windows(shape: tuple[int, int]) -> None:
    height, width = shape
    workload = _workload(height, width, "max_pool", "bipolar", 2)
    hardware = {"conv": {"pe": 2, "simd": 2}, "fc": {"pe": 2, "simd": 1}}
    stimulus = stimulus_of(_build(workload, hardware, {}), 3)
    bits = np.asarray(stimulus.activations.outputs["conv"]).reshape(FRAMES, 2, height, width)
    pooled = np.asarray(stimulus.activations.outputs["pool"]).reshape(FRAMES, 2, height // 2, width // 2)
    for frame, channel, row, column in np.ndindex(pooled.shape):
        window = [
            bits[frame, channel, 2 * row + i, 2 * column + j] for i in range(2) for j in range(2)
        ]
        assert pooled[frame, channel, row, column] == max(window)
