"""Segments of a unit's states from single events."""

from __future__ import annotations

from bnnsim.report.streaming.unit_states import State, StateTracker
from bnnsim.timing.streaming.result import UnitCycles

Segments = list[tuple[int, int, State]]


def _tracked(computes_inside: bool = False) -> tuple[StateTracker, Segments]:
    segments: Segments = []
    return StateTracker(computes_inside, lambda *segment: segments.append(segment)), segments


def test_steps_in_a_row_are_one_segment() -> None:
    tracker, segments = _tracked()
    for cycle in (2, 3, 4, 7):
        tracker.stepped(cycle)
    tracker.finish(9, UnitCycles(4, 0, 0, 5))
    assert segments == [
        (0, 2, State.IDLE),
        (2, 5, State.BUSY),
        (5, 7, State.IDLE),
        (7, 8, State.BUSY),
        (8, 9, State.IDLE),
    ]


def test_steps_without_words_of_a_matrix_unit_are_computing_not_idle() -> None:
    tracker, segments = _tracked(computes_inside=True)
    tracker.stepped(1)
    tracker.stepped(4)
    tracker.finish(6, UnitCycles(2, 0, 0, 4))
    assert segments == [
        (0, 1, State.IDLE),
        (1, 2, State.BUSY),
        (2, 4, State.COMPUTING),
        (4, 5, State.BUSY),
        (5, 6, State.IDLE),
    ]


def test_stalls_reported_when_over_fill_the_cycles_they_name() -> None:
    tracker, segments = _tracked()
    tracker.stepped(0)
    tracker.stalled("input", 1, 3)
    tracker.stalled("output", 3, 4)
    tracker.stepped(4)
    tracker.finish(5, UnitCycles(2, 2, 1, 0))
    assert segments == [
        (0, 1, State.BUSY),
        (1, 3, State.STALLED_ON_INPUT),
        (3, 4, State.STALLED_ON_OUTPUT),
        (4, 5, State.BUSY),
    ]


def test_a_stall_still_on_when_the_run_ends_comes_from_the_account() -> None:
    tracker, segments = _tracked()
    tracker.stepped(0)
    tracker.finish(10, UnitCycles(1, 7, 0, 2))
    assert segments == [
        (0, 1, State.BUSY),
        (1, 3, State.IDLE),
        (3, 10, State.STALLED_ON_INPUT),
    ]


def test_without_an_account_the_rest_is_unknown() -> None:
    tracker, segments = _tracked()
    tracker.stepped(0)
    tracker.finish(4, None)
    assert segments == [(0, 1, State.BUSY), (1, 4, State.UNKNOWN)]
