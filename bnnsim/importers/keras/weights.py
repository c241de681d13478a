"""Which weights in a Keras file are whose: by the layer's name in .h5, by class and count in .keras.

In an archive no layer's name stands: Keras walks the model and counts the layers of each class
(``quant_dense``, ``quant_dense_1``, ...), whatever they are called. How it counts depends on the
version, as read in ``keras/saving/saving_lib.py``:

========================  ==================================  ===========================
Keras                     groups below                        counts
========================  ==================================  ===========================
2.12, 2.13                ``_layer_checkpoint_dependencies``  a layer with weights twice
2.14                      ``_layer_checkpoint_dependencies``  every layer once
2.15, tf_keras, 3.0 on    ``layers``                          every layer once
========================  ==================================  ===========================
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnnsim.importers.onnx.graph import Array
from bnnsim.spec.faults import InputError

ROOTS = ("layers", "_layer_checkpoint_dependencies")
Path = tuple[str, ...]
Weights = dict[Path, Mapping[str, Array]]
"""The weights of each layer by its path, and by their names."""
_NO_LAYER = re.compile(r"\w+_quantizer|_?metrics")
"""What a layer's group may hold beside its own variables: quantisers, with their training metrics."""


@dataclass(frozen=True)
class Owner:
    """A layer that may own weights: its ``place`` in messages, their names in Keras's order. ``path``:
    its name behind those of the models that it stands in; ``inner``: the layers of a model.

    ``group`` is the class by which an archive counts it.
    """

    path: Path
    group: str
    place: str
    names: tuple[str, ...]
    inner: tuple[Owner, ...] = ()

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def leaves(self) -> list[Owner]:
        """The layers, models inside opened."""
        return [leaf for one in self.inner for leaf in one.leaves] if self.inner else [self]

    @property
    def has_weights(self) -> bool:
        return any(leaf.names for leaf in self.leaves)


def weights_by_count(content: Any, owners: Sequence[Owner], version: str, file: str) -> Weights:
    """The weights of each layer in the ``model.weights.h5`` (open) of an archive.

    ``version`` is the writer's, empty where the archive does not say it. Raises :class:`InputError`
    where a layer has no group, a group no layer, or a group another number of variables.
    """
    root = next((root for root in ROOTS if root in content), None)
    if root is None:
        raise InputError(file, f"weights in a group {' or '.join(ROOTS)}", ", ".join(content) or "none")
    stored = {name: group for name, group in content[root].items() if _holds_variables(group)}
    rules = [_named_by_count(owners, twice) for twice in _countings(root, version)]
    wanted = [
        {name for name, owner in zip(rule, owners, strict=True) if owner.has_weights} for rule in rules
    ]
    fits = [rule for rule, groups in zip(rules, wanted, strict=True) if groups == stored.keys()]
    if not fits:
        missing, extra = sorted(wanted[0] - stored.keys()), sorted(stored.keys() - wanted[0])
        got = [f"none for {', '.join(missing)}"] if missing else []
        got += [f"a group {', '.join(extra)} that no layer owns"] if extra else []
        raise InputError(file, "a group of weights for each layer", " and ".join(got))
    found: Weights = {}
    for name, owner in zip(fits[0], owners, strict=True):
        if owner.inner and owner.has_weights:
            found |= weights_by_count(stored[name], owner.inner, version, file)
        elif not owner.inner:
            found[owner.path] = _variables(stored, name, owner, file)
    return found


def _holds_variables(group: Any) -> bool:
    found: list[str] = []

    def visit(path: str, item: Any) -> int | None:
        if hasattr(item, "shape") and not _NO_LAYER.fullmatch(path.partition("/")[0]):
            found.append(path)
            return 1
        return None

    if hasattr(group, "visititems"):
        group.visititems(visit)
    return bool(found)


def snake_case(kind: str) -> str:
    """``QuantConv2D`` as ``quant_conv2d``: how Keras makes a group's name of a class."""
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _countings(root: str, version: str) -> tuple[bool, ...]:
    """Whether a layer with weights counts twice; both where the version is not known."""
    if root == "layers":
        return (False,)
    if re.match(r"2\.1[23]\b", version):
        return (True,)
    return (False,) if version else (True, False)


