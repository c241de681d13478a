"""Work that takes its time is told on stderr, also where that is no terminal and nothing is reported."""

from __future__ import annotations

import io
import queue
import re
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bnnsim.arrays.compilation import CompilationWarning, tell_plainly
from bnnsim.cli import progress
from bnnsim.cli.app import run
from bnnsim.cli.facts import show_facts, show_lines
from bnnsim.cli.progress import Work
from tests.terminal import terminal_of

WAIT_S = 60
"""Long beyond what any line takes; only a line that never comes waits so long."""
DRAWN = ["--weights-seed", "1", "--frames", "1"]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[str]:
    """What is said while work goes on, where stderr is no terminal."""
    said: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(progress, "LINE_S", 0.001)
    monkeypatch.setattr(progress.errors, "print", lambda text, **_: said.put(text))
    return said


def test_work_that_reports_nothing_is_told_by_its_name(lines: queue.Queue[str]) -> None:
    with Work("folding"):
        assert re.fullmatch(r"folding: \d+ s", lines.get(timeout=WAIT_S))


def test_a_line_has_the_share_done_or_the_words_that_were_told(lines: queue.Queue[str]) -> None:
    with Work("simulating") as work:
        work.advance(3, 10)
        assert re.fullmatch(r"simulating: 30%, \d+ s", work.line())
        work.advance(10, 10)  # what comes behind it is told by its time
        assert re.fullmatch(r"simulating: \d+ s", work.line())
        work.tell("searching", 3, 10, "3 of 10, front 2")
        assert re.fullmatch(r"searching: 3 of 10, front 2, \d+ s", work.line())


def test_nobody_is_left_to_say_something_behind_the_end(lines: queue.Queue[str]) -> None:
    before = threading.active_count()
    with Work("folding"):
        lines.get(timeout=WAIT_S)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_a_terminal_has_one_moving_line_that_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Screen(io.StringIO):
        def __init__(self) -> None:
            super().__init__()
            self.told: queue.Queue[str] = queue.Queue()

        def write(self, text: str) -> int:
            if "folding" in text:
                self.told.put(text)
            return super().write(text)

    screen = Screen()
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    monkeypatch.setattr(progress, "errors", Console(file=screen, force_terminal=True, width=80))
    with Work("folding"):
        screen.told.get(timeout=WAIT_S)
    assert screen.getvalue().endswith(("\x1b[2K", "\x1b[?25h")), repr(screen.getvalue()[-40:])


def test_a_process_of_a_pool_says_in_a_sentence_that_it_compiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    tell_plainly()
    assert warnings.formatwarning("said", CompilationWarning, "bnnsim", 1) == "said\n"
    assert warnings.formatwarning("said", UserWarning, "bnnsim", 1) == "bnnsim:1: UserWarning: said\n"


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (["fold", "tfc", "--device", "xc7z020", "--fps", "1000", "--out", "a.yaml"], "folding"),
        (["fold", "tfc", "--devices", "xc7z010,xc7z020", "--fps", "1000"], "folding"),
        (["new", "engine", "tfc", "--device", "xc7z020", "--out", "e.yaml"], "timing engines"),
        (["sweep", "pynq-tfc", "tfc", "--knob", "clock_mhz=50,100"], "judging"),
        (["report", "pynq-tfc", "tfc", "--timing-only", "--out", "r.html"], "simulating"),
        (["vectors", "pynq-tfc", "tfc", *DRAWN, "--out", "v"], "simulating"),
        (["compare", "pynq-tfc:tfc", "pynq-tfc:tfc"], "comparing"),
        (["fifos", "pynq-tfc", "tfc", "--out", "f.yaml"], "sizing FIFOs"),
    ],
)
def test_every_command_that_takes_long_says_what_it_does(
    asked: list[str],
    what: str,
    lines: queue.Queue[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = []
    leave = Work.__exit__

    def leave_once_told(work: Work, *error: Any) -> None:
        told.append(lines.get(timeout=WAIT_S))  # also where the work is sooner done than a line is due
        leave(work, *error)

    monkeypatch.setattr(Work, "__exit__", leave_once_told)
    monkeypatch.chdir(tmp_path)
    assert run(asked) == 0
    told += [lines.get() for _ in range(lines.qsize())]
    assert any(line.startswith(f"{what}: ") for line in told), told


def test_sentences_are_broken_between_words_and_go_on_below_their_beginning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with terminal_of(40):
        show_facts([("verified", "8 units, 7 streams, 856 words, 5,475 cycles")], 9)
        show_lines("EQUAL: one against two, on all of the layers\noutput    a: 10 of 10 inputs are equal")
    assert capsys.readouterr().out.splitlines() == [
        "verified  8 units, 7 streams, 856 words,",
        "          5,475 cycles",
        "EQUAL: one against two, on all of the",
        "layers",
        "output    a: 10 of 10 inputs are equal",
    ]
