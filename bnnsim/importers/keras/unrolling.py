"""A Keras model as one list of calls: models inside it opened, layers that are called again repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bnnsim.importers.foreign.settings import shown_value
from bnnsim.importers.keras.lambdas.expressions import (
    Expression,
    expression_of_call,
    result_count,
)
from bnnsim.importers.keras.structure import Call, Entry, Ref, Structure, check_plain_call
from bnnsim.importers.keras.understood import LAYERS
from bnnsim.importers.onnx.graph import Array
from bnnsim.spec.faults import InputError

_MOST_CALLS = 10_000
"""Layers of a model that is opened: a few nested ones that call each other often make any number."""
Path = tuple[str, ...]
"""A layer's name behind those of the models that it stands in."""


@dataclass(frozen=True)
class Tensor:
    """What the call of this name gives, where an argument of a function is a tensor."""

    name: str


@dataclass(frozen=True)
class KerasLayer:
    """A call of a layer. ``name``: ``model/layer``, of the second call of ``layer`` ``layer:1``.

    ``kind`` is its class without a package prefix, or a function's name; ``arguments`` and ``options``
    what a function was called on, with :class:`Tensor` in the place of tensors.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: Mapping[str, Array]
    place: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    expression: Expression = None
    outputs: tuple[str, ...] = ()
    """Names of what it gives: its own, or those of the tensors that a Lambda gives as a list."""

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this layer."""
        return InputError(f"{self.place} ({self.kind})", expected, str(got))

    def weight(self, name: str, shape: tuple[int, ...]) -> Array:
        """A weight, which must have this shape. Raises :class:`InputError`."""
        found = self.weights[name]
        if found.shape != shape:
            expected = f"a {name} of shape {[int(size) for size in shape]}"
            raise self.fault(expected, list(found.shape))
        return found


class Unrolled:
    """The calls of a model in an order in which each follows those that it reads.

    ``weights`` has those of each layer by its path. Raises :class:`InputError` where calls wait for each
    other, read what is not there, or are beyond number.
    """

    def __init__(self, model: Structure, weights: Mapping[Path, Mapping[str, Array]], file: str) -> None:
        self.layers: list[KerasLayer] = []
        self._weights, self._file = weights, file
        self.outputs = tuple(dict.fromkeys(self._open(model, None, (), "")))

    def _open(
        self, model: Structure, given: list[str] | None, path: Path, prefix: str
    ) -> list[str]:
        """Append a model's calls on the tensors ``given`` (None: the file's own); its outputs."""
        if model.is_chain:
            return self._open_chain(model, given, path, prefix)
        made: dict[Ref, str] = {}
        if given is not None:
            if len(given) != len(model.inputs):
                place = f"{self._file}: {prefix.rstrip('/')}"
                raise InputError(place, f"{len(model.inputs)} inputs", ", ".join(given) or "none")
            made.update(zip(model.inputs, given, strict=True))
        waiting = [
            (entry, number, call)
            for entry in model.entries
            for number, call in enumerate(entry.calls or (Call((), {}),))
            if given is None or entry.kind != "InputLayer"
        ]
        first = {entry.name: _first_node(model, entry) for entry in model.entries}
        while waiting:
            left = []
            for entry, number, call in waiting:
                if any(ref not in made for ref in call.refs):
                    left.append((entry, number, call))
                    continue
                outputs = self._call(entry, number, call, made, path, prefix)
                node = first[entry.name] + number
                made |= {Ref(entry.name, node, at): name for at, name in enumerate(outputs)}
            if len(left) == len(waiting):
                entry, _, call = left[0]
                missing = next(ref for ref in call.refs if ref not in made)
                raise entry.fault("inputs that were made before", missing.layer)
            waiting = left
        read = {ref for entry in model.entries for call in entry.calls for ref in call.refs}
        outputs_said = model.outputs or tuple(ref for ref in made if ref not in read)
        for ref in outputs_said:
            if ref not in made:
                expected = "a layer's only output, of one of its calls"
                raise InputError(f"{self._file}: output {prefix}{ref.layer}", expected, shown_value(ref))
        return [made[ref] for ref in outputs_said]

    def _open_chain(
        self, model: Structure, given: list[str] | None, path: Path, prefix: str
    ) -> list[str]:
        """A Sequential model, or one of an old form without calls: each layer reads the one above."""
        current = list(given or [])
        for entry in model.entries:
            if entry.kind == "InputLayer" and current:
                continue
            _check_chained(entry)
            call = Call(tuple(Ref(name, 0, 0) for name in current), {})
            made = {Ref(name, 0, 0): name for name in current}
            current = self._call(entry, 0, call, made, path, prefix)
        return current

    def _call(
        self,
        entry: Entry,
        number: int,
        call: Call,
        made: Mapping[Ref, str],
        path: Path,
        prefix: str,
    ) -> list[str]:
        name = f"{prefix}{entry.name}{f':{number}' if number else ''}"
        given = [made[ref] for ref in call.refs]
        own = (*path, entry.name)
        if entry.inner is not None:
            check_plain_call(entry, call)
            return self._open(entry.inner, given, own, f"{name}/")
        if len(self.layers) >= _MOST_CALLS:
            raise InputError(self._file, f"at most {_MOST_CALLS} layers, models inside opened", "more")
        if entry.kind in LAYERS:
            check_plain_call(entry, call)
        positions, options = (_named(part, made) for part in (list(call.positions), dict(call.names)))
        weights = self._weights.get(own, {})
        place = f"{self._file}: {name}"
        is_of_one = positions == [Tensor(one) for one in given] and len(given) == 1
        by_name = expression_of_call(entry.kind, options) if is_of_one else None
        expression = by_name if entry.expression is None else entry.expression
        count = result_count(expression)
        outputs = [name] if count is None else [f"{name}/part{i}" for i in range(count)]
        about = (name, entry.kind, entry.config, tuple(given), weights, place)
        arguments = (tuple(positions), options, expression, tuple(outputs))
        self.layers.append(KerasLayer(*about, *arguments))
        return outputs


def _check_chained(entry: Entry) -> None:
    """Raises :class:`InputError` where a layer of a chain says that it was called otherwise."""
    if len(entry.calls) > 1:
        raise entry.fault("a layer that is called once", f"{len(entry.calls)} calls")
    for call in entry.calls:
        check_plain_call(entry, call)
        if any(ref.node or ref.tensor for ref in call.refs):
            raise entry.fault("the only output of a layer that is called once", shown_value(call.refs))


def _first_node(model: Structure, entry: Entry) -> int:
    """The number that a layer's first call has: a model inside has often been built by one before."""
    read = [ref for other in model.entries for call in other.calls for ref in call.refs]
    nodes = [ref.node for ref in (*read, *model.outputs) if ref.layer == entry.name]
    is_model = entry.inner is not None
    return int(is_model and max(nodes, default=0) >= max(1, len(entry.calls)))


def _named(value: Any, made: Mapping[Ref, str]) -> Any:
    if isinstance(value, Ref):
        return Tensor(made[value])
    if isinstance(value, dict):
        return {key: _named(one, made) for key, one in value.items()}
    if isinstance(value, list):
        return [_named(one, made) for one in value]
    return value
