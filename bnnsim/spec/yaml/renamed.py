"""Keys and words that an architecture's YAML once had: read as what they are called today, said once."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from bnnsim.spec.faults import Fault, KeyPath, OldKeyWarning, key_text
from bnnsim.spec.yaml.known import known_keys, schema_of
from bnnsim.spec.yaml.source import SourceText


@dataclass(frozen=True)
class Renamed:
    """A key ``old`` that is now ``new``, in the mappings at ``place`` (said with today's keys).

    In a place ``*`` is any key, ``#`` a position in a list, ``**`` any number of both. ``words`` are
    values of the key that have new names. What may not stand there today is not renamed.
    """

    place: str
    old: str
    new: str
    words: Mapping[str, str] = field(default_factory=dict)


_POOLS = {"row": "line_buffered", "flow": "streaming"}

RENAMED = (
    Renamed("", "tiling", "ram_decomposition"),
    Renamed("", "front", "streaming_prefix"),
    Renamed("frame_source", "gap_steps", "inter_frame_gap_steps"),
    Renamed("streaming_prefix.frame_source", "gap_steps", "inter_frame_gap_steps"),
    Renamed("layers.*", "pool", "pool", _POOLS),
    Renamed("streaming_prefix.layers.*", "pool", "pool", _POOLS),
    Renamed("arrays.*", "executes", "supported_ops"),
    Renamed("arrays.*", "unrolls", "spatial_unrolling"),
    Renamed("arrays.*", "walks", "iteration_space"),
    Renamed("stages.*", "unrolls", "spatial_unrolling"),
    Renamed("buffers.*", "keeps", "residency"),
    Renamed("programs.*.steps.**.#", "do", "op"),
    Renamed("programs.*.steps.**.#", "on", "unit"),
    Renamed("programs.*.steps.**.#", "what", "payload"),
    Renamed("programs.*.steps.**.loops.#", "over", "dimension"),
    Renamed("frame.*.**.#", "do", "op"),
    Renamed("frame.*.**.#", "on", "unit"),
    Renamed("frame.*.**.#", "what", "payload"),
    Renamed("frame.*.**.loops.#", "over", "dimension"),
)


def current(source: SourceText, model: type[BaseModel]) -> SourceText:
    """An architecture of the kind ``model``, or a space of them, with today's keys.

    The user's own are kept for messages. Old ones are said in an :class:`OldKeyWarning`, one for the
    file. A mapping that has a key by both its names keeps the new one and has a fault.
    """
    reading = _Reading(source)
    if reading.renamed:
        schema, data = schema_of(model), reading.new.data
        wrong = {p for p in reading.renamed if p[-1] not in known_keys(schema, p[:-1], data)}
        reading = _Reading(source, wrong) if wrong else reading
    if reading.found:
        (place, key, *first), *others = reading.found.values()
        text = f"{place}: {key}: {_said(*first)}"
        if others:
            text += f" ({', '.join(_said(*other[2:]) for other in others)})"
        warnings.warn(OldKeyWarning(text, source.file), stacklevel=2)
    return reading.new


def current_path(path: Sequence[str], shown: str) -> tuple[str, ...]:
    """A path that a user gave, with today's keys; ``shown`` stands for it in the warning."""
    found: list[str] = []
    for part in path:
        rule = _rule(tuple(found), part)
        if rule is not None and rule.old != rule.new:
            text = f"{shown}: {_said(part, rule.new)}"
            warnings.warn(OldKeyWarning(text, shown), stacklevel=2)
        found.append(part if rule is None else rule.new)
    return tuple(found)


def current_value(path: Sequence[str], value: Any) -> Any:
    """A value at ``path`` (of today's keys) in today's words."""
    rule = _rule(tuple(path[:-1]), path[-1])
    return value if rule is None else _translated(rule.words, value)


def old_names(place: KeyPath) -> dict[str, str]:
    """The names that keys of the mapping at ``place`` once had, each with today's."""
    return {
        rule.old: rule.new
        for rule in RENAMED
        if rule.old != rule.new and _matches(_parts(rule), place)
    }


class _Reading:
    """One pass over the data, which leaves the keys as they are that would get a path in ``wrong``.

    ``found`` holds place, key, old and new of each renaming once, ``renamed`` the new path of each.
    """

    def __init__(self, source: SourceText, wrong: Collection[KeyPath] = ()) -> None:
        self.old = source
        self.wrong = wrong
        self.new = SourceText(source.file, {}, faults=list(source.faults))
        self.found: dict[tuple[str, str], tuple[str, str, str, str]] = {}
        self.renamed: set[KeyPath] = set()
        self.new.data = self.value(source.data, (), ())

    def value(self, value: Any, old: KeyPath, new: KeyPath) -> Any:
        if old in self.old.lines:
            self.new.lines[new] = self.old.lines[old]
        if isinstance(value, list):
            return [self.value(v, (*old, i), (*new, i)) for i, v in enumerate(value)]
        if not isinstance(value, dict):
            return value
        result: dict[str, Any] = {}
        for key, entry in value.items():
            rule = _rule(new, key)
            if rule is None or (*new, rule.new) in self.wrong:
                result[key] = self.value(entry, (*old, key), (*new, key))
                continue
            if key != rule.new and rule.new in value:
                self.renamed.add((*new, rule.new))
                self._twice((*old, key), rule.new)
                continue
            if key != rule.new:
                self.renamed.add((*new, rule.new))
                self.new.written[*new, rule.new] = key
                self._note((*old, key), key, rule.new)
            place, entry = self._followed((*old, key), entry, rule.words)
            for word in _words(entry):
                if word in rule.words:
                    self.renamed.add((*new, rule.new))
                    self._note(place, word, rule.words[word])
            entry = _translated(rule.words, entry)
            result[rule.new] = self.value(entry, (*old, key), (*new, rule.new))
        return result

    def _followed(self, path: KeyPath, entry: Any, words: Mapping[str, str]) -> tuple[KeyPath, Any]:
        """Where a field's words stand, and the field: one that is a knob's old words maps them.

        The knob's values are its user's own, in results and in stored trials as well.
        """
        if not isinstance(entry, dict) or set(entry) != {"knob"} or not isinstance(entry["knob"], str):
            return path, entry
        place: KeyPath = ("explore", "knobs", entry["knob"])
        knob: Any = self.old.data
        for part in (*place, "choose"):
            knob = knob.get(part) if isinstance(knob, dict) else None
        chosen = knob if isinstance(knob, list) else []
        if not all(isinstance(word, str) for word in chosen) or words.keys().isdisjoint(chosen):
            return path, entry
        return place, {**entry, "map": {word: word for word in chosen}}

    def _note(self, path: KeyPath, old: str, new: str) -> None:
        place = f"{self.old.file}:{self.old.line_of(path)}"
        self.found.setdefault((old, new), (place, key_text(path), old, new))

    def _twice(self, path: KeyPath, new: str) -> None:
        line, expected = self.old.line_of(path), f"its newer name '{new}' alone"
        got = f"'{path[-1]}' beside it"
        self.new.faults.append(Fault(self.old.file, line, key_text(path), expected, got))


def _said(old: str, new: str) -> str:
    return f"'{old}' is now '{new}'"


def _rule(place: KeyPath, key: str | int) -> Renamed | None:
    """What renames ``key`` (or its words) in the mapping at ``place``; None where nothing does."""
    for rule in _BY_KEY.get(key, ()):
        if _matches(_parts(rule), place):
            return rule
    return None


_BY_KEY: dict[str | int, list[Renamed]] = {}
for _one in RENAMED:
    _BY_KEY.setdefault(_one.old, []).append(_one)


def _parts(rule: Renamed) -> list[str]:
    return rule.place.split(".") if rule.place else []


def _matches(pattern: Sequence[str], path: KeyPath) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(pattern[1:], path[i:]) for i in range(len(path) + 1))
    if not path:
        return False
    is_position = isinstance(path[0], int) or path[0].isdecimal()
    fits = pattern[0] == path[0] or (is_position if pattern[0] == "#" else pattern[0] == "*")
    return fits and _matches(pattern[1:], path[1:])


def _translated(words: Mapping[str, str], value: Any) -> Any:
    """A value in new words: itself, or those that a space's field chooses from or maps to."""
    if isinstance(value, str):
        return words.get(value, value)
    if isinstance(value, dict) and isinstance(value.get("choose"), list):
        return {**value, "choose": [_translated(words, one) for one in value["choose"]]}
    if isinstance(value, dict) and isinstance(value.get("map"), dict):
        entries = {key: _translated(words, one) for key, one in value["map"].items()}
        return {**value, "map": entries}
    return value


def _words(value: Any) -> list[str]:
    """The texts that a field has, chooses from or maps to."""
    if isinstance(value, dict):
        value = value.get("choose", value.get("map"))
        value = list(value.values()) if isinstance(value, dict) else value
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
