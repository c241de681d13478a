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
    for number, (what, design) in enumerate(islice(random_points(space, seed=1), points)):
        outcome = check_design(what, design, 1, number)
        assert outcome.is_equal, outcome
