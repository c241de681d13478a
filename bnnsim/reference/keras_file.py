"""A Keras file as it was saved: layers, which tensors each was called on, and their variables.

Read here once more, by other rules than the importer's: what one of them misreads the other shows.
Variables of a .h5 lie under their layer's name. In an archive they lie under the layer's class in
snake case and a number that grows along the layers of that class, whatever the layer is called
(Keras's saving library, 2.12 and later, and 3).
"""

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
import numpy.typing as npt

from bnnsim.spec.faults import InputError

Array = npt.NDArray[Any]
Variables = list[tuple[str, Array]]
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies", "_self_tracked_trackables")


@dataclass(frozen=True)
class SavedLayer:
    """``calls``: for each time it was called, the tensors that it was called on (``layer``, or
    ``layer:1`` for what the layer's second call gave). ``variables`` in the order of the file, with
    their names where the file has them."""

    name: str
    kind: str
    config: Mapping[str, Any]
    calls: tuple[tuple[str, ...], ...]
    variables: Variables
    place: str

    def variable(self, name: str, position: int) -> Array:
        """In float64: the variable of that name, in a file without names the one at ``position``."""
        named = {key: array for key, array in self.variables if key}
        if name in named:
            return named[name].astype(np.float64)
        if named or not -len(self.variables) <= position < len(self.variables):
            got = ", ".join(named) or f"{len(self.variables)} without names"
            raise InputError(self.place, f"a variable {name}", got)
        return self.variables[position][1].astype(np.float64)


@dataclass(frozen=True)
class SavedModel:
    """``outputs``: the tensors that the model declares, in its order."""

    layers: tuple[SavedLayer, ...]
    outputs: tuple[str, ...]


def read_saved(path: str | Path) -> SavedModel:
    """A file's model. Raises :class:`InputError` where it is none that the reference reads."""
    import h5py

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            model = json.loads(archive.read("config.json"))
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as store:
                return _model(model, _archived(store, _entries(model)), str(path))
    with h5py.File(path, "r") as store:
        model = json.loads(store.attrs["model_config"])
        root = store.get("model_weights", store)
        return _model(model, [_under_name(root, _name(e)) for e in _entries(model)], str(path))


def _entries(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    config = model["config"]
    return list(config) if isinstance(config, list) else list(config["layers"])


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["config"].get("name") or entry.get("name"))


def _kind(entry: Mapping[str, Any]) -> str:
    return str(entry["class_name"]).split(">")[-1]


def _under_name(root: Any, name: str) -> Variables:
    group = root.get(name)
    if group is None:
        return []
    paths = [
        p.decode() if isinstance(p, bytes) else str(p) for p in group.attrs.get("weight_names", ())
    ]
    return [(p.split("/")[-1].partition(":")[0], np.asarray(group[p])) for p in paths]


def _archived(store: Any, entries: list[dict[str, Any]]) -> list[Variables]:
    """The groups of a class, in the order of their numbers, are its layers with variables, in theirs.

    That holds for every version, however it counts.
    """
    container = next((store[key] for key in _CONTAINERS if key in store), store)
    groups: dict[str, list[tuple[int, str]]] = {}
    for key in container:
        stem, number = re.fullmatch(r"(.*?)(?:_(\d+))?", key).groups()  # type: ignore[union-attr]
        if len(container[key].get("vars", {})):
            groups.setdefault(stem, []).append((int(number or 0), key))
    waiting = {stem: iter([key for _, key in sorted(found)]) for stem, found in groups.items()}
    result: list[Variables] = []
    for entry in entries:
        key = next(waiting.get(snake_case(_kind(entry)), iter(())), None)
        values = container[f"{key}/vars"] if key is not None else {}
        result.append([("", np.asarray(values[i])) for i in sorted(values, key=int)])
    return result


def snake_case(kind: str) -> str:
    """``QuantConv2D`` as ``quant_conv2d``, ``PReLU`` as ``p_re_lu``."""
    letters = [c for c in kind if c.isalnum() or c == "_"]
    parted = ""
    for i, letter in enumerate(letters):
        before = letters[i - 1] if i else ""
        after = letters[i + 1] if i + 1 < len(letters) else ""
        if letter.isupper() and before and before != "_" and (before.islower() or after.islower()):
            parted += "_"
        parted += letter
    return parted.lower()


def _model(model: Mapping[str, Any], variables: list[Variables], file: str) -> SavedModel:
    layers: list[SavedLayer] = []
    is_chain = model["class_name"] == "Sequential"
    for entry, values in zip(_entries(model), variables, strict=True):
        if is_chain:
            calls: tuple[tuple[str, ...], ...] = ((layers[-1].name,),) if layers else ((),)
        else:
            calls = tuple(tuple(_tensors(node)) for node in entry.get("inbound_nodes") or ()) or (
                (),
            )
        name = _name(entry)
        layers.append(
            SavedLayer(name, _kind(entry), entry["config"], calls, values, f"{file}: {name}")
        )
    declared = None if isinstance(model["config"], list) else model["config"].get("output_layers")
    if declared and not is_chain:
        outputs = tuple(_tensors(declared))
    else:
        read = {tensor for layer in layers for call in layer.calls for tensor in call}
        outputs = tuple(layer.name for layer in layers if layer.name not in read)
    return SavedModel(tuple(layers), outputs)


def _tensors(node: Any) -> Iterator[str]:
    """The tensors that a node names, in its order: ``[layer, call, output, ...]`` wherever it stands."""
    if isinstance(node, Mapping):
        if "keras_history" in node:
            yield from _tensors(node["keras_history"])
            return
        for value in node.values():
            yield from _tensors(value)
    elif isinstance(node, list):
        if len(node) >= 3 and isinstance(node[0], str) and all(type(n) is int for n in node[1:3]):
            yield node[0] if node[1] == 0 else f"{node[0]}:{node[1]}"
            return
        for value in node:
            yield from _tensors(value)
