"""A first folding: legal, fast enough, within the budget, or a sentence that says what is not."""

from __future__ import annotations

import pytest

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_streaming_design
from bnnsim.design.network.network import resolve_network
from bnnsim.search.fold.fold import fold_network
from bnnsim.search.points.folding import fold_cycles
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy


@pytest.mark.parametrize("fps", [500, 20_000, 200_000])
def test_folded_network_loads_and_reaches_its_rate(fps, tmp_path):
    path = tmp_path / "tfc.yaml"
    path.write_text(fold_network("tfc", "xc7z020", fps))
    design = build_streaming_design(load_architecture(path), load_workload("tfc"))
    ends = run_simpy(build_timing(design.graph), 8).frame_end_cycles
    assert ends[-1] - ends[-2] <= 100e6 / fps
    assert estimate_resources(design).fits


def test_every_layer_meets_the_target_with_nothing_cheaper(tmp_path):
    path = tmp_path / "tfc.yaml"
    path.write_text(fold_network("tfc", "xc7z020", 20_000))
    network = resolve_network(load_workload("tfc"))
    for name, hardware in load_architecture(path).spec.layers.items():
        node = network.nodes[name]
        assert fold_cycles(node, hardware.pe, hardware.simd) <= 5000
        lanes = hardware.pe * hardware.simd
        if lanes > 1:
            ideal = node.macs / 5000
            assert lanes <= 8 * ideal, f"{name} got {lanes} lanes where {ideal:.1f} would do"


def test_fastest_folding_is_asked_for_by_leaving_the_rate_out(tmp_path):
    path = tmp_path / "tfc.yaml"
    path.write_text(fold_network("tfc", "xc7z020", name="fast"))
    design = build_streaming_design(load_architecture(path), load_workload("tfc"))
    assert design.architecture.name == "fast"
    assert estimate_resources(design).fits


def test_rate_beyond_full_unrolling_is_refused_with_the_most_there_is():
    with pytest.raises(InputError, match=r"fps: expected at most 1e\+08 FPS at 100 MHz .*, got 1e\+09"):
        fold_network("tfc", "xc7z020", 1e9)


def test_network_too_fast_for_the_device_names_the_resource_and_what_fits():
    with pytest.raises(
        InputError, match=r"within the device's budget, got bram18: .* too many .*FPS fit"
    ):
        fold_network("mlp-1024", "xc7z020", 400_000)


@pytest.mark.parametrize(("fps", "clock", "match"), [(0, 100, "above 0"), (10, 0, "2000 MHz")])
def test_rates_and_clocks_that_are_none(fps, clock, match):
    with pytest.raises(InputError, match=match):
        fold_network("tfc", "xc7z020", fps, clock_mhz=clock)


def test_unknown_device_is_refused_with_its_near_miss():
    with pytest.raises(SpecError, match="xc7z020"):
        fold_network("tfc", "xc7z02", 1000)


_OVERLAPPING = """\
name: net
input: {shape: [3, 8, 8], type: bipolar}
layers:
  - {name: conv, op: conv, out: 8, kernel: 3, activation: bipolar}
  - {name: conv.pool, op: max_pool, kernel: 2, stride: 1}
  - {name: scores, op: linear, out: 4}
"""


@pytest.mark.parametrize("fps", [None, 1000])
def test_layer_that_has_no_streaming_unit_is_named_in_the_user_s_file(fps, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(_OVERLAPPING)
    match = r"net\.yaml:5: layers\.conv\.pool: expected a pool whose stride is its kernel"
    with pytest.raises(SpecError, match=match) as caught:
        fold_network(path, "xc7z020", fps)
    assert "<" not in str(caught.value)
