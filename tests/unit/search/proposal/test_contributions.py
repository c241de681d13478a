"""What units bring to a forecast is what the cost models and programs say of the design."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bnnsim.cost.power import estimate_power
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.switching import activity_at_rate
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.design import Design
from bnnsim.search.forecast.contributions import COLUMN, contributions
from bnnsim.search.forecast.layer_tables import Group
from bnnsim.search.forecast.unit_facts import UnitFacts
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


def test_keys_of_many_fields_wrap_alike_for_one_point_and_for_many() -> None:
    draw = np.random.default_rng(3)
    sizes = [97] * 14  # more points than an int64 counts
    fields = draw.integers(97, size=(50, len(sizes)))
    group = Group(tuple(range(len(sizes))))
    with np.errstate(over="ignore"):
        keys = group.keys_of(sizes, fields)
    assert (keys < 0).any()
    assert keys.tolist() == [group.key(sizes, row) for row in fields.tolist()]
