"""What units bring to a forecast is what the cost models and programs say of the design."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bnnsim.arrays import Floats
from bnnsim.cost.power import estimate_power
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.switching import activity_at_rate
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.design import Design
from bnnsim.search.forecast.contributions import COLUMN, COLUMNS, contributions
from bnnsim.search.forecast.unit_facts import UnitFacts
from bnnsim.search.forecast.unit_tables import UnitTables
from bnnsim.search.points.folding import folds
from bnnsim.search.points.point_design import point_design
from bnnsim.search.space.alternatives import load_search_space
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space
from bnnsim.spec.faults import SpecError
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.programs.program import Lockstep

DRAWN = 30


def slowest_cycles(design: Design) -> int:
    programs = [unit.program for unit in build_timing(design.graph).units]
    return max(
        p.steps if isinstance(p, Lockstep) else max(p.words_in, p.words_out) for p in programs
    )


def held_against_the_models(design: Design, space: Space, facts: UnitFacts) -> None:
    brings = np.array(list(contributions(design, space.folded, facts).values()))
    interval = slowest_cycles(design)
    assert brings[:, COLUMN["cycles"]].max() == interval
    resources = estimate_resources(design)
    for name in RESOURCES:
        assert brings[:, COLUMN[name]].sum() == getattr(resources.total, name)
    clock_mhz = design.architecture.clock_mhz
    activity = activity_at_rate(design, interval)
    power = estimate_power(resources, clock_mhz, activity, processor=design.architecture.processor)
    sums = {name: brings[:, place].sum() for name, place in COLUMN.items()}
    watts = sums["static_w"] + clock_mhz * (
        sums["clock_w_per_mhz"] + sums["work_w_per_mhz"] / interval
    )
    assert watts == pytest.approx(power.chip_w, rel=1e-12)
    bits = sum(s.depth_words * s.width_bits for s in design.graph.streams)
    assert sums["fifo_bits"] == bits


@pytest.mark.parametrize("name", ["cnv-7z020", "digits-7z020"])
def test_what_units_bring_adds_up_to_the_design(name: str) -> None:
    space = load_search_space(name)
    assert isinstance(space, Space)
    draw, facts = random.Random(7), UnitFacts()
    choices = {layer: folds(space.network.nodes[layer]) for layer in space.folded}
    knobs: dict[str, Value] = dict(space.first_knobs)
    built = 0
    for _ in range(DRAWN):
        layer = draw.choice(space.folded)
        fold = draw.choice(choices[layer])
        knobs[f"layers.{layer}.pe"], knobs[f"layers.{layer}.simd"] = fold.pe, fold.simd
        knob = draw.choice(space.knobs)
        knobs[knob.name] = draw.choice(knob.values)
        try:
            design = point_design(space, knobs)
        except SpecError:
            continue
        assert isinstance(design, Design)
        held_against_the_models(design, space, facts)
        built += 1
    assert built > DRAWN // 2


@pytest.mark.parametrize("name", ["cnv-7z020", "digits-7z020"])
def test_units_that_are_passed_over_change_nothing_of_what_the_others_bring(name: str) -> None:
    space = load_search_space(name)
    assert isinstance(space, Space)
    design = point_design(space, space.first_knobs)
    assert isinstance(design, Design)
    every = contributions(design, space.folded)
    draw = random.Random(11)
    for share in (0.2, 0.5, 0.9):
        passed = {name for name in every if draw.random() < share}
        cycles = max((every[name][COLUMN["cycles"]] for name in passed), default=0.0)
        others = contributions(design, space.folded, None, passed, float(cycles))
        assert list(others) == [name for name in every if name not in passed]
        assert all(np.array_equal(others[name], every[name]) for name in others)


def _row(draw: np.random.Generator) -> Floats:
    return draw.integers(1, 99, len(COLUMNS)).astype(float)


def test_tables_add_up_what_was_seen_with_the_same_fields() -> None:
    draw = np.random.default_rng(3)
    tables = UnitTables([2, 3])
    tables.place("a", (0,))
    tables.place("b", (0, 1))
    tables.place("c", (1,))
    rows = {name: _row(draw) for name in "abc"}
    tables.keep(np.array([1, 2]), rows)
    tables.keep(np.array([0, 2]), {"a": (other := _row(draw))})  # of b nothing, c as before
    sums, cycles, known = tables.look_up(np.array([[1, 2], [0, 2], [1, 1]]))
    assert known.tolist() == [True, True, False]
    assert sums[0].tolist() == sum(rows.values())[:-1].tolist()
    assert cycles[0] == max(row[-1] for row in rows.values())
    assert sums[1].tolist() == (other + rows["c"])[:-1].tolist()
    assert tables.known_of(np.array([1, 1])) == (frozenset("a"), rows["a"][-1])


def test_units_that_depend_on_more_fields_than_an_int64_counts_are_told_apart() -> None:
    draw = np.random.default_rng(3)
    sizes = [97] * 14
    tables = UnitTables(sizes)
    tables.place("all", tuple(range(len(sizes))))
    tables.place("last", (len(sizes) - 1,))
    fields = np.unique(draw.integers(97, size=(50, len(sizes))), axis=0)
    kept = [{"all": _row(draw), "last": np.zeros(len(COLUMNS))} for _ in fields]
    for row, brings in zip(fields, kept, strict=True):
        tables.keep(row, brings)
    sums, _, known = tables.look_up(fields)
    assert known.all()
    assert sums.tolist() == [brings["all"][:-1].tolist() for brings in kept]
