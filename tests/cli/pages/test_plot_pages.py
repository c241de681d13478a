"""Pages with plotly's pictures in a browser: beside their library, filtered, sorted, saved, by key."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bnnsim.report.comparison.agreement import AgreementInfo, AgreementPoint, agreement_page
from bnnsim.report.figures.plot_page import library
from bnnsim.report.search.pareto import ParetoInfo, ReferenceInfo, pareto_page
from bnnsim.report.search.sizing import sizing_page
from bnnsim.report.search.sweep import sweep_page
from tests.cli.browser import WIDTHS, Page, opened
from tests.unit.report.test_plot_pages import SIZING, SWEEP
from tests.unit.search.test_columns import drawn_info

DRAWN = "return 'drawn' in document.body.dataset"
DESIGNS = 300
ROWS = "return [...document.querySelectorAll('#table tbody tr')].map(row => row.dataset.id)"
RULES = """
const text = (e) => (e.getAttribute('aria-label') || e.textContent || '').trim();
const found = [], seen = (all) => [...document.querySelectorAll(all)].filter(e => !e.closest('[hidden]'));
for (const e of seen('button, select, input, [role=img], [role=region], [role=group]'))
  if (!text(e) && !e.labels?.length) found.push('no name: ' + e.outerHTML.slice(0, 90));
for (const e of seen('main button, main select, main input, main a, main tr[data-id]'))
  if (e.tabIndex < 0) found.push('no key reaches: ' + e.outerHTML.slice(0, 90));
for (const e of seen('.scroll')) if (e.tabIndex < 0) found.push('scrolls by mouse only');
if (document.querySelectorAll('h1').length !== 1) found.push('no one heading');
return found;"""
"""What every page holds to: names for readers, keys for all that can be pressed, one heading."""


def info() -> ParetoInfo:
    """Designs whose first figure spans three powers of ten, whose first knob is a word; a landmark."""
    drawn = drawn_info(DESIGNS)
    points = tuple(
        replace(
            point,
            figures=(10.0 ** (3 * n / DESIGNS), 100.0 + n, *point.figures[2:]),
            knobs=(("fast", "slow")[n % 4 == 0], *point.knobs[1:]),
        )
        for n, point in enumerate(drawn.points)
    )
    mark = ReferenceInfo("published", "a paper", (40.0, 250.0, *(None,) * 12))
    bars = {"figure_1": (0.8, 1.3)}
    return replace(drawn, points=points, landmarks=(mark,), error_bars=bars)


AGREEMENT = AgreementInfo(
    tuple(
        AgreementPoint(
            "a system", "lut", "LUT", group, evidence, 100.0, 110.0, 90.0, 130.0, error, "inferred",
            "met", "why",
        )
        for group in ("cycles", "logic")
        for evidence, error in (("blind", 0.1), ("family", 2.5), ("fitted", -0.03))
    ),
    35,
)  # fmt: skip
PAGES = {
    "search": lambda: pareto_page(info(), False),
    "sweep": lambda: sweep_page(SWEEP, False),
    "fifos": lambda: sizing_page(SIZING, False),
    "validate": lambda: agreement_page(AGREEMENT, False),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plots")
    for name, text in library(False).items():
        (folder / name).write_text(text)
    for name, page in PAGES.items():
        (folder / f"{name}.html").write_text(page())
    return folder


@pytest.fixture(scope="module")
def search(folder: Path) -> Iterator[Page]:
    with opened(folder / "search.html", 1400, DRAWN) as page:
        yield page


@pytest.fixture
def whole(search: Page) -> Page:
    """The search's page with no filter."""
    search.run("filters.clear(); follow();")
    return search


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_draws_with_the_library_beside_it_and_keeps_the_basic_rules(
    folder: Path, width: int
) -> None:
    with opened(folder / "search.html", width, DRAWN) as page:
        for name in PAGES:
            page.driver.get((folder / f"{name}.html").as_uri())
            page.settle()
            page.run("document.querySelectorAll('.plot')[0].scrollIntoView()")
            assert page.run("return document.getElementById('no-pictures').hidden"), name
            assert page.run("return document.querySelectorAll('.plot svg.main-svg').length > 0"), name
            assert page.run("return document.documentElement.scrollWidth") <= width, name
            assert page.run(RULES) == [], name
            page.press("#theme")
            assert page.run("return document.documentElement.dataset.theme") == "dark", name
        assert [message for message in page.complaints() if "GL" not in message] == []


