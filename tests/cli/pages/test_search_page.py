"""The page of a search in a browser: its designs, words on demand, light with many of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from bnnsim.report.search.columns import short
from bnnsim.report.search.pareto import pareto_page
from bnnsim.report.search.thinning import every
from tests.cli.browser import Page, opened
from tests.unit.search.test_columns import drawn_info

DRAWN = "return 'drawn' in document.body.dataset"
DESIGNS = 10_000
FRONT = DESIGNS // 50
MOST_MARKERS = 500


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    path = tmp_path_factory.mktemp("page") / "pareto.html"
    path.write_text(pareto_page(drawn_info(DESIGNS)))
    with opened(path, 1400, DRAWN) as page:
        yield page


def test_the_front_and_some_of_the_others_are_there_with_their_figures_and_the_page_says_so(
    page: Page,
) -> None:
    step = page.run("return info.totals.step")
    expected = every(drawn_info(DESIGNS).points, step)
    assert page.run("return info.points.length") == len(expected)
    assert page.run("return front.length") == FRONT
    assert f"only one in {step} of the other designs" in page.run(
        "return document.getElementById('reading').textContent"
    )
    said = page.run("return document.getElementById('subtitle').textContent")
    assert said.startswith("10,000 accelerators judged") and "5,000 keep every bound" in said
    for place in (0, 1, 1234, len(expected) - 1):
        got = page.run("return info.points[arguments[0]]", place)
        wanted = expected[place]
        assert (got["id"], got["state"], got["why"]) == (wanted.id, wanted.state, wanted.why)
        assert tuple(got["knobs"]) == wanted.knobs
        assert got["figures"] == pytest.approx(wanted.figures, rel=5.1e-6)


def test_short_figure_is_shown_like_the_whole_one(page: Page) -> None:
    draw = random.Random(3)
    values = [10 ** draw.uniform(-4, 9) for _ in range(20_000)] + [0.125, 510.65, 99.95, 999.95]
    brief = [short(value) for value in values]
    assert max(abs(b / v - 1) for b, v in zip(brief, values, strict=True) if b is not None) < 5.1e-6
    texts = "return arguments[0].map(number)"
    assert page.run(texts, brief) == page.run(texts, values)


def test_many_points_are_drawn_together(page: Page) -> None:
    drawn = page.run("return document.querySelectorAll('#front-plot .scatterlayer .point').length")
    assert FRONT <= drawn <= MOST_MARKERS


def test_point_says_its_words_when_pointed_at(page: Page) -> None:
    assert page.run("return document.getElementById('hover').hidden")
    trace = page.run("return shown.findIndex((g) => g.rim)")
    page.run(
        "const plot = document.getElementById('front-plot');"
        "const at = plot.data.findIndex((t) => t.meta === arguments[0]);"
        "plot.emit('plotly_hover', { points: [{ data: plot.data[at], pointNumber: 2 }] })",
        trace,
    )
    text = page.run("return document.getElementById('hover').textContent")
    assert "front design 00100" in text and "Figure 8" in text and "l26.pe" in text


def test_table_shows_the_first_hundred_and_the_rest_when_asked(page: Page) -> None:
    rows = "return document.querySelectorAll('#table tbody tr').length"
    assert page.run(rows) == 100
    page.press("#more")
    assert page.run(rows) == FRONT
    assert page.run("return document.getElementById('more').hidden")
