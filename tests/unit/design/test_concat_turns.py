"""Joins along the channels, some channels a word: each input has its turns in every pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnnsim.datapath.streaming.units import ConcatDatapath
from bnnsim.datapath.words import pack_rows, stream_order
from bnnsim.design.build import build_streaming_design
from bnnsim.design.streaming.units import Concat
from bnnsim.simulation import simulate
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from tests.property.clockwork import run_clockwork

LAYERS: list[dict[str, Any]] = [
    {"name": "a", "op": "conv", "out": 6, "kernel": 1},
    {"name": "b", "op": "conv", "out": 4, "kernel": 3, "pad": 1, "inputs": ["input"]},
    {"name": "both", "op": "concat", "inputs": ["a", "b", "a"]},
    {"name": "sign", "op": "threshold", "activation": "bipolar"},
]


def _specs(pe: int | None, fifo_words: int = 40, pipeline: str = "flushing") -> tuple[Any, Workload]:
    workload = {"name": "joined", "input": {"shape": [3, 4, 4], "type": "int3"}, "layers": LAYERS}
    layers: dict[str, Any] = {"a": {"pe": 2, "simd": 3}, "b": {"pe": 4, "simd": 3}, "sign": {"pe": 2}}
    if pe is not None:
        layers["both"] = {"pe": pe}
    architecture = {
        "name": "joined",
        "source": "made for this test",
        "style": "streaming",
        "device": "xc7z020",
        "clock_mhz": 100,
        "defaults": {"fifo_words": fifo_words, "sliding_window": "rtl", "pipeline": pipeline},
        "layers": layers,
    }
    parsed = StreamingArchitecture.model_validate(architecture)
    return parsed, Workload.model_validate(workload)


def test_words_of_the_inputs_come_one_after_the_other_in_every_pixel() -> None:
    """Against a plain concatenation of the maps, in the order of a stream."""
    rng = np.random.default_rng(3)
    maps = [rng.integers(-4, 4, (channels, 2, 3)) for channels in (4, 2, 6)]
    concat = Concat(6 * 6, (4, 2, 6), (3, 4, 3), (True, True, True), 4, 2)
    datapath = ConcatDatapath(concat)
    streams = [
        pack_rows(stream_order(one, 2), bits) for one, bits in zip(maps, concat.input_bits, strict=True)
    ]
    found = []
    taken = [0, 0, 0]
    for _ in range(6):
        for place, turns in enumerate(concat.turns):
            for _ in range(turns):
                words = [7, 7, 7]
                words[place] = streams[place][taken[place]]
                taken[place] += 1
                datapath.push(tuple(words))
                found.append(datapath.pop())
    assert found == pack_rows(stream_order(np.concatenate(maps), 2), 4)


@pytest.mark.parametrize("pe", [None, 1, 2])
def test_a_join_with_lanes_is_bit_exact(pe: int | None) -> None:
    assert simulate(*_specs(pe), frames=2, weights_seed=1).bit_exact


def test_a_stream_behind_it_is_as_wide_as_its_lanes() -> None:
    design = build_streaming_design(*_specs(2))
    out = next(s for s in design.graph.streams if s.writer == "both.concat")
    assert (out.lanes, out.words) == (2, 16 * 16 // 2)
    whole = build_streaming_design(*_specs(None))
    assert next(s for s in whole.graph.streams if s.writer == "both.concat").lanes == 16


@pytest.mark.parametrize("pipeline", ["flushing", "freezing"])
@pytest.mark.parametrize("fifo_words", [5, 12, 40])
def test_the_clock_loop_and_both_executors_agree(fifo_words: int, pipeline: str) -> None:
    timing = build_timing(build_streaming_design(*_specs(2, fifo_words, pipeline)).graph)
    ends = tuple(run_clockwork(timing, 3).result.frame_end_cycles)
    assert tuple(run_simpy(timing, 3).frame_end_cycles) == ends
    assert tuple(run_compiled(timing, 3).result.frame_end_cycles) == ends


def test_lanes_that_do_not_divide_every_input_are_refused_in_a_line() -> None:
    with pytest.raises(SpecError) as caught:
        build_streaming_design(*_specs(4))
    message = "layers.both.pe: expected a divisor of 2, which divides the channels of all inputs, got 4"
    assert message in str(caught.value)
