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
class Given:
    """Stands among the arguments of a call for its input number ``index``."""

    index: int


@dataclass(frozen=True)
class SavedLayer:
    """One call of a layer. ``name``: ``model/layer``, of a second call ``layer:1``; ``inputs``: the
    names of the calls that it was called on (none: the model's input). ``arguments`` and ``options``
    are those of a function. ``variables`` in the order of the file, with their names where it has them.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    variables: Variables
    place: str
    outputs: tuple[str, ...]
    """Names of what it gives: its own, or one for each of the tensors of a Lambda."""

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


def read_saved(path: str | Path, weights: Path | None = None) -> SavedModel:
    """A file's model; ``weights``: the file of those that were saved apart from the structure.

    Raises :class:`InputError` where it is none that the reference reads.
    """
    import h5py

    if weights is not None:
        model = json.loads(Path(path).read_bytes())
        with h5py.File(weights, "r") as store:
            return _opened(model, _of_layers(store, model), str(path))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            model = json.loads(archive.read("config.json"))
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as store:
                return _opened(model, _archived(store, _entries(model)), str(path))
    with h5py.File(path, "r") as store:
        model = json.loads(store.attrs["model_config"])
        return _opened(model, _of_layers(store, model), str(path))


def _of_layers(store: Any, model: Mapping[str, Any]) -> list[Any]:
    """The variables of a model's layers, in the order of its entries; of a model inside such a list."""
    if "model_weights" not in store and any(key in store for key in _CONTAINERS):
        return _archived(store, _entries(model))
    root = store.get("model_weights", store)
    return [_under_name(root.get(_name(entry)), entry) for entry in _entries(model)]


def _entries(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    config = model["config"]
    return list(config) if isinstance(config, list) else list(config["layers"])


def _is_model(entry: Mapping[str, Any]) -> bool:
    config = entry["config"]
    return isinstance(config, list) or "layers" in config


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["config"].get("name") or entry.get("name"))


def _kind(entry: Mapping[str, Any]) -> str:
    return str(entry["class_name"]).split(">")[-1]


def _under_name(group: Any, entry: Mapping[str, Any], is_inside: bool = False) -> Any:
    if group is None:
        return [_under_name(None, one) for one in _entries(entry)] if _is_model(entry) else []
    if _is_model(entry):
        return [_under_name(group, one, True) for one in _entries(entry)]
    paths = [
        p.decode() if isinstance(p, bytes) else str(p) for p in group.attrs.get("weight_names", ())
    ]
    if is_inside:
        paths = [p for p in paths if p.split("/")[-2:-1] == [_name(entry)]]
    return [(p.split("/")[-1].partition(":")[0], np.asarray(group[p])) for p in paths]


def _archived(store: Any, entries: list[dict[str, Any]]) -> list[Any]:
    """The groups of a class, in the order of their numbers, are its layers with variables, in theirs.

    That holds for every version, however it counts.
    """
    container = next((store[key] for key in _CONTAINERS if key in store), store)
    groups: dict[str, list[tuple[int, str]]] = {}
    for key in container:
        stem, number = re.fullmatch(r"(.*?)(?:_(\d+))?", key).groups()  # type: ignore[union-attr]
        if _owns_arrays(container[key]):
            groups.setdefault(stem, []).append((int(number or 0), key))
    waiting = {stem: iter([key for _, key in sorted(found)]) for stem, found in groups.items()}
    result: list[Any] = []
    for entry in entries:
        key = next(waiting.get(snake_case(_kind(entry)), iter(())), None)
        if _is_model(entry):
            inside = _entries(entry)
            result.append(_archived(container[key], inside) if key else [[] for _ in inside])
        else:
            values = container[f"{key}/vars"] if key is not None else {}
            result.append([("", np.asarray(values[i])) for i in sorted(values, key=int)])
    return result


def _owns_arrays(group: Any) -> bool:
    if len(group.get("vars", {})):
        return True
    return any(_owns_arrays(group[key]) for key in _CONTAINERS if key in group) or any(
        hasattr(one, "keys") and key not in ("vars", *_CONTAINERS) and not key.endswith("quantizer")
        and _owns_arrays(one)
        for key, one in group.items()
    )  # fmt: skip


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


