"""The first-order clock: laws and the warning."""

import dataclasses

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.clock import BASIS, delays_of, estimate_clock
from bnnsim.design.build import build_streaming_design
from bnnsim.spec.load import load_architecture, load_device, load_workload


def test_a_placed_design_is_not_warned_of_its_own_clock(cnv):
    estimate = estimate_clock(cnv)
    assert estimate.warning is None
    assert estimate.achievable_mhz > 100
    assert set(estimate.units) == {unit.name for unit in cnv.graph.units}


def test_asking_for_too_much_names_the_unit_and_the_basis(cnv):
    fast = cnv.architecture.model_copy(update={"clock_mhz": 400.0})
    estimate = estimate_clock(dataclasses.replace(cnv, architecture=fast))
    assert estimate.warning is not None
    assert estimate.warning.startswith("clock_mhz 400 is above the ")
    assert estimate.slowest_unit in estimate.warning
    assert BASIS in estimate.warning


def test_a_newer_part_is_faster(cnv):
    old, new = (
        delays_of(load_device(name).spec, default_coefficients()) for name in ("xc7z020", "xczu3eg")
    )
    assert new.path_mhz(new.adder(16)) > old.path_mhz(old.adder(16))


def test_wider_simd_is_never_faster():
    architecture = load_architecture("pynq-cnv").spec
    clocks = []
    for simd in (4, 16, 64, 576):
        layers = dict(architecture.layers)
        layers["conv2"] = layers["conv2"].model_copy(update={"simd": simd, "pe": 1})
        changed = architecture.model_copy(update={"layers": layers})
        design = build_streaming_design(changed, load_workload("cnv"))
        clocks.append(estimate_clock(design).units["conv2.mvau"])
    assert clocks == sorted(clocks, reverse=True)
