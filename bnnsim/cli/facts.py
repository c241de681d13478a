"""An answer in lines: a word, then what it is; sentences take several lines, what is copied takes one."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from bnnsim.cli.console import output

WIDTH = 11
"""Characters of the words in front, unless one is longer."""
LEAST_TEXT = 24
"""Below so many characters a line, text is not broken."""


def show_facts(facts: Iterable[tuple[str, str]], width: int = WIDTH) -> None:
    """Print sentences, their further lines below their first."""
    for word, text in facts:
        room = output.width - width - 1
        lines = _wrapped(text, room) if room >= LEAST_TEXT else [text]
        _line(f"{word:<{width}} {lines[0]}")
        for line in lines[1:]:
            _line(f"{'':<{width}} {line}")


def show_lines(text: str) -> None:
    """Print lines that begin with their word and two spaces, or with none, as :func:`show_facts` does."""
    for line in text.splitlines():
        word = re.match(r"\S+ {2,}", line)
        width = word.end() if word else 0
        first, *more = _wrapped(line[width:], output.width - width)
        for start, part in ((line[:width], first), *((" " * width, part) for part in more)):
            _line(start + part)


def show_places(places: Iterable[tuple[str, str]], width: int = WIDTH) -> None:
    """Print files and commands, each in one line: to be copied."""
    for word, text in places:
        _line(f"{word:<{width}} {text}")


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]


def _line(text: str) -> None:
    output.print(text.rstrip(), markup=False, soft_wrap=True)
