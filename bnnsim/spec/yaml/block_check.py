"""What a workload's ``blocks`` may say, before any of them is written out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bnnsim.spec.bounds import MAX_BLOCK_DEPTH
from bnnsim.spec.faults import Fault, KeyPath, key_text, near_names
from bnnsim.spec.model import NAME_PATTERN, NAME_TEXT
from bnnsim.spec.yaml.source import SourceText

BEFORE = "before"
"""What a block calls the layers that it reads."""
USE_KEYS = ("block", "name", "repeat", "inputs")
"""Keys of an entry that stands for a block; all its others are the block's parameters."""
BLOCK_KEYS = ("parameters", "layers")
PARAMETER_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
_PARAMETER_TEXT = f"a name of letters, digits and _ that is none of {', '.join(USE_KEYS)}"


def is_use(entry: object) -> bool:
    """Whether an entry of a list of layers stands for a block."""
    return isinstance(entry, dict) and "block" in entry


def parameter_of(value: object) -> str | None:
    """The parameter that ``$name`` names; None for every other value."""
    return value[1:] if isinstance(value, str) and value.startswith("$") else None


def check_blocks(source: SourceText) -> list[Fault]:
    """Faults of the blocks themselves: their keys, their parameters and where these are used."""
    return _Check(source).run()


class _Check:
    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.faults: list[Fault] = []

    def run(self) -> list[Fault]:
        blocks = self.source.data.get("blocks", {})
        if not isinstance(blocks, dict):
            self._fault(("blocks",), "a mapping of blocks by name", _kind(blocks))
            return self.faults
        for name, block in blocks.items():
            path: KeyPath = ("blocks", name)
            if not re.fullmatch(NAME_PATTERN, str(name)):
                self._fault(path, NAME_TEXT, repr(name))
            if isinstance(block, dict):
                self._block(block, path)
            else:
                self._fault(path, "a mapping", _kind(block))
        if not self.faults:
            self._ends(blocks)
        return self.faults

    def _ends(self, blocks: dict[str, Any]) -> None:
        """No block stands in itself, and blocks in blocks come to an end soon."""
        uses = {name: [*_blocks_in(block["layers"], blocks)] for name, block in blocks.items()}
        depths: dict[str, int] = {}
        while len(depths) < len(uses):
            ready = [n for n in uses if n not in depths and all(b in depths for b, _ in uses[n])]
            if not ready:
                name = next(n for n in uses if n not in depths)
                inside, i = next((b, i) for b, i in uses[name] if b not in depths)
                path: KeyPath = ("blocks", name, "layers", i, "block")
                self._fault(path, "a block that does not contain this one or itself", repr(inside))
                return
            for name in ready:
                depths[name] = 1 + max((depths[b] for b, _ in uses[name]), default=0)
                if depths[name] > MAX_BLOCK_DEPTH:
                    expected = f"blocks in blocks at most {MAX_BLOCK_DEPTH} deep"
                    self._fault(("blocks", name), expected, "more")
                    return

    def _fault(self, path: KeyPath, expected: str, got: str, near: tuple[str, ...] = ()) -> None:
        key, line = key_text(path), self.source.line_of(path)
        self.faults.append(Fault(self.source.file, line, key, expected, got, near))

    def _block(self, block: dict[str, Any], path: KeyPath) -> None:
        for key in block:
            if key not in BLOCK_KEYS:
                near = near_names(str(key), BLOCK_KEYS)
                self._fault((*path, key), f"one of the keys {', '.join(BLOCK_KEYS)}", repr(key), near)
        layers, parameters = block.get("layers"), block.get("parameters")
        if not isinstance(layers, list) or not layers:
            self._fault((*path, "layers"), "a list of layers, at least one", _kind(layers))
            layers = []
        if parameters is not None and not isinstance(parameters, dict):
            self._fault((*path, "parameters"), "a mapping of parameters to defaults", _kind(parameters))
            return
        self._parameters(parameters or {}, layers, path)
        for i, entry in enumerate(layers):
            if isinstance(entry, dict) and entry.get("name") == BEFORE:
                place: KeyPath = (*path, "layers", i, "name")
                self._fault(place, f"a name other than {BEFORE}, which is what a block reads", BEFORE)

    def _parameters(self, parameters: dict[str, Any], layers: list[Any], path: KeyPath) -> None:
        used = {}
        for name, place in _uses(layers, (*path, "layers")):
            used[name] = place
            if name not in parameters:
                known = ", ".join(parameters) or "none declared"
                near = near_names(name, parameters)
                self._fault(place, f"a parameter of this block ({known})", f"'${name}'", near)
        for name, default in parameters.items():
            place = (*path, "parameters", name)
            for other, _ in _uses(default, ()):
                self._fault(place, "a default without parameters", f"'${other}'")
            if not re.fullmatch(PARAMETER_PATTERN, str(name)) or name in USE_KEYS:
                self._fault(place, _PARAMETER_TEXT, repr(name))
            elif name not in used and layers:
                expected = f"a parameter that the block's layers use as ${name}"
                self._fault(place, expected, "none that does")


def _blocks_in(layers: list[Any], blocks: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The blocks that stand in a block, each with its position."""
    for i, entry in enumerate(layers):
        if is_use(entry) and isinstance(entry["block"], str) and entry["block"] in blocks:
            yield entry["block"], i


def _uses(value: Any, path: KeyPath) -> Iterator[tuple[str, KeyPath]]:
    """Every parameter that stands in ``value``, and where."""
    name = parameter_of(value)
    if name is not None:
        yield name, path
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _uses(entry, (*path, key))
    elif isinstance(value, list):
        for i, entry in enumerate(value):
            yield from _uses(entry, (*path, i))


def _kind(value: object) -> str:
    kinds: dict[type, str] = {dict: "a mapping", list: "a list", type(None): "nothing"}
    if isinstance(value, list) and not value:
        return "an empty list"
    return kinds.get(type(value), repr(value))
