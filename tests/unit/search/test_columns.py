"""Designs in columns: what is written is what was there, in few bytes, with the digits that are shown."""

from __future__ import annotations

import base64
import json
import random
import zlib
from typing import Any

import pytest

from bnnsim.report.search.columns import packed_rows, short
from bnnsim.report.search.pareto import FigureInfo, ParetoInfo, Point, pareto_page
from bnnsim.report.search.thinning import LEAST_OTHERS, every, thinned

MOST_BYTES = 300_000
"""Of a page with three thousand designs, none like another."""
MOST_BYTES_A_DESIGN = 70


def read(packed: str) -> list[dict[str, Any]]:
    """The rows, read as the page's script reads them."""
    line, _, planes = zlib.decompress(base64.b64decode(packed)).partition(b"\n")
    heads = json.loads(line)
    count = heads.pop("count")
    place = 0

    def plane() -> bytes:
        nonlocal place
        place += count
        return planes[place - count : place]

    def values(head: dict[str, Any]) -> list[Any]:
        codes = [0] * count
        for k in range(head["planes"]):
            codes = [code + byte * 256**k for code, byte in zip(codes, plane(), strict=True)]
        if "values" in head:
            return [head["values"][code] for code in codes]
        digits = [head["least"] + code - 1 for code in codes]
        found = [
            None if code == 0 else float(f"{whole}e-{behind}") if behind else whole
            for code, whole, behind in zip(codes, digits, plane(), strict=True)
        ]
        return [f"{v:0{head['width']}d}" for v in found] if "width" in head else found

    columns = {
        name: list(zip(*map(values, head), strict=True)) if isinstance(head, list) else values(head)
        for name, head in heads.items()
    }
    assert place == len(planes)
    return [{name: column[k] for name, column in columns.items()} for k in range(count)]


def field(values: list[Any]) -> list[Any]:
    """``values`` as one field of rows, written and read."""
    return [row["x"] for row in read(packed_rows([{"x": value} for value in values], {}, ("x",)))]


@pytest.mark.parametrize("kinds", [1, 2, 255, 256, 257, 65_535, 65_536, 65_537])
def test_column_reads_back_as_it_was(kinds: int) -> None:
    texts = [f"a value of some length {n % kinds}" for n in range(kinds + 300)]
    assert field(texts) == texts
    numbers = [(n % kinds) / 8 - 100 for n in range(kinds + 300)]
    assert field(numbers) == numbers


@pytest.mark.parametrize(
    "values",
    [
        [0, -1, 7, None, 2**47, -(2**46)],
        [2**53, -(2**53), 1],
        [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.5, None, 1e22, 123456789.125],
        [None, None],
        ["00007", "00000", "123456"],
        ["7", "07"],
        ["", "00007"],
        ["١", "²"],
        [],
        [True, False, None],
        ["line\nbreak", "</script>", "ä", '"'],
    ],
)
def test_values_of_every_kind_read_back_as_they_were(values: list[Any]) -> None:
    assert [(type(v), v) for v in field(values)] == [(type(v), v) for v in values]


def test_equal_numbers_of_different_kinds_stay_apart() -> None:
    values = [1, True, 1.5, None, "1", False, 0] * 40
    assert [(type(v), v) for v in field(values)] == [(type(v), v) for v in values]


def test_a_list_that_is_empty_has_none_in_every_place() -> None:
    rows = [{"n": 1, "x": (0.5, "a")}, {"n": 2, "x": ()}]
    found = read(packed_rows(rows, {"x": 2}, ("n",)))
    assert found == [{"n": 1, "x": (0.5, "a")}, {"n": 2, "x": (None, None)}]


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


def test_pages_of_thousands_of_designs_are_short() -> None:
    few, many = (len(pareto_page(drawn_info(n), is_single_file=False).encode()) for n in (1000, 3000))
    assert many < MOST_BYTES
    assert (many - few) / 2000 < MOST_BYTES_A_DESIGN


def test_a_page_has_all_of_the_front_and_as_many_of_the_others_as_leave_it_short() -> None:
    page = pareto_page(drawn_info(10_000), is_single_file=False)
    assert len(page.encode()) < MOST_BYTES
    held = page.split('<script id="data" type="application/json">')[1]
    data = json.loads(held.split("</script>")[0])
    totals = data["totals"]
    assert (totals["judged"], totals["kept"], totals["drawn"]) == (10_000, 5_000, 0)
    rows = read(data["points"])
    front, others = (
        [row["id"] for row in rows if (row["state"] == "front") == is_front] for is_front in (True, False)
    )
    assert front == [f"{n:05d}" for n in range(0, 10_000, 50)]
    assert others == [f"{n:05d}" for n in range(10_000) if n % 50][:: totals["step"]]
    assert totals["step"] in (3, 4)  # a design takes about 68 bytes


def test_a_front_that_is_too_long_by_itself_is_whole_with_some_of_the_others() -> None:
    points = drawn_info(2_000).points
    step = 1_960 // LEAST_OTHERS
    found = thinned(points, (), lambda some: ",".join(point.id for point in some), 10)
    assert (found.step, found.baseline) == (step, "")
    assert found.points.split(",") == [point.id for point in every(points, step)]
    assert sum(point.state == "front" for point in every(points, step)) == 40


def test_all_designs_are_there_where_they_have_room() -> None:
    points = drawn_info(500).points
    found = thinned(points, points[:7], lambda some: ",".join(point.id for point in some))
    assert (found.step, found.points.count(","), found.baseline.count(",")) == (1, 499, 6)
