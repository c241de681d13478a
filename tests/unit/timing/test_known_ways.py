"""Ways of a turn are tried by a bound from below, and what was found is found once for many specs."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.design.engine.patterns import as_written, for_network
from bnnsim.design.network.network import check_network
from bnnsim.search.points.point_design import point_architecture
from bnnsim.search.space.space import Space
from bnnsim.search.space.space_reader import load_space
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import Loaded, from_spec
from bnnsim.timing.engine.mapping import choice
from bnnsim.timing.engine.mapping.bounds import turn_bound
from bnnsim.timing.engine.mapping.choice import KnownWays
from bnnsim.timing.engine.mapping.free_steps import free_steps
from bnnsim.timing.engine.mapping.turn_ways import TurnWays
from bnnsim.timing.engine.steady_state import longest_interval
from bnnsim.timing.mapped import mapped_design
from tests.unit.timing.test_engine_mapping import COMPUTE, FINISH, LOAD, conv, engine, network

SPACES = ("binarynet-zu3eg-engine", "birealnet-7z020-engine")


def drawn_knobs(space: Space, seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    return {knob.name: draw.choice(knob.values) for knob in space.knobs}


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([2, 8, 16]),
    st.sampled_from([1, 3]),
    st.sampled_from([8, 24, 64]),
    st.booleans(),
    st.sampled_from([1, 2, 4]),
    st.integers(0, 2**16),
)
def test_no_way_is_faster_than_its_bound_which_is_that_of_the_turn_as_it_is_built(
    outputs: int, inputs: int, kernel: int, port_bits: int, double: bool, groups: int, seed: int
) -> None:
    draw = random.Random(seed)
    unrolling = {"out_channels": outputs, "in_channels": inputs, "kernel_rows": kernel}
    if draw.random() < 0.5:
        unrolling["groups"] = 2
    if draw.random() < 0.3:
        unrolling["pixels"] = 4
    moves = {"port": "ddr", "buffer": "stream", "bits": draw.choice([5, 16])}
    around = [{"dimension": d} for d in ("out_channels", "rows", "columns")]
    behind = [
        [],
        [{"op": "store", "payload": "activations", **moves, "loops": around}],
        [{"op": "overhead", "cycles": 7, "cause": "a call", "source": "drawn"}],
    ]
    data = engine(
        arrays__pes__spatial_unrolling=unrolling,
        stages__finish__spatial_unrolling={"out_channels": draw.choice([1, outputs])},
        buffers__weights__double=double,
        buffers__weights__words=4096,
        buffers__sums__words=4096,
        ports__ddr__width_bits=port_bits,
        buffers__stream={
            "holds": "activations", "words": 4096, "width_bits": 64, "residency": "tile",
            "double": draw.random() < 0.5,
        },
        programs__matrix__steps=[LOAD, COMPUTE, FINISH, *draw.choice(behind)],
    )  # fmt: skip
    workload = network(
        conv("conv0", 24, draw.choice([1, 3]), stride=draw.choice([1, 2]), groups=groups),
        shape=(16, 7, 9),
    )
    _hold_bounds(from_spec(EngineArchitecture.model_validate(data)), workload, ["conv0"])


def _hold_bounds(loaded: Loaded[EngineArchitecture], workload: Any, names: list[str]) -> None:
    checked, _ = check_network(from_spec(workload))
    assert checked is not None
    loaded, faults = for_network(loaded, checked, frozenset())
    assert not faults
    loaded = Loaded(as_written(loaded.spec), loaded.source)
    known = KnownWays()
    keys = choice.Keys(loaded.spec, checked)
    chooser = choice._Chooser(loaded, checked, frozenset(), keys, known)
    held = 0
    for name in names:
        node = checked.nodes[name]
        free, _ = free_steps(loaded.spec, loaded.source, name, node)
        assert free is not None
        ways = TurnWays(loaded, checked, (name,), free, ())
        rooms = ways.places(keys.room)
        for place in range(1, len(ways.made) + 1):
            turn, found = chooser._turn((name,), ways.steps(place))
            if not found:
                held += 1
                assert place in rooms
                assert ways.bound(place) == turn_bound(turn)
                assert ways.bound(place).cycles <= longest_interval(choice._program(loaded.spec, (turn,)))
    assert held


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16))
def test_what_is_known_of_other_sizes_says_what_fits(seed: int) -> None:
    """The same way with many sizes of its buffers, in any order, and each checked by itself."""
    draw = random.Random(seed)
    shortcut = {"port": "ddr", "buffer": "stream", "bits": 12}
    around = [{"dimension": d} for d in ("out_channels", "rows", "columns")]
    behind = [{"op": "store", "payload": "activations", **shortcut, "loops": around}]
    workload = network(conv("conv0", 24, groups=draw.choice([1, 2])), shape=(16, 7, 9))
    checked, _ = check_network(from_spec(workload))
    assert checked is not None
    known, said = KnownWays(), []
    for _ in range(12):
        data = engine(
            buffers__weights__words=draw.choice([4, 18, 36, 72, 216]),
            buffers__sums__words=draw.choice([1, 16, 63, 400]),
            buffers__stream={
                "holds": "activations", "words": draw.choice([1, 10, 30]), "width_bits": 64,
                "residency": "tile", "double": True,
            },
            programs__matrix__steps=[LOAD, COMPUTE, FINISH, *behind],
        )  # fmt: skip
        loaded = from_spec(EngineArchitecture.model_validate(data))
        loaded, _ = for_network(loaded, checked, frozenset())
        loaded = Loaded(as_written(loaded.spec), loaded.source)
        keys = choice.Keys(loaded.spec, checked)
        chooser = choice._Chooser(loaded, checked, frozenset(), keys, known)
        free, _ = free_steps(loaded.spec, loaded.source, "conv0", checked.nodes["conv0"])
        assert free is not None
        ways = chooser._ways(("conv0",), free)
        for place in draw.sample(range(1, len(ways.made) + 1), 10):
            _, faults = chooser._turn(("conv0",), ways.steps(place))
            said.append(chooser._fits(("conv0",), ways, place))
            assert said[-1] == (not faults)
    assert len(known.ways) == 1 and len(set(said)) == 2


def test_another_process_begins_with_nothing() -> None:
    """Tables are kept by the identity of a process's own objects."""
    known = KnownWays()
    mapped_design(EngineArchitecture.model_validate(engine()), network(conv("conv0", 16)), known)
    assert len(known.ways) == 1
    assert len(pickle.loads(pickle.dumps(known)).ways) == 0


