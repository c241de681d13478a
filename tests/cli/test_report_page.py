"""The report page in a real browser: offline, complete, usable, and equal to ``simulate --json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bnnsim.cli.app import run
from tests.cli.browser import WIDTHS, Page, opened
from tests.report_parts import body, part

FIGURES = (
    "pipeline",
    "timeline",
    "occupancy",
    "depths",
    "pace",
    "roofline",
    "costs",
    "activations",
    "numbers",
)
MOST_PAGE_BYTES = 300_000
RUNS = {
    "digits": ["digits-7z020", "digits", "--frames", "5"],
    "cnv": ["pynq-cnv", "cnv", "--weights-seed", "1"],
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, arguments in RUNS.items():
        found[name] = folder / f"{name}.html"
        assert run(["report", *arguments, "--out", str(found[name])]) == 0
    return found


@pytest.fixture(scope="module", params=[(n, w) for n in RUNS for w in WIDTHS], ids=str)
def page(request: pytest.FixtureRequest, pages: dict[str, Path]) -> Iterator[Page]:
    name, width = request.param
    with opened(pages[name], width) as found:
        found.width = width  # type: ignore[attr-defined]
        yield found


def test_the_page_of_cnv_is_small(pages: dict[str, Path]) -> None:
    assert pages["cnv"].stat().st_size < MOST_PAGE_BYTES


def test_the_page_names_nothing_outside_itself(pages: dict[str, Path]) -> None:
    text = pages["cnv"].read_text()
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*""", text) == []
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_the_same_run_gives_the_same_page(pages: dict[str, Path], tmp_path: Path) -> None:
    assert run(["report", *RUNS["digits"], "--out", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_bytes() == pages["digits"].read_bytes()


@pytest.mark.parametrize("name", RUNS)
def test_the_page_says_what_simulate_says_to_the_digit(
    pages: dict[str, Path], tmp_path: Path, name: str
) -> None:
    assert run(["simulate", *RUNS[name], "--json", str(tmp_path / "s.json")]) == 0
    simulated = json.loads((tmp_path / "s.json").read_text())
    text = pages[name].read_text()
    inside = json.loads(part(text, "evaluation"))
    assert {key: inside[key] for key in simulated} == simulated
    answer = text[text.index('<section id="answer">') : text.index('<section class="figure"')]
    for key in ("throughput_fps", "latency_us"):
        assert f'<data value="{json.dumps(simulated[key])}">' in answer
    pipeline = part(text, "pipeline-csv")
    for unit in simulated["units"]:
        (line,) = re.findall(rf"^{re.escape(unit['name'])},.*$", pipeline, re.MULTILINE)[:1]
        cycles = [int(value) for value in line.split(",")[-5:]]
        assert cycles[0] == unit["busy_cycles"]
        assert cycles[1] + cycles[4] == unit["idle_cycles"]
        assert cycles[2:4] == [unit["stalled_on_input_cycles"], unit["stalled_on_output_cycles"]]
    for fifo in simulated["fifos"]:
        text_of = f"{fifo['max_occupancy_words']} / {fifo['depth_words']}</span>"
        assert text_of in body(text, "pipeline")


def test_no_complaint_and_no_request(page: Page) -> None:
    assert page.complaints() == []
    assert [url for url in page.requests() if not url.endswith(".html")] == []


def test_every_figure_is_there_with_title_and_csv(page: Page) -> None:
    found = page.run("return [...document.querySelectorAll('section.figure')].map(s => s.id)")
    assert tuple(found) == FIGURES
    buttons = "return document.querySelectorAll('section.figure button.csv').length"
    assert page.run(buttons) == len(FIGURES)


def test_nothing_is_wider_than_the_window(page: Page) -> None:
    assert page.run("return document.documentElement.scrollWidth") <= page.width  # type: ignore[attr-defined]


@pytest.mark.parametrize("figure", ["timeline", "occupancy"])
def test_canvases_show_more_than_one_colour(page: Page, figure: str) -> None:
    colours = page.run(
        """const canvas = document.querySelector(`#${arguments[0]} canvas`);
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const found = new Set();
        for (let i = 0; i < pixels.length; i += 4)
          if (pixels[i + 3] === 255) found.add(`${pixels[i]},${pixels[i + 1]},${pixels[i + 2]}`);
        return found.size;""",
        figure,
    )
    assert colours > 5


def test_canvases_have_size_and_names_before_their_data_is_unpacked(
    pages: dict[str, Path], tmp_path: Path
) -> None:
    spied = tmp_path / "spied.html"
    # Sizes and pixels are kept once every figure has asked for its first row, and got nothing yet.
    spy = """const decodePairs = bnnsim.decodePairs, early = [];
    const painted = canvas => canvas.getContext("2d")
      .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0);
    bnnsim.decodePairs = text => {
      if (!early.length) setTimeout(() => early.push(
        ...[...document.querySelectorAll("canvas")].map(c => [c.id, c.offsetHeight, painted(c)])));
      return new Promise(done => setTimeout(() => done(decodePairs(text)), 20));
    };
    bnnsim.start();"""
    spied.write_text(pages["digits"].read_text().replace("bnnsim.start();\n</script>", spy + "</script>"))
    with opened(spied, 1400) as page:
        early = page.run("return early")
        final = page.run("return [...document.querySelectorAll('canvas')].map(c => c.offsetHeight)")
    assert len(early) >= 2
    for (_, height, is_painted), drawn in zip(early, final, strict=False):
        assert height == drawn
        assert is_painted


def test_the_timeline_shows_the_frames_asked_for_and_at_most_three(
    pages: dict[str, Path], tmp_path: Path
) -> None:
    assert "over the first 3 frames" in pages["digits"].read_text()
    for asked, text in ((1, "over the first frame:"), (2, "over the first 2 frames:")):
        target = tmp_path / f"{asked}.html"
        frames = ["--frames", str(asked), "--timing-only"]
        assert run(["report", "digits-7z020", "digits", *frames, "--out", str(target)]) == 0
        assert text in target.read_text()


def test_a_timeline_longer_than_the_run_says_why(pages: dict[str, Path]) -> None:
    text = pages["cnv"].read_text()
    assert "over the first 3 frames" in text
    assert "The run has 1; more are shown here so that frames follow each other." in text
    assert "more are shown here" not in pages["digits"].read_text()


def test_streams_are_named_with_an_arrow_that_does_not_break(page: Page) -> None:
    page.press("#costs [data-key='0']")
    page.press("#costs .more")
    names = page.run("return [...document.querySelectorAll('#costs li > span')].map(e => e.textContent)")
    page.press("#costs .more")
    assert any("\u00a0→ " in name for name in names)
    assert not any("->" in name for name in names)
    readouts = "return [...document.querySelectorAll('.readout')].map(e => e.textContent).join()"
    assert "->" not in page.run(readouts)


def _view(page: Page) -> tuple[float, float]:
    start, end = page.run(
        "const d = document.querySelector('#timeline canvas').dataset; return [d.start, d.end]"
    )
    return float(start), float(end)


def test_the_timeline_zooms_from_the_run_to_a_cycle_by_buttons_and_keys(page: Page) -> None:
    page.press("#timeline [data-do=all]")
    total = page.run("return bnnsim.view.total")
    assert _view(page) == (0, total)
    page.press("#timeline [data-do=in]")
    start, end = _view(page)
    assert end - start == pytest.approx(total / 2)
    page.press("#timeline [data-do=cycle]")
    start, end = _view(page)
    assert end - start <= 60
    page.type("#timeline canvas", "++++")
    start, end = _view(page)
    assert end - start == 12
    before = start
    page.type("#timeline canvas", "]")
    assert "in a row" in page.run("return document.querySelector('#timeline .readout').textContent")
    assert _view(page)[0] != before or total <= 12
    assert page.run("return document.querySelector('#occupancy canvas').dataset.start") == str(
        page.run("return document.querySelector('#timeline canvas').dataset.start")
    )
    page.press("#timeline [data-do=units]")
    assert page.run("return bnnsim.view.inTime") is True
    page.press("#timeline [data-do=units]")
    page.press("#timeline [data-do=all]")
    assert page.complaints() == []


def test_the_timeline_tells_what_a_unit_did_in_a_cycle(page: Page) -> None:
    page.press("#timeline [data-do=all]")
    told = page.run(
        """const canvas = document.querySelector('#timeline canvas');
        canvas.scrollIntoView();
        const box = canvas.getBoundingClientRect();
        canvas.dispatchEvent(new PointerEvent('pointermove',
          {clientX: box.left + box.width * 0.6, clientY: box.top + 30}));
        return document.querySelector('#timeline .readout').textContent;"""
    )
    assert re.match(r"source, cycle [\d,]+ \([\d.]+ µs\): (busy|idle|stalled on output), cycles ", told)


def test_the_timeline_can_show_matrix_units_alone(page: Page) -> None:
    rows = "return Number(document.querySelector('#timeline canvas').dataset.rows)"
    whole = page.run(rows)
    page.press("#timeline [data-do=matrices]")
    points = page.run("return document.querySelectorAll('#roofline circle.now').length")
    assert page.run(rows) == points - 1  # the roofline also shows all units together
    page.press("#pipeline button[data-unit='source']")
    assert page.run(rows) == whole
    told = page.run("return document.querySelector('#timeline .readout').textContent")
    assert told.startswith("source")


def test_roofline_axes_change(page: Page) -> None:
    ticks = "return [...document.querySelectorAll('#roofline .grid')].length"
    page.press("#roofline [data-do=axes]")
    assert page.run("return document.querySelector('#roofline .plot').dataset.axes") == "linear"
    assert page.run(ticks) > 4
    page.press("#roofline [data-do=axes]")
    assert page.run("return document.querySelector('#roofline .plot').dataset.axes") == "log"
    assert page.run("return document.querySelectorAll('#roofline circle.now').length") >= 3


def test_occupancy_lanes_can_be_reduced_to_deep_fifos(page: Page) -> None:
    lanes = "return Number(document.querySelector('#occupancy canvas').dataset.lanes)"
    whole = page.run(lanes)
    page.press("#occupancy [data-do=deep]")
    assert 0 < page.run(lanes) < whole
    page.press("#occupancy [data-do=deep]")
    assert page.run(lanes) == whole


def test_costs_show_another_resource(page: Page) -> None:
    first = page.run("return document.querySelector('#costs .costs').textContent")
    page.press("#costs [data-key='1']")
    assert page.run("return document.querySelector('#costs .costs').textContent") != first
    page.press("#costs [data-key='0']")
    rows = "return document.querySelectorAll('#costs .costs li').length"
    few = page.run(rows)
    page.press("#costs .more")
    assert page.run(rows) > few
    page.press("#costs .more")
    assert page.run(rows) == few


def test_a_unit_of_the_pipeline_leads_to_its_row_of_the_timeline(page: Page) -> None:
    page.press("#pipeline button[data-unit='conv0.mvau']")
    told = page.run("return document.querySelector('#timeline .readout').textContent")
    assert told.startswith("conv0.mvau")
    assert page.run("return document.activeElement.matches('#timeline canvas')")


def test_a_layers_picture_grows_when_pressed(page: Page) -> None:
    width = "return document.querySelector('.picture[data-layer=conv0]').offsetWidth"
    small = page.run(width)
    page.press(".picture[data-layer=conv0]")
    assert page.run(width) > 1.5 * small
    page.press(".picture[data-layer=conv0]")


def test_the_theme_changes_every_drawing(page: Page) -> None:
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(colour)
    page.press("#theme")
    assert page.run("return document.documentElement.dataset.theme") == "dark"
    assert page.run(colour) != light
    page.press("#theme")
    assert page.run(colour) == light
    assert page.complaints() == []


def test_the_data_of_every_figure_can_be_copied_as_csv(page: Page) -> None:
    page.press("#timeline [data-do=cycle]")
    for figure in ("budget", *FIGURES):
        page.press(f"button.csv[data-figure={figure}]")
        rows = page.run("return bnnsim.lastCsv").strip().splitlines()
        assert len(rows) > 1, figure
        assert rows[0].count(",") >= 1, figure
    page.press("#timeline [data-do=all]")


@pytest.mark.parametrize("figure", ["timeline", "occupancy"])
def test_more_rows_than_can_be_copied_are_counted_instead(page: Page, figure: str) -> None:
    button = f"button.csv[data-figure={figure}]"
    page.press("#timeline [data-do=cycle]")
    page.press(button)
    rows = len(page.run("return bnnsim.lastCsv").splitlines()) - 1
    page.run("bnnsim.mostCsvRows = arguments[0] - 1", rows)
    page.press(button)
    assert page.run("return bnnsim.lastCsv") == rows
    said = page.run("return document.querySelector(arguments[0]).textContent", button)
    assert said == f"{rows} rows in view: zoom in to {rows - 1}"
    page.run("bnnsim.mostCsvRows = 100000")
    page.press("#timeline [data-do=all]")


def test_everything_can_be_reached_with_the_keyboard(page: Page) -> None:
    unreachable: list[Any] = page.run(
        """return [...document.querySelectorAll(
          'button, a, canvas.chart, #roofline g[role=img], summary')]
        .filter(e => e.tabIndex < 0).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert unreachable == []
    nameless = page.run(
        """return [...document.querySelectorAll('button, canvas, img')]
        .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.alt))
        .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert nameless == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits-7z020", "digits", "--out", "{}/no/a.html"], "expected a place to write, got No such"),
        (["digits-7z020", "nothing", "--out", "{}/a.html"], "expected a YAML file or a shipped workload"),
    ],
)
def test_wrong_input_is_a_message_and_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = [argument.format(tmp_path) for argument in arguments]
    assert run(["report", *given]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_bits_has_a_page_without_pictures(tmp_path: Path) -> None:
    assert run(["report", "pynq-cnv", "cnv", "--out", str(tmp_path / "t.html")]) == 0
    text = (tmp_path / "t.html").read_text()
    assert 'id="activations"' not in text
    assert "timing only" in text


def test_the_watch_on_pages_sees_complaints_and_requests(tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<script>const bnnsim = {}; console.error('a complaint');</script>"
        "<img src='http://127.0.0.1:9/picture.png'>"
    )
    with opened(bad, 800) as page:
        assert any("a complaint" in message for message in page.complaints())
        assert "http://127.0.0.1:9/picture.png" in page.requests()
