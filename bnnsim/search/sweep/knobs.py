"""The fields that a sweep varies: read from the command line, found in the spec, set to values."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bnnsim.search.space.fields import Value
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault, InputError, SpecError, key_text, near_names
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.yaml.renamed import current_path, current_value
from bnnsim.spec.yaml.scalars import ScalarError, plain_value
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate


@dataclass(frozen=True)
class SweepKnob:
    """A field by its path in the spec, and the values it is given."""

    path: tuple[str, ...]
    values: tuple[Value, ...]

    @property
    def name(self) -> str:
        return key_text(self.path)


Knobs = Mapping[str, Sequence[Value]] | Sequence[str]
"""Fields with their values, or texts such as ``layers.conv1.pe=1,2,4``."""


def parse_knobs(given: Knobs) -> tuple[SweepKnob, ...]:
    """Read ``{"layers.conv1.pe": [1, 2]}`` or ``layers.conv1.pe=1,2``, one or two of them.

    Raises :class:`SpecError` for what is none, for more than two, and for one field twice.

    >>> [(knob.name, knob.values) for knob in parse_knobs(["layers.conv1.pe=1,2", "clock_mhz=100"])]
    [('layers.conv1.pe', (1, 2)), ('clock_mhz', (100,))]
    >>> parse_knobs({"clock_mhz": range(100, 300, 100)})[0].values
    (100, 200)
    """
    knobs = []
    faults = []
    for path, values, text in _mapped(given) if isinstance(given, Mapping) else _written(given):
        plain = all(isinstance(value, int | float | str | bool) for value in values)
        is_twice = len({str(v) for v in values}) < len(values)
        if not path or not values or not plain or is_twice:
            expected = "a field and its values: layers.conv1.pe=1,2,4"
            expected = "each value once" if path and plain and is_twice else expected
            faults.append(Fault("--knob", 0, "", expected, text))
            continue
        field = current_path(path.split("."), f"--knob {path}")
        knobs.append(SweepKnob(field, tuple(current_value(field, value) for value in values)))
    if faults:
        raise SpecError(faults)
    if not 1 <= len(knobs) <= 2:
        raise InputError("--knob", "one or two fields to vary", str(len(knobs)))
    if len({knob.path for knob in knobs}) < len(knobs):
        raise InputError("--knob", "each field once", knobs[0].name)
    return tuple(knobs)


def _mapped(given: Mapping[str, Sequence[Value]]) -> Iterator[tuple[str, list[Any], str]]:
    """Of each knob the field, its values, and both as they were given."""
    for path, values in given.items():
        is_list = isinstance(values, Iterable) and not isinstance(values, str)
        yield str(path), list(values) if is_list else [], f"{path!r}: {values!r}"


def _written(given: Sequence[str]) -> Iterator[tuple[str, list[Any], str]]:
    for text in given:
        path, mark, values = text.partition("=")
        yield path, [_value(value) for value in values.split(",")] if mark else [], repr(text)


def _value(text: str) -> Any:
    """A value as it would stand in a spec; None where it could not."""
    try:
        return plain_value(text.strip())
    except ScalarError:
        return None


def path_faults(source: SourceText, knob: SweepKnob, sections: Sequence[str]) -> list[Fault]:
    """The fault of a path that leaves what the file or the spec has; ``sections`` are the spec's keys."""
    here: Any = source.data
    for depth, part in enumerate(knob.path[:-1]):
        here = _entry(here, part)
        if isinstance(here, dict | list):
            continue
        if depth == 0 and part in sections:
            return []  # a section that the file leaves out
        around: Any = source.data
        for above in knob.path[:depth]:
            around = _entry(around, above)
        names = list(sections) if depth == 0 else _sections(around)
        path = knob.path[: depth + 1]
        near = near_names(part, names)
        return [source.fault(path, "a section of this architecture", f"'{part}'", near)]
    last = knob.path[-1]
    if isinstance(here, list) and _entry(here, last) is None:
        return [source.fault(knob.path, f"one of {len(here)} positions, from 0", f"'{last}'")]
    return []


def _sections(around: Any) -> list[str]:
    entries = enumerate(around) if isinstance(around, list) else dict(around).items()
    return [str(name) for name, entry in entries if isinstance(entry, dict | list)]


def _entry(here: Any, part: str) -> Any:
    """What stands at a key of a mapping, or at a position of a list; None where nothing does."""
    if isinstance(here, dict):
        return here.get(part)
    if isinstance(here, list) and part.isdecimal() and int(part) < len(here):
        return here[int(part)]
    return None


def changed_spec(
    source: SourceText,
    model: type[StreamingArchitecture] | type[EngineArchitecture],
    knobs: Sequence[SweepKnob],
    values: Sequence[Value],
) -> Loaded[Architecture]:
    """The architecture with each knob's field at its value, the values in the knobs' order.

    Raises :class:`SpecError` where a value is none that its field can have at all.
    """
    data = copy.deepcopy(source.data)
    for knob, value in zip(knobs, values, strict=True):
        here = data
        for part in knob.path[:-1]:
            here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
        here[int(knob.path[-1]) if isinstance(here, list) else knob.path[-1]] = value
    changed = source.with_data(data)
    spec, faults = validate(model, changed)
    if spec is None:
        raise SpecError(faults)
    return Loaded(spec, changed, None, tuple(faults))