def test_page_without_its_library_says_so_and_keeps_its_words(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "search.html"
    alone.write_bytes((folder / "search.html").read_bytes())
    with opened(alone, 1400, DRAWN) as page:
        assert "--single-file" in page.run("return document.getElementById('no-pictures').innerText")
        assert len(page.run(ROWS)) == DESIGNS // 50


def test_axis_is_logarithmic_where_figures_span_powers_of_ten(whole: Page) -> None:
    assert whole.run("return [$('y').value, $('log-y').checked]") == ["figure_0", True]
    assert whole.run("return [$('x').value, $('log-x').checked]") == ["figure_1", False]
    layout = "return [plot.layout.xaxis.type, plot.layout.yaxis.type]"
    assert whole.run("const plot = $('front-plot');" + layout) == ["linear", "log"]


def test_designs_at_zero_are_in_the_picture_or_counted(whole: Page) -> None:
    whole.run("front[0].figures[at.figure_1] = 0; drawFront()")
    low, _ = whole.run("return $('front-plot').layout.xaxis.range")
    assert low < 0
    whole.run("$('log-x').checked = true; drawFront()")
    assert "1 design at 0 has no place" in whole.run("return $('outside').textContent")
    whole.run("$('log-x').checked = false; front[0].figures[at.figure_1] = 100; drawFront()")


def test_what_is_better_is_said_off_the_picture(whole: Page) -> None:
    heading = whole.run("return $('front-plot').layout.annotations[0]")
    assert heading["text"] == "Figure 0 [W] · more is better ↑"
    assert (heading["yref"], heading["y"], heading["yanchor"]) == ("paper", 1, "bottom")
    assert "less is better ←" in whole.run("return $('front-plot').layout.xaxis.title.text")


def test_nothing_lies_over_another_label(whole: Page) -> None:
    overlaps = whole.run(
        """const all = '.xtick text, .ytick text, .xtitle, .annotation text', found = [];
        const boxes = [...$('front-plot').querySelectorAll(all)]
          .map(e => [e.textContent, e.getBoundingClientRect()]);
        boxes.forEach(([name, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
          if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
            found.push([name, other]);
        }));
        return found;"""
    )
    assert overlaps == []
    assert whole.run("return document.querySelectorAll('.modebar').length") == 0


def test_chosen_design_has_its_error_bar(whole: Page) -> None:
    whole.run("select('00100')")
    ring = "const trace = $('front-plot').data[$('front-plot').data.length - 1];"
    got = whole.run(ring + "return [trace.x[0], trace.error_x.array[0], trace.error_x.arrayminus[0]]")
    assert got == pytest.approx([200, 60, 40])
    assert "160 to 260" in whole.run("return $('design').innerText")
    assert whole.run(ring + "return trace.error_y.visible") is False  # nothing is known of this figure


def test_form_filters_table_picture_and_what_is_saved(whole: Page) -> None:
    before = whole.run(ROWS)
    whole.run("$('filter-name').value = 'Figure 0 [W]'; $('filter-name').onchange()")
    whole.type("#filter-low", "10")
    whole.press("#filter button[type=submit]")
    wanted = [id for id in before if int(id) / DESIGNS * 3 >= 1]
    assert 0 < len(wanted) < len(before)
    assert sorted(whole.run(ROWS)) == sorted(wanted)
    drawn = whole.run("return shown.filter(g => g.rim).flatMap(g => g.points.map(p => p.id))")
    assert sorted(drawn) == sorted(wanted)
    assert f"{len(wanted)} of {len(before)} on the front" in whole.run("return $('filtered').textContent")
    whole.press("#filter-clear")
    assert sorted(whole.run(ROWS)) == sorted(before)


def test_brush_along_a_parallel_axis_filters_like_the_form(whole: Page) -> None:
    whole.run("seeParallel(); return 0")
    if not whole.run("return $('parallel').dataset.wired === 'true'"):
        pytest.skip("no WebGL here")
    place = whole.run("return dimensions.findIndex(one => one.steps && one.steps.includes('slow'))")
    whole.run(
        "const step = dimensions[arguments[0]].steps.indexOf('slow');"
        "const range = `dimensions[${arguments[0]}].constraintrange`;"
        "Plotly.restyle('parallel', { [range]: [[step - .1, step + .1]] })",
        place,
    )
    whole.settle()
    kept = whole.run(ROWS)
    assert kept == [f"{n:05d}" for n in range(0, DESIGNS, 50) if n % 4 == 0][::-1]
    assert whole.run("return filters.size") == 1
    whole.press("#filter-clear")
    assert whole.run("return filters.size") == 0
    assert not whole.run("return $('parallel').data[0].dimensions.some(d => d.constraintrange)")


def test_knobs_are_columns_and_sort_by_key(whole: Page) -> None:
    heads = "return [...document.querySelectorAll('#table thead th')].map(e => e.innerText)"
    few = whole.run(heads)
    assert few[1].startswith("Figure 0") and sum("pe" in head for head in few) == 6
    whole.press("#all-knobs")
    assert sum("pe" in head for head in whole.run(heads)) == 27
    whole.type("#table [data-knob='3']", "\ue007")  # Enter
    column = ROWS.replace("row.dataset.id", "byId.get(row.dataset.id).knobs[3]")
    values = whole.run(column)
    assert values == sorted(values)
    assert whole.run("return document.activeElement.closest('th').ariaSort") == "ascending"
    whole.type("#table [data-knob='3']", "\ue007")
    assert whole.run(column) == sorted(values, reverse=True)
    whole.press("#all-knobs")
    whole.press("#table [data-figure='figure_0']")


def test_row_is_chosen_by_key(whole: Page) -> None:
    last = whole.run(ROWS)[-1]
    whole.type(f"#table tr[data-id='{last}']", "\ue007")
    assert whole.run("return selected.id") == last
    assert f"designs/drawn-{last}.yaml" in whole.run("return $('design').innerHTML")


def test_knob_with_few_values_colours_the_designs(whole: Page) -> None:
    whole.run("$('colour').value = info.knobs.indexOf('layers.l0.pe'); drawFront()")
    assert {"fast", "slow"} <= set(whole.run("return shown.map(g => g.name)"))
    whole.run("$('colour').value = ''; drawFront()")


def _saved(page: Page, folder: Path, selector: str, name: str) -> bytes:
    page.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
    )
    page.press(selector)
    for _ in range(200):
        if (folder / name).exists() and (folder / name).stat().st_size:
            return (folder / name).read_bytes()
        time.sleep(0.05)
    raise AssertionError(f"{name} was not saved: {list(folder.iterdir())}")


def test_tables_and_pictures_are_saved(whole: Page, tmp_path: Path) -> None:
    button = ".save[data-csv=designs] [aria-label$='as {}']"
    text = _saved(whole, tmp_path, button.format("CSV"), "drawn-designs.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == DESIGNS
    expected: Any = info().points[123]
    assert (rows[123]["design"], float(rows[123]["figure_1"])) == ("00123", expected.figures[1])
    assert rows[123]["layers.l0.pe"] == "fast"
    svg = _saved(whole, tmp_path, button.format("SVG"), "drawn-front-plot.svg").decode()
    assert svg.startswith("<svg") and "more is better" in svg
    png = _saved(whole, tmp_path, button.format("PNG"), "drawn-front-plot.png")
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and int.from_bytes(png[16:20], "big") > 1000
