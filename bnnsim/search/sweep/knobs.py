"""The fields that a sweep varies: read from the command line, found in the spec, set to values."""

from __future__ import annotations

import copy
from collections.abc import Sequence
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


def parse_knobs(texts: Sequence[str]) -> tuple[SweepKnob, ...]:
    """Read ``layers.conv1.pe=1,2,4``, one or two of them.

    Raises :class:`SpecError` for texts that are none, for more than two, and for one field twice.

    >>> [(knob.name, knob.values) for knob in parse_knobs(["layers.conv1.pe=1,2", "clock_mhz=100"])]
    [('layers.conv1.pe', (1, 2)), ('clock_mhz', (100,))]
    """
    knobs = []
    faults = []
    for text in texts:
        path, mark, values = text.partition("=")
        read = [_value(value) for value in values.split(",")] if mark else []
        plain = all(isinstance(value, int | float | str | bool) for value in read)
        is_twice = len({str(v) for v in read}) < len(read)
        if not path or not read or not plain or is_twice:
            expected = "a field and its values: layers.conv1.pe=1,2,4"
            expected = "each value once" if path and plain and is_twice else expected
            faults.append(Fault("--knob", 0, "", expected, repr(text)))
            continue
        field = current_path(path.split("."), f"--knob {path}")
        knobs.append(SweepKnob(field, tuple(current_value(field, value) for value in read)))
    if faults:
        raise SpecError(faults)
    if not 1 <= len(knobs) <= 2:
        raise InputError("--knob", "one or two fields to vary", str(len(knobs)))
    if len({knob.path for knob in knobs}) < len(knobs):
        raise InputError("--knob", "each field once", knobs[0].name)
    return tuple(knobs)


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
