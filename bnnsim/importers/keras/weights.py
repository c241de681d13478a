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

_ROOTS = ("layers", "_layer_checkpoint_dependencies")
_NO_LAYER = re.compile(r"\w+_quantizer|_?metrics")
"""What a layer's group may hold beside its own variables: quantisers, with their training metrics."""


@dataclass(frozen=True)
class Owner:
    """A layer that may own weights: its ``place`` in messages, their names in Keras's order."""

    name: str
    kind: str
    place: str
    names: tuple[str, ...]


def weights_by_count(
    content: Any, owners: Sequence[Owner], version: str, file: str
) -> list[dict[str, Array]]:
    """The weights of each owner in the ``model.weights.h5`` (open) of an archive.

    ``version`` is the writer's, empty where the archive does not say it. Raises :class:`InputError`
    where a layer has no group, a group no layer, or a group another number of variables.
    """
    root = next((root for root in _ROOTS if root in content), None)
    if root is None:
        raise InputError(file, f"weights in a group {' or '.join(_ROOTS)}", ", ".join(content) or "none")
    stored = _stored(content[root], file)
    rules = [_named_by_count(owners, twice) for twice in _countings(root, version)]
    wanted = [{name for name, o in zip(rule, owners, strict=True) if o.names} for rule in rules]
    fits = [rule for rule, groups in zip(rules, wanted, strict=True) if groups == stored.keys()]
    if not fits:
        missing, extra = sorted(wanted[0] - stored.keys()), sorted(stored.keys() - wanted[0])
        got = [f"none for {', '.join(missing)}"] if missing else []
        got += [f"a group {', '.join(extra)} that no layer owns"] if extra else []
        raise InputError(file, "a group of weights for each layer", " and ".join(got))
    return [_variables(stored, name, owner) for name, owner in zip(fits[0], owners, strict=True)]


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
        stem = snake_case(owner.kind)
        number = used.get(stem, 0)
        used[stem] = number + (2 if twice and owner.names else 1)
        names.append(f"{stem}_{number}" if number else stem)
    return names


def _stored(root: Any, file: str) -> dict[str, Any]:
    """The groups that hold variables, by their names below the root."""
    found: dict[str, Any] = {}

    def visit(path: str, item: Any) -> None:
        if not hasattr(item, "shape"):
            return
        group, _, rest = path.partition("/")
        inner = rest.split("/")
        if inner[0] == "vars" and len(inner) == 2:
            found[group] = root[group]["vars"]
        elif not _NO_LAYER.fullmatch(inner[0]):
            raise InputError(f"{file}: {root.name}/{path}", "variables of a layer", "a nested object's")

    root.visititems(visit)
    return found


def _variables(stored: Mapping[str, Any], name: str, owner: Owner) -> dict[str, Array]:
    if not owner.names:
        return {}
    group = stored[name]
    said = group.attrs.get("name")  # Keras 3 writes it from 3.8 on
    if said is not None and _text(said) != owner.name:
        raise InputError(owner.place, f"a group {name} of its own", f"one of layer {_text(said)}")
    positions = [str(i) for i in range(len(owner.names))]
    if set(group) != set(positions):
        expected = f"{len(positions)} variables ({', '.join(owner.names)})"
        raise InputError(owner.place, expected, f"{len(group)} ({', '.join(sorted(group))})")
    pairs = zip(owner.names, positions, strict=True)
    return {weight: real(group[key], f"{owner.place}: {weight}") for weight, key in pairs}


def weights_by_name(store: Any, owners: Sequence[Owner], file: str) -> list[dict[str, Array]]:
    """The weights of each owner in the groups of a .h5, which have the layers' names.

    Raises :class:`InputError` where a layer lacks a weight, or a group or weight belongs to no layer.
    """
    known = {owner.name for owner in owners}
    for name, group in store.items():
        if name not in known and len(group.attrs.get("weight_names", [])):
            raise InputError(f"{file}: {name}", "weights of a layer of the model", "a layer it lacks")
    return [_named(store, owner) for owner in owners]


def _named(store: Any, owner: Owner) -> dict[str, Array]:
    found: dict[str, Array] = {}
    group = store.get(owner.name)
    for key in () if group is None else group.attrs.get("weight_names", ()):
        path = _text(key)
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
