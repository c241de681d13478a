"""A unit kind is known everywhere or nowhere: timing, bits, cost, clock, activity, drawing, memories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args

import pytest

from bnnsim.cost.clock import estimate_clock
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.switching import activity_at_rate
from bnnsim.datapath.streaming.build import build_datapaths
from bnnsim.datapath.streaming.toggles import ToggleCounter
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Unit, UnitKind, UnitParameters
from bnnsim.functional.executor import execute
from bnnsim.report.streaming.pipeline import unit_detail
from bnnsim.report.vectors.memories import unit_memories
from bnnsim.simulation import RunOptions, Stimulus, simulate, stimulate
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.programs.unit_programs import unit_program

WORKLOAD = Workload.model_validate(
    {
        "name": "every-kind",
        "input": {"shape": [4, 6, 6], "type": "bipolar"},
        "layers": [
            {"name": "border", "op": "conv", "out": 8, "kernel": 3, "pad": 1, "activation": "bipolar"},
            {"name": "pool", "op": "max_pool", "kernel": 2},
            {"name": "left", "op": "conv", "out": 4, "kernel": 1, "inputs": ["pool"]},
            {"name": "right", "op": "conv", "out": 4, "kernel": 1, "inputs": ["pool"]},
            {"name": "sum", "op": "add", "inputs": ["left", "right"]},
            {"name": "third", "op": "conv", "out": 4, "kernel": 1, "inputs": ["pool"]},
            {"name": "gated", "op": "multiply", "inputs": ["sum", "third"]},
            {"name": "sign", "op": "threshold", "activation": "bipolar"},
            {"name": "both", "op": "concat", "inputs": ["sign", "pool"]},
            {"name": "keys", "op": "matmul", "transposed": True, "heads": 2, "inputs": ["sign", "left"]},
            {"name": "mixed", "op": "matmul", "heads": 2, "inputs": ["keys", "both"]},
            {"name": "large", "op": "repeat", "factor": 2},
            {"name": "scores", "op": "linear", "out": 6},
            {"name": "scaled", "op": "affine"},
            {"name": "table", "op": "lookup", "type": "int6", "low": -8, "shift_bits": 2, "segments": 4},
            {"name": "best", "op": "top_k", "k": 2},
        ],
    }
)
ARCHITECTURE = StreamingArchitecture.model_validate(
    {
        "name": "every-kind",
        "source": "made for this test",
        "style": "streaming",
        "device": "xc7z020",
        "clock_mhz": 100,
        "defaults": {"fifo_words": 64},
        "layers": {
            "border": {"pe": 2, "simd": 4},
            "left": {"pe": 1, "simd": 2},
            "right": {"pe": 1, "simd": 2},
            "third": {"pe": 1, "simd": 2},
            "sign": {"pe": 2},
            "keys": {"pe": 3, "simd": 1},
            "mixed": {"pe": 2, "simd": 3, "weight_frames": 1},
            "scores": {"pe": 1, "simd": 4},
            "scaled": {"pe": 1},
            "table": {"pe": 2},
            "best": {"pe": 2},
        },
    }
)
DETAILS = {
    "frame_source": "words a frame",
    "frame_sink": "words a frame",
    "width_converter": "lanes",
    "padding": "value",
    "sliding_window": "3 × 3 on 8 × 8",
    "mvau": "PE",
    "pool": "max 2 × 2",
    "thresholding": "1 threshold",
    "scale": "affine to",
    "lookup": "4 pieces to int6",
    "duplicate": "",
    "add": "lanes",
    "multiply": "lanes",
    "concat": "",
    "repeat": "to 6 × 6",
    "label_select": "2 of 6",
    "weight_buffer": "lanes",
}
"""What the drawing says of each kind; nothing where there is nothing to say."""
MEMORIES: dict[str, set[str]] = {
    "frame_source": set(),
    "frame_sink": set(),
    "width_converter": set(),
    "padding": set(),
    "sliding_window": set(),
    "mvau": {"weights", "thresholds"},
    "pool": set(),
    "thresholding": {"thresholds"},
    "scale": {"scale", "bias"},
    "lookup": {"values"},
    "duplicate": set(),
    "add": set(),
    "multiply": set(),
    "concat": set(),
    "repeat": set(),
    "label_select": set(),
    "weight_buffer": set(),
}
"""The memories whose contents each kind may have."""
OPERANDS = {"mvau"}
"""Kinds whose operand registers are counted; the others' toggles are those of their streams."""
CARRIES_A_LAYER = {
    *("mvau", "pool", "thresholding", "scale", "lookup", "add", "multiply", "concat", "repeat"),
    "label_select",
}
"""Kinds whose output stream may be a layer's values."""
KINDS: tuple[UnitKind, ...] = get_args(UnitKind)


