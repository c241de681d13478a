"""A value change dump read back by the letter of its format, sharing nothing with what wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Dump:
    """``names`` maps full signal names to identifier codes; ``changes`` are (time, code, value).

    ``end`` is the last time that is said, with changes or without.
    """

    timescale: str = ""
    names: dict[str, str] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    changes: list[tuple[int, str, str]] = field(default_factory=list)
    end: int = 0

    def cycles(self, clock: str) -> Iterator[dict[str, str]]:
        """The value of every signal, by name, at each falling edge of ``clock``."""
        code_of = self.names[clock]
        values = dict.fromkeys(self.widths, "x")
        by_name = sorted(self.names.items())
        for _, code, value in self.changes:
            falls = code == code_of and values[code] == "1" and value == "0"
            values[code] = value
            if falls:
                yield {name: values[code] for name, code in by_name}

    def by_name(self) -> dict[str, list[tuple[int, str]]]:
        """(time, value) of each signal's changes."""
        found: dict[str, list[tuple[int, str]]] = {code: [] for code in self.widths}
        for time, code, value in self.changes:
            found[code].append((time, value))
        return {name: found[code] for name, code in self.names.items()}


def read_vcd(path: Path) -> Dump:
    """Parse a dump; strings keep their text, vectors their binary digits."""
    dump = Dump()
    scope: list[str] = []
    time = 0
    lines = iter(path.read_text().splitlines())
    for line in lines:
        words = line.split()
        match words[0]:
            case "$timescale":
                dump.timescale = " ".join(words[1:-1])
            case "$scope":
                scope.append(words[2])
            case "$upscope":
                scope.pop()
            case "$var":
                _, _, width, code, name, _ = words
                full = ".".join([*scope, name])
                assert full not in dump.names, f"{full} twice"
                dump.names[full] = code
                dump.widths[code] = int(width)
            case "$enddefinitions":
                break
    for line in lines:
        if line.startswith("#"):
            assert int(line[1:]) >= time, "times must not go back"
            time = int(line[1:])
        elif line[0] in "01xz":
            dump.changes.append((time, line[1:], line[0]))
        elif line[0] in "bs":
            value, code = line[1:].split(" ")
            dump.changes.append((time, code, value))
        else:
            assert line.startswith("$"), line
    dump.end = time
    return dump


def stretches(changes: list[tuple[int, str]], end: int) -> list[tuple[int, int, str]]:
    """(start, end, value) of each stretch that lasts."""
    ends = [time for time, _ in changes[1:]] + [end]
    found = ((start, stop, value) for (start, value), stop in zip(changes, ends, strict=True))
    return [one for one in found if one[1] > one[0]]
