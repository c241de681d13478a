"""No page is too long to send or to keep by the dozen; a long one has its parts packed, and whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.evaluation import evaluate_design, with_advice
from bnnsim.report.figures.activations import activations_info
from bnnsim.report.figures.document import document
from bnnsim.report.figures.figure import Figure, csv_text
from bnnsim.report.streaming.page import gather, streaming_page
from bnnsim.simulation import RunOptions, load_design, stimulate
from bnnsim.simulation.stimulus import Stimulus
from tests.cli.browser import WIDTHS, opened
from tests.report_parts import body, part

MOST_BYTES = 300_000
LONG_ENGINE = ("fracbnn-imagenet", "fracbnn-imagenet")
LONG_PIPELINE = ("birealnet-18-u250", "birealnet-18")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target: Path = tmp_path_factory.mktemp("long") / "long.html"
    assert run(["report", *LONG_ENGINE, "--timing-only", "--out", str(target)]) == 0
    return target


def test_the_page_of_an_engine_for_imagenet_is_short_and_its_parts_are_packed(page_file: Path) -> None:
    assert page_file.stat().st_size < MOST_BYTES
    text = page_file.read_text()
    assert "data-packed" in text
    assert "<noscript>" in text
    assert json.loads(part(text, "evaluation"))["arch"] == LONG_ENGINE[0]
    assert "<table>" in body(text, "numbers")


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_packed_is_on_the_page(page_file: Path, width: int) -> None:
    with opened(page_file, width) as page:
        assert page.complaints() == []
        assert page.run("return document.querySelectorAll('[data-packed]').length") == 0
        units = "return document.querySelectorAll('#numbers tbody tr').length"
        assert page.run(units) > 100
        inside = page.run("return JSON.parse(document.getElementById('evaluation').textContent).workload")
        assert inside == LONG_ENGINE[1]
        page.press("#numbers button.csv")
        assert "throughput_fps" in page.run("return bnnsim.lastCsv")
        page.press("#layers [data-do=shares]")
        assert page.run("return document.querySelector('.turns').classList.contains('shares')")


def test_a_page_opens_at_the_figure_that_its_address_names(page_file: Path, tmp_path: Path) -> None:
    named = tmp_path / "named.html"
    opening = "location.hash = 'costs'; bnnsim.start();"
    named.write_text(page_file.read_text().replace("bnnsim.start();\n</script>", opening + "</script>"))
    with opened(named, 1400) as page:
        page.settle()
        top = page.run("return document.getElementById('costs').getBoundingClientRect().top")
        assert -1 <= top < 700


@pytest.mark.parametrize("count", [1, 40])
def test_packed_or_not_a_page_has_the_same_parts(count: int) -> None:
    rows = [(f"</script>&<b>{i}ä", i) for i in range(400)]
    figures = [
        Figure(f"f{k}", "t", "", f"<p>{'wörds & ' * 500}{k}</p>", csv_text(("a", "b"), rows), rows, "x")
        for k in range(count)
    ]
    page = document("t", "<p>top</p>", figures)
    assert ("data-packed=" in page.replace("[data-packed]", "")) == (count > 1)
    assert len(page.encode()) < MOST_BYTES
    for figure in figures:
        assert figure.body in body(page, figure.id)
        assert json.loads(part(page, f"{figure.id}-data")) == [list(row) for row in rows]
        held = part(page, f"{figure.id}-csv").replace("&lt;", "<").replace("&amp;", "&")
        assert held == figure.csv


@pytest.mark.long
def test_the_page_of_a_pipeline_for_imagenet_is_short_with_the_pictures_of_a_run() -> None:
    design, folder = load_design(*LONG_PIPELINE)
    timed = RunOptions(timing_only=True)
    evaluation = evaluate_design(design, stimulate(design, folder, timed), timed)
    bits = stimulate(design, folder, RunOptions(frames=9, weights_seed=1))
    assert isinstance(bits, Stimulus)
    outputs = bits.activations.outputs
    pictures = activations_info(bits.network, bits.frames, outputs, (1,) * 1000, 0)
    page = streaming_page(gather(design, with_advice(design, evaluation), pictures, 1))
    assert len(page.encode()) < MOST_BYTES
    assert body(page, "activations").count("<img") == 1 + len(design.network.nodes)
    assert body(page, "pipeline").count('class="unit ') == len(design.graph.units)
