"""Objectives and constraints have names; a wrong one is a sentence."""

from __future__ import annotations

import pytest

from bnnsim.search.front.objectives import parse_constraints, parse_objectives
from bnnsim.spec.faults import SpecError


def test_each_figure_knows_its_better_direction() -> None:
    fps, lut, power = parse_objectives(["throughput_fps", "lut", "power_w:maximise"])
    assert (fps.maximises, lut.maximises, power.maximises) == (True, False, True)
    assert fps.loss(5.0) == -5.0
    assert lut.loss(5.0) == 5.0


def test_constraint_violation_is_the_amount_missed() -> None:
    upper, lower = parse_constraints(["lut<=40000", "throughput_fps >= 1e3"])
    assert upper.violation(41000) == 1000
    assert upper.violation(40000) == 0
    assert lower.violation(900) == 100


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["throughput"], r"got 'throughput' \(nearest: throughput_fps\), expected one of throughput_fps"),
        (["lut:minimum"], r"lut: expected minimise or maximise, got 'minimum' \(nearest: minimise"),
        ([], "expected at least one objective, got none"),
        (["lut", "lut"], "expected each objective once, got lut, lut"),
    ],
)
def test_unknown_objective_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_objectives(texts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lut<40000", "expected a bound such as lut<=40000, got 'lut<40000'"),
        ("lut<=many", "expected a bound such as lut<=40000"),
        ("luts<=4", r"got 'luts' \(nearest: lut.*, expected one of throughput_fps"),
        ("lut<=1e999", "expected a bound such as lut<=40000, got 'lut<=1e999'"),
        ("lut>=-1e999", "expected a bound such as lut<=40000, got 'lut>=-1e999'"),
    ],
)
def test_unreadable_constraint_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_constraints([text])


@pytest.mark.parametrize("text", ["throughput_fps>=372023.8", "initiation_interval_cycles<=1234567"])
def test_a_bound_reads_back_as_the_same_bound(text: str) -> None:
    (bound,) = parse_constraints([text])
    assert str(bound) == text
    assert parse_constraints([str(bound)]) == (bound,)
