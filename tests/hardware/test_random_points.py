"""Random points of the shipped spaces as Verilog, undisturbed and with pauses at both ends."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.hardware.benches import needs
from tests.hardware.random_points import check_design, random_points


@pytest.mark.parametrize(
    ("space", "points"),
    [
        ("digits-7z020", 4),
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
