"""Random points of the shipped spaces as Verilog, undisturbed and with pauses at both ends."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.hardware.benches import needs
from tests.hardware.random_points import ICARUS_WORK, bench_work, check_design, random_points


@pytest.mark.parametrize(
    ("space", "points"),
    [
        pytest.param("digits-7z020", 100, marks=pytest.mark.by_hand),
        pytest.param("cnv-7z020", 40, marks=pytest.mark.by_hand),
        pytest.param("cnv-7z020-folding", 20, marks=pytest.mark.by_hand),
        pytest.param("cnv-zu3eg", 20, marks=pytest.mark.by_hand),
        pytest.param("rebnet-7z020", 20, marks=pytest.mark.by_hand),
    ],
)
def test_random_points_of_shipped_spaces_equal_the_simulation(space: str, points: int) -> None:
    needs("icarus")
    checked = 0
    drawn = islice(random_points(space, seed=1), 4 * points)
    while checked < points:  # a design that locks up is none that was checked
        what, design = next(drawn)
        outcome = check_design(what, design, 1, checked)
        assert outcome.is_equal, outcome
        checked += outcome.exact is not None


def test_small_random_points_equal_the_simulation() -> None:
    """Points that Icarus is soon done with; of larger ones a simulator has to be compiled."""
    needs("icarus")
    checked = 0
    for what, design in islice(random_points("digits-7z020", seed=1), 40):
        work = bench_work(design, frames=1)
        if checked == 4:
            break
        if work is not None and work <= ICARUS_WORK:
            outcome = check_design(what, design, 1, checked)
            assert outcome.is_equal, outcome
            checked += 1
    assert checked == 4