@pytest.fixture(scope="module")
def design() -> Design:
    return build_streaming_design(ARCHITECTURE, WORKLOAD)


@pytest.fixture(scope="module")
def stimulus(design: Design) -> Stimulus:
    drawn = stimulate(design, None, RunOptions(frames=2, weights_seed=3))
    assert isinstance(drawn, Stimulus)
    return drawn


def _datapaths(design: Design, stimulus: Stimulus) -> dict[str, Any]:
    outputs = execute(design.network, stimulus.parameters, stimulus.frames).outputs
    parameters = stimulus.parameters
    return dict(
        build_datapaths(
            design.graph,
            stimulus.frames,
            parameters.weights,
            parameters.thresholds,
            outputs,
            parameters.values,
        )
    )


def _of_kind(design: Design, kind: str) -> list[Unit]:
    return [unit for unit in design.graph.units if unit.kind == kind]


def test_the_design_of_this_file_has_every_kind(design: Design) -> None:
    assert {unit.kind for unit in design.graph.units} == set(KINDS)
    assert {parameters.kind for parameters in get_args(UnitParameters)} == set(KINDS)


def test_the_design_of_this_file_is_bit_exact() -> None:
    assert simulate(ARCHITECTURE, WORKLOAD, weights_seed=3, frames=2).bit_exact


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_known_everywhere(kind: str, design: Design, stimulus: Stimulus) -> None:
    units = _of_kind(design, kind)
    names = {unit.name for unit in units}
    programs = {unit.name: unit.program for unit in build_timing(design.graph).units}
    for unit in units:
        assert programs[unit.name] == unit_program(unit)
        assert (programs[unit.name].words_in > 0) == bool(unit.inputs)
        assert (programs[unit.name].words_out > 0) == bool(unit.outputs)
    datapaths = _datapaths(design, stimulus)
    assert names <= set(datapaths)
    resources = estimate_resources(design).by_name
    assert all(resources[name].kind == kind and resources[name].parts for name in names)
    assert all(estimate_clock(design).units[name] > 0 for name in names)
    assert names <= set(activity_at_rate(design, 1000).units)
    counted = ToggleCounter(design.graph).count(1)
    assert (names & set(counted.operands)) == (names if kind in OPERANDS else set())
    assert all(DETAILS[kind] in unit_detail(unit) for unit in units)
    assert all(bool(unit_detail(unit)) == bool(DETAILS[kind]) for unit in units)
    parameters = stimulus.parameters
    held = (parameters.weights, parameters.thresholds, parameters.values)
    roles = {memory.role for unit in units for memory in unit_memories(unit, *held)}
    assert roles == MEMORIES[kind]
    if kind not in CARRIES_A_LAYER:
        assert not any(unit in units for unit in design.graph.unit_of_layer.values())


@dataclass(frozen=True)
class Strange:
    """Parameters of a kind that nobody knows."""

    words: int = 4
    kind = "strange"


Use = Callable[[Design, Unit, Stimulus], object]
USES: dict[str, Use] = {
    "program": lambda design, unit, stimulus: unit_program(unit),
    "register slices": lambda design, unit, stimulus: build_timing(design.graph),
    "datapath": lambda design, unit, stimulus: _datapaths(design, stimulus),
    "cost": lambda design, unit, stimulus: estimate_resources(design),
    "clock": lambda design, unit, stimulus: estimate_clock(design),
    "activity": lambda design, unit, stimulus: activity_at_rate(design, 1000),
    "toggles": lambda design, unit, stimulus: ToggleCounter(design.graph),
    "drawing": lambda design, unit, stimulus: unit_detail(unit),
    "memories": lambda design, unit, stimulus: unit_memories(unit, {}, {}, {}),
    "layers": lambda design, unit, stimulus: design.graph.unit_of_layer,
}


@pytest.mark.parametrize("use", USES)
def test_an_unknown_kind_is_refused_and_taken_for_no_other(
    use: str, design: Design, stimulus: Stimulus
) -> None:
    """A unit in the place of a splitter, as which an unknown kind would do least harm."""
    split, *_ = _of_kind(design, "duplicate")
    parameters: Any = Strange()
    strange = replace(split, parameters=parameters)
    units = tuple(strange if unit is split else unit for unit in design.graph.units)
    changed = replace(design, graph=replace(design.graph, units=units))
    with pytest.raises(AssertionError, match=r"Expected code to be unreachable.*Strange"):
        USES[use](changed, strange, stimulus)


