"""Objectives and constraints have names; a wrong one is a sentence."""

from __future__ import annotations

import math

import pytest

from bnnsim.cost.error_bars import half_width
from bnnsim.search.front.objectives import parse_constraints, parse_objectives, robust_figures
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


def test_a_cost_may_be_asked_for_at_an_end_of_its_error_bar() -> None:
    """26,633 LUT of a kind with a half width h: one design in ten is above 26,633 e^h."""
    lut, fps_per_w = parse_objectives(["lut.p90", "fps_per_w.p10"])
    assert (lut.maximises, fps_per_w.maximises) == (False, True)
    (bound,) = parse_constraints(["bram18.p90<=280"])
    width = half_width("lut", "hls pipeline")
    assert width is not None
    names = [lut.name, fps_per_w.name, bound.name, "throughput_fps"]
    figures = {"lut": 26_633.0, "fps_per_w": 1600.0, "bram18": 250.0, "throughput_fps": 3000.0}
    found = robust_figures(names, figures, "hls pipeline")
    assert set(found) == {"lut.p90", "fps_per_w.p10", "bram18.p90"}
    assert found["lut.p90"] == pytest.approx(26_633 * math.exp(width.size))
    assert found["fps_per_w.p10"] < 1600
    assert found["bram18.p90"] > 250


def test_what_is_exact_has_no_error_bar_to_ask_for() -> None:
    with pytest.raises(SpecError, match=r"got 'throughput_fps.p90'.*or a cost's .p10 or .p90"):
        parse_objectives(["throughput_fps.p90"])
