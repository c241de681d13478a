"""Values of a space that no architecture can have, of its fields and in the place of choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bnnsim.design.device import device_of
from bnnsim.search.space.field_reader import FieldReader
from bnnsim.search.space.fields import Value, field_values
from bnnsim.spec.faults import Fault, KeyPath, near_names
from bnnsim.spec.model import SpecModel
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate

CHOICES = ("choose", "range", "knob")
"""Keys by which a mapping is a choice."""


def device_faults(source: SourceText, reader: FieldReader) -> list[Fault]:
    """Devices of a space that there are not."""
    faults: list[Fault] = []
    if ("device",) in reader.wrong or "device" not in source.data:
        return faults
    for name in field_values(("device",), reader.fields, reader.knobs, source.data):
        if isinstance(name, str):  # else it is said with the other types
            device_of(name, source, faults)
    return faults


def value_faults(
    model: type[SpecModel], source: SourceText, reader: FieldReader, sample: Any
) -> list[Fault]:
    """What is wrong with the first value of everything free, ``sample``, and with every other value."""
    found = dict.fromkeys(_plain_faults(model, source, sample))
    first = {knob.name: knob.values[0] for knob in reader.knobs.values() if knob.values}
    for knob in reader.knobs.values():
        followers = [f for f in reader.fields if knob.name in f.knobs and first.keys() >= {*f.knobs}]
        for value in knob.values[1:] if followers else ():
            chosen = {**first, knob.name: value}
            data = sample
            for follower in followers:
                data = _with_value(data, follower.path, follower.value(chosen))
            found |= dict.fromkeys(_plain_faults(model, source, data))
    return list(found)


def _plain_faults(model: type[SpecModel], source: SourceText, data: Any) -> list[Fault]:
    return validate(model, source.with_data(data))[1]


def _with_value(data: Any, path: KeyPath, value: Value) -> Any:
    """``data`` with a value at ``path``; only what is above it is copied."""
    if not path:
        return value
    copied: Any = list(data) if isinstance(data, list) else dict(data)
    copied[path[0]] = _with_value(data[path[0]], path[1:], value)
    return copied


def with_choices(source: SourceText, faults: Sequence[Fault]) -> list[Fault]:
    """``faults``, those of a mapping that is no choice with the choices that there are."""
    mappings = {source.fault(path, "", "").key: keys for path, keys in _mappings(source.data)}
    said = []
    for fault in faults:
        keys = mappings.get(fault.key)
        if fault.got == "a mapping" and keys:
            near = [name for key in keys for name in near_names(key, CHOICES)]
            fault = replace(
                fault,
                expected=f"{fault.expected}, or {', '.join(CHOICES[:-1])} or {CHOICES[-1]}",
                got=f"a mapping with the key{'s' if len(keys) > 1 else ''} {', '.join(keys)}",
                near=tuple(dict.fromkeys(near)),
            )
        said.append(fault)
    return said


def _mappings(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, list[str]]]:
    """The path and the keys of every mapping in a value."""
    if isinstance(value, dict):
        yield path, [str(key) for key in value]
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        if isinstance(entry, dict | list):
            yield from _mappings(entry, (*path, key))
