"""Records, channels and cursors by themselves, as plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bnnsim.timing.streaming.compiled.kernels import channel as channels
from bnnsim.timing.streaming.compiled.kernels import cursor as cursors
from bnnsim.timing.streaming.compiled.kernels import records
from bnnsim.timing.streaming.compiled.kernels.records import (
    CHANNEL,
    UNIT,
    ChannelRecord,
    Cursor,
    State,
    UnitRecord,
)


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel that calls no other, not compiled."""
    return getattr(function, "py_func", function)


def _reader(channel: ChannelRecord, times: list[int]) -> State:
    """A unit that reads ``channel`` and writes nothing."""
    unit = UnitRecord(first_input=0, end_input=1, first_output=1, end_output=1)
    tables = records.table([unit], UNIT), records.table([channel], CHANNEL)
    return State(*tables, np.array(times), np.zeros(1, np.int64))


def test_a_name_that_no_record_has_does_not_compile() -> None:
    import numba

    @numba.njit
    def slip(s: State) -> int:
        return s.unit[0].raeds

    with pytest.raises((numba.TypingError, KeyError), match="raeds"):
        slip(_reader(ChannelRecord(), [0]))


def test_a_record_starts_from_its_dataclass_and_a_copy_is_its_own() -> None:
    table = records.table([UnitRecord(), UnitRecord(reads=3)], UNIT)
    copy = records.copied(table)
    copy[1].reads = 4
    assert table["reads"].tolist() == [0, 3]
    assert copy["reads"].tolist() == [0, 4]
    assert table["missing_word"].tolist() == [-1, -1]


def test_a_word_is_ready_once_written_and_an_empty_channel_is_noted() -> None:
    s = _reader(
        ChannelRecord(depth_words=2, write_ring=0, write_mask=3, lag=1, written=1), [7, 9, -1, -1]
    )
    assert _plain(channels.words_available)(s, 0) == 1
    assert s.unit[0].missing_word == -1
    assert _plain(channels.word_cycle)(s, 0) == 8
    s.channel[0].read = 1
    assert _plain(channels.words_available)(s, 0) == 0
    assert s.unit[0].missing_word == 0


def test_space_is_ready_once_an_earlier_word_was_read_and_a_full_channel_is_noted() -> None:
    unit = UnitRecord(first_input=0, end_input=0, first_output=0, end_output=1)
    full = ChannelRecord(depth_words=2, read_ring=0, read_mask=3, written=3, read=2)
    tables = records.table([unit], UNIT), records.table([full], CHANNEL)
    s = State(*tables, np.array([4, 6, -1, -1]), np.zeros(1, np.int64))
    assert _plain(channels.spaces_available)(s, 0) == 1
    assert _plain(channels.space_cycle)(s, 0) == 7  # word 3 takes the place of word 1
    s.channel[0].written = 4
    assert _plain(channels.spaces_available)(s, 0) == 0
    assert s.unit[0].missing_space == 0


def test_occupancy_is_counted_as_far_as_both_ends_are_known() -> None:
    # Written in 0, 1 and 2, read in 2 and 5: at the ends of cycles 0 to 2 it holds 1, 2 and 2 words.
    channel = ChannelRecord(depth_words=3, write_ring=0, write_mask=3, read_ring=4, read_mask=3)
    channel.written, channel.read = 3, 1
    s = _reader(channel, [0, 1, 2, -1, 2, 5, -1, -1])
    _plain(channels.count_words)(s.channel[0], s.event_times)
    # The second read is not known yet: it may come in cycle 2 too.
    assert (s.channel[0].max_occupancy, s.channel[0].counted_writes) == (2, 2)
    s.channel[0].read = 2
    _plain(channels.count_words)(s.channel[0], s.event_times)
    assert (s.channel[0].max_occupancy, s.channel[0].counted_writes) == (2, 3)


@pytest.mark.parametrize(("cycle", "every", "opens"), [(5, 1, 5), (5, 4, 8), (8, 4, 8), (0, 3, 0)])
def test_a_test_bench_opens_in_multiples(cycle: int, every: int, opens: int) -> None:
    assert _plain(channels.next_open)(cycle, every) == opens


def test_a_cursor_walks_segments_rounds_and_blocks_and_begins_again() -> None:
    """Two rounds of an idle step and two active ones; then three idle steps and an active one.

    So the active steps of a frame of ten are 1, 2, 4, 5 and 9.
    """
    segments = [1, 2, 3, 1]  # idle before, active
    blocks = [2, 0, 2, 0, 1, 2, 4, 0]  # rounds, first segment, end segment, idle behind
    words = np.array(segments + blocks)
    at = Cursor(block=4, repeat=2, segment=0, left=2, step=1)
    steps = []
    for _ in range(7):
        steps.append(int(at.step))
        at = _plain(cursors.stepped)(at, 1)
        if at.left == 0:
            at = _plain(cursors.next_segment)(words, at, 4, 12)
    assert steps == [1, 2, 4, 5, 9, 11, 12]