class _Opening:
    """Opens models inside models: appends each call once what it reads is there."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.layers: list[SavedLayer] = []

    def open(
        self, model: Mapping[str, Any], variables: list[Any], prefix: str, given: list[str]
    ) -> list[str]:
        """The names of what the model puts out, called on the tensors ``given``."""
        entries = list(zip(_entries(model), variables, strict=True))
        if isinstance(model["config"], list) or model["class_name"] == "Sequential":
            for entry, values in entries:
                if not (_kind(entry) == "InputLayer" and given):
                    given = self._add(entry, values, prefix + _name(entry), given, ([], {}))
            return given
        config, values_of = model["config"], {}
        if prefix:
            inside = [tuple(one) for one in _histories(config["input_layers"])]
            values_of = dict(zip(inside, given, strict=True))
            entries = [one for one in entries if _kind(one[0]) != "InputLayer"]
        calls = [
            (entry, values, number, node)
            for entry, values in entries
            for number, node in enumerate(entry.get("inbound_nodes") or [[]])
        ]
        shift = {_name(entry): _shift(model, entry) for entry, _ in entries}
        position = 0
        while calls:
            if position == len(calls):
                names = ", ".join(_name(call[0]) for call in calls[:3])
                raise InputError(self.file, "layers that do not wait for each other", names)
            entry, values, number, node = calls[position]
            read = [tuple(one) for one in _histories(node)]
            if not all(one in values_of for one in read):
                position += 1
                continue
            del calls[position]
            position = 0
            full = f"{prefix}{_name(entry)}" + (f":{number}" if number else "")
            inputs = [values_of[one] for one in read]
            made = self._add(entry, values, full, inputs, _arguments(node), _parts(model, entry))
            called = number + shift[_name(entry)]
            values_of |= {(_name(entry), called, at): one for at, one in enumerate(made)}
        said = [tuple(one) for one in _histories(config.get("output_layers"))]
        if not said:
            read = [tuple(h) for e, _ in entries for h in _histories(e.get("inbound_nodes"))]
            said = [one for one in values_of if one not in read]
        return [values_of[one] for one in said]

    def _add(
        self,
        entry: Mapping[str, Any],
        variables: Any,
        name: str,
        inputs: list[str],
        call: tuple[list[Any], dict[str, Any]],
        parts: int = 0,
    ) -> list[str]:
        if _is_model(entry):
            return self.open(entry, variables, f"{name}/", inputs)
        kind = _kind(entry)
        if ".ops." in f"{entry.get('module') or ''}.":
            kind = f"ops.{kind}"
        elif kind in ("TFOpLambda", "SlicingOpLambda"):
            kind = str(entry["config"]["function"])
        place = f"{self.file}: {name}"
        config, arguments = entry["config"], tuple(call[0])
        outputs = tuple(f"{name}/part{i}" for i in range(parts)) or (name,)
        about = (name, kind, config, tuple(inputs), arguments, call[1], list(variables), place)
        self.layers.append(SavedLayer(*about, outputs))
        return list(outputs)


def _opened(model: Mapping[str, Any], variables: list[Any], file: str) -> SavedModel:
    opening = _Opening(file)
    outputs = opening.open(model, variables, "", [])
    return SavedModel(tuple(opening.layers), tuple(dict.fromkeys(outputs)))


def _shift(model: Mapping[str, Any], entry: Mapping[str, Any]) -> int:
    """By how many numbers the calls of a model inside are counted further than they stand."""
    if not _is_model(entry):
        return 0
    config = model["config"]
    everywhere = [one.get("inbound_nodes") for one in config["layers"]]
    name = _name(entry)
    numbers = [h[1] for h in _histories([everywhere, config.get("output_layers")]) if h[0] == name]
    return max(0, max(numbers, default=0) + 1 - max(1, len(entry.get("inbound_nodes") or [])))


def _parts(model: Mapping[str, Any], entry: Mapping[str, Any]) -> int:
    """How many tensors a layer gives as far as others read them; 0 where it is one alone."""
    config = model["config"]
    everywhere = [[one.get("inbound_nodes") for one in config["layers"]], config.get("output_layers")]
    last = max((h[2] for h in _histories(everywhere) if h[0] == _name(entry)), default=0)
    return 0 if _is_model(entry) or not last else int(last) + 1


def _arguments(node: Any) -> tuple[list[Any], dict[str, Any]]:
    """Positions and names of a call, with :class:`Given` in the places of tensors, in their order."""
    counter = iter(range(1 << 20))

    def placed(value: Any) -> Any:
        if isinstance(value, Mapping):
            if any(True for _ in _histories(value)) and "class_name" in value:
                return Given(next(counter))
            return {key: placed(one) for key, one in value.items()}
        if isinstance(value, list):
            if _is_history(value):
                return value[2] if value[0] == "_CONSTANT_VALUE" else Given(next(counter))
            return [placed(one) for one in value]
        return value

    if isinstance(node, Mapping):
        return placed(node.get("args", [])), placed(node.get("kwargs", {}))
    parts = [node] if _is_history(node) else node
    positions: list[Any] = []
    options: dict[str, Any] = {}
    for part in parts:
        positions.append(placed(part[:3]))
        if len(part) > 3:
            options |= placed(part[3])
    return positions, options


def _is_history(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 3
        and isinstance(value[0], str)
        and type(value[1]) is int
    )


def _histories(node: Any) -> Iterator[list[Any]]:
    """``[layer, call, output]`` of the tensors that a node names, in its order."""
    if isinstance(node, Mapping):
        if "keras_history" in node:
            yield node["keras_history"]
            return
        for value in node.values():
            yield from _histories(value)
    elif isinstance(node, list):
        if _is_history(node):
            if node[0] != "_CONSTANT_VALUE":
                yield node[:3]
            for value in node[3:]:
                yield from _histories(value)
            return
        for value in node:
            yield from _histories(value)
