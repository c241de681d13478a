"""A machine restored from a snapshot has nothing left of the machine that it came from."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from bnnsim.timing.streaming.compiled.kernels import records as k
from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.programs.steps import Run
from bnnsim.timing.streaming.steady_state.snapshot import Snapshot, restore_snapshot

from .small_graphs import program

FRAMES = 4

# What a snapshot restores, by the kinds of units that have it ...
EVERY = {
    "step_cycle", "frames_done", "reads", "writes", "missing_word", "missing_space", "halted",
    "last_read", "last_write",
}  # fmt: skip
LOCKSTEP = {
    "last_step",
    *("read_block", "read_repeat", "read_segment", "read_left", "next_read"),
    *("write_block", "write_repeat", "write_segment", "write_left", "next_write"),
}
FLUSHING = {"local_tick", "step_frozen", "exit_frozen", "passed", "exited", "entered"}
ELASTIC = {"next_word", "input_frame", "output_frame", "dependence", "dependence_left"}
STATE = {
    k.PLAIN: EVERY | LOCKSTEP,
    k.FREEZING: EVERY | LOCKSTEP,
    k.FLUSHING: EVERY | LOCKSTEP | FLUSHING,
    k.ELASTIC: EVERY | ELASTIC,
}
CHANNEL_STATE = {"written", "read", "writer_stall_frame", "reader_stall_frame"}
# ... and what is not state: the books, which a restored machine does not keep, and what only the end of a
# run or a bound sets.
BOOKS = {
    "stalled_on_input", "stalled_on_output", "busy", "booked_reads", "booked_writes",
    "booked_cycles", "done_steps", "space_cycle",
}  # fmt: skip
CHANNEL_BOOKS = {
    "counted_writes", "counted_reads", "max_occupancy", "logged_writes", "logged_reads"
}  # fmt: skip


def _names(record: type) -> set[str]:
    return {field.name for field in fields(record)}


def _graph() -> TimingGraph:
    """Plain source, flushing, elastic and freezing units with a branch, plain sink; frames of 4 words."""
    both = Run(1, reads=True, writes=True)
    units = (
        TimingUnit("source", program(Run(1, writes=True), repeat=4), (), (0,)),
        TimingUnit(
            "flushing", program(both, Run(1), repeat=4, stages=3, freezes=False), (0,), (1,)
        ),
        TimingUnit(
            "elastic",
            Elastic(np.array([0, 1, 3, 3]), np.array([-2, -1, 0, 1]), latency=2),
            (1,),
            (2,),
        ),
        TimingUnit("splitter", program(both, repeat=4, stages=2), (2,), (3, 4)),
        TimingUnit("sink", program(Run(1), Run(1, reads=True), repeat=4), (3, 4), ()),
    )
    return TimingGraph(units, tuple(Channel(f"c{n}", 2) for n in range(5)), sinks=(4,))


def _machine(frames: int) -> Machine:
    machine = Machine(_graph(), MachineOptions(16, snapshots=True, counts=False))
    machine.run_to(frames)
    return machine


def test_every_field_is_restored_or_listed_as_no_state() -> None:
    state = set().union(*STATE.values())
    assert _names(k.UnitRecord) - _names(k.UnitLayout) == state | BOOKS
    assert _names(k.ChannelRecord) - _names(k.ChannelLayout) == CHANNEL_STATE | CHANNEL_BOOKS
    assert not state & BOOKS


def test_restoring_leaves_nothing_of_what_the_machine_did_afterwards() -> None:
    machine = _machine(FRAMES)
    snapshot = Snapshot(FRAMES - 1, machine.snapshot(FRAMES - 1))
    assert machine.frames_done >= snapshot.frames
    clean = restore_snapshot(machine, snapshot)
    spoilt = machine.copy()
    for names, table in (
        (set().union(*STATE.values()), spoilt.unit),
        (CHANNEL_STATE, spoilt.channel),
    ):
        for name in names:
            table[name] = 123_456
    spoilt.event_times[:] = 123_456
    restored = restore_snapshot(spoilt, snapshot)
    assert set(machine.unit["kind"].tolist()) == set(STATE)
    for number, kind in enumerate(machine.unit["kind"].tolist()):
        for name in STATE[kind]:
            assert restored.unit[name][number] == clean.unit[name][number], (number, name)
    for name in CHANNEL_STATE:
        assert restored.channel[name].tolist() == clean.channel[name].tolist(), name
    rings = int(machine.program_words[k.ENDS_AT])
    assert np.array_equal(restored.event_times[:rings], clean.event_times[:rings])


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_restored_machine_goes_on_as_the_machine_itself(frames: int) -> None:
    machine = _machine(FRAMES)
    restored = restore_snapshot(machine, Snapshot(frames, machine.snapshot(frames)))
    machine.run_to(12)
    restored.run_to(12)
    done = machine.frames_done
    assert restored.frames_done == done > 9  # the last wait for frames to come
    assert restored.ends[frames:done].tolist() == machine.ends[frames:done].tolist()
    for name in ("step_cycle", "reads", "writes", "last_write"):
        assert restored.unit[name].tolist() == machine.unit[name].tolist(), name
