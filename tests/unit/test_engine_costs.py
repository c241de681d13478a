"""Engines: resources from the spec, activity by who works, energy by layer."""

from __future__ import annotations

from typing import Any

import pytest

from bnnsim.cost.blocks.amounts import add_up
from bnnsim.cost.clock import estimate_clock
from bnnsim.cost.power import DRAM, PROCESSING_SYSTEM, STATIC
from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_engine_design
from bnnsim.design.design import EngineDesign
from bnnsim.evaluation import evaluate, figures_of
from bnnsim.evaluation.engine import engine_activity
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.load import load_architecture, load_workload


def _engine(name: str = "acce-bnn", **changes: Any) -> EngineArchitecture:
    data = load_architecture(name).spec.model_dump(mode="json", exclude_unset=True)
    return EngineArchitecture.model_validate({**data, **changes})


def _design(workload: str = "binarynet", **changes: Any) -> EngineDesign:
    return build_engine_design(_engine(**changes), load_workload(workload))


def _without_circuits() -> EngineArchitecture:
    data = load_architecture("acce-bnn").spec.model_dump(mode="json", exclude_unset=True)
    for unit in (*data["arrays"].values(), *data["stages"].values()):
        unit.pop("circuits", None)
    return EngineArchitecture.model_validate(data)


def test_every_array_stage_buffer_and_port_is_counted_once() -> None:
    design = _design()
    resources = estimate_resources(design)
    spec = design.architecture
    names = [unit.name for unit in resources.units]
    assert sorted(names) == sorted(
        [
            *spec.arrays,
            *spec.stages,
            *(f"buffer {name}" for name in spec.buffers),
            *(f"port {name}" for name in spec.ports),
            "control",
        ]
    )
    assert add_up(unit.amounts for unit in resources.units) == resources.total


def test_a_buffer_takes_the_blocks_of_its_banks_and_copies() -> None:
    resources = estimate_resources(_design())
    # dmem: 2 copies x 8 banks of 256 x 64 with two full ports, each four blocks of 18 bits.
    assert resources.by_name["buffer dmem"].bram18 == 2 * 8 * 4
    # wt_mem: 8 banks of 586 x 64: 1,024 x 18 deep, four side by side.
    assert resources.by_name["buffer wt_mem"].bram18 == 8 * 4


def test_a_double_buffer_takes_twice_the_blocks() -> None:
    data = load_architecture("acce-bnn").spec.model_dump(mode="json", exclude_unset=True)
    buffers = data["buffers"]
    twice = {**buffers, "wt_mem": {**buffers["wt_mem"], "double": True}}
    single = estimate_resources(_design()).by_name["buffer wt_mem"].bram18
    assert estimate_resources(_design(buffers=twice)).by_name["buffer wt_mem"].bram18 == 2 * single


def test_an_array_without_circuits_is_costed_from_what_it_unrolls() -> None:
    workload = load_workload("binarynet")
    small = build_engine_design(_without_circuits(), workload)
    data = small.architecture.model_dump(mode="json", exclude_unset=True)
    data["arrays"]["bin_dense"]["spatial_unrolling"]["in_channels"] = 1024
    large = build_engine_design(EngineArchitecture.model_validate(data), workload)
    luts = [estimate_resources(d).by_name["bin_dense"].lut for d in (small, large)]
    assert 1.8 < luts[1] / luts[0] < 2.2


def test_the_cheapest_tiling_never_takes_more_blocks() -> None:
    side_by_side = estimate_resources(_design()).total.bram18
    cheapest = estimate_resources(_design(ram_decomposition="area")).total.bram18
    assert cheapest <= side_by_side


def test_a_unit_is_active_while_it_works() -> None:
    design = _design()
    interval = 827_776
    activity = engine_activity(design, interval)
    # conv1: 128 outputs of 33 x 33 pixels, and the loop's fill of 5.
    assert activity.units["fp_conv"] == pytest.approx(0.5 * 128 * (33 * 33 + 5) / interval)
    assert activity.units["port dma"] == pytest.approx(0.5 * 257_632 / interval)
    assert all(0 <= value <= 0.5 for value in activity.units.values())


def test_an_engines_energy_is_the_sum_of_its_layers() -> None:
    evaluation = evaluate("acce-bnn", "binarynet", timing_only=True)
    energy = evaluation.energy
    assert energy is not None
    assert set(energy.by_layer) == {
        *("conv1", "conv2", "conv3", "conv4", "conv5", "conv6", "fc1", "fc2", "fc3"),
        STATIC,
        PROCESSING_SYSTEM,
        DRAM,
    }
    frame_us = 827_776 / 142.857
    assert energy.total_uj == pytest.approx(evaluation.power_w * frame_us)
    assert evaluation.energy_per_frame_uj == pytest.approx(sum(energy.by_layer.values()))
    # The largest layer's turn is the longest on the largest array.
    layers = {name: uj for name, uj in energy.by_layer.items() if name.startswith(("conv", "fc"))}
    assert max(layers, key=lambda name: layers[name]) == "conv6"


