"""Keras models (.h5, .keras) read without TensorFlow: the layers' configurations and their weights."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.importers.foreign.boundary import foreign_file
from bnnsim.importers.foreign.formats import KERAS, check_format
from bnnsim.importers.onnx.graph import Array
from bnnsim.spec.faults import InputError

_MOST_BYTES = 1 << 31
"""A member of a .keras archive that unpacks to more than this is refused."""


@dataclass(frozen=True)
class KerasLayer:
    """One layer: what Keras wrote about it. ``kind`` is its class without a package prefix."""

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: Mapping[str, Array]
    place: str

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this layer."""
        return InputError(f"{self.place} ({self.kind})", expected, str(got))

    def weight(self, *names: str) -> Array:
        """The first weight there is of ``names``."""
        for name in names:
            if name in self.weights:
                return self.weights[name]
        found = ", ".join(self.weights) or "none"
        raise self.fault(f"a weight {' or '.join(names)}", found)


@dataclass(frozen=True)
class KerasModel:
    """The layers in the order of the file, and the names of those whose outputs the model gives."""

    layers: tuple[KerasLayer, ...]
    outputs: tuple[str, ...]


def read_keras(path: str | Path) -> KerasModel:
    """The layers of a Sequential or Functional model, in the order of the file.

    Raises :class:`InputError` where h5py is missing, the file is broken, or holds weights without a
    model.
    """
    h5py = _h5py(str(path))
    file = Path(path)
    check_format(file, KERAS)
    with foreign_file(path, "a whole Keras file"):
        if zipfile.is_zipfile(file):
            return _from_archive(h5py, file)
        with h5py.File(file, "r") as content:
            config = content.attrs.get("model_config")
            if config is None:
                raise InputError(str(path), "a model saved with its structure", "weights alone")
            model = json.loads(config)
            weights = content.get("model_weights", content)
            return _layers(model, lambda name, kind, number: _by_name(weights, name), file)


def _h5py(place: str) -> Any:
    try:
        import h5py
    except ImportError:
        raise InputError(
            place, "the package h5py (pip install 'bnnsim[onnx]')", "it is not installed"
        ) from None
    return h5py


def _from_archive(h5py: Any, file: Path) -> KerasModel:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.file_size > _MOST_BYTES:
                raise InputError(str(file), "members of at most 2 GB", f"{member.filename}")
        model = json.loads(archive.read("config.json"))
        data = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(data), "r") as content:
        group = content["layers"] if "layers" in content else content["_layer_checkpoint_dependencies"]

        def find(name: str, kind: str, number: int) -> dict[str, Array]:
            snake = _snake_case(kind)
            candidates = [name, snake if number == 0 else f"{snake}_{number}"]
            for candidate in candidates:
                if candidate in group:
                    return dict(_variables(group[candidate]))
            return {}

        return _layers(model, find, file)


def _snake_case(kind: str) -> str:
    """``QuantConv2D`` as ``quant_conv2d``: how Keras 3 names the groups of a layer's variables."""
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _variables(group: Any) -> Iterator[tuple[str, Array]]:
    """The variables of a Keras 3 layer, by their position."""
    if "vars" in group:
        for key in sorted(group["vars"], key=int):
            yield key, np.asarray(group["vars"][key])


def _by_name(weights: Any, name: str) -> dict[str, Array]:
    """A layer's weights in a .h5: under its name, each ``.../kernel:0``."""
    if name not in weights:
        return {}
    group = weights[name]
    found: dict[str, Array] = {}
    for key in group.attrs.get("weight_names", []):
        text = key.decode() if isinstance(key, bytes) else str(key)
        found[text.rsplit("/", 1)[-1].split(":")[0]] = np.asarray(group[text])
    return found


def _layers(model: Any, find: Any, file: Path) -> KerasModel:
    config = model.get("config", {})
    entries = config if isinstance(config, list) else config.get("layers", [])
    if model.get("class_name") not in ("Sequential", "Functional", "Model"):
        expected = "a Sequential or Functional model"
        raise InputError(str(file), expected, str(model.get("class_name")))
    result: list[KerasLayer] = []
    numbers: dict[str, int] = {}
    for entry in entries:
        kind = str(entry["class_name"]).rsplit(">", 1)[-1]
        settings = entry["config"]
        name = str(settings.get("name", entry.get("name", kind)))
        if "inbound_nodes" in entry:
            if len(entry["inbound_nodes"]) > 1:
                got = f"a layer called {len(entry['inbound_nodes'])} times"
                raise InputError(f"{file}: {name} ({kind})", "a layer that is called once", got)
            inputs = tuple(_histories(entry["inbound_nodes"]))
        else:
            inputs = (result[-1].name,) if result else ()
        number = numbers.get(kind, 0)
        numbers[kind] = number + 1
        weights = find(name, kind, number)
        result.append(KerasLayer(name, kind, settings, inputs, weights, f"{file}: {name}"))
    declared = config.get("output_layers") if isinstance(config, dict) else None
    if declared is None:
        read = {name for layer in result for name in layer.inputs}
        return KerasModel(tuple(result), tuple(one.name for one in result if one.name not in read))
    calls = list(_calls(declared))
    for name, *positions in calls:
        if any(positions):
            expected = "a layer's only output, of its first call"
            raise InputError(f"{file}: output {name}", expected, f"{[name, *positions]}")
    return KerasModel(tuple(result), tuple(dict.fromkeys(call[0] for call in calls)))


def _calls(node: Any) -> Iterator[tuple[str, int, int]]:
    """``[layer, call, tensor]`` wherever it stands in ``output_layers``: alone, in a list, by name."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list) and len(node) == 3 and isinstance(node[0], str):
        yield str(node[0]), int(node[1]), int(node[2])
    elif isinstance(node, list):
        for one in node:
            yield from _calls(one)


def _histories(node: Any) -> Iterator[str]:
    """Names of the layers whose outputs a layer was called on, in Keras 2's and Keras 3's form."""
    if isinstance(node, dict):
        history = node.get("config", {}).get("keras_history") if "config" in node else None
        if history is not None:
            yield str(history[0])
            return
        for value in node.values():
            yield from _histories(value)
    elif isinstance(node, list):
        is_call = len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int)
        if is_call:
            yield node[0]
            return
        for value in node:
            yield from _histories(value)
