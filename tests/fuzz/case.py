"""One fuzzed input: the files and the command, and what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bnnsim.cli import app
from tests.terminal import terminal_of

LONGEST_S = 20.0
"""Of processor time, its child processes' included: other programs on the machine do not count."""
MOST_BYTES = 2 << 30
LONGEST_LINE = 2000


@dataclass(frozen=True)
class Case:
    """A command; ``places`` are what a message may begin with: its files, options and commands."""

    arguments: list[str]
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of input: ``make`` writes a case's files below a folder."""

    name: str
    share: int
    make: Callable[[Random, Path], Case]


@dataclass(frozen=True)
class Outcome:
    """How a case ended; ``failure`` is empty where nothing is wrong with it."""

    code: int
    seconds: float
    peak_bytes: int
    failure: str = ""


def run_case(case: Case) -> Outcome:
    """Run a command in this process and judge its end."""
    begun = _processor_s()
    code, failure = -1, ""
    with _captured() as text:
        try:
            code = app.run(_spread(case.arguments))
        except BaseException:  # whatever comes out of it is the finding
            failure = f"traceback: {traceback.format_exc()[-1200:]}"
    seconds = _processor_s() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if not failure:
        failure = _judged(case, code, text.getvalue(), seconds)
    return Outcome(code, seconds, peak, failure)


def _processor_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _spread(arguments: list[str]) -> list[str]:
    from bnnsim.cli import _spread as spread

    return spread(arguments)


def _judged(case: Case, code: int, text: str, seconds: float) -> str:
    lines = text.splitlines()
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if seconds > LONGEST_S:
        return f"late: {seconds:.1f} s"
    if "Traceback (most recent" in text:
        return f"traceback: {text[-2000:]}"
    if re.search(r"Warning: | at 0x[0-9a-f]{6}", text):
        return f"a library's own words: {text[:300]}"
    if text.startswith("memory: "):
        return "more memory than allowed"
    longest = max(map(len, lines), default=0)
    if code and longest > LONGEST_LINE:
        return f"a line of {longest} characters: {text[:200]}"
    if code == 2 and not any(_has_place(line, case.places) for line in lines):
        return f"no place: {text[:300]}"
    return "" if code == 0 or text.strip() else f"exit code {code} without a word"


def _has_place(line: str, places: tuple[str, ...]) -> bool:
    named = re.match(r"(Usage|Try|Error|-)", line) is not None
    return named or any(place in line for place in places)


@contextlib.contextmanager
def _captured() -> Iterator[io.StringIO]:
    """Both streams as one text; the consoles were made with the old ones."""
    text = io.StringIO()
    kept = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = text
    try:
        with terminal_of(10_000):
            yield text
    finally:
        sys.stdout, sys.stderr = kept
