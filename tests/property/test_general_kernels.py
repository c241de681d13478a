"""The kernels that are fast for one input and one output say what their general twins say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bnnsim.timing.streaming.compiled.ended_run import EndedRun, end_run
from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.steady_state.proof import Proof
from bnnsim.timing.streaming.steady_state.search import Search

from .networks import design_graphs
from .pipelines import timing_graphs

MAX_FRAMES = 24
few = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def _ended(graph: TimingGraph, options: MachineOptions) -> EndedRun | DeadlockError:
    machine = Machine(graph, options)
    machine.run_to(options.frames)
    try:
        return end_run(machine)
    except DeadlockError as stuck:
        return stuck


@given(st.one_of(timing_graphs(), design_graphs()), st.integers(1, 4))
@few
def test_general_kernels_give_every_word_account_and_occupancy_that_fast_ones_do(
    graph: TimingGraph, frames: int
) -> None:
    options = MachineOptions(frames, logged=range(len(graph.channels)))
    fast = _ended(graph, options)
    general = _ended(graph, replace(options, general=True))
    if isinstance(fast, DeadlockError) or isinstance(general, DeadlockError):
        assert str(fast) == str(general)
        return
    assert general.units == fast.units
    assert general.max_occupancy_words == fast.max_occupancy_words
    assert general.ends.tolist() == fast.ends.tolist()
    end = fast.machine.channel["read_log_end"].max(initial=0)
    first = fast.machine.channel["write_log"].min(initial=0)
    logs = (run.machine.event_times[first:end] for run in (fast, general))
    assert np.array_equal(*logs)


def _proof(graph: TimingGraph, general: bool) -> Proof | None:
    options = MachineOptions(MAX_FRAMES, snapshots=True, counts=False, general=general)
    search = Search(Machine(graph, options))
    while search.next_frame(MAX_FRAMES):
        proof = search.proof()
        if proof is not None:
            return proof
    return None


@given(timing_graphs())
@few
def test_general_kernels_prove_the_same_repetition_by_the_same_snapshots(
    graph: TimingGraph,
) -> None:
    fast, general = _proof(graph, general=False), _proof(graph, general=True)
    if fast is None or general is None:
        assert fast is general
        return
    assert general.repetition == fast.repetition
    assert np.array_equal(general.now.words, fast.now.words)
