"""Tracks survive their encoding."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bnnsim.report.figures.track_encoding import decode_pairs, encode_pairs, zigzag

_NUMBERS = st.integers(0, 2**40)


@given(st.lists(st.tuples(_NUMBERS, _NUMBERS)))
def test_pairs_come_back_as_they_were(pairs: list[tuple[int, int]]) -> None:
    assert decode_pairs(encode_pairs(pairs)) == pairs


def test_a_repeating_track_is_a_thousandth_of_its_length() -> None:
    pairs = [(1, 1), (2, 63)] * 50_000
    assert len(encode_pairs(pairs)) < 1_000
    assert decode_pairs(encode_pairs(pairs)) == pairs


@given(st.lists(st.integers(-(2**40), 2**40), unique=True))
def test_zigzag_gives_every_integer_its_own_non_negative_one(values: list[int]) -> None:
    folded = [zigzag(value) for value in values]
    assert all(value >= 0 for value in folded)
    assert len(set(folded)) == len(values)


def test_zigzag_puts_small_changes_first() -> None:
    assert [zigzag(value) for value in (0, -1, 1, -2, 2)] == [0, 1, 2, 3, 4]
