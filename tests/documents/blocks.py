"""What a document tells its reader to run, and what it says comes out.

A block that is called ``console`` has commands behind ``$``, each with what it prints; a line of it that
ends in a backslash goes on in the next. A line ``…`` stands for lines that are left out. A comment in the
line above a block says how it is followed: ``<!-- long -->`` by ``pytest -m long`` alone,
``<!-- not run: why -->`` by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

LEFT_OUT = "…"
FENCE = re.compile(
    r"^(?:<!-- (?P<how>long|not run: [^\n]+) -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$",
    re.M | re.S,
)
COMMAND = re.compile(r"^\s*(?:\.venv/bin/)?(?:bnnsim|python3?|pip|make|git) ")
VOLATILE = (
    (re.compile(r"\b(Verilator|Icarus Verilog|Yosys) [\d.]+"), r"\1"),
    (re.compile(r"^took .*", re.M), "took"),
    (re.compile(r"\b[\d,.]+ (s|seconds|MB|designs/s)\b"), r"# \1"),
    (re.compile(r"\b\d+(\.\d+)?e-[12]\d\b"), "#"),
)
"""What differs between runs or machines: tools' versions, times, sizes of files, last bits of floats."""


@dataclass(frozen=True)
class Step:
    """A command of a document and what it is said to print.

    ``start`` and ``end`` are where that stands in the document's text.
    """

    line: int
    command: str
    printed: str
    start: int
    end: int
    is_long: bool


def steps(text: str) -> Iterator[Step]:
    """Every command of a document that somebody follows, in its order."""
    for block in FENCE.finditer(text):
        how = block["how"] or ""
        if block["kind"] != "console" or how.startswith("not run"):
            continue
        body, begin = block["body"], block.start("body")
        starts = [found.start() for found in re.finditer(r"^\$ ", body, re.M)]
        for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
            said = re.match(r"\$ ((?:.*\\\n)*.*)\n", body[start:end])
            assert said is not None
            after = start + said.end()
            yield Step(
                text.count("\n", 0, begin + start) + 1,
                said[1].replace("\\\n", " "),
                body[after:end],
                begin + after,
                begin + end,
                how == "long",
            )


def loose_commands(text: str) -> list[str]:
    """Commands in blocks that nobody follows and that do not say why."""
    return [
        line
        for block in FENCE.finditer(text)
        if block["kind"] in ("", "sh", "bash", "shell", "text")
        and not (block["how"] or "").startswith("not run")
        for line in block["body"].splitlines()
        if COMMAND.match(line.removeprefix("$ "))
    ]


def masked(text: str) -> list[str]:
    """Lines without what differs between runs, blanks at their ends, and blank lines around."""
    for pattern, instead in VOLATILE:
        text = pattern.sub(instead, text)
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def is_as_said(said: str, printed: str) -> bool:
    """Whether what was printed is what the document says, except for what it leaves out."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == LEFT_OUT else re.escape(line) + r"\n"
        for line in masked(said)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in masked(printed))) is not None


def shortened_like(said: str, printed: str) -> str:
    """What was printed, with as many lines at its ends as the document shows of it, and of each part
    between two gaps the lines from the one most like its first to the one most like its last."""
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    shown = said.rstrip("\n").splitlines()
    gaps = [place for place, line in enumerate(shown) if line.strip() == LEFT_OUT]
    if gaps and len(lines) > len(shown):
        end = len(lines) - (len(shown) - gaps[-1] - 1)
        kept, at = lines[: gaps[0]], gaps[0]
        for first, last in pairwise(gaps):
            begin = _most_like(shown[first + 1], lines, at, end)
            at = 1 + _most_like(shown[last - 1], lines, begin, end)
            kept += [shown[first], *lines[begin:at]]
        lines = [*kept, shown[gaps[-1]], *lines[end:]]
    return "".join(f"{line}\n" for line in lines)


def _most_like(line: str, lines: list[str], begin: int, end: int) -> int:
    """The place, from ``begin`` to before ``end``, of the first line that is most like another."""
    likeness = [SequenceMatcher(None, line, one, autojunk=False).ratio() for one in lines[begin:end]]
    return begin + likeness.index(max(likeness)) if likeness else begin


def documents(root: Path) -> list[str]:
    """Every document of a checkout that tells its reader something."""
    found = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("[!.]*/README.md")]
    return sorted(path.relative_to(root).as_posix() for path in found)