def test_what_was_found_for_other_specs_of_a_file_changes_no_choice() -> None:
    """Points of both shipped spaces, one after the other with one memory and each with its own."""
    compared = 0
    for name in SPACES:
        space = load_space(name)
        middle = {knob.name: knob.values[len(knob.values) // 2] for knob in space.knobs}
        points = [drawn_knobs(space, seed) for seed in range(3)]
        points += [middle, {**middle, "port_bits": 64}]
        for knobs in points:
            loaded = point_architecture(space, knobs)
            found = [_mapped(loaded, space.workload, known) for known in (space.ways, KnownWays())]
            assert found[0] == found[1]
            compared += not isinstance(found[0], str)
    assert compared >= 3


def _mapped(loaded: Loaded[Any], workload: Any, known: KnownWays) -> object:
    try:
        return mapped_design(loaded, workload, known).program  # type: ignore[union-attr]
    except SpecError as error:
        return str(error)


@pytest.mark.parametrize(
    ("change", "is_known"),
    [
        ({"clock_mhz": 200}, True),
        ({"buffers__weights__style": "lutram"}, True),
        ({"arrays__spare": {"spatial_unrolling": {}, "supported_ops": ["conv"]}}, True),
        ({"buffers__weights__words": 36}, False),
        ({"ports__ddr__latency_cycles": 21}, False),
        ({"ports__ddr__width_bits": 32}, False),
        ({"arrays__pes__spatial_unrolling": {"out_channels": 2, "in_channels": 8}}, False),
        ({"buffers__sums__words": 16}, False),
        ({"stages__finish__spatial_unrolling": {"out_channels": 2}}, False),
        ({"buffers__weights__double": False}, False),
        ({"buffers__maps__in_place": True}, False),
        ({"ports__ddr__max_burst_words": 16}, False),
    ],
)
def test_ways_are_looked_for_again_where_something_has_changed_that_they_depend_on(
    change: dict[str, Any], is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = network(conv("conv0", 16), conv("conv1", 16))
    known = KnownWays()
    mapped_design(EngineArchitecture.model_validate(engine()), workload, known)
    looked: list[tuple[str, ...]] = []
    best = choice._Chooser._best

    def counted(self: Any, names: tuple[str, ...], free: Any) -> Any:
        looked.append(names)
        return best(self, names, free)

    monkeypatch.setattr(choice._Chooser, "_best", counted)
    again = EngineArchitecture.model_validate(engine(**change))
    with_memory = _mapped(from_spec(again), workload, known)
    assert bool(looked) != is_known
    assert with_memory == _mapped(from_spec(again), workload, KnownWays())
