"""How layers hang together in a Keras model's configuration, in Keras 2's and Keras 3's form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bnnsim.importers.foreign.settings import Refuse, shown_value
from bnnsim.spec.faults import InputError

_PACKAGES = re.compile(r"(keras|tf_keras|tensorflow|larq|builtins)\b.*")
_NO_EFFECT = {"training": (None, False), "mask": (None,)}
"""Arguments of a call that may stand there, with the values that change nothing."""


def plain_kind(entry: Any) -> str:
    """The class of a layer without the package of Keras or Larq; others keep theirs.

    A class of somebody else that is called like one of Keras is not Keras's.
    """
    package, _, kind = str(entry["class_name"]).rpartition(">")
    module = entry.get("module")
    registered = entry.get("registered_name") or ""
    package = package or str(registered).rpartition(">")[0]
    if package not in ("", "Larq"):
        return f"{package}>{kind}"
    is_known = module is None or _PACKAGES.fullmatch(str(module))
    return kind if is_known else f"{module}.{kind}"


def called_on(refuse: Refuse, nodes: Any) -> tuple[str, ...]:
    """The layers whose outputs a layer was called on.

    Raises :class:`InputError` where it was called more than once, or with arguments that change what
    it computes.
    """
    if len(nodes) > 1:
        raise refuse("a layer that is called once", f"{len(nodes)} calls")
    if not nodes:
        return ()
    node = nodes[0]
    arguments = dict(node.get("kwargs") or {}) if isinstance(node, dict) else {}
    calls = node["args"] if isinstance(node, dict) else node
    for call in _calls(calls):
        arguments.update(call[3] if len(call) > 3 and isinstance(call[3], dict) else {})
        if any(call[1:3]):
            raise refuse("the only output of a layer that is called once", shown_value(call[:3]))
    for key, value in arguments.items():
        if value not in _NO_EFFECT.get(key, ()):
            raise refuse("a call with its inputs alone", f"{key} = {shown_value(value)}")
    return tuple(str(call[0]) for call in _calls(calls))


def output_layers(file: str, said: Any) -> tuple[str, ...]:
    """The layers whose outputs a model gives, each once.

    Raises :class:`InputError` where it is not a layer's only output.
    """
    names = []
    for call in _calls(said):
        if any(call[1:3]):
            expected = "a layer's only output, of its first call"
            raise InputError(f"{file}: output {call[0]}", expected, shown_value(call))
        names.append(str(call[0]))
    return tuple(dict.fromkeys(names))


def _calls(value: Any) -> Iterator[list[Any]]:
    """``[layer, node, tensor, ...]`` wherever it stands, also as Keras 3 writes it."""
    if isinstance(value, dict):
        config = value.get("config")
        history = config.get("keras_history") if isinstance(config, dict) else None
        if history is not None:
            yield list(history)
            return
        for inner in value.values():
            yield from _calls(inner)
    elif isinstance(value, list):
        if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):
            yield value
            return
        for inner in value:
            yield from _calls(inner)
