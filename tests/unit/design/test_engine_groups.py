"""A convolution with groups on an engine: a program turns once for each, or loops over them itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.datapath.engine.frame import run_engine_frame
from bnnsim.datapath.engine.toggles import count_engine_toggles
from bnnsim.simulation.engine import simulate_engine
from bnnsim.simulation.options import RunOptions
from bnnsim.simulation.stimulus import stimulate
from bnnsim.spec.workload import Workload
from bnnsim.timing.engine.account import frame_cycles
from tests.unit.design.small_engine import COMPUTE, LAYERS_WEIGHTS, LOAD, built, changed, messages


def grouped(channels: int, out: int, groups: int, **keys: Any) -> Workload:
    layer = {"name": "conv0", "op": "conv", "out": out, "kernel": 3, "groups": groups, **keys}
    shape = [channels, 8, 8]
    return Workload.model_validate({"name": "g", "input": {"shape": shape}, "layers": [layer]})


def plain_sums(x: Any, weights: Any, groups: int, stride: int) -> Any:
    """Every product by itself: ``x`` (channels, height, width), ``weights`` (out, own channels, 3, 3)."""
    out, own = weights.shape[:2]
    size = (x.shape[1] - 3) // stride + 1
    sums = np.zeros((out, size, size), np.int64)
    for o in range(out):
        first = o // (out // groups) * own
        for r in range(size):
            for c in range(size):
                for k in range(own):
                    for i in range(3):
                        for j in range(3):
                            at = (first + k, r * stride + i, c * stride + j)
                            sums[o, r, c] += x[at] * weights[o, k, i, j]
    return sums


@pytest.mark.parametrize(
    ("channels", "out", "groups", "stride", "unrolled"),
    [
        (8, 8, 2, 1, {}),
        (6, 12, 3, 2, {}),
        (4, 4, 4, 1, {}),
        (8, 8, 8, 1, {"groups": 3}),
        (4, 8, 4, 2, {"groups": 4}),
    ],
)
def test_groups_give_the_sums_of_plain_loops(
    tmp_path: Path, channels: int, out: int, groups: int, stride: int, unrolled: dict[str, int]
) -> None:
    data = changed(("arrays", "pes", "spatial_unrolling"), None)
    data["arrays"]["pes"]["spatial_unrolling"] = {"in_channels": 2, "kernel_rows": 3, "kernel_columns": 3}
    data["arrays"]["pes"]["spatial_unrolling"] |= unrolled
    data["buffers"]["maps"]["words"] = 4096
    data["buffers"]["weights"]["words"] = 4096
    design = built(tmp_path, data, grouped(channels, out, groups, stride=stride))
    generator = np.random.default_rng(7)
    bits = generator.integers(0, 2, (out, channels // groups, 3, 3)).astype(np.uint8)
    x = generator.integers(0, 2, (channels, 8, 8)) * 2 - 1
    frame = run_engine_frame(design, {"conv0": {"weights": bits}}, x)
    expected = plain_sums(x, bits.astype(np.int64) * 2 - 1, groups, stride)
    assert (frame.outputs["conv0"] == expected).all()
    # each group: its outputs one by one, its channels two at a time, every pixel
    turns = -(-groups // unrolled.get("groups", 1))
    pixels = expected.shape[1] ** 2
    assert frame_cycles(design.program) == turns * (out // groups) * -(-channels // groups // 2) * pixels


def test_a_layer_of_one_group_takes_what_it_took(tmp_path: Path) -> None:
    one = built(tmp_path, changed(("buffers", "maps", "words"), 512), grouped(4, 4, 1))
    assert frame_cycles(one.program) == 4 * 36


def test_loads_are_counted_a_group(tmp_path: Path) -> None:
    data = changed(("buffers", "weights"), LAYERS_WEIGHTS)
    data["programs"]["conv"]["steps"] = [{**LOAD, "words": 1}, COMPUTE]
    # two groups of 2 x 2 x 9 bits: a word of 64 for each brings 36, 72 are needed
    data["buffers"]["maps"]["words"] = 512
    design = built(tmp_path, data, grouped(4, 4, 2))
    assert frame_cycles(design.program) == 2 * (10 + 1 + 2 * 36)
    data["programs"]["conv"]["steps"] = [{**LOAD, "words": 1}, COMPUTE]
    big = grouped(8, 8, 2)  # 2 x 16 x 9 = 288 bits
    assert "expected loads of all weights of conv0, 288 bits, got 128 bits" in messages(
        tmp_path, data, big
    )


def test_a_program_may_loop_over_groups_itself(tmp_path: Path) -> None:
    data = changed(("buffers", "weights"), LAYERS_WEIGHTS)
    inner = {"op": "repeat", "loops": [{"dimension": "groups"}], "steps": [COMPUTE]}
    data["programs"]["conv"]["steps"] = [{**LOAD, "words": 2}, inner]
    data["buffers"]["maps"]["words"] = 512
    design = built(tmp_path, data, grouped(4, 4, 2))
    assert frame_cycles(design.program) == 10 + 2 + 2 * 2 * 36


def test_groups_left_out_are_refused(tmp_path: Path) -> None:
    data = changed(("programs", "conv", "steps"), None)
    loop = {"dimension": "groups", "tile": 2}
    data["programs"]["conv"]["steps"] = [{"op": "repeat", "loops": [loop], "steps": [COMPUTE]}]
    data["buffers"]["maps"]["words"] = 512
    assert "expected loops that cover groups of conv0 (its tile here is 2)" in messages(
        tmp_path, data, grouped(4, 4, 2)
    )


def test_a_simulated_frame_of_groups_is_bit_exact_and_its_toggles_are_counted(tmp_path: Path) -> None:
    data = changed(("buffers", "maps", "words"), 512)
    design = built(tmp_path, data, grouped(8, 8, 4, activation="bipolar"))
    options = RunOptions(frames=2, weights_seed=1)
    stimulus = stimulate(design, None, options)
    assert simulate_engine(design, stimulus, options).bit_exact
    frames = [{"input": stimulus.frames[i].astype(np.int64) * 2 - 1} for i in range(2)]
    counted = count_engine_toggles(design, frames)["pes"]
    assert counted.toggles == _plain_toggles([frame["input"] for frame in frames])


def _plain_toggles(frames: list[Any]) -> int:
    """The 36 lanes of an array of 4 channels x 3 x 3, walked by hand: group, output, row, column."""
    register: list[int] = [0] * 36
    toggles = 0
    for x in frames:
        for group in range(4):
            for _output in range(2):
                for r in range(6):
                    for c in range(6):
                        taken = [
                            int(x[group * 2 + k, r + i, c + j])
                            for i in range(3)
                            for j in range(3)
                            for k in range(2)
                        ]
                        toggles += sum(a != b for a, b in zip(taken, register, strict=False))
                        register[: len(taken)] = taken
    return toggles
