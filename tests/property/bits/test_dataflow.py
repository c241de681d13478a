"""Words without a clock are SimPy's, one by one, on every kind of unit; so is a wrong one."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnnsim.datapath.mismatch import BitMismatchError
from bnnsim.datapath.streaming.toggles import ToggleCounter
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.streaming.datapath import Datapath
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.parameters.parameters import random_parameters
from bnnsim.simulation import Stimulus, datapaths_for
from bnnsim.simulation.dataflow import run_dataflow
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import DeadlockError
from tests.property.networks import designs

FRAMES = 2


class _Words:
    """All words of every channel, in order."""

    def __init__(self) -> None:
        self.written: dict[int, list[int]] = defaultdict(list)
        self.read: dict[int, list[int]] = defaultdict(list)

    def word_written(self, channel: int, cycle: int, word: int) -> None:
        self.written[channel].append(word)

    def word_read(self, channel: int, cycle: int, word: int) -> None:
        self.read[channel].append(word)

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None: ...

    def stepped(self, unit: int, cycle: int) -> None: ...


def _stimulus(design: Design, seed: int) -> Stimulus:
    network = design.network
    return Stimulus(network, random_parameters(network, seed), random_frames(network, FRAMES, seed), None)


@given(designs(), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_words_are_those_of_simpy(design: Design, seed: int) -> None:
    stimulus, timing = _stimulus(design, seed), build_timing(design.graph)
    clocked, ordered = _Words(), _Words()
    try:
        run_simpy(timing, FRAMES, datapaths_for(design, stimulus), clocked)
    except DeadlockError:
        return
    run_dataflow(timing, datapaths_for(design, stimulus), FRAMES, ordered)
    for channel in range(len(design.graph.streams)):
        for mine, theirs in ((ordered.written, clocked.written), (ordered.read, clocked.read)):
            count = len(theirs[channel])  # what sinks do not wait for may be left at the end
            assert mine[channel][:count] == theirs[channel]


@given(designs(), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_a_wrong_word_is_found_at_the_same_place(design: Design, seed: int) -> None:
    network, timing = design.network, build_timing(design.graph)
    parameters, frames = random_parameters(network, seed), random_frames(network, FRAMES, seed)
    assume(parameters.weights)
    name, weights = sorted(parameters.weights.items())[-1]
    other = weights.copy()
    if network.nodes[name].layer.weight.is_bipolar:  # type: ignore[union-attr]
        other = 1 - other
    else:
        other = -other
    wrong = type(parameters)(
        {**parameters.weights, name: other}, parameters.thresholds, parameters.values
    )

    def mixed() -> dict[str, Datapath]:
        right = datapaths_for(design, Stimulus(network, parameters, frames, None))
        other = datapaths_for(design, Stimulus(network, wrong, frames, None))
        unit = f"{name}.mvau"
        right[unit]._inner = other[unit]._inner  # type: ignore[attr-defined]
        return right

    found = []
    for run in (
        lambda paths: run_simpy(timing, FRAMES, paths),
        lambda paths: run_dataflow(timing, paths, FRAMES),
    ):
        try:
            run(mixed())
            found.append("")
        except DeadlockError:
            return
        except BitMismatchError as error:
            found.append(str(error))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arch", "workload"), [("digits-7z020", "digits"), ("rebnet-m2", "rebnet-cifar10-m2")]
)
def test_toggles_do_not_ask_for_cycles(arch: str, workload: str) -> None:
    design = build_streaming_design(load_architecture(arch), load_workload(workload))
    network = design.network
    stimulus = Stimulus(network, random_parameters(network, 1), random_frames(network, 1, 1), None)
    timing = build_timing(design.graph)
    clocked, ordered = ToggleCounter(design.graph), ToggleCounter(design.graph)
    run_simpy(timing, 1, datapaths_for(design, stimulus), clocked)
    run_dataflow(timing, datapaths_for(design, stimulus), 1, ordered)
    assert ordered.count(1) == clocked.count(1)
