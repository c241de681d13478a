"""Sizes that are known from other designs are those that a design has by itself."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

from bnnsim.cost import known_sizes
from bnnsim.cost.known_sizes import KnownSizes
from bnnsim.cost.power import estimate_power
from bnnsim.cost.resources import estimate_resources
from bnnsim.design.design import Design
from bnnsim.search.points.folding import folds
from bnnsim.search.points.point_design import point_design
from bnnsim.search.space.space import Space
from bnnsim.search.space.space_reader import load_space


def drawn(space: Space, draw: random.Random) -> Design:
    """A design of the space, with a platform and a tiling of memories drawn too."""
    knobs = {knob.name: draw.choice(knob.values) for knob in space.knobs}
    for layer in space.folded:
        fold = draw.choice(folds(space.network.nodes[layer]))
        knobs |= {f"layers.{layer}.pe": fold.pe, f"layers.{layer}.simd": fold.simd}
    design = point_design(space, knobs)
    assert isinstance(design, Design)
    update: dict[str, Any] = {
        "platform": draw.choice(("auto", "none", "out-of-context")),
        "ram_decomposition": draw.choice(("timing", "area")),
    }
    spec = design.architecture.model_copy(update=update)
    return Design(spec, design.network, design.device, design.graph)


@pytest.mark.parametrize("name", ["cnv-7z020", "digits-7z020", "cnv-zu3eg"])
def test_known_sizes_are_those_that_a_design_has_by_itself(name: str) -> None:
    space, draw, known = load_space(name), random.Random(5), KnownSizes()
    for _ in range(25):
        design = drawn(space, draw)
        shared, own = estimate_resources(design, known=known), estimate_resources(design)
        assert shared == own
        assert estimate_power(shared, 100.0) == estimate_power(own, 100.0)


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_sizes, "MOST_SIZES", 100)
    space, draw, known = load_space("cnv-7z020"), random.Random(6), KnownSizes()
    for _ in range(10):
        design = drawn(space, draw)
        assert estimate_resources(design, known=known) == estimate_resources(design)
        assert len(known._kept) <= 100 + len(design.graph.units) + len(design.graph.streams)


def test_another_process_begins_with_none() -> None:
    space, known = load_space("cnv-7z020"), KnownSizes()
    estimate_resources(drawn(space, random.Random(7)), known=known)
    assert not pickle.loads(pickle.dumps(known))._kept
