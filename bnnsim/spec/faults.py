"""Faults in what a user wrote: gathered as data, turned into sentences in one place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bnnsim.spec.bounds import MAX_ECHO, MAX_PLACE

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One wrong key or value.

    ``file`` and ``line`` (1-based, 0 where the file has none) say where, ``key`` which entry,
    ``expected`` and ``got`` what is wrong, ``near`` the closest right values.
    """

    file: str
    line: int
    key: str
    expected: str
    got: str
    near: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line of text; a long list of what there is comes last, a long value is cut."""
        place = shortened(self.file, MAX_PLACE) + (f":{self.line}" if self.line else "")
        key = f" {shortened(self.key)}:" if self.key else ""
        nearest = f" (nearest: {', '.join(self.near)})" if self.near else ""
        got = f"got {shortened(self.got)}{shortened(nearest)}"
        text = f"expected {self.expected}, {got}"
        if len(self.expected) > MAX_ECHO:
            what, bracket, names = self.expected.removesuffix(")").partition(" (")
            text = f"expected {what}, {got}; known: {names}" if bracket else f"{got}, expected {what}"
        return one_line(f"{place}:{key} {text}")


def shortened(text: str, most: int = MAX_ECHO) -> str:
    """``text``, or the beginning and the length of one that is too long to repeat."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}... ({len(text):,} characters)"


def one_line(text: str) -> str:
    """``text`` with everything escaped that does not print: ends of lines, control characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class SpecError(Exception):
    """What a user gave cannot be used; carries every fault found, in file order.

    Example:
        >>> from bnnsim import SpecError, simulate
        >>> try:
        ...     simulate("pynq-cnv", "tfc", timing_only=True)
        ... except SpecError as error:
        ...     print(len(error.faults), error.faults[0].key, error.faults[0].expected)
        10 layers.fc3 a unit for layer fc3 (linear)
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(
            sorted(set(faults), key=lambda f: (f.file, f.line, f.key, f.expected))
        )
        super().__init__("\n".join(str(fault) for fault in self.faults))


class OldKeyWarning(UserWarning):
    """A spec says something under a name that is still read, but no longer the one to use.

    ``place`` is the file, or the option, that says it.
    """

    def __init__(self, text: str, place: str) -> None:
        super().__init__(text, place)
        self.text = text
        self.place = place

    def __str__(self) -> str:
        return self.text


class InputError(SpecError):
    """A single fault outside any YAML file: a weights file, an image, a command-line value.

    Example:
        >>> from bnnsim import InputError, simulate
        >>> try:
        ...     simulate("pynq-cnv", "cnv", frames=0, timing_only=True)
        ... except InputError as error:
        ...     print(error)
        --frames: expected a number >= 1, got 0
    """

    def __init__(self, place: str, expected: str, got: str, near: Sequence[str] = ()) -> None:
        super().__init__([Fault(place, 0, "", expected, got, tuple(near))])


def near_names(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Up to two of ``names`` that look like ``name``."""
    return tuple(difflib.get_close_matches(name, list(names), n=2, cutoff=0.6))


def near_divisors(value: int, whole: int) -> tuple[str, ...]:
    """The divisors of ``whole`` just below and just above ``value``."""
    divisors = divisors_of(whole)
    below = [d for d in divisors if d < value]
    above = [d for d in divisors if d > value]
    return tuple(str(d) for d in below[-1:] + above[:1])


def divisors_of(whole: int) -> list[int]:
    """All divisors of a positive integer, ascending."""
    small = [d for d in range(1, int(whole**0.5) + 1) if whole % d == 0]
    return sorted({*small, *(whole // d for d in small)})


def key_text(path: KeyPath) -> str:
    """``('layers', 'conv1', 'simd')`` as ``layers.conv1.simd``; list positions as ``[2]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
