"""Free fields: knobs with the values they may take, and the fields of a spec that follow them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from bnnsim.design.network import Network
from bnnsim.spec.faults import Fault, KeyPath, divisors_of, near_names
from bnnsim.spec.source import SourceText
from bnnsim.spec.validate import value_text

Value = int | float | str | bool
DIVISORS = "divisors"
MOST_VALUES = 1_000
"""Values of one knob at most."""
MOST_COMBINATIONS = 100_000
"""Combinations of the knobs that one field follows, at most: all are checked when a space is read."""
_ARITHMETIC = ("times", "over", "plus")
_LINK = ("knob", "map", *_ARITHMETIC)


@dataclass(frozen=True)
class Knob:
    """Something free, with the values it may take, in order."""

    name: str
    values: tuple[Value, ...]

    @property
    def is_ordered(self) -> bool:
        """Whether its values are numbers, so that there are neighbours."""
        return not any(isinstance(value, str | bool) for value in self.values)


@dataclass(frozen=True)
class Field:
    """A field of a spec that follows a knob: ``map[knob] x times / over + plus``.

    ``times``, ``over`` and ``plus`` are numbers or names of other knobs.
    """

    path: KeyPath
    knob: str
    entries: tuple[tuple[Value, Value], ...] = ()
    """What the field is for each value of the knob; empty: the value itself."""
    times: int | float | str = 1
    over: int | float | str = 1
    plus: int | float | str = 0

    @property
    def knobs(self) -> tuple[str, ...]:
        """The names of all knobs that it follows."""
        others = [name for name in (self.times, self.over, self.plus) if isinstance(name, str)]
        return tuple(dict.fromkeys([self.knob, *others]))

    @property
    def calculates(self) -> bool:
        return (self.times, self.over, self.plus) != (1, 1, 0)

    @cached_property
    def _mapped(self) -> dict[Value, Value]:
        return dict(self.entries)

    def value(self, knobs: Mapping[str, Value]) -> Value:
        """What the field is with these values of the knobs; a whole number where all are whole."""
        if not self.calculates:
            return self.numbers(knobs)[0]
        base, times, over, plus = self.numbers(knobs)
        product = base * times  # type: ignore[operator]
        if isinstance(product, int) and isinstance(over, int) and product % over == 0:
            return product // over + plus  # type: ignore[operator]
        return product / over + plus  # type: ignore[operator]

    def numbers(self, knobs: Mapping[str, Value]) -> tuple[Value, Value, Value, Value]:
        """What the knob, or its map, ``times``, ``over`` and ``plus`` are."""
        base = knobs[self.knob]
        times, over, plus = (
            knobs[part] if isinstance(part, str) else part for part in (self.times, self.over, self.plus)
        )
        return self._mapped.get(base, base), times, over, plus


def combinations(names: Sequence[str], knobs: Mapping[str, Knob]) -> Iterator[dict[str, Value]]:
    """Every combination of the values of the named knobs."""
    for values in itertools.product(*(knobs[name].values for name in names)):
        yield dict(zip(names, values, strict=True))


@dataclass
class FieldReader:
    """Finds the free fields of a spec and puts a first value in the place of each.

    ``shared`` are the knobs that the space names. Faults are gathered in ``faults``, the paths of
    fields that have one in ``wrong``.
    """

    source: SourceText
    network: Network
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
        if path[:-1] in (("layers",), ("front", "layers")) and DIVISORS in _fold(value):
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
        node = self.network.nodes.get(layer)
        if node is None or not node.macs:
            expected = f"a convolution or linear layer of {self.network.workload.name}"
            self._fault(path, expected, f"'{layer}'", near_names(layer, self.network.nodes))
            return {k: v for k, v in value.items() if v != DIVISORS}
        if path[0] == "layers" and self.folds_layers and _fold(value) == (DIVISORS, DIVISORS):
            self.folded.append(layer)
            return {**value, "pe": 1, "simd": 1}
        for side, whole in {"pe": node.matrix_height, "simd": node.matrix_width}.items():
            if value.get(side) == DIVISORS:
                value = {**value, side: self._own_knob((*path, side), tuple(divisors_of(whole)))}
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


def knob_values(
    source: SourceText, value: Mapping[str, Any], path: KeyPath, faults: list[Fault]
) -> tuple[Value, ...]:
    """The values of ``{choose: [..]}`` or ``{range: [low, high]}``; none where ``faults`` say why."""
    before = len(faults)
    if set(value) == {"choose"}:
        chosen = value["choose"]
        if not isinstance(chosen, list) or not chosen or not all(isinstance(v, Value) for v in chosen):
            faults.append(source.fault((*path, "choose"), "a list of values", value_text(chosen)))
        elif len(set(chosen)) < len(chosen):
            faults.append(source.fault((*path, "choose"), "each value once", value_text(chosen)))
        return tuple(chosen) if len(faults) == before else ()
    known = {"range", "step", "factor"}
    if "range" not in value or set(value) - known or {"step", "factor"} <= set(value):
        expected = "choose: [..], or range: [low, high] with step or factor"
        faults.append(source.fault(path, expected, value_text(list(value))))
        return ()
    bounds = value["range"]
    if not (isinstance(bounds, list) and len(bounds) == 2 and all(_is_number(b) for b in bounds)) or (
        not 0 < bounds[0] <= bounds[1]
    ):
        expected = "[low, high] with 0 < low <= high"
        faults.append(source.fault((*path, "range"), expected, value_text(bounds)))
        return ()
    return _range(source, value, path, faults)


def _range(
    source: SourceText, value: Mapping[str, Any], path: KeyPath, faults: list[Fault]
) -> tuple[Value, ...]:
    low, high = value["range"]
    key = "factor" if "factor" in value else "step"
    growth = value.get(key, 1)
    least = 1 if key == "factor" else 0
    if not _is_number(growth) or growth <= least:
        faults.append(source.fault((*path, key), f"a number > {least}", value_text(growth)))
        return ()
    values: list[Value] = []
    here = low
    while here <= high and len(values) <= MOST_VALUES:
        values.append(here)
        here = here * growth if key == "factor" else here + growth
    if len(values) > MOST_VALUES:
        faults.append(source.fault((*path, "range"), f"at most {MOST_VALUES} values", "more"))
        return ()
    return tuple(values)


def path_name(path: KeyPath) -> str:
    """What a field is called as a knob: ``programs.conv.steps.0.depth``."""
    return ".".join(str(part) for part in path)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _fold(value: Mapping[str, Any]) -> tuple[Any, Any]:
    return value.get("pe"), value.get("simd")


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(key: str) -> Any:
    """A mapping's key, which is text, as the value that it stands for."""
    try:
        value = yaml.safe_load(key)
    except yaml.YAMLError:
        return key
    return value if isinstance(value, Value) else key
