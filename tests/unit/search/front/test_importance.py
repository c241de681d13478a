"""Which knob moved what, against figures whose variance is known by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bnnsim.search.front.importance import epsilon_squared


def test_variance_is_shared_out_as_counted_by_hand() -> None:
    # y = 3 a + b over all pairs of a, b in {0, 1}, each twice: the variance is 9/4 + 1/4.
    pairs = [pair for pair in itertools.product((0, 1), repeat=2) for _ in range(2)]
    figures = np.array([[3.0 * a + b] for a, b in pairs])
    # Between the values of a 18 of 20; within 2, of 6 free: 1/3 by chance. So of b: 2, 18, 3.
    of_a = epsilon_squared([a for a, _ in pairs], figures)[0]
    of_b = epsilon_squared([b for _, b in pairs], figures)[0]
    assert of_a == pytest.approx((18 - 2 / 6) / 20)
    assert of_b == 0  # (2 - 3) / 20: less than chance


def test_a_knob_that_says_all_has_all_and_one_that_says_nothing_none() -> None:
    draw = np.random.default_rng(1)
    told = draw.integers(4, size=400)
    noise = draw.integers(40, size=400).tolist()
    figures = np.stack([told * 1.5, np.full(400, 7.0)], axis=1)
    assert epsilon_squared(told.tolist(), figures) == pytest.approx([1, 0])
    # Eta squared alone would say about 40 / 400 = 10 %.
    assert epsilon_squared(noise, figures)[0] < 0.05


def test_a_knob_of_which_every_design_has_another_value_tells_nothing() -> None:
    assert epsilon_squared(["a", None, 3], np.array([[1.0], [2.0], [5.0]])).tolist() == [0]
