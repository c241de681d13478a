"""Figures as people read them."""

from __future__ import annotations

import pytest

from bnnsim.notebook.number import figure_text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1_562_500.0, 5, "1,562,500"),
        (3051.757, 5, "3,051.8"),
        (280_898.876, 6, "280,899"),
        (999.96, 4, "1,000"),
        (-12_345.6, 4, "-12,346"),
        (0.46, 4, "0.46"),
        (3.0, 4, "3"),
        (0.000012345, 3, "1.23e-05"),
    ],
)
def test_a_figure_is_never_short_of_its_whole_part(value: float, digits: int, text: str) -> None:
    assert figure_text(value, digits) == text