def test_figures_of_an_engine_are_those_of_its_evaluation() -> None:
    figures = figures_of(_design())
    evaluation = evaluate("acce-bnn", "binarynet", timing_only=True)
    assert figures.figures["throughput_fps"] == evaluation.simulation.throughput_fps
    assert figures.figures["power_w"] == pytest.approx(evaluation.power_w)
    assert figures.figures["lut"] == evaluation.resources.total.lut
    assert figures.violations["lut"] == evaluation.resources.total.lut - 53_200


def test_an_engine_over_its_budget_is_reported_not_refused() -> None:
    evaluation = evaluate(_engine(budget={"lut": 1000}), "binarynet", timing_only=True)
    assert not evaluation.feasible
    (violation,) = evaluation.violations
    assert violation.name == "lut"
    assert violation.amount == evaluation.resources.total.lut - 1000


def _mixed() -> EngineDesign:
    """acce-bnn whose first convolution streams."""
    prefix = {
        "until": "conv1",
        "defaults": {"pipeline": "flushing"},
        "layers": {"conv1": {"pe": 4, "simd": 3}},
    }
    layers = load_architecture("acce-bnn").spec.model_dump(mode="json")["layers"]
    del layers["conv1"]
    return _design(streaming_prefix=prefix, layers=layers)


def test_a_mixed_designs_parts_add_up() -> None:
    design = _mixed()
    assert design.streaming_prefix is not None
    alone = estimate_resources(design.streaming_prefix)
    absent = (alone.by_name["sink"], alone.by_name["platform"])
    engine = estimate_resources(_design()).total
    mixed = estimate_resources(design).total
    for name in ("lut", "ff", "bram18", "dsp"):
        prefix = getattr(alone.total, name) - sum(getattr(unit, name) for unit in absent)
        assert getattr(mixed, name) == prefix + getattr(engine, name), name
    figures = figures_of(design)
    assert figures.figures["power_w"] > 0


def test_a_mixed_design_has_no_frame_sink() -> None:
    design = _mixed()
    assert design.streaming_prefix is not None
    resources = estimate_resources(design)
    assert "frame_sink" not in {unit.kind for unit in resources.units}
    assert "frame_source" in {unit.kind for unit in resources.units}
    # What the sink of the prefix would take if its results went to memory: frames of a multiple of 64
    # bits come in four at a time. FINN's DMA of a port of 64 bits and a stream of 8 was placed with 1,091
    # LUT, 1,738 flip-flops, 2 BRAM18 (alhusseingamal/finn-brevitas-pynq-labs, post_synth_resources.json).
    sink = estimate_resources(design.streaming_prefix).by_name["sink"]
    assert sink.bram18 == 2
    assert sink.lut == pytest.approx(1_091, rel=0.20)
    assert sink.ff == pytest.approx(1_738, rel=0.15)
    assert "sink" not in estimate_clock(design).units
    assert "conv1.mvau" in estimate_clock(design).units


def test_constants_that_find_no_block_do_not_fit() -> None:
    """Its synthesis log asks for 524 blocks; the number is not filled up to what the device has."""
    spec = _engine("fracbnn", device="xczu9eg", budget={})
    roomy = estimate_resources(build_engine_design(spec, load_workload("fracbnn-cifar10")))
    tight = estimate_resources(_fracbnn())
    assert roomy.capped == ()
    assert roomy.total == tight.total
    assert (roomy.total.bram18, roomy.exceeded) == (526, ())
    (over,) = tight.exceeded
    assert (over.resource, over.used, over.allowed) == ("bram18", 526, 432)
    (capped,) = tight.capped
    assert (capped.resource, capped.wanted, capped.used) == ("bram18", 526, 432)
    # 47 ROMs of 45 words x 64 bits: a LUT a bit, 1.11 times as many as on 7 series, and routing's share.
    assert 47 * 64 <= capped.moved_lut <= 47 * 64 * 1.15
    assert "does not fit by the model: 526 wanted" in str(capped)
    assert tight.capped_of("lut") is None


def test_an_engine_whose_constants_do_not_fit_is_not_feasible() -> None:
    found = evaluate("fracbnn", "fracbnn-cifar10", timing_only=True)
    assert not found.feasible
    assert [(v.name, v.amount) for v in found.violations] == [("bram18", 94)]
    assert found.error_bars["bram18"].high >= 526
    assert figures_of(_fracbnn()).violations["bram18"] == 94


def test_hardware_beyond_belief_is_remarked_in_one_sentence() -> None:
    assert evaluate("fp-bnn", "binarynet", timing_only=True).remark == ""
    changed = _engine("acce-bnn", clock_mhz=1_999.0, budget={})
    found = evaluate(changed, "binarynet", timing_only=True)
    assert "1,999 MHz (global clocks end at about 891 MHz)" in found.remark
    assert found.remark == found.to_json()["remark"]


def _fracbnn() -> EngineDesign:
    return build_engine_design(_engine("fracbnn"), load_workload("fracbnn-cifar10"))
