"""Strides, tick by tick, against the tape that they say in another way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.programs.strides import LAP, STRIDE, StrideLap, strided, table
from bnnsim.timing.streaming.programs.tape import Lap, tape
from bnnsim.timing.streaming.programs.turn import turn

_stretches = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=5)
_laps = st.lists(st.tuples(st.integers(1, 4), _stretches.map(tuple)), max_size=5)


def _ticks_of_laps(laps: list[Lap]) -> list[int]:
    return [side for n, lap in laps for _ in range(n) for ticks, side in lap for _ in range(ticks)]


def _ticks_of_strides(laps: list[StrideLap]) -> list[int]:
    ticks: list[int] = []
    for rounds, strides in laps:
        for _ in range(rounds):
            for times, sides, each in strides:
                ticks += ([0] * (each - 1) + [sides]) * times
    return ticks


@given(_laps)
def test_strides_touch_the_same_sides_in_the_same_ticks(laps: list[Lap]) -> None:
    assert _ticks_of_strides(strided(laps)) == _ticks_of_laps(laps)


@given(_laps)
def test_a_table_leads_from_laps_to_their_strides(laps: list[Lap]) -> None:
    found = strided(laps)
    words = table(found)
    for number, (rounds, strides) in enumerate(found):
        assert words[LAP * number] == rounds
        first, end, *totals = words[LAP * number + 1 : LAP * number + LAP]
        ticks: list[int] = []
        for times, sides, each in strides:
            ticks += times * ([0] * (each - 1) + [sides])
        assert totals == [len(ticks), *(sum(bool(tick & side) for tick in ticks) for side in (1, 2))]
        assert tuple(words[first:end]) == tuple(word for stride in strides for word in stride)
    assert len(words) == LAP * len(found) + STRIDE * sum(len(strides) for _, strides in found)


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_a_turn_says_how_its_last_words_lie(runs: list[tuple[int, bool, bool]]) -> None:
    found = turn((), (Block(2, tuple(Run(*run) for run in runs)),), 0)
    ticks = [run[1:] for run in runs for _ in range(run[0])] * 4  # two frames
    reads, writes = ([n for n, tick in enumerate(ticks) if tick[side]] for side in (0, 1))
    last = max([*reads, *writes], default=-1)
    assert found.ends_reading == ticks[-1][0]
    if last >= 0:
        assert found.pause == len(ticks) - 1 - last
    if writes:
        assert found.behind == last - writes[-1]
        assert found.apart == writes[-1] - writes[-2]
    else:
        assert found.behind == found.apart == 0


@pytest.mark.parametrize("is_first", [True, False])
def test_a_word_every_nine_ticks_is_one_stride(is_first: bool) -> None:
    runs = (Run(1, writes=True), Run(8))
    program = (Block(1000, runs if is_first else runs[::-1]),)
    laps = strided(tape((), program, 0).frame)
    assert max(times for _, strides in laps for times, _, _ in strides) >= 999
    assert sum(len(strides) for _, strides in laps) <= 3
