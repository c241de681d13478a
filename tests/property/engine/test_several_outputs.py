"""Random networks with several outputs on a first engine, maps on chip or in DRAM: all their bits."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bnnsim.design.build import build_engine_design
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.engine.memory_map import memory_map
from bnnsim.functional.executor import Executor
from bnnsim.search.template.choice import spills
from bnnsim.search.template.spec import Kind, Sizes, engine_data
from bnnsim.search.template.spill import Spill
from bnnsim.simulation import RunOptions, Stimulus, simulate_design, stimulate
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_device
from bnnsim.spec.workload import WeightedLayer
from tests.property.networks import designs

PART = load_device("xczu3eg").spec


def _engine(design: Design, kind: Kind, spill: Spill) -> EngineDesign | None:
    """A first engine with the same network; None where what it loads fills more than the least room."""
    data = engine_data(design.network, PART, kind, Sizes(4, 8, 1), 100.0, "engine", spill)
    try:
        return build_engine_design(EngineArchitecture.model_validate(data), design.network)
    except SpecError as error:
        if spill.maps and "expected room for" in str(error):
            return None
        raise


def _overlaps(engine: EngineDesign) -> list[str]:
    """Pairs of things that share a bit of a memory at some time."""
    found = memory_map(engine.architecture, engine.network, engine.program)
    position = {turn: i for i, turn in enumerate(found.turns)}
    laid = [one for one in found.places if one.first_bit is not None and one.way != "in place"]
    return [
        f"{one.name} and {other.name} in {one.memory}"
        for one, other in combinations(laid, 2)
        if one.memory == other.memory
        and max(position[one.from_turn], position[other.from_turn])
        <= min(position[one.to_turn], position[other.to_turn])
        and (one.first_bit or 0) < (other.first_bit or 0) + other.bits
        and (other.first_bit or 0) < (one.first_bit or 0) + one.bits
    ]


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(designs().filter(lambda design: len(design.network.outputs) > 1), st.sampled_from(get_args(Kind)))
def test_every_output_leaves_an_engine_as_the_network_has_it(design, kind) -> None:
    network = design.network
    assume(any(isinstance(node.layer, WeightedLayer) for node in network.nodes.values()))
    for spill in spills(network):
        engine = _engine(design, kind, spill)
        if engine is None:
            continue
        options = RunOptions(frames=2, weights_seed=5)
        stimulus = stimulate(engine, None, options)
        assert isinstance(stimulus, Stimulus)
        right = Executor(network, stimulus.parameters).run(stimulus.frames)
        found = simulate_design(engine, stimulus, options)
        assert [one.name for one in found.outputs] == list(network.outputs)
        for one in found.outputs:
            assert np.array_equal(right.scores_of(one.name), one.scores)
        assert found.memory_map is not None
        stored = {p.name for p in found.memory_map.places if p.content == "results"}
        assert stored == set(network.outputs)
        assert _overlaps(engine) == []
