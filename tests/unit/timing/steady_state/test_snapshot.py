"""A machine put back to one of its snapshots goes on as the machine did."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Program
from bnnsim.timing.streaming.programs.steps import Run
from bnnsim.timing.streaming.steady_state.snapshot import Snapshot, restore_snapshot

from .graphs import chain, lockstep

WORDS = 4
SOURCE = lockstep(Run(1, writes=True), words=WORDS)
SINK = lockstep(Run(1, reads=True), Run(2), words=WORDS)
COPY = (Run(1, reads=True, writes=True), Run(1))
WINDOW = Elastic(np.array([1, 1, 2, 3]), np.array([-3, -2, -1, 1]), latency=2)
"""Two words of the next frame come in while the last two of this one are still to leave."""
MIDDLE: Mapping[str, Program] = {
    "plain": lockstep(*COPY, words=WORDS),
    "freezing": lockstep(*COPY, words=WORDS, depth=3),
    "flushing": lockstep(*COPY, words=WORDS, depth=3, freezes=False),
    "flushing deeper than a frame": lockstep(*COPY, words=WORDS, depth=11, freezes=False),
    "elastic": WINDOW,
}


def _machine(graph: TimingGraph) -> Machine:
    return Machine(graph, MachineOptions(40, snapshots=True))


def _at(machine: Machine, frames: int) -> Snapshot:
    """Run until every unit has done ``frames`` frames."""
    most = frames
    machine.run_to(most)
    while machine.frames_done < frames:
        most += 1
        machine.run_to(most)
    return Snapshot(frames, machine.snapshot(frames))


@pytest.mark.parametrize("frames", [5, 6])
@pytest.mark.parametrize("middle", MIDDLE.values(), ids=MIDDLE)
def test_a_restored_machine_goes_on_as_if_nothing_had_happened(middle: Program, frames: int) -> None:
    machine = _machine(chain(SOURCE, middle, SINK, depth_words=3))
    snapshot = _at(machine, frames)
    restored = restore_snapshot(machine, snapshot)
    for later in range(frames + 1, frames + 8):
        expected, found = _at(machine, later), _at(restored, later)
        assert np.array_equal(expected.words, found.words), f"frame {later}"
    last = frames + 7
    assert restored.ends[frames:last].tolist() == machine.ends[frames:last].tolist()


@pytest.mark.parametrize("middle", MIDDLE.values(), ids=MIDDLE)
def test_a_restored_machine_leaves_the_one_it_was_made_from_alone(middle: Program) -> None:
    graph = chain(SOURCE, middle, SINK, depth_words=3)
    machine, untouched = _machine(graph), _machine(graph)
    restored = restore_snapshot(machine, _at(machine, 4))
    _at(restored, 12)
    assert np.array_equal(_at(machine, 8).words, _at(untouched, 8).words)


@pytest.mark.parametrize("kind", ["flushing", "flushing deeper than a frame"])
def test_a_bound_is_never_earlier_than_the_flushing_unit_it_stands_for(kind: str) -> None:
    machine = _machine(chain(SOURCE, MIDDLE[kind], SINK, depth_words=3))
    bounded = restore_snapshot(machine, _at(machine, 6), bound_units=(1,))
    _at(machine, 16)
    _at(bounded, 16)
    assert (bounded.ends[6:16] >= machine.ends[6:16]).all()


@pytest.mark.parametrize("kind", ["flushing", "flushing deeper than a frame"])
def test_a_bound_that_never_stands_still_is_the_flushing_unit(kind: str) -> None:
    slow = lockstep(Run(1, writes=True), Run(4), words=WORDS)
    machine = _machine(chain(slow, MIDDLE[kind], SINK, depth_words=3))
    bounded = restore_snapshot(machine, _at(machine, 6), bound_units=(1,))
    _at(machine, 16)
    _at(bounded, 16)
    assert bounded.ends[6:16].tolist() == machine.ends[6:16].tolist()
