"""The project's own library: every unit of it, with the programs that its Verilog modules have."""

from __future__ import annotations

from typing import Any

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.search.fold.fold import fold
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.unit_programs import unit_program
from tests.unit.test_unit_kinds import ARCHITECTURE, WORKLOAD


def built(defaults: dict[str, Any] | None = None, **layers: dict[str, Any]) -> Design:
    spec = ARCHITECTURE.model_dump(exclude_none=True, exclude_unset=True)
    spec["defaults"] |= defaults or {}
    for name, fields in layers.items():
        spec["layers"].setdefault(name, {}).update(fields)
    return build_streaming_design(StreamingArchitecture.model_validate(spec), WORKLOAD)


@pytest.mark.parametrize("sliding_window", ["row_buffer", "rtl", "no_overlap"])
def test_every_unit_of_an_own_architecture_is_own_and_flushes(sliding_window: str) -> None:
    design = built({"units": "own", "sliding_window": sliding_window})
    assert {unit.library for unit in design.graph.units} == {"own"}
    ends = {"source", "sink"}
    assert not any(unit.freezes for unit in design.graph.units if unit.name not in ends)


def test_an_own_pipeline_has_the_cycles_of_a_flushing_hls_one() -> None:
    totals = {}
    for units in ("hls", "own"):
        timing = build_timing(built({"units": units, "pipeline": "flushing"}).graph)
        totals[units] = run_compiled(timing, 3).result.cycles_total
    assert totals["own"] == totals["hls"]


def test_own_units_freeze_where_the_pipeline_does_except_those_that_never_do() -> None:
    design = built({"units": "own", "pipeline": "freezing"})
    flushing = {unit.kind for unit in design.graph.units if not unit.freezes}
    assert flushing == {"padding", "thresholding", "scale", "lookup", "weight_buffer"}


def test_a_single_layer_is_own_with_its_converters_and_the_others_stay() -> None:
    graph = built(left={"units": "own"}).graph
    assert {u.layer for u in graph.units if u.library == "own"} == {"left"}
    assert {u.kind for u in graph.units if u.library == "own"} >= {"mvau", "width_converter"}


def test_an_own_mvau_of_several_bits_writes_without_a_queue_six_cycles_after_its_last_step() -> None:
    layer = {"pe": 2, "simd": 4}
    spec = ARCHITECTURE.model_dump(exclude_none=True, exclude_unset=True)
    spec["layers"] = {"conv": layer}
    workload = {
        "name": "bits",
        "input": {"shape": [4, 4, 4], "type": "int4"},
        "layers": [{"name": "conv", "op": "conv", "out": 4, "kernel": 3, "weight": "int3"}],
    }
    depths, channels = {}, {}
    for units in ("rtl", "own"):
        spec["defaults"] = {"units": units}
        design = build_streaming_design(
            StreamingArchitecture.model_validate(spec), type(WORKLOAD).model_validate(workload)
        )
        program = unit_program(design.graph.unit_by_name["conv.mvau"])
        assert isinstance(program, Lockstep)
        depths[units] = program.pipeline_depth
        channels[units] = len(build_timing(design.graph).channels) - len(design.graph.streams)
    assert depths == {"rtl": 8, "own": 6}
    assert channels == {"rtl": 1, "own": 0}


def test_fold_writes_an_architecture_of_own_units() -> None:
    text = fold("tfc", "xc7z020", fps=10_000, units="own").text()
    assert "units: own" in text


def test_own_memories_cannot_be_told_where_to_sit() -> None:
    with pytest.raises(SpecError, match=r"expected auto \(own weights of up to 64 words") as error:
        built({"units": "own"}, scores={"weights": "lutram"})
    assert [fault.key for fault in error.value.faults] == ["layers.scores.weights"]
