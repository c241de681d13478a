"""FINN's ``folding_config.json`` and ``final_hw_config.json``: attributes by node name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bnnsim.files.json_object import read_json_object
from bnnsim.importers.finn.nodes import PASSING, DataflowNode, kind_of
from bnnsim.spec.faults import InputError, near_names

DEFAULTS = ("Defaults", "defaults")
_WHAT = "a folding of FINN: a JSON object of node names, each with an object of attributes"

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Folding:
    """A file's entries in its order. ``defaults``: value and types of nodes by attribute."""

    path: Path
    entries: Mapping[str, Attributes]
    defaults: Mapping[str, Sequence[Any]]
    data: Mapping[str, Any]
    """The whole file as it was read."""

    @property
    def names(self) -> list[str]:
        return list(self.entries)

    @property
    def says_depths_at_units(self) -> bool:
        """Whether it names no FIFO and says how deep those are that FINN is to insert."""
        has_fifos = any(kind_of(type_of(name)) == "StreamingFIFO" for name in self.entries)
        asks = any({"inFIFODepths", "outFIFODepths"} & one.keys() for one in self.entries.values())
        return asks and not has_fifos


def read_folding(path: str | Path) -> Folding:
    """A folding from its file. Raises :class:`InputError` on what is none."""
    data = read_json_object(path, _WHAT)
    entries: dict[str, Attributes] = {}
    defaults: dict[str, Sequence[Any]] = {}
    for name, entry in data.items():
        if not isinstance(entry, dict):
            raise InputError(f"{path}: {name}", "an object of attributes", _shown(entry))
        if name in DEFAULTS:
            defaults = {key: _default(path, name, key, value) for key, value in entry.items()}
            continue
        entries[name] = {
            key: _value(f"{path}: {name}.{key}", value) for key, value in entry.items()
        }
    return Folding(Path(path), entries, defaults, data)


AT_ENDS = ("Thresholding", "LabelSelect", "ElementwiseMul", "ElementwiseAdd")
"""Nodes in front of the first layer and behind the last, which a network's layers may not tell of."""


def folded(
    nodes: Sequence[DataflowNode], folding: Folding, at_ends: bool = False
) -> tuple[DataflowNode, ...]:
    """The nodes with a folding's attributes laid over their own.

    Names of another age mean the same node (``StreamingFCLayer_Batch_0`` is ``MVAU_hls_0``) where a
    graph has no node of that name. FIFOs and converters that the graph does not have yet are passed
    over: the depths of the units at both ends say the same. Raises :class:`InputError` on other names
    that no node has; ``at_ends`` lets those of ``AT_ENDS`` pass.
    """
    targets = {name: node.name for name, node in _targets(nodes, folding)}
    passed = (*PASSING, *(AT_ENDS if at_ends else ()))
    unknown = [
        name
        for name in folding.names
        if name not in targets and kind_of(type_of(name)) not in passed
    ]
    if unknown:
        known = [node.name for node in nodes if node.attributes.get("backend")] or [
            n.name for n in nodes
        ]
        expected = "names of nodes of the model"
        place = f"{folding.path}: {unknown[0]}"
        raise InputError(place, expected, unknown[0], near_names(unknown[0], known))
    by_node = {node: folding.entries[name] for name, node in targets.items()}
    return tuple(_overlaid(node, folding, by_node.get(node.name, {})) for node in nodes)


def _targets(nodes: Sequence[DataflowNode], folding: Folding) -> list[tuple[str, DataflowNode]]:
    by_name = {node.name: node for node in nodes}
    found = [(name, by_name[name]) for name in folding.names if name in by_name]
    taken = {node.name for _, node in found}
    for kind in dict.fromkeys(kind_of(type_of(name)) for name in folding.names):
        names = [n for n in folding.names if n not in by_name and kind_of(type_of(n)) == kind]
        free = [n for n in nodes if n.kind == kind and n.name not in taken]
        if len({type_of(n) for n in names}) == 1:
            found += [
                (n, free[i]) for n in names if (i := _number_of(n)) is not None and i < len(free)
            ]
        elif len(names) == len(
            free
        ):  # two libraries, counted apart: the file's order is the graph's
            found += list(zip(names, free, strict=True))
    return found


def _overlaid(node: DataflowNode, folding: Folding, own: Attributes) -> DataflowNode:
    given: Attributes = {}
    for key, pairs in folding.defaults.items():
        for value, types in zip(pairs[::2], pairs[1::2], strict=True):
            if "all" in types or node.op_type in types:
                given[key] = _value(f"{folding.path}: Defaults.{key}", value)
    given |= own
    return replace(node, attributes={**node.attributes, **given}) if given else node


def type_of(name: str) -> str:
    """A node's type from the name that FINN gives it, prefixes of partitions left out."""
    head, _, number = name.rpartition("_")
    while number.isdigit() and head.rpartition("_")[2].isdigit():  # parts of a FIFO: _1_0
        head, _, number = head.rpartition("_")
    return head if number.isdigit() else name


def _number_of(name: str) -> int | None:
    number = name.rpartition("_")[2]
    return int(number) if number.isdigit() and len(number) < 9 else None


def _default(path: str | Path, name: str, key: str, value: Any) -> Sequence[Any]:
    is_pairs = isinstance(value, list) and len(value) % 2 == 0 and bool(value)
    if not is_pairs or not all(isinstance(types, list | str) for types in value[1::2]):
        expected = 'a value and the types it is for, such as [1, ["all"]]'
        raise InputError(f"{path}: {name}.{key}", expected, _shown(value))
    return list(value)


def _value(place: str, value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, float | dict):
        raise InputError(place, "a whole number, a text or a list of those", _shown(value))
    if isinstance(value, list):
        if not all(isinstance(one, int | str) and not isinstance(one, bool) for one in value):
            raise InputError(place, "a whole number, a text or a list of those", _shown(value))
        return tuple(value)
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