def _named_by_count(owners: Sequence[Owner], twice: bool) -> list[str]:
    used: dict[str, int] = {}
    names = []
    for owner in owners:
        stem = snake_case(owner.group)
        number = used.get(stem, 0)
        used[stem] = number + (2 if twice and owner.has_weights else 1)
        names.append(f"{stem}_{number}" if number else stem)
    return names


def _variables(
    stored: Mapping[str, Any], name: str, owner: Owner, file: str
) -> Mapping[str, Array]:
    if not owner.names:
        return {}
    whole = stored[name]
    for part in whole:
        if part != "vars" and not _NO_LAYER.fullmatch(part) and _holds_variables(whole[part]):
            place = f"{file}: {whole.name}/{part}"
            raise InputError(place, "variables of a layer", "a nested object's")
    group = whole["vars"]
    said = group.attrs.get("name")  # Keras 3 writes it from 3.8 on
    if said is not None and _text(said) != owner.name:
        raise InputError(owner.place, f"a group {name} of its own", f"one of layer {_text(said)}")
    positions = [str(i) for i in range(len(owner.names))]
    if set(group) != set(positions):
        expected = f"{len(positions)} variables ({', '.join(owner.names)})"
        raise InputError(owner.place, expected, f"{len(group)} ({', '.join(sorted(group))})")
    pairs = zip(owner.names, positions, strict=True)
    return {weight: real(group[key], f"{owner.place}: {weight}") for weight, key in pairs}


def weights_by_name(store: Any, owners: Sequence[Owner], file: str) -> Weights:
    """The weights of each layer in the groups of a .h5, which have the names of the model's layers.

    A model inside has one group; its weights' own names end in the layer's and the weight's. Raises
    :class:`InputError` where a layer lacks a weight, or a group or weight belongs to no layer.
    """
    known = {owner.name for owner in owners}
    for name, group in store.items():
        if name not in known and len(group.attrs.get("weight_names", [])):
            raise InputError(f"{file}: {name}", "weights of a layer of the model", "a layer it lacks")
    found: Weights = {}
    for owner in owners:
        group = store.get(owner.name)
        paths = [] if group is None else [_text(key) for key in group.attrs.get("weight_names", ())]
        for leaf in owner.leaves:
            mine = [path for path in paths if not owner.inner or _layer_of(path) == leaf.name]
            found[leaf.path] = _named(group, leaf, mine)
            paths = [path for path in paths if path not in mine]
        if paths:
            raise InputError(f"{file}: {owner.name}", "weights of its layers", paths[0])
    return found


def _layer_of(path: str) -> str:
    return path.rsplit("/", 2)[-2] if "/" in path else ""


def _named(group: Any, owner: Owner, paths: Sequence[str]) -> Mapping[str, Array]:
    found: dict[str, Array] = {}
    for path in paths:
        weight = path.rsplit("/", 1)[-1].split(":")[0]
        if weight == "kernel" and "kernel" not in owner.names and "depthwise_kernel" in owner.names:
            weight = "depthwise_kernel"  # Keras 3's name for it
        if weight in found or weight not in owner.names:
            expected = f"weights {', '.join(owner.names) or 'of no kind'}, each once"
            raise InputError(owner.place, expected, path)
        found[weight] = real(group[path], f"{owner.place}: {weight}")
    missing = [name for name in owner.names if name not in found]
    if missing:
        raise InputError(owner.place, f"a weight {missing[0]}", ", ".join(found) or "none")
    return found


def real(stored: Any, place: str) -> Array:
    """An array of reals. Raises :class:`InputError` on one of anything else."""
    if getattr(stored, "dtype", np.dtype("V")).kind not in "fiu":
        raise InputError(place, "an array of numbers", str(getattr(stored, "dtype", "a group")))
    return np.asarray(stored)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
