"""Knobs with the values they may take, and the fields of a spec that follow them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from bnnsim.spec.faults import Fault, KeyPath
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import value_text

Value = int | float | str | bool
MOST_VALUES = 1_000
"""Values of one knob at most."""


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


def field_values(
    path: KeyPath, fields: Sequence[Field], knobs: Mapping[str, Knob], data: Any
) -> tuple[Value, ...]:
    """The values that the field at ``path`` of a space's ``data``, free or not, can have."""
    for found in fields:
        if found.path == path:
            return tuple(found.value(chosen) for chosen in combinations(found.knobs, knobs))
    here: Any = data
    for part in path:
        here = here[part]
    return (here,)


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
    is_whole = all(isinstance(number, int) for number in (low, growth))
    # In decimals, as they were written: sums of 0.1 drift and would miss the upper end.
    here, last, more = (Decimal(repr(number)) for number in (low, high, growth))
    while here <= last and len(values) <= MOST_VALUES:
        values.append(int(here) if is_whole else float(here))
        here = here * more if key == "factor" else here + more
    if len(values) > MOST_VALUES:
        faults.append(source.fault((*path, "range"), f"at most {MOST_VALUES} values", "more"))
        return ()
    return tuple(values)


def path_name(path: KeyPath) -> str:
    """What a field is called as a knob: ``programs.conv.steps.0.depth``."""
    return ".".join(str(part) for part in path)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
