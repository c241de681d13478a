"""Single YAML values, read as an engineer reads them: what two readers read differently is refused.

YAML 1.1 makes 100 of ``1:40``, of ``0144`` and of ``0b1100100``, text of ``1e2`` and booleans of
``on`` and ``no``; YAML 1.2 reads each in another way.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar

import yaml

from bnnsim.spec.bounds import MAX_DIGITS

PLAIN, TEXT = "plain", "text"
"""What :class:`ScalarLoader` tags values without and within quotes."""

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)")
_REAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_AMBIGUOUS = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|0[xX][0-9a-fA-F_]+|0[bB][0-9_]+|0[oO][0-9_]+"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)"
)
_WORDS = {"true": True, "false": False, "null": None}
_NULLS = ("", "~")
_SWITCHES = ("yes", "no", "on", "off")

NUMBER_TEXT = "a number in decimal (100, 1_000, 2.5, 1e2), or text in quotes"


class ScalarError(ValueError):
    """A value that is none: what was expected, and what stands there."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got


class Unresolved:
    """Makes a loader leave to :func:`scalar_value` what a value without quotes means."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return PLAIN if implicit[0] else TEXT
        return str(super().resolve(kind, value, implicit))  # type: ignore[misc]


class ScalarLoader(Unresolved, yaml.SafeLoader):
    """PyYAML's own parser, without what YAML 1.1 makes of single values."""


MOST_RESOLVED = 10_000
"""Values that are kept at once."""
_FastDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Writes the same; libyaml's three times as fast."""


class ScalarDumper(_FastDumper):  # type: ignore[misc]
    """Writes in quotes the text that :func:`plain_value` would not read as itself."""

    _resolved: ClassVar[dict[str, str]] = {}
    """What plain values were found to be before: files of a kind have most of them in common."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is not yaml.ScalarNode or not implicit[0]:
            return str(super().resolve(kind, value, implicit))
        if value not in self._resolved:
            found = str(super().resolve(kind, value, implicit))
            if found.endswith(":str") and not is_text(value):
                found = "tag:yaml.org,2002:binary"  # anything but text: the emitter then quotes it
            if len(self._resolved) == MOST_RESOLVED:
                self._resolved.clear()
            self._resolved[value] = found
        return self._resolved[value]


def scalar_value(node: yaml.ScalarNode) -> Any:
    """The value of a node that a :class:`ScalarLoader` composed. Raises :class:`ScalarError`."""
    if node.tag == PLAIN:
        return plain_value(node.value)
    if node.tag == TEXT or node.tag.endswith(":str"):
        return node.value
    raise ScalarError(*tag_fault(node.tag, node.value))


def tag_fault(tag: str, value: str = "") -> tuple[str, str]:
    """What is expected in the place of a value with a tag, and what stands there."""
    shown = tag.replace("tag:yaml.org,2002:", "!!")
    return "a plain YAML value without a tag", f"{shown} {value!r}" if value else shown


def plain_value(text: str) -> Any:
    """None, a boolean, an integer, a float, or ``text`` itself.

    Numbers are decimal: ``100``, ``1_000``, ``2.5``, and with an exponent ``1e2``, which is an integer
    where it is whole. Raises :class:`ScalarError` for what only looks like a number, and for YAML 1.1's
    ``yes``, ``no``, ``on`` and ``off``.

    >>> [plain_value(text) for text in ("100", "1_000", "1e2", "2.5", "true", "xc7z020", "~")]
    [100, 1000, 100, 2.5, True, 'xc7z020', None]
    """
    lower = text.lower()
    if text in _NULLS:
        return None
    if lower in _WORDS and text in (lower, lower.capitalize(), lower.upper()):
        return _WORDS[lower]
    if lower in _SWITCHES and text in (lower, lower.capitalize(), lower.upper()):
        raise ScalarError(f"true or false, or the text '{text}' in quotes", text)
    if _ENDLESS.fullmatch(text):
        return float(text.replace(".", "", 1))
    if text[0] not in "+-.0123456789":
        return text
    if _WHOLE.fullmatch(text):
        return int(_bounded(text))
    has_zeros = re.match(r"[-+]?0[0-9]", text) is not None
    if _REAL.fullmatch(text) and not has_zeros:
        return _real(_bounded(text))
    if _AMBIGUOUS.fullmatch(text) or (has_zeros and _REAL.fullmatch(text)):
        raise ScalarError(NUMBER_TEXT, f"{text!r}, which readers of YAML take for different numbers")
    return text


def is_text(text: str) -> bool:
    """Whether ``text`` stands for itself where it is written without quotes."""
    try:
        return bool(plain_value(text) == text) and isinstance(plain_value(text), str)
    except ScalarError:
        return False


def _bounded(text: str) -> str:
    digits = sum(character.isdecimal() for character in text)
    if digits > MAX_DIGITS:
        raise ScalarError(f"a number of at most {MAX_DIGITS} digits", f"one of {digits}")
    return text.replace("_", "")


def _real(text: str) -> int | float:
    """An exact integer where an exponent makes one that can be written out, else the nearest float."""
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ScalarError("a number below 1.8e308", text)
    if "e" not in text.lower() or abs(number) >= 10.0**MAX_DIGITS:
        return number
    exact = Decimal(text) if abs(number) >= 1 else Decimal(number)
    return int(exact) if exact == exact.to_integral_value() else number
