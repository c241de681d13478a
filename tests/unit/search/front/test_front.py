"""Dominance and hypervolume against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bnnsim.search.front.front import BLOCK, hypervolume, is_on_front

points = st.integers(1, 4).flatmap(
    lambda objectives: st.lists(
        st.tuples(*[st.integers(0, 6)] * objectives), min_size=1, max_size=12
    )
)


def brute_front(losses: list[tuple[int, ...]]) -> list[bool]:
    def dominates(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    return [not any(dominates(other, row) for other in losses) for row in losses]


def brute_volume(losses: list[tuple[int, ...]], reference: int) -> int:
    """Unit cells of the integer grid that some point dominates."""
    cells = itertools.product(range(reference), repeat=len(losses[0]))
    return sum(
        any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in losses)
        for cell in cells
    )


def test_front_of_more_points_than_are_compared_at_once() -> None:
    draw = np.random.default_rng(11)
    losses = [tuple(row) for row in draw.integers(0, 40, size=(2 * BLOCK + 50, 3)).tolist()]
    assert is_on_front(np.array(losses, np.float64)).tolist() == brute_front(losses)


@given(points)
@settings(max_examples=300)
def test_front_is_what_no_point_dominates(losses: list[tuple[int, ...]]) -> None:
    assert is_on_front(np.array(losses, float)).tolist() == brute_front(losses)


@given(points)
@settings(max_examples=100)
def test_hypervolume_counts_the_dominated_cells(losses: list[tuple[int, ...]]) -> None:
    reference = np.full(len(losses[0]), 7.0)
    assert hypervolume(np.array(losses, float), reference) == brute_volume(losses, 7)


def test_points_beyond_the_reference_add_nothing() -> None:
    reference: NDArray[np.float64] = np.array([2.0, 2.0])
    assert hypervolume(np.array([[3.0, 0.0], [2.0, 0.0]]), reference) == 0
    assert hypervolume(np.array([[1.0, 1.0], [3.0, 0.0]]), reference) == pytest.approx(1)
