"""What is understood of the settings of a foreign operator or layer, as data; the rest is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bnnsim.spec.faults import InputError, near_names

Refuse = Callable[[str, object], InputError]
"""Makes the fault of the operator or layer: expected, got."""
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Setting:
    """What is understood of one attribute: ``text`` says it, ``accepts`` decides it.

    ``first`` and ``last`` are the versions of the definition (ONNX's opset) in which it stands.
    """

    text: str
    accepts: Callable[[Any], bool]
    first: int = 0
    last: int = 1 << 30

    def holds_in(self, version: int) -> bool:
        """Whether this row speaks of that version."""
        return self.first <= version <= self.last


Settings = Mapping[str, tuple[Setting, ...]]
"""Rows by attribute; several where versions differ."""


def every(text: str, first: int = 0, last: int = 1 << 30) -> tuple[Setting, ...]:
    """Every value is read, and means what the definition says."""
    return (Setting(text, lambda value: True, first, last),)


def only(*values: Any, note: str = "", first: int = 0, last: int = 1 << 30) -> tuple[Setting, ...]:
    """One of these values."""
    shown = " or ".join(shown_value(value) for value in values)
    text = f"{shown} ({note})" if note else shown

    def accepts(value: Any) -> bool:
        return any(isinstance(value, str) == isinstance(one, str) and value == one for one in values)

    return (Setting(text, accepts, first, last),)


def such(text: str, accepts: Callable[[Any], bool]) -> tuple[Setting, ...]:
    """The values that ``accepts`` takes, which ``text`` describes."""
    return (Setting(text, accepts),)


def without_effect(reason: str) -> tuple[Setting, ...]:
    """Every value: it changes nothing when a trained model is run."""
    return (Setting(f"any; {reason}", lambda value: True),)


def is_number(value: Any) -> bool:
    """Whether a setting is a finite real number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def check_settings(refuse: Refuse, known: Settings, given: Mapping[str, Any], version: int = 0) -> None:
    """Raises :class:`InputError` at the first of ``given`` that is unknown or not understood."""
    for key, value in given.items():
        rows = [row for row in known.get(key, ()) if row.holds_in(version)]
        if not rows:
            names = sorted(name for name, rows in known.items() if any(r.holds_in(version) for r in rows))
            near = near_names(key, names)
            hint = f" (nearest: {', '.join(near)})" if near else ""
            expected = f"settings that are understood ({', '.join(names) or 'none'})"
            raise refuse(expected, f"{key} = {shown_value(value)}{hint}")
        if not any(row.accepts(value) for row in rows):
            expected = f"{key} {' or '.join(row.text for row in rows)}"
            raise refuse(expected, shown_value(value))


def shown_value(value: Any) -> str:
    """A value as a part of one line."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
