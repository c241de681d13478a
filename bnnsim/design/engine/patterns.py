"""An engine's ``layers`` for one network: patterns such as ``conv*`` become the layers that they fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from bnnsim.design.network.network import Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import LayerMapping
from bnnsim.spec.faults import Fault, KeyPath
from bnnsim.spec.load import Loaded
from bnnsim.spec.yaml.source import SourceText

ABOVE = "above"
"""In ``within``: the layer that stands above in the network."""


def for_network(
    architecture: Loaded[EngineArchitecture], network: Network, prefix: Collection[str]
) -> tuple[Loaded[EngineArchitecture], list[Fault]]:
    """The same engine with an entry for each layer that a pattern fits, and patterns that fit none.

    A layer's own entry goes before all patterns; of these the first that fits counts, in the order of the
    file. Layers of the streaming ``prefix`` are left out. Messages name the layer, at the pattern's line.
    """
    given = architecture.spec.layers
    patterns = [key for key in given if is_pattern(key)]
    named_above = any(entry.within == ABOVE for entry in given.values())
    if not patterns and not (named_above and ABOVE not in network.nodes):
        return architecture, []
    keys = {key: key for key in given if not is_pattern(key)}
    for name in network.nodes:
        if name not in given and name not in prefix:
            fitting = next((p for p in patterns if fnmatchcase(name, p)), None)
            if fitting is not None:
                keys[name] = fitting
    above = _above(network)
    layers = {name: _placed(given[key], name, above) for name, key in keys.items()}
    unused = [pattern for pattern in patterns if pattern not in keys.values()]
    faults = [
        architecture.source.fault(
            ("layers", pattern),
            f"a pattern that fits a layer of workload {network.workload.name} without an entry above",
            repr(pattern),
        )
        for pattern in unused
    ]
    spec = architecture.spec.model_copy(update={"layers": layers})
    return replace(architecture, spec=spec, source=_text(architecture.source, keys)), faults


def is_pattern(key: str) -> bool:
    """Whether a key of ``layers`` stands for all that it fits: ``*`` any text, ``?`` a character."""
    return "*" in key or "?" in key


def _above(network: Network) -> dict[str, str]:
    """The layer above each; not of the first, and not where a layer has that very name."""
    names = list(network.nodes)
    if ABOVE in network.nodes:
        return {}
    return dict(zip(names[1:], names, strict=False))


def _placed(entry: LayerMapping, name: str, above: Mapping[str, str]) -> LayerMapping:
    if entry.within != ABOVE or name not in above:
        return entry
    return entry.model_copy(update={"within": above[name]})


def _text(source: SourceText, keys: Mapping[str, str]) -> SourceText:
    """The same text with the layers ``keys``, each at the lines of the key that it comes from."""
    data: Any = source.data
    written = data.get("layers") if isinstance(data, dict) else None
    if not isinstance(written, dict):
        return source
    below: dict[str | int, list[KeyPath]] = {}
    for path in source.lines:
        if len(path) > 1 and path[0] == "layers":
            below.setdefault(path[1], []).append(path)
    lines = dict(source.lines)
    for name, key in keys.items():
        for path in below.get(key, ()):
            lines[("layers", name, *path[2:])] = source.lines[path]
    layers = {name: written[key] for name, key in keys.items() if key in written}
    return replace(source, data={**data, "layers": layers}, lines=lines)


def is_free(spec: EngineArchitecture) -> bool:
    """Whether some layer's mapping is left to the tool."""
    return any(entry.mapping == "auto" for entry in spec.layers.values())


def as_written(spec: EngineArchitecture) -> EngineArchitecture:
    """The same spec with every program as it stands."""
    layers = {
        name: entry.model_copy(update={"mapping": None}) if entry.mapping == "auto" else entry
        for name, entry in spec.layers.items()
    }
    return spec.model_copy(update={"layers": layers})
