"""How layers hang together in a Keras model's configuration, in Keras 2's and Keras 3's form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bnnsim.importers.foreign.settings import check_settings, shown_value
from bnnsim.importers.keras.lambdas.expressions import ADVICE, Expression, expression_of
from bnnsim.importers.keras.understood import LAYERS, MODEL, OPERATIONS
from bnnsim.spec.faults import InputError, near_names

_PACKAGES = re.compile(r"(keras|tf_keras|tensorflow|larq|builtins)\b.*")
_KERAS_OPERATIONS = re.compile(r"keras(\.src)?\.ops\..*")
_FUNCTIONS = ("TFOpLambda", "SlicingOpLambda")
_CONSTANT = "_CONSTANT_VALUE"


@dataclass(frozen=True)
class Ref:
    """The output ``tensor`` of a layer's call number ``node``."""

    layer: str
    node: int
    tensor: int


@dataclass(frozen=True)
class Call:
    """What a layer was called on: positions and names, with :class:`Ref` where a tensor stands."""

    positions: tuple[Any, ...]
    names: Mapping[str, Any]

    @property
    def refs(self) -> list[Ref]:
        """The tensors, in order."""
        return list(refs_in([list(self.positions), dict(self.names)]))


@dataclass(frozen=True)
class Entry:
    """A layer as the configuration lists it. ``kind``: its class without a package of Keras or Larq, of
    a function of TensorFlow or Keras its name. ``inner``: the model that it is, if it is one;
    ``expression``: what a Lambda gives."""

    name: str
    kind: str
    group: str
    """The class by which an archive of Keras counts it."""
    config: Mapping[str, Any]
    calls: tuple[Call, ...]
    place: str
    inner: Structure | None = None
    expression: Expression = None

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this layer."""
        return InputError(f"{self.place} ({self.kind})", expected, str(got))


@dataclass(frozen=True)
class Structure:
    """A model: its layers, inputs and outputs. ``is_chain``: each layer reads the one above."""

    entries: tuple[Entry, ...]
    is_chain: bool
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]


def structure_of(model: Any, place: str) -> Structure:
    """A model's configuration, every layer and setting checked.

    A class of the user's own is read where it keeps its layers as a functional model does. Raises
    :class:`InputError`.
    """
    config = model.get("config", {})
    is_chain = isinstance(config, list) or model.get("class_name") == "Sequential"
    entries = config if isinstance(config, list) else config.get("layers")
    is_graph = model.get("class_name") in ("Functional", "Model") or "output_layers" in config
    if not isinstance(entries, list) or not (is_chain or is_graph):
        expected = "a Sequential or Functional model, or a class that is built like one"
        raise InputError(place, expected, str(model.get("class_name")))
    if isinstance(config, dict):
        check_settings(lambda expected, got: InputError(place, expected, str(got)), MODEL, config)
    found = tuple(_entry(one, place) for one in entries)
    names = [entry.name for entry in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{place}: {name}", "layers of different names", "two of one name")
    said = config if isinstance(config, dict) else {}
    ends = (tuple(refs_in(_resolved(said.get(f"{k}_layers")))) for k in ("input", "output"))
    inputs, outputs = ends
    for one in (*inputs, *outputs):
        if one.layer not in names:
            raise InputError(place, "inputs and outputs among its layers", one.layer)
    return Structure(found, is_chain, inputs, outputs)


def _entry(entry: Any, place: str) -> Entry:
    config = entry["config"]
    is_model = isinstance(config, list) or (isinstance(config, dict) and "layers" in config)
    own = config if isinstance(config, dict) else {}
    name = str(own.get("name", entry.get("name", entry["class_name"])))
    kind, here = plain_kind(entry), f"{place}: {name}"
    calls = tuple(_call(node) for node in entry.get("inbound_nodes") or ())
    group = str(entry["class_name"]).rpartition(">")[2]
    if is_model:
        return Entry(name, kind, group, own, calls, here, structure_of(entry, here))
    expression = expression_of(own) if kind == "Lambda" else None
    made = Entry(name, kind, group, own, calls, here, None, expression)
    if kind == "Lambda" and expression is None:
        got = f"Python code, which is never run: {ADVICE}"
        raise made.fault("layers whose meaning the file says", got)
    if kind in LAYERS:
        check_settings(made.fault, LAYERS[kind].settings, own)
    elif kind not in OPERATIONS:
        known = sorted(OPERATIONS if "." in kind else LAYERS)
        expected = f"a layer that can be imported ({', '.join(known)})"
        raise InputError(here, expected, kind, near_names(kind, (*LAYERS, *OPERATIONS)))
    return made


def plain_kind(entry: Any) -> str:
    """The class of a layer without the package of Keras or Larq; others keep theirs.

    A class of somebody else that is called like one of Keras is not Keras's. A function that was called
    on a layer's output is known by its name (``math.multiply``, ``ops.Multiply``).
    """
    package, _, kind = str(entry["class_name"]).rpartition(">")
    module = entry.get("module")
    registered = entry.get("registered_name") or ""
    package = package or str(registered).rpartition(">")[0]
    if package not in ("", "Larq"):
        return f"{package}>{kind}"
    if module is not None and _KERAS_OPERATIONS.fullmatch(str(module)):
        return f"ops.{kind}"
    if kind in _FUNCTIONS:
        return str(entry["config"].get("function", kind))
    is_known = module is None or _PACKAGES.fullmatch(str(module))
    return kind if is_known else f"{module}.{kind}"


def refs_in(value: Any) -> Iterator[Ref]:
    """The tensors in a structure of lists and mappings, in order."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from refs_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from refs_in(inner)


def _call(node: Any) -> Call:
    if isinstance(node, dict):  # Keras 3
        return Call(tuple(_resolved(node.get("args") or [])), _resolved(node.get("kwargs") or {}))
    calls = [node] if node and isinstance(node[0], str) else list(node)
    names: dict[str, Any] = {}
    for call in calls:
        if len(call) > 3 and isinstance(call[3], dict):
            names.update(_resolved(call[3]))
    return Call(tuple(_resolved(call[:3]) for call in calls), names)


def _resolved(value: Any) -> Any:
    """Tensors as :class:`Ref`, whichever way Keras wrote them; constants as they are."""
    if isinstance(value, dict):
        inner = value.get("config")
        history = inner.get("keras_history") if isinstance(inner, dict) else None
        if history is not None:
            return Ref(str(history[0]), int(history[1]), int(history[2]))
        return {key: _resolved(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        if len(value) >= 3 and isinstance(value[0], str) and type(value[1]) is int:
            return value[2] if value[0] == _CONSTANT else Ref(value[0], value[1], int(value[2]))
        return [_resolved(one) for one in value]
    return value


def check_plain_call(entry: Entry, call: Call) -> None:
    """Raises :class:`InputError` where a layer was called with more than its inputs."""
    for value in call.positions:
        if not all(isinstance(one, Ref) for one in (value if isinstance(value, list) else [value])):
            raise entry.fault("a call with its inputs alone", shown_value(value))
    for key, value in call.names.items():
        if value not in _NO_EFFECT.get(key, ()):
            raise entry.fault("a call with its inputs alone", f"{key} = {shown_value(value)}")


_NO_EFFECT = {"training": (None, False), "mask": (None,)}
"""Arguments of a call that may stand there, with the values that change nothing."""
