"""Recordings against the executor's own account of cycles and occupancy."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bnnsim.report.streaming.recording import LevelTrack, Recording, UnitTrack, record
from bnnsim.report.streaming.unit_states import State
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

from .small_design import BRANCHED, BRANCHED_ARCH, small_design


@pytest.fixture(scope="module", params=["chain", "branched", "freezing"])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    folder: Path = tmp_path_factory.mktemp("recorded")
    if request.param == "branched":
        design = small_design(folder, BRANCHED_ARCH, BRANCHED)
    elif request.param == "freezing":
        from .small_design import ARCH

        frozen = ARCH.replace("layers:", "defaults: {pipeline: freezing, sliding_window: rtl}\nlayers:")
        design = small_design(folder, frozen)
    else:
        design = small_design(folder)
    timing = build_timing(design.graph)
    return record(design, 3), timing, run_simpy(timing, 3)


def _cycles_by_state(unit: UnitTrack, cycles: int) -> Counter[State]:
    ends = (*unit.starts[1:], cycles)
    counted: Counter[State] = Counter()
    for start, end, state in zip(unit.starts, ends, unit.states, strict=True):
        assert start < end
        counted[State(state)] += end - start
    return counted


def test_every_unit_spends_the_cycles_of_its_account(recorded) -> None:  # type: ignore[no-untyped-def]
    recording, timing, result = recorded
    accounts = {u.name: c for u, c in zip(timing.units, result.units, strict=True) if not u.part_of}
    assert [unit.name for unit in recording.units] == list(accounts)
    for unit in recording.units:
        counted = _cycles_by_state(unit, recording.cycles)
        account = accounts[unit.name]
        assert counted[State.BUSY] == account.busy
        assert counted[State.STALLED_ON_INPUT] == account.stalled_on_input
        assert counted[State.STALLED_ON_OUTPUT] == account.stalled_on_output
        assert counted[State.IDLE] + counted[State.COMPUTING] == account.idle
        assert counted[State.UNKNOWN] == 0


def test_matrix_units_compute_for_their_inner_steps(recorded) -> None:  # type: ignore[no-untyped-def]
    recording, timing, _ = recorded
    programs = {unit.name: unit.program for unit in timing.units}
    for unit in recording.units:
        inner = getattr(programs[unit.name], "inner_steps", 0)
        assert _cycles_by_state(unit, recording.cycles)[State.COMPUTING] == 3 * inner


def test_levels_start_and_end_empty_and_reach_the_highest_occupancy(recorded) -> None:  # type: ignore[no-untyped-def]
    recording, _, result = recorded
    for stream, highest in zip(recording.streams, result.max_occupancy_words, strict=False):
        assert stream.levels[0] == 0
        assert stream.levels[-1] == 0
        assert max(stream.levels) == highest <= stream.depth_words
        assert list(stream.cycles) == sorted(set(stream.cycles))


def test_a_level_is_recorded_only_where_it_changes(recorded) -> None:  # type: ignore[no-untyped-def]
    for stream in recorded[0].streams:
        changes = zip(stream.levels, stream.levels[1:], strict=False)
        assert all(before != after for before, after in changes)


def test_a_recording_that_grows_too_long_says_so_and_stays_consistent(tmp_path: Path) -> None:
    recording = record(small_design(tmp_path), 3, max_events=200)
    assert not recording.is_whole
    assert recording.frame_end_cycles == ()
    kept = sum(len(unit.starts) for unit in recording.units)
    assert kept + sum(len(stream.cycles) for stream in recording.streams) < 300
    for unit in recording.units:
        assert sum(_cycles_by_state(unit, recording.cycles).values()) == recording.cycles


def test_tracks_are_plain_integers(tmp_path: Path) -> None:
    recording = record(small_design(tmp_path), 1)
    assert isinstance(recording, Recording)
    assert isinstance(recording.streams[0], LevelTrack)
    assert all(type(value) is int for value in recording.units[0].starts)
