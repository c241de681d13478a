"""Results as rows, pictures and pages of a notebook, whatever they are of."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import bnnsim
from bnnsim.cli.records.json_schema import json_schema
from bnnsim.notebook.picture import Picture, Series, svg
from bnnsim.notebook.table import MOST_ROWS, Table, table_html, to_pandas


@pytest.fixture(scope="module")
def results() -> dict[str, Table]:
    return {
        "simulate": bnnsim.simulate("digits-7z020", "digits", frames=2),
        "evaluate": bnnsim.evaluate("acce-bnn", "binarynet", timing_only=True),
        "sweep": bnnsim.sweep("digits-7z020", "digits", ["layers.conv1.pe=1,2", "clock_mhz=100,150"]),
        "fold": bnnsim.fold("tfc", "xc7z020", fps=50_000),
        "size_fifos": bnnsim.size_fifos("pynq-tfc", "tfc"),
        "compare": bnnsim.compare("digits-7z020:digits", "pynq-tfc:tfc"),
        "explore": bnnsim.explore("pynq-tfc", "tfc", trials=10, jobs=1, baseline=0, verify_words=0),
    }


NAMES = ("simulate", "evaluate", "sweep", "fold", "size_fifos", "compare", "explore")


@pytest.mark.parametrize("name", NAMES)
def test_a_result_says_itself_in_a_line(name: str, results: dict[str, Table]) -> None:
    text = repr(results[name])
    assert text.startswith(f"<{type(results[name]).__name__}") and text.endswith(">")
    assert len(text) < 160 and "\n" not in text


@pytest.mark.parametrize("name", NAMES)
def test_rows_have_the_same_keys(name: str, results: dict[str, Table]) -> None:
    rows = results[name].rows()
    assert rows and all(list(row) == list(rows[0]) for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_pandas_has_the_rows(name: str, results: dict[str, Table]) -> None:
    pytest.importorskip("pandas")
    rows = results[name].rows()
    frame = results[name].to_pandas()
    assert list(frame.columns) == list(rows[0])
    assert len(frame) == len(rows)


@pytest.mark.parametrize("name", NAMES)
def test_plotly_draws_every_point(name: str, results: dict[str, Table]) -> None:
    picture, figure = results[name].picture(), results[name].plot()
    assert [tuple(trace.y) for trace in figure.data] == [series.y for series in picture.series]
    assert [tuple(trace.x) for trace in figure.data] == [series.x for series in picture.series]
    assert figure.layout.yaxis.title.text == picture.y_label


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_shows_a_table_and_a_drawing_without_scripts(
    name: str, results: dict[str, Table]
) -> None:
    html = results[name]._repr_html_()
    root = ElementTree.fromstring(f"<html>{html}</html>")
    assert root.find(".//table") is not None and root.find(".//svg") is not None
    assert "<script" not in html and "http" not in html
    known = [y for series in results[name].picture().series for y in series.y if y is not None]
    assert len(root.findall(".//svg//title")) == len(known)


@pytest.mark.parametrize("name", ["simulate", "sweep", "fold", "compare", "explore"])
def test_a_result_gives_the_json_of_its_command(name: str, results: dict[str, Table]) -> None:
    pytest.importorskip("jsonschema").Draft202012Validator(json_schema(name)).validate(
        json.loads(json.dumps(results[name].to_json()))  # type: ignore[attr-defined]
    )


def test_rows_of_a_folding_are_those_of_the_design_that_it_wrote(results: dict[str, Table]) -> None:
    answer = results["fold"]
    assert isinstance(answer, bnnsim.FoldAnswer)
    rows = {row["unit"]: row for row in answer.rows()}
    evaluation = bnnsim.evaluate(answer.architecture, "tfc", timing_only=True)
    units = {unit.name: unit for unit in evaluation.resources.units}
    for layer, hardware in answer.architecture.layers.items():
        row, unit = rows[f"{layer}.mvau"], units[f"{layer}.mvau"]
        assert (row["pe"], row["simd"]) == (hardware.pe, hardware.simd)
        assert (row["lut"], row["ff"], row["bram18"]) == (unit.lut, unit.amounts.ff, unit.amounts.bram18)
    # 64 x 784, 64 x 64, 64 x 64 and 10 x 64 weights by PEs x SIMDs a cycle
    weights = {"fc0": 64 * 784, "fc1": 64 * 64, "fc2": 64 * 64, "fc3": 10 * 64}
    for layer, count in weights.items():
        row = rows[f"{layer}.mvau"]
        assert row["cycles"] >= count / (row["pe"] * row["simd"])


def test_points_lie_where_their_numbers_say() -> None:
    line = Series("a & b", (0.0, 5.0, 10.0), (0.0, None, 4.0))
    root = ElementTree.fromstring(svg(Picture("t", "x", "y", (line,), "lines")))
    first, last = ((float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.iter("circle"))
    left, bottom = 80.0, 215.0
    assert first == (left, bottom)
    assert last == (left + 550, 24.0)
    [polyline] = root.iter("polyline")
    assert len(re.findall(r"[\d.]+,[\d.]+", polyline.get("points", ""))) == 2


def test_an_empty_picture_and_an_empty_table_are_drawn() -> None:
    for mark in ("stacked", "lines", "points"):
        ElementTree.fromstring(svg(Picture("none", "x", "y", (), mark)))
    assert table_html([]) == ""


def test_a_long_table_is_cut_and_says_so() -> None:
    html = table_html([{"a": i, "b": i / 3, "c": None, "d": True} for i in range(MOST_ROWS + 5)])
    assert "… and 5 more rows" in html
    assert "<td>0.333333</td><td></td><td>True</td>" in html


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        to_pandas([{"a": 1}])


def test_what_a_function_finds_is_what_a_file_has(tmp_path: Path) -> None:
    answer = bnnsim.fold("tfc", "xc7z020", fps=50_000)
    path = answer.save(tmp_path / "tfc.yaml")
    of_file = bnnsim.evaluate(path, "tfc", timing_only=True)
    of_spec = bnnsim.evaluate(answer.architecture, "tfc", timing_only=True)
    assert of_file.to_json() == of_spec.to_json()
    assert of_file.throughput_fps == pytest.approx(answer.throughput_fps)
    assert repr(answer).startswith("<FoldAnswer tfc-xc7z020: 55,617.4 FPS")
    page = bnnsim.report(path, "tfc", tmp_path / "tfc.html", timing_only=True)
    assert "tfc-xc7z020" in page.read_text(encoding="utf-8")
