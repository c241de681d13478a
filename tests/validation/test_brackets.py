"""What reported figures allow of systems whose structure nobody published."""

from __future__ import annotations

from copy import deepcopy

import pytest

from bnnsim import simulate
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.load import load_architecture
from bnnsim.validation.bracket import find_bracket
from bnnsim.validation.systems import simulated_systems

SYSTEMS = ("fc-bnn", "fbna", "li-vx690t")


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_combination_of_what_is_free_is_tried_and_the_interval_is_theirs(name: str) -> None:
    entry = simulated_systems()[name]
    found = find_bracket(entry)
    assert found is not None
    combinations = 1
    for choice in entry.system.free:
        combinations *= len(choice.choices)
    assert 0 < found.consistent <= found.tried <= combinations
    assert found.low_fps is not None and found.high_fps is not None
    assert found.tried_low_fps <= found.low_fps <= found.high_fps <= found.tried_high_fps
    assert found.consistent <= min(found.consistent_by.values())
    assert set(found.consistent_by) <= {"lut", "bram18", "dsp"}
    assert found.with_the_rate <= found.consistent
    assert "allowed by the reported resources" in found.text


def test_what_is_reported_lies_inside_what_was_tried() -> None:
    for name in SYSTEMS:
        found = find_bracket(simulated_systems()[name])
        assert found is not None and found.tried_low_fps <= found.reported_fps <= found.tried_high_fps


def test_one_structure_of_a_bracket_is_that_of_a_spec_changed_by_hand() -> None:
    """FBNA at 100 MHz, four outputs at once, weights loaded before the work: the slowest of all."""
    data = deepcopy(load_architecture("fbna").source.data)
    data["clock_mhz"] = 100
    data["arrays"]["array"]["spatial_unrolling"]["out_channels"] = 4
    data["stages"]["finish"]["spatial_unrolling"]["out_channels"] = 4
    data["buffers"]["weights"]["banks"] = 4
    data["buffers"]["weights"]["double"] = False
    data["programs"]["dense"]["steps"][0]["loops"][0]["tile"] = 4
    spec = EngineArchitecture.model_validate(data)
    alone = simulate(spec, "binarynet-24", timing_only=True).throughput_fps
    found = find_bracket(simulated_systems()["fbna"])
    assert found is not None and alone == pytest.approx(found.tried_low_fps)


def test_systems_whose_structure_is_known_have_no_bracket() -> None:
    assert find_bracket(simulated_systems()["acce-bnn"]) is None
