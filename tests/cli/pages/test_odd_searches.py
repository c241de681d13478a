"""The page of a search that found nothing, one design, or odd names and figures: no script fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bnnsim.report.figures.plot_page import library
from bnnsim.report.search.pareto import ParetoInfo, ReferenceInfo, pareto_page
from tests.cli.browser import Page, opened
from tests.cli.pages.test_plot_pages import DRAWN
from tests.unit.search.test_columns import drawn_info

ODD = "<b onclick='x'>\"a\" & @@DATA@@</script>"


def searches() -> dict[str, ParetoInfo]:
    """Pages' records by what is odd about them."""
    whole = drawn_info(60)
    mark = ReferenceInfo(ODD, ODD, (5.0, 5.0, *(None,) * 12))
    named = replace(
        whole,
        space=ODD,
        device=ODD,
        knobs=("alternative", ODD, *whole.knobs[2:]),
        points=tuple(replace(p, knobs=(ODD, None, *p.knobs[2:]), why=ODD) for p in whole.points),
        landmarks=(mark, mark),
    )
    broken = tuple(replace(p, state="infeasible", shares=(), why="lut") for p in whole.points)
    unbuilt = tuple(
        replace(p, state="unbuildable", figures=(None,) * 14, shares=()) for p in whole.points
    )
    flat = tuple(replace(p, figures=(0.0, -1.0, *(7.0,) * 12)) for p in whole.points)
    bare = tuple(replace(p, knobs=()) for p in whole.points)
    return {
        "nothing kept": replace(whole, points=broken, curve=(), landmarks=(mark,)),
        "nothing built": replace(whole, points=unbuilt, curve=()),
        "no design": replace(whole, points=(), curve=()),
        "one design": replace(whole, points=whole.points[:1]),
        "odd names": named,
        "equal figures": replace(whole, points=flat),
        "no knobs": replace(whole, knobs=(), points=bare),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    for name, text in library(False).items():
        (folder / name).write_text(text)
    for name, info in searches().items():
        (folder / f"{name}.html").write_text(pareto_page(info, False))
    return folder


def _use(page: Page) -> None:
    """What a user does with a search's page."""
    page.run("document.getElementById('theme').click()")
    page.run(
        """for (const axis of ['x', 'y']) { $(`log-${axis}`).checked = true; drawFront(); }
        for (const o of $('colour').options) { $('colour').value = o.value; words(); drawFront(); }
        if (!$('commons').hidden) { $('filter').requestSubmit(); $('filter-clear').click(); }
        allKnobs = true;
        drawTable();
        for (const b of document.querySelectorAll('thead button')) b.click();
        seeParallel();
        for (const p of info.points.slice(0, 3)) { select(p.id); hover(p, 'design'); }"""
    )


def test_odd_searches_have_pages_without_a_failing_script(folder: Path) -> None:
    with opened(folder / "one design.html", 1400, DRAWN) as page:
        for name in searches():
            page.driver.get((folder / f"{name}.html").as_uri())
            page.settle()
            drawn = page.run(DRAWN)
            if drawn:
                _use(page)
                page.settle()
            assert [m for m in page.complaints() if "GL" not in m] == [], name
            assert drawn, name
            assert page.run("return document.querySelectorAll('b[onclick]').length") == 0, name
