"""Processes that judge: they come second to the one that gives them work."""

from __future__ import annotations

import os

import pytest

from bnnsim.search.study.pool import NICENESS, open_pool


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no niceness on this system")
def test_processes_that_judge_leave_the_coordinator_a_core() -> None:
    here = os.nice(0)
    with open_pool(2, int) as pool:
        assert set(pool.map(os.nice, [0] * 4)) == {min(19, here + NICENESS)}
    assert os.nice(0) == here


def test_results_come_in_the_order_of_the_items_however_many_travel_together() -> None:
    items = [*range(-7, 6)]
    with open_pool(2, int) as pool:
        assert [list(pool.map(abs, items, share)) for share in (1, 2, 5, 20)] == 4 * [[*map(abs, items)]]
