"""A reader of value change dumps that knows nothing of who wrote them (IEEE 1364, clause 18)."""

from __future__ import annotations

from pathlib import Path


def read_vcd(path: Path) -> tuple[dict[str, list[tuple[int, str]]], int]:
    """By full name (scopes with dots) all (time, value), and the last time.

    Values are text: binary digits of vectors and scalars, strings as they stand.
    """
    names: dict[str, str] = {}
    found: dict[str, list[tuple[int, str]]] = {}
    scopes: list[str] = []
    time = 0
    head, _, body = path.read_text("ascii").partition("$enddefinitions $end")
    words = head.split()
    at = 0
    while at < len(words):
        end = words.index("$end", at)
        match words[at]:
            case "$scope":
                scopes.append(words[at + 2])
            case "$upscope":
                scopes.pop()
            case "$var":
                names[words[at + 3]] = ".".join([*scopes, words[at + 4]])
        at = end + 1
    for name in names.values():
        assert name not in found, f"{name} twice"
        found[name] = []
    for line in body.splitlines():
        if not line or line.startswith("$"):
            continue
        if line[0] == "#":
            assert int(line[1:]) >= time, "time goes back"
            time = int(line[1:])
        elif line[0] in "bs":
            value, code = line[1:].split(" ")
            found[names[code]].append((time, value))
        else:
            found[names[line[1:]]].append((time, line[0]))
    return found, time


def stretches(changes: list[tuple[int, str]], end: int) -> list[tuple[int, int, str]]:
    """(start, end, value) of each stretch."""
    ends = [time for time, _ in changes[1:]] + [end]
    found = ((start, stop, value) for (start, value), stop in zip(changes, ends, strict=True))
    return [one for one in found if one[1] > one[0]]
