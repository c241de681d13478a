"""Cycles that follow from the published structure alone; numbers as the reference tables give them.

Acce-BNN: loop overheads of the HLS reports of MingSung111/bnn-fpga-k7. FracBNN: HLS reports of
ReNZoM51847/FracBNN. No number here was used to choose a value in a spec.
"""

from __future__ import annotations

from typing import Any

import pytest

from bnnsim.design.build import build_engine_design
from bnnsim.design.design import EngineDesign
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.engine.compiled import run_engine_compiled
from bnnsim.timing.engine.reference import run_engine_simpy


def engine(name: str) -> EngineArchitecture:
    spec = load_architecture(name).spec
    assert isinstance(spec, EngineArchitecture)
    return spec


def design(name: str, workload: str) -> EngineDesign:
    return build_engine_design(engine(name), load_workload(workload))


def with_convolvers(spec: EngineArchitecture, convolvers: int) -> EngineArchitecture:
    """Acce-BNN with other than 8 convolvers: as many input maps at once, as many weight banks."""
    data: dict[str, Any] = spec.model_dump(mode="json", exclude_unset=True)
    data["arrays"]["bin_conv"]["spatial_unrolling"]["in_channels"] = convolvers
    data["arrays"]["bin_dense"]["spatial_unrolling"]["in_channels"] = 64 * convolvers
    data["stages"]["add_phases"]["spatial_unrolling"]["in_channels"] = convolvers
    data["buffers"]["wt_mem"] |= {"banks": convolvers, "words": 586 * 8 // convolvers}
    data["buffers"]["dmem"] |= {"banks": convolvers, "words": 256 * 8 // convolvers}
    return EngineArchitecture.model_validate(data)


def test_acce_bnn_computes_570144_cycles_and_transfers_257632_in_54_calls() -> None:
    built = design("acce-bnn", "binarynet")
    timing = run_engine_simpy(built.program, 1)
    computed = sum(p.compute_cycles + p.stage_cycles + p.overhead_cycles for p in timing.parts)
    loaded = sum(p.weight_load_cycles + p.activation_load_cycles for p in timing.parts)
    assert built.program.calls == 54
    assert (computed, loaded) == (570_144, 257_632)
    assert timing.cycles_total / 142.857e3 == pytest.approx(5.94, rel=0.03)


@pytest.mark.parametrize(
    ("layer", "calls", "computed"),
    [
        ("conv1", 1, 142_848),
        ("conv2", 1, 62_080),
        ("conv3", 1, 48_896),
        ("conv4", 2, 73_984),
        ("conv5", 4, 78_848),
        ("conv6", 8, 116_224),
        ("fc1", 32, 30_720),
        ("fc2", 4, 16_384),
        ("fc3", 1, 160),
    ],
)
def test_acce_bnn_layers_take_the_reported_loops(layer: str, calls: int, computed: int) -> None:
    built = design("acce-bnn", "binarynet")
    part = next(p for p in run_engine_simpy(built.program, 1).parts if p.name == layer)
    program = next(p for p in built.program.parts if p.name == layer)
    assert program.calls == calls
    assert part.compute_cycles + part.stage_cycles + part.overhead_cycles == computed


@pytest.mark.parametrize(("convolvers", "milliseconds"), [(1, 18.04), (2, 11.04), (4, 7.54), (8, 5.79)])
def test_acce_bnn_scales_with_its_convolvers(convolvers: int, milliseconds: float) -> None:
    spec = with_convolvers(engine("acce-bnn"), convolvers)
    built = build_engine_design(spec, load_workload("binarynet"))
    cycles = run_engine_compiled(built.program, 1).cycles_total
    assert cycles / 142.857e3 == pytest.approx(milliseconds, rel=0.01)


def test_fracbnn_as_released_takes_96867_cycles() -> None:
    timing = run_engine_simpy(design("fracbnn", "fracbnn-cifar10").program, 1)
    assert timing.cycles_total == 96_867
    cycles = {part.name: part.cycles for part in timing.parts}
    assert cycles["conv1"] == 7_666
    assert sum(c for name, c in cycles.items() if name.startswith("layer1_")) == 44_142
    assert cycles["layer2_0_pool"] + cycles["layer2_0_conv1"] == 10_627
    assert cycles["layer3_0_pool"] + cycles["layer3_0_conv1"] == 4_734


def test_fracbnn_with_one_image_burst_and_one_first_pass_meets_the_reported_speed() -> None:
    cycles = run_engine_simpy(design("fracbnn-burst", "fracbnn-cifar10").program, 1).cycles_total
    assert cycles == pytest.approx(89_683, rel=0.005)
    assert 250e6 / cycles == pytest.approx(2806.9, rel=0.01)


@pytest.mark.parametrize(
    ("name", "workload"),
    [
        ("acce-bnn", "binarynet"),
        ("fracbnn", "fracbnn-cifar10"),
        ("fracbnn-burst", "fracbnn-cifar10"),
    ],
)
def test_compiled_form_equals_simpy_on_shipped_engines(name: str, workload: str) -> None:
    program = design(name, workload).program
    assert run_engine_compiled(program, 3) == run_engine_simpy(program, 3)


@pytest.mark.parametrize(
    ("name", "workload", "reported_fps", "low", "high"),
    [
        # within its aim
        ("fp-bnn", "binarynet", 7_692.3, -0.05, 0.05),
        ("fracbnn-imagenet", "fracbnn-imagenet", 48.1, -0.05, 0.05),
        # inferred before the speed was looked at, and off by this much
        ("fc-bnn", "vgg11ave", 420.0, 0.25, 0.26),
        ("fbna", "binarynet-24", 520.8, -0.18, -0.17),
    ],
)
def test_inferred_engines_are_off_by_as_much_as_their_notes_say(
    name: str, workload: str, reported_fps: float, low: float, high: float
) -> None:
    built = design(name, workload)
    ends = run_engine_compiled(built.program, 3).frame_end_cycles
    fps = built.architecture.clock_mhz * 1e6 / (ends[2] - ends[1])
    assert low <= fps / reported_fps - 1 <= high
    assert built.architecture.structure == "inferred"
    assert built.architecture.notes


@pytest.mark.parametrize(
    ("name", "workload"),
    [
        ("fc-bnn", "vgg11ave"),
        ("fp-bnn", "binarynet"),
        ("fbna", "binarynet-24"),
        ("fracbnn-imagenet", "fracbnn-imagenet"),
    ],
)
def test_compiled_form_equals_simpy_on_inferred_engines(name: str, workload: str) -> None:
    program = design(name, workload).program
    assert run_engine_compiled(program, 2) == run_engine_simpy(program, 2)
