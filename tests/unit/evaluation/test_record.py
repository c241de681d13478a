"""A design's record says in Python what its JSON says, and shows itself in a line and a notebook."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from typing import Any
from xml.etree import ElementTree

import pytest

import bnnsim
from bnnsim import Evaluation, evaluate


@pytest.fixture(scope="module", params=["digits-7z020", "engine"])
def evaluation(request: pytest.FixtureRequest) -> Evaluation:
    if request.param == "engine":
        return evaluate("acce-bnn", "binarynet", timing_only=True)
    return evaluate(request.param, "digits", frames=2)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def test_python_has_everything_that_json_has_under_the_same_names(evaluation: Evaluation) -> None:
    found = evaluation.to_json()
    other_forms = {"schema_version", "resources", "resources_by_unit", "violations", "advice"}
    for name in found.keys() - other_forms:
        assert json.loads(json.dumps(_plain(getattr(evaluation, name)), default=dict)) == json.loads(
            json.dumps(found[name], default=dict)
        ), name
    assert evaluation.resources.total.lut == found["resources"]["lut"]


def test_it_says_itself_in_a_line(evaluation: Evaluation) -> None:
    text = repr(evaluation)
    assert len(text) < 150 and "\n" not in text
    assert f"{evaluation.throughput_fps:,.1f} FPS" in text
    assert len(repr(evaluation.simulation)) < 150


def test_a_notebook_shows_the_answer_and_a_bar_a_unit(evaluation: Evaluation) -> None:
    html = evaluation._repr_html_()
    root = ElementTree.fromstring(f"<html>{html}</html>")
    cells = {row[0].text: row[1].text for row in root.iter("tr")}
    assert cells["throughput"] == f"{evaluation.throughput_fps:,.1f} FPS"
    labels = [text.text for text in root.iter("text")]
    assert set(labels) >= {unit.name for unit in evaluation.units[:3]}
    widths = [float(bar.get("width", "0")) for bar in root.iter("rect") if bar.find("title") is not None]
    bars = len(widths) // 4
    assert sum(widths) == pytest.approx(400 * bars, abs=0.02 * len(widths))


def test_the_package_lists_its_public_names() -> None:
    assert {name for name in dir(bnnsim) if not name.startswith("__")} == set(bnnsim.__all__)
