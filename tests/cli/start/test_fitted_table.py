"""Tables and facts at any width: figures stay whole, names shrink, columns go, sentences wrap."""

from __future__ import annotations

import re

import pytest

from bnnsim.cli.console import output
from bnnsim.cli.facts import show_facts, show_places
from bnnsim.cli.fitted_table import Column, FittedTable, shortened_name

NAMES = ("stage1.block0.conv1.window->stage1.block0.conv1.mvau", "sink")
FIGURES = ("123,456,789,012", "7,318,349,394,477")


def _table() -> FittedTable:
    columns = [
        Column("stream", "name"),
        Column("stalled on input (cycles)"),
        Column("depth (words)", rank=1),
        Column("highest (words)", rank=2),
        Column("", "words"),
    ]
    table = FittedTable("FIFOs", columns)
    for name in NAMES:
        table.add(name, *FIGURES, "1,024 full", "the slowest of several by itself")
    return table


def _printed(capsys: pytest.CaptureFixture[str], width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(output, "width", width)
    _table().show()
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 200])
def test_a_figure_is_whole_or_its_column_is_named_as_left_out(
    capsys: pytest.CaptureFixture[str], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _printed(capsys, width, monkeypatch)
    assert shown.count("123,456,789,012") == 2
    left_out = re.sub(r"\s+", " ", shown.partition("no room for ")[2])
    for figure, heading in (("7,318,349,394,477", "depth (words)"), ("1,024 full", "highest (words)")):
        assert (shown.count(figure) == 2) != (heading in left_out)
    assert "1,024…" not in shown and "012…" not in shown


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_table_is_no_wider_than_the_terminal(
    capsys: pytest.CaptureFixture[str], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert max(map(len, _printed(capsys, width, monkeypatch).splitlines())) <= width


def test_a_column_without_anything_takes_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    table = FittedTable("On a part", [Column("resource", "name"), Column("", "words")])
    table.add("LUT", "")
    table.show()
    assert "LUT" in capsys.readouterr().out


def test_the_highest_rank_goes_first() -> None:
    columns = [len(_table().layout(width)[0]) for width in (200, 74, 60)]
    assert columns == sorted(columns, reverse=True)
    assert _table().layout(200)[0] == [0, 1, 2, 3, 4]
    for width in range(20, 200):
        shown = _table().layout(width)[0]
        assert 2 in shown or 3 not in shown
        assert {0, 1, 4} <= set(shown)


@pytest.mark.parametrize(
    ("name", "width", "short"),
    [
        ("conv1.mvau", 10, "conv1.mvau"),
        ("conv1.window->conv1.mvau", 11, "conv1….mvau"),
        ("conv1.window->conv1.mvau", 12, "conv1.….mvau"),
    ],
)
def test_a_name_keeps_its_beginning_and_its_end(name: str, width: int, short: str) -> None:
    assert shortened_name(name, width) == short


def test_sentences_wrap_below_their_first_line_and_places_do_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "width", 40)
    sentence = "a sentence of many words that no line of forty characters can hold"
    show_facts([("how sure", sentence), ("", "[red] is no markup")])
    show_places([("report", "bnnsim report " + "x" * 60)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("how sure    a sentence")
    assert all(line.startswith(" " * 12) for line in lines[1:3])
    assert " ".join(line[12:] for line in lines[:3]) == sentence
    assert lines[3] == " " * 12 + "[red] is no markup"
    assert lines[4] == "report      bnnsim report " + "x" * 60
