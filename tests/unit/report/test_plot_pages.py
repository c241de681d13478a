"""Pages with plotly's pictures: what they ask for, and how large they are."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bnnsim.report.figures.plot_page import library, library_name
from bnnsim.report.search.pareto import pareto_page
from bnnsim.report.search.sizing import SizingInfo, SizingPoint, SizingRow, sizing_page
from bnnsim.report.search.sweep import FigureInfo, SweepInfo, sweep_page
from tests.unit.search.test_columns import drawn_info

MOST_BYTES = 300_000
POINT = SizingPoint(518, 1, 356, 280_899.0)
SIZING = SizingInfo(
    "arch", "net", 100, (POINT,), POINT, None, 3e5, (SizingRow("a->b", 2, 1, 8),), "All is well."
)
SWEEP = SweepInfo(
    "arch", "net", ("layers.conv1.pe",), ("1", "2"), (), (FigureInfo("lut", "Logic", "LUT", False),),
    (((100.0, None),),), (("", "no such fold"),), (0.12,),
)  # fmt: skip
PAGES = {
    "search": lambda whole: pareto_page(drawn_info(600), whole),
    "fifos": lambda whole: sizing_page(SIZING, whole),
    "sweep": lambda whole: sweep_page(SWEEP, whole),
}


def asked_for(page: str) -> list[str]:
    """What a page names outside itself."""
    own = re.sub(r"<script>.*?</script>", "<script></script>", page, flags=re.S)
    return re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"'](?!data:)([^\"']+)", own)


@pytest.mark.parametrize("name", PAGES)
def test_pages_share_a_library_and_are_small(name: str) -> None:
    page = PAGES[name](False)
    assert asked_for(page) == [library_name()]
    assert len(page.encode()) < MOST_BYTES


@pytest.mark.parametrize("name", PAGES)
def test_single_file_asks_for_nothing(name: str) -> None:
    page = PAGES[name](True)
    assert asked_for(page) == []
    (text,) = library(False).values()
    assert text in page
    assert "'self'" not in page


def test_library_is_named_after_its_version_and_left_out_of_single_files() -> None:
    assert library(True) == {}
    ((name, text),) = library(False).items()
    assert re.fullmatch(r"plotly-\d+\.\d+\.\d+\S*\.min\.js", name)
    assert name.removeprefix("plotly-").removesuffix(".min.js") in text[:200]


def test_names_of_designs_are_never_taken_for_marks_of_the_page() -> None:
    page = sweep_page(replace(SWEEP, arch="@@DATA@@</script>"), False)
    assert page.count("@@DATA@@") == 2  # in the title and in the data
    assert "@@DATA@@</script>" not in page
