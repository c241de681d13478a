"""Reads the free fields of a spec: which knobs there are, and what follows them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bnnsim.design.network.network import Network
from bnnsim.search.space.fields import Field, Knob, Value, combinations, knob_values, path_name
from bnnsim.spec.faults import Fault, KeyPath, divisors_of, near_names
from bnnsim.spec.yaml.scalars import ScalarError, plain_value
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import value_text

DIVISORS = "divisors"
MOST_COMBINATIONS = 100_000
"""Combinations of the knobs that one field follows, at most: all are checked when a space is read."""
_ARITHMETIC = ("times", "over", "plus")
_LINK = ("knob", "map", *_ARITHMETIC)


@dataclass
class FieldReader:
    """Finds the free fields of a spec and puts a first value in the place of each.

    ``shared`` are the knobs that the space names. Faults are gathered in ``faults``, the paths of
    fields that have one in ``wrong``.
    """

    source: SourceText
    network: Network | None
    """None where it could not be read: what depends on it is then not looked at."""
    shared: Mapping[str, Knob]
    folds_layers: bool
    """Whether ``layers`` are streaming units, whose PE and SIMD can be free together."""
    knobs: dict[str, Knob] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    wrong: set[KeyPath] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.knobs.update(self.shared)

    def walk(self, value: Any, path: KeyPath = ()) -> Any:
        """``value`` with every free field at its first value."""
        if isinstance(value, list):
            return [self.walk(entry, (*path, i)) for i, entry in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if "knob" in value:
            return self._linked(value, path)
        if set(value) & {"choose", "range"}:
            values = knob_values(self.source, value, path, self.faults)
            if not values:
                self.wrong.add(path)
                return None
            return self._own_knob(path, values)
        if path[:-1] in (("layers",), ("streaming_prefix", "layers")) and DIVISORS in _fold(value):
            value = self._folding(value, path)
        return {key: self.walk(entry, (*path, key)) for key, entry in value.items()}

    def _own_knob(self, path: KeyPath, values: tuple[Value, ...]) -> Value:
        name = path_name(path)
        if name in self.knobs:
            self.faults.append(self.source.fault(path, "each knob's name once", f"'{name}' twice"))
        self.knobs[name] = Knob(name, values)
        self.fields.append(Field(path, name))
        return values[0]

    def _folding(self, value: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        layer = str(path[-1])
        if self.network is None:
            return {key: 1 if entry == DIVISORS else entry for key, entry in value.items()}
        node = self.network.nodes.get(layer)
        if node is None or not node.macs:
            expected = f"a convolution or linear layer of {self.network.workload.name}"
            self._fault(path, expected, f"'{layer}'", near_names(layer, self.network.nodes))
            return {k: v for k, v in value.items() if v != DIVISORS}
        if path[0] == "layers" and self.folds_layers and _fold(value) == (DIVISORS, DIVISORS):
            self.folded.append(layer)
            return {**value, "pe": 1, "simd": 1}
        for side, choices in {"pe": node.pe_choices, "simd": divisors_of(node.matrix_width)}.items():
            if value.get(side) == DIVISORS:
                value = {**value, side: self._own_knob((*path, side), tuple(choices))}
        return value

    # ---- fields that follow a knob of the space -----------------------------------------------

    def _linked(self, value: dict[str, Any], path: KeyPath) -> Any:
        before = len(self.faults)
        for key in value:
            if key not in _LINK:
                expected = f"one of the keys {', '.join(_LINK)}"
                self._fault((*path, key), expected, f"'{key}'", near_names(key, _LINK))
        knob = self._known((*path, "knob"), value["knob"])
        others = [str(value[key]) for key in _ARITHMETIC if key in value]
        followed = [self.shared[name] for name in (str(value["knob"]), *others) if name in self.shared]
        if not all(one.values for one in followed):  # what is wrong with it is said where it stands
            self.wrong.add(path)
            return None
        parts = {key: self._part((*path, key), value[key]) for key in _ARITHMETIC if key in value}
        entries: tuple[tuple[Value, Value], ...] = ()
        if knob is not None and "map" in value:
            entries = self._entries((*path, "map"), value["map"], knob)
        if knob is not None and len(self.faults) == before:
            found = Field(path, knob.name, entries, **parts)
            self._check_results(found)
            if len(self.faults) == before:
                self.fields.append(found)
                return found.value({name: self.knobs[name].values[0] for name in found.knobs})
        self.wrong.add(path)
        return None

    def _known(self, path: KeyPath, name: object) -> Knob | None:
        if isinstance(name, str) and name in self.shared:
            return self.shared[name]
        known = ", ".join(self.shared) or "none there"
        got = f"'{name}'" if isinstance(name, str) else value_text(name)
        self._fault(path, f"a knob of explore.knobs ({known})", got, near_names(str(name), self.shared))
        return None

    def _part(self, path: KeyPath, value: object) -> Any:
        if isinstance(value, str):
            self._known(path, value)
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._fault(path, "a number or a knob's name", value_text(value))
        return value

    def _entries(self, path: KeyPath, given: object, knob: Knob) -> tuple[tuple[Value, Value], ...]:
        wanted = ", ".join(_text(value) for value in knob.values)
        expected = f"an entry for each value of {knob.name} ({wanted})"
        if not isinstance(given, dict):
            self._fault(path, expected, value_text(given))
            return ()
        by_value = {_plain(key): (key, entry) for key, entry in given.items()}
        missing = [_text(value) for value in knob.values if value not in by_value]
        if missing:
            self._fault(path, expected, f"none for {', '.join(missing)}")
        for value, (key, entry) in by_value.items():
            if value not in knob.values:
                near = near_names(key, [_text(v) for v in knob.values])
                self._fault((*path, key), f"a value of {knob.name} ({wanted})", f"'{key}'", near)
            elif not isinstance(entry, Value):
                self._fault((*path, key), "a plain value", value_text(entry))
        return tuple((v, by_value[v][1]) for v in knob.values if v in by_value)

    def _check_results(self, found: Field) -> None:
        """Fault where some combination of knobs does not give a number that a field can hold."""
        if not found.calculates:
            return
        if math.prod(len(self.knobs[name].values) for name in found.knobs) > MOST_COMBINATIONS:
            self._fault(found.path, f"at most {MOST_COMBINATIONS} combinations of its knobs", "more")
            return
        for chosen in combinations(found.knobs, self.knobs):
            shown = ", ".join(f"{name} {_text(value)}" for name, value in chosen.items())
            try:
                inputs = found.numbers(chosen)
                if any(isinstance(value, str | bool) for value in inputs):
                    raise TypeError
                result = found.value(chosen)
            except (TypeError, ZeroDivisionError, OverflowError):
                self._fault(found.path, "numbers to calculate with, and none over 0", shown)
                return
            if all(isinstance(number, int) for number in inputs) and not isinstance(result, int):
                self._fault(found.path, "a whole number for every choice", f"{result:g} with {shown}")
                return

    def unused(self) -> list[Fault]:
        """Knobs of the space that no field follows."""
        used = {name for found in self.fields for name in found.knobs}
        return [
            self.source.fault(
                ("explore", "knobs", name), f"a field that follows it ({{knob: {name}}})", "none"
            )
            for name in self.shared
            if name not in used
        ]

    def _fault(self, path: KeyPath, expected: str, got: str, near: Sequence[str] = ()) -> None:
        self.faults.append(self.source.fault(path, expected, got, near))


def _fold(value: Mapping[str, Any]) -> tuple[Any, Any]:
    return value.get("pe"), value.get("simd")


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(key: str) -> Any:
    """A mapping's key, which is text, as the value that it stands for."""
    try:
        value = plain_value(key)
    except ScalarError:
        return key
    return value if isinstance(value, Value) else key
