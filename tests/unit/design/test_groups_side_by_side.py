"""Grouped convolutions with several groups at once: depthwise ones with channel lanes."""

from __future__ import annotations

from typing import Any

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.design.network.network import resolve_network
from bnnsim.design.streaming.units import Mvau
from bnnsim.search.points.folding import folds
from bnnsim.simulation import simulate
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.programs.unit_programs import unit_program


def _workload(**conv: Any) -> Workload:
    frame = {"shape": conv.pop("shape", [8, 6, 6]), "type": conv.pop("type", "bipolar")}
    layer = {"name": "conv", "op": "conv", "kernel": 3, "pad": 1, **conv}
    return Workload.model_validate({"name": "grouped", "input": frame, "layers": [layer]})


def _architecture(**hardware: Any) -> StreamingArchitecture:
    return StreamingArchitecture.model_validate(
        {
            "name": "grouped",
            "source": "made for this test",
            "style": "streaming",
            "device": "xc7z020",
            "clock_mhz": 100,
            "defaults": {"fifo_words": 4, "sliding_window": "rtl"},
            "layers": {"conv": hardware},
        }
    )


def _mvau(workload: Workload, architecture: StreamingArchitecture) -> tuple[Mvau, Any]:
    design = build_streaming_design(architecture, workload)
    unit = design.graph.unit_by_name["conv.mvau"]
    assert isinstance(unit.parameters, Mvau)
    return unit.parameters, unit_program(unit)


@pytest.mark.parametrize(
    ("pe", "simd", "cycles"),
    [(1, 1, 36 * 8 * 9), (1, 9, 36 * 8), (4, 1, 36 * 2 * 9), (8, 3, 36 * 3), (8, 9, 36)],
)
def test_a_depthwise_layer_takes_its_channels_in_so_many_lanes(pe: int, simd: int, cycles: int) -> None:
    """36 pixels x 8 channels x 9 taps, pe channels of simd taps a step."""
    mvau, program = _mvau(_workload(out=8, groups=8), _architecture(pe=pe, simd=simd))
    assert program.steps == program.words_in == cycles
    assert mvau.in_lanes == pe * simd


def test_a_search_and_fold_know_the_cycles_of_groups_side_by_side() -> None:
    node = resolve_network(_workload(out=8, groups=8)).nodes["conv"]
    cycles = {(fold.pe, fold.simd): fold.cycles for fold in folds(node)}
    assert cycles[8, 1] == 36 * 9 and cycles[2, 1] == 36 * 4 * 9 and cycles[1, 1] == 36 * 8 * 9


@pytest.mark.parametrize("style", ["row_buffer", "rtl", "parallel", "line_buffer", "no_overlap"])
@pytest.mark.parametrize(
    ("conv", "pe", "simd"),
    [
        ({"out": 8, "groups": 8}, 4, 1),
        ({"out": 8, "groups": 8, "pad_value": 0, "activation": "bipolar"}, 8, 9),
        ({"out": 16, "groups": 8, "stride": 2, "activation": "uint2"}, 8, 3),
        ({"out": 6, "groups": 2, "shape": [4, 5, 6], "weight": "int3", "type": "int4"}, 6, 2),
        ({"out": 8, "groups": 4, "accumulator": "popcount", "activation": "bipolar"}, 4, 6),
        ({"out": 8, "groups": 4, "kernel": 1, "pad": 0, "type": "fixed8.7"}, 8, 2),
    ],
    ids=str,
)
def test_groups_side_by_side_are_bit_exact(
    conv: dict[str, Any], pe: int, simd: int, style: str
) -> None:
    hardware = {"pe": pe, "simd": simd, "sliding_window": style}
    result = simulate(_architecture(**hardware), _workload(**conv), frames=2, weights_seed=1)
    assert result.bit_exact


@pytest.mark.parametrize(
    ("hardware", "message"),
    [
        ({"pe": 3, "simd": 4}, "layers.conv.pe: expected a divisor of 2 (rows of a group), or 2 x a "
         "divisor of 4 groups, got 3 (nearest: 2, 4)"),
        ({"pe": 8, "simd": 3}, "layers.conv.simd: expected a multiple of 2 (channels of a group) where "
         "4 groups are at work at once, got 3"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_groups_is_refused_in_a_line(
    hardware: dict[str, int], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        build_streaming_design(_architecture(**hardware), _workload(out=8, groups=4))
    assert message in str(caught.value)


def test_levels_take_one_group_after_the_other() -> None:
    workload = _workload(out=4, groups=4, shape=[4, 4, 4], activation="residual2")
    with pytest.raises(SpecError, match=r"conv\.pe: expected at most 1: levels take one group after"):
        build_streaming_design(_architecture(pe=2, simd=1), workload)
