"""Pools as hardware: which units they are, how many cycles they take, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Pool
from bnnsim.simulation import simulate
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.programs.unit_programs import unit_program


def _specs(
    layer: dict[str, Any], hardware: dict[str, Any], shape: list[int], kind: str
) -> tuple[StreamingArchitecture, Workload]:
    frame = {"shape": shape, "type": kind}
    workload = {"name": "pooled", "input": frame, "layers": [{"name": "pool", **layer}]}
    architecture = {
        "name": "pooled",
        "source": "made for this test",
        "style": "streaming",
        "device": "xc7z020",
        "clock_mhz": 100,
        "defaults": {"fifo_words": 4, "sliding_window": "rtl"},
        "layers": {"pool": hardware},
    }
    parsed = StreamingArchitecture.model_validate(architecture)
    return parsed, Workload.model_validate(workload)


def _design(
    layer: dict[str, Any], hardware: dict[str, Any], shape: list[int], kind: str = "int4"
) -> Design:
    return build_streaming_design(*_specs(layer, hardware, shape, kind))


def _pool(design: Design) -> Pool:
    (found,) = (u.parameters for u in design.graph.units if isinstance(u.parameters, Pool))
    return found


def test_a_global_sum_takes_a_step_a_word_and_an_accumulator_a_channel() -> None:
    """64 channels on 7 x 7, 16 a word: 49 x 4 words in, 4 out, and no step besides."""
    design = _design({"op": "sum_pool", "kernel": "global"}, {"pe": 16}, [64, 7, 7])
    pool = _pool(design)
    program = unit_program(design.graph.unit_by_name["pool.pool"])
    assert (program.words_in, program.words_out) == (196, 4)
    assert program.steps == 196  # type: ignore[union-attr]
    assert (pool.columns * pool.channel_fold, pool.state_bits) == (4, 10)  # -8 x 49 .. 7 x 49
    assert [unit.kind for unit in design.graph.units] == [
        "frame_source", "width_converter", "pool", "frame_sink",
    ]  # fmt: skip


def test_windows_that_overlap_come_from_a_sliding_window_channel_word_by_channel_word() -> None:
    """3 x 3 at stride 2 with a border of 1 on 8 x 8: 16 windows of 9 pixels, 2 words each."""
    layer = {"op": "max_pool", "kernel": 3, "stride": 2, "pad": 1}
    design = _design(layer, {"pe": 4}, [8, 8, 8])
    kinds = [unit.kind for unit in design.graph.units]
    assert kinds[1:] == ["width_converter", "padding", "sliding_window", "pool", "frame_sink"]
    pool = _pool(design)
    assert (pool.words_in, pool.words_out) == (16 * 9 * 2, 16 * 2)
    assert (pool.channels, pool.height, pool.width, pool.kernel) == (4, 32, 9, (1, 9))


@pytest.mark.parametrize(
    ("layer", "shape", "kind", "pe"),
    [
        ({"op": "max_pool", "kernel": [3, 2], "stride": 2, "pad": [1, 0, 2, 1]}, [4, 5, 4], "int4", 2),
        ({"op": "max_pool", "kernel": "global"}, [6, 3, 5], "uint2", 3),
        ({"op": "max_pool", "kernel": 3, "stride": 2, "pad": [0, 0, 1, 1]}, [4, 6, 6], "bipolar", 2),
        ({"op": "sum_pool", "kernel": 3, "stride": 1, "pad": 1}, [4, 4, 4], "bipolar", 2),
        ({"op": "average_pool", "kernel": 3, "stride": 2}, [4, 7, 6], "bipolar", 1),
        ({"op": "mean_pool", "kernel": 3, "type": "fixed8.2", "rounding": "half_up"}, [4, 6, 3],
         "int4", 2),
        ({"op": "mean_pool", "kernel": "global", "type": "int4"}, [2, 4, 4], "fixed6.2", 1),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("style", ["row_buffer", "rtl", "parallel", "line_buffer", "no_overlap"])
def test_every_pool_is_bit_exact_behind_every_window(
    layer: dict[str, Any], shape: list[int], kind: str, pe: int, style: str
) -> None:
    hardware = {"pe": pe, "sliding_window": style}
    result = simulate(*_specs(layer, hardware, shape, kind), frames=2, weights_seed=1)
    assert result.bit_exact


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        ({"op": "max_pool", "kernel": 2, "pad": 2}, [1, 4, 4],
         "layers.pool.pad: expected a border narrower than the window of 2 x 2, got [2, 2, 2, 2]"),
        ({"op": "sum_pool", "kernel": [3, 1], "pad": [0, 1, 0, 0]}, [1, 4, 4],
         "layers.pool.pad: expected a border narrower than the window of 3 x 1, got [0, 1, 0, 0]"),
        ({"op": "max_pool", "kernel": [5, 2]}, [1, 4, 4],
         "layers.pool.kernel: expected at most 4 x 4 (the map), got 5 x 2"),
        ({"op": "mean_pool", "kernel": [3, 2]}, [1, 4, 4],
         "layers.pool.kernel: expected a divisor of the map's 4 x 4, got [3, 2]"),
        ({"op": "average_pool", "kernel": 2}, [1, 4, 4],
         "layers.pool.op: expected max_pool, sum_pool, or a majority over bipolar bits, got int4 input"),
    ],
)  # fmt: skip
def test_what_no_pool_can_be_is_refused_in_a_line(
    layer: dict[str, Any], shape: list[int], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        _design(layer, {}, shape)
    assert message in str(caught.value)
