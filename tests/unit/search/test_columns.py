"""Designs in columns: what is written is what was there, in few bytes, with the digits that are shown."""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest

from bnnsim.report.search.columns import Column, column, short
from bnnsim.report.search.pareto import FigureInfo, ParetoInfo, Point, pareto_page

BASE64 = string.digits + string.ascii_uppercase + string.ascii_lowercase + "-_"
MOST_BYTES_A_DESIGN = 195
"""So that ten thousand, and the page's own text, stay below two megabytes."""


def read(held: Column) -> list[Any]:
    """The values of a column, read as the page's script reads it."""
    if isinstance(held, list):
        return held
    codes, digits = held["codes"], held["digits"]
    places = [codes[i : i + digits] for i in range(0, len(codes), digits)]
    return [held["values"][sum(BASE64.index(c) * 64**k for k, c in enumerate(p[::-1]))] for p in places]


@pytest.mark.parametrize("kinds", [1, 2, 63, 64, 65, 4095, 4096, 4097])
def test_column_reads_back_as_it_was(kinds: int) -> None:
    values = [f"a value of some length {n % kinds}" for n in range(3 * kinds)]
    held = column(values)
    assert isinstance(held, dict) == (kinds > 0)
    assert read(json.loads(json.dumps(held))) == values


def test_equal_numbers_of_different_kinds_stay_apart() -> None:
    values = [1, True, 1.5, None, "1", False, 0] * 40
    assert [(type(v), v) for v in read(column(values))] == [(type(v), v) for v in values]


def test_values_that_never_repeat_stay_a_list() -> None:
    assert column([1, 2, 3]) == [1, 2, 3]
    assert column([]) == []


def test_figures_have_no_more_digits_than_six_or_than_are_shown() -> None:
    assert short(236245.4286929563) == 236245
    assert short(7.175702422492131) == 7.1757
    assert short(1234.4996) == 1234.4996  # 1234.50 would be shown as 1,235
    assert short(53200) == 53200
    assert short(12345678) == 12345678  # counts stay exact
    assert short(0.12499, 2) == 0.12499
    assert short(0.124999999, 2) == 0.124999999  # not 13 %
    assert short(None) is None


def drawn_info(designs: int) -> ParetoInfo:
    """As many designs with 27 knobs and 14 figures that never repeat, one in 50 on the front."""
    draw = random.Random(5)
    figures = tuple(FigureInfo(f"figure_{k}", f"Figure {k}", "W", k % 2 == 0) for k in range(14))

    def point(number: int) -> Point:
        is_front = number % 50 == 0
        values = [draw.uniform(1, 9) if k < 8 else draw.randrange(10**5) for k in range(14)]
        return Point(
            f"{number:05d}",
            "front" if is_front else ("feasible", "infeasible")[number % 2],
            tuple(values),
            tuple(draw.choice((1, 2, 4, 8, 16, 32)) for _ in range(27)),
            "" if number % 2 == 0 else f"budget lut, lut<={number % 3}",
            "one frame bit-exact, cycles equal" if is_front else "",
            True if is_front else None,
            tuple(draw.random() for _ in range(14)) if is_front else (),
        )

    points = tuple(point(n) for n in range(designs))
    return ParetoInfo(
        "drawn", "net", "device", "front", 0, (), ("figure_0", "figure_1"), figures,
        tuple(f"layers.l{k}.pe" for k in range(27)), points, (), (), ((designs, 1.0),), (), "", "", {},
    )  # fmt: skip


def test_design_takes_so_few_bytes_that_ten_thousand_fit_two_megabytes() -> None:
    few, many = (len(pareto_page(drawn_info(n)).encode()) for n in (500, 2500))
    assert (many - few) / 2000 < MOST_BYTES_A_DESIGN
