"""Blocks of layers that repeat: a workload's ``blocks`` written out, every entry at its own line.

``{block: basic, name: stage1, repeat: 4, out: 64}`` among the layers stands for the layers of ``basic``,
four times, called ``stage1_1_...`` to ``stage1_4_...``. In a block ``$out`` is a parameter's value and
``before`` the layers that the block reads. There are no expressions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bnnsim.spec.bounds import MAX_COUNT, MAX_NODES
from bnnsim.spec.faults import Fault, KeyPath, SpecError, key_text, near_names
from bnnsim.spec.yaml.block_check import BEFORE, USE_KEYS, check_blocks, is_use, parameter_of
from bnnsim.spec.yaml.source import UNREAD, SourceText
from bnnsim.spec.yaml.validate import value_text


def written_out(source: SourceText) -> SourceText:
    """A workload without blocks: ``source`` itself where it has none.

    Every entry keeps the line at which its value stands, in the block or where the block is used. Raises
    :class:`SpecError` with the faults of all blocks and their uses, and where more than ``MAX_NODES``
    entries come out.
    """
    data = source.data
    if not isinstance(data, dict):
        return source
    entries = data.get("layers")
    has_uses = isinstance(entries, list) and any(map(is_use, entries))
    if "blocks" not in data and not has_uses:
        return source
    faults = check_blocks(source)
    if faults:
        raise SpecError([*source.faults, *faults])
    return _Writing(source).run(entries if isinstance(entries, list) else [])


@dataclass(frozen=True)
class _Argument:
    """A parameter's value: where it stands, and the place whose names and parameters it may use (None: a
    default, which means what it says in the block itself)."""

    value: Any
    path: KeyPath
    place: _Place | None


@dataclass(frozen=True)
class _Place:
    """What names mean among the entries of one list.

    ``prefix`` begins the names of its layers, ``names`` gives a layer's or a block's own name the layer
    that it is, ``before`` are the layers that the block reads; ``outer`` is None outside all blocks.
    """

    prefix: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    arguments: Mapping[str, _Argument] = field(default_factory=dict)
    outer: _Place | None = None


_NOWHERE = _Place()


class _Writing:
    """Writes the layers one by one; ``above`` are those that a layer without ``inputs`` reads."""

    def __init__(self, source: SourceText) -> None:
        self.old = source
        self.blocks: dict[str, Any] = source.data.get("blocks") or {}
        self.faults: list[Fault] = []
        self.layers: list[Any] = []
        self.copies: set[int] = set()
        self.lines: dict[KeyPath, int] = {}
        self.key_lines: dict[KeyPath, int] = {}
        self.above: tuple[str, ...] = ("input",)
        self.above_line: int | None = None
        self.count = 0

    def run(self, entries: list[Any]) -> SourceText:
        place = replace(_NOWHERE, names=self._own_names(entries, ("layers",), _NOWHERE))
        self._entries(entries, ("layers",), place)
        if self.faults:
            raise SpecError([*self.old.faults, *self.faults])
        data = {key: value for key, value in self.old.data.items() if key != "blocks"}
        if "layers" in data and isinstance(data["layers"], list):
            data["layers"] = self.layers
        if isinstance(data.get("outputs"), list):
            data["outputs"] = [name for name, _ in self._layer_names(data["outputs"], (), place)]
        kept = {p: n for p, n in self.old.lines.items() if p[:1] not in (("layers",), ("blocks",))}
        kept.update(self.lines)
        kept[("layers",)] = self.old.line_of(("layers",))
        copies = frozenset(self.copies)
        return replace(self.old, data=data, lines=kept, copies=copies, key_lines=self.key_lines)

    def _fault(self, path: KeyPath, expected: str, got: str, near: tuple[str, ...] = ()) -> None:
        line, key = self.old.line_of(path), key_text(path)
        self.faults.append(Fault(self.old.file, line, key, expected, got, near))

    # ---- entries -------------------------------------------------------------------------------

    def _entries(self, entries: list[Any], path: KeyPath, place: _Place) -> None:
        for i, entry in enumerate(entries):
            if is_use(entry):
                self._use(entry, (*path, i), place)
            else:
                self._layer(entry, (*path, i), place)

    def _layer(self, entry: Any, path: KeyPath, place: _Place) -> None:
        at: KeyPath = ("layers", len(self.layers))
        if place.outer is not None:
            self.copies.add(len(self.layers))
        if not isinstance(entry, dict):
            self.layers.append(self._copied(entry, path, at, place))
            return
        result = {
            key: self._copied(value, (*path, key), (*at, key), place)
            for key, value in entry.items()
            if key != "inputs"
        }
        self.lines[at] = self.old.line_of(path)
        if isinstance(result.get("name"), str):
            result["name"] = place.prefix + result["name"]
        if "inputs" in entry:
            names = self._layer_names(entry["inputs"], (*path, "inputs"), place)
            self._write_inputs(result, at, [*names])
        elif self.above_line is not None:
            self._write_inputs(result, at, [(name, self.above_line) for name in self.above])
        self.layers.append(result)
        self.above, self.above_line = (str(result.get("name")),), None

    def _write_inputs(self, result: dict[str, Any], at: KeyPath, names: list[tuple[Any, int]]) -> None:
        result["inputs"] = [name for name, _ in names]
        for i, (_, line) in enumerate(names):
            self.lines[(*at, "inputs", i)] = line
        if names:
            self.lines[(*at, "inputs")] = names[0][1]

    def _copied(self, value: Any, old: KeyPath, new: KeyPath, place: _Place) -> Any:
        """``value`` with every parameter's in its place, at the lines at which they stand."""
        self.count += 1
        if self.count > MAX_NODES:
            expected = f"at most {MAX_NODES} entries, with every block written out"
            key = ("layers",)
            fault = Fault(self.old.file, self.old.line_of(key), key_text(key), expected, "more")
            raise SpecError([*self.old.faults, fault])
        argument = self._argument(value, place)
        if argument is not None:
            self.key_lines.setdefault(new, self.old.line_of(old))
            return self._copied(argument.value, argument.path, new, argument.place or place)
        self.lines[new] = self.old.line_of(old)
        if isinstance(value, dict):
            return {k: self._copied(v, (*old, k), (*new, k), place) for k, v in value.items()}
        if isinstance(value, list):
            return [self._copied(v, (*old, i), (*new, i), place) for i, v in enumerate(value)]
        return value

    # ---- a block in use ------------------------------------------------------------------------

    def _use(self, use: dict[str, Any], path: KeyPath, place: _Place) -> None:
        name = use["block"]
        block = self._block(name)
        if block is None:
            known = ", ".join(self.blocks) or "none declared"
            near = near_names(str(name), self.blocks)
            expected = f"one of the blocks ({known})"
            got = repr(name) if isinstance(name, str) else value_text(name)
            self._fault((*path, "block"), expected, got, near)
            return
        own, repeat = self._value(use.get("name"), place), self._value(use.get("repeat", 1), place)
        if not isinstance(own, str):
            self._fault((*path, "name"), "text, the beginning of its layers' names", value_text(own))
            return
        if not isinstance(repeat, int) or isinstance(repeat, bool) or not 1 <= repeat <= MAX_COUNT:
            self._fault((*path, "repeat"), f"an integer of 1 .. {MAX_COUNT}", value_text(repeat))
            return
        if not self._takes(use, block, path):
            return
        if "inputs" in use:
            given = [*self._layer_names(use["inputs"], (*path, "inputs"), place)]
            if not given or not all(isinstance(one, str) for one, _ in given):
                self._fault((*path, "inputs"), "a list of layers' names", value_text(use["inputs"]))
                return
            self.above = tuple(one for one, _ in given)
            self.above_line = self.old.line_of((*path, "inputs"))
        for turn in range(1, repeat + 1):
            inner = self._inner(use, path, place, turn)
            inside: KeyPath = ("blocks", name, "layers")
            inner = replace(inner, names=self._own_names(block["layers"], inside, inner))
            self._entries(block["layers"], inside, inner)
            if self.faults:
                return

    def _block(self, name: Any) -> dict[str, Any] | None:
        return self.blocks.get(name) if isinstance(name, str) else None

    def _takes(self, use: dict[str, Any], block: dict[str, Any], path: KeyPath) -> bool:
        """Whether a use gives a block's parameters, all that have no default and no others."""
        before = len(self.faults)
        parameters = block.get("parameters") or {}
        for key in use:
            if key not in USE_KEYS and key not in parameters:
                known = ", ".join([*USE_KEYS, *parameters])
                near = near_names(str(key), [*USE_KEYS, *parameters])
                self._fault((*path, key), f"one of the keys {known}", repr(key), near)
        for key, default in parameters.items():
            if default is None and use.get(key) is None:
                self._fault((*path, key), f"a value for this parameter of {use['block']}", "nothing")
        return len(self.faults) == before

    def _inner(self, use: dict[str, Any], path: KeyPath, place: _Place, turn: int) -> _Place:
        """The place of a block's own entries in one of its turns, without what their names mean."""
        arguments = {
            key: _Argument(use[key], (*path, key), place)
            if use.get(key) is not None
            else _Argument(default, ("blocks", use["block"], "parameters", key), None)
            for key, default in (self.blocks[use["block"]].get("parameters") or {}).items()
        }
        number = f"{turn}_" if "repeat" in use else ""
        prefix = f"{place.prefix}{self._value(use.get('name'), place)}_{number}"
        return _Place(prefix, before=self.above, arguments=arguments, outer=place)

    # ---- names and values ----------------------------------------------------------------------

    def _own_names(self, entries: list[Any], path: KeyPath, place: _Place) -> dict[str, str]:
        """The layer that each entry's own name stands for: itself, or the last one of a block.

        A block has a name of its own; layers of one name are told apart later.
        """
        found: dict[str, str] = {}
        blocks: set[str] = set()
        for i, entry in enumerate(entries):
            own = self._value(entry.get("name"), place) if _has_name(entry) else None
            if not isinstance(own, str):
                continue
            if own in found and (is_use(entry) or own in blocks):
                self._fault((*path, i, "name"), "a name not used before", repr(own))
            if is_use(entry):
                blocks.add(own)
            found[own] = self._result(entry, place)
        return found

    def _result(self, entry: dict[str, Any], place: _Place) -> str:
        """The full name of a layer, of a block's last layer in its last turn."""
        name = f"{place.prefix}{self._value(entry.get('name'), place)}"
        block = self._block(entry["block"]) if is_use(entry) else None
        if block is None:
            return name
        turn, last = self._value(entry.get("repeat", 1), place), block["layers"][-1]
        inner = self._inner(entry, (), place, turn)
        return self._result(last, inner) if isinstance(last, dict) else name

    def _layer_names(self, value: Any, path: KeyPath, place: _Place) -> Iterator[tuple[Any, int]]:
        """The layers that ``value`` names where it stands, each with its line."""
        argument = self._argument(value, place)
        if argument is not None:
            yield from self._layer_names(argument.value, argument.path, argument.place or place)
        elif isinstance(value, list):
            for i, one in enumerate(value):
                yield from self._layer_names(one, (*path, i), place)
        else:
            yield from ((name, self.old.line_of(path)) for name in self._meant(value, place))

    def _meant(self, name: Any, place: _Place) -> tuple[Any, ...]:
        if not isinstance(name, str):
            return (name,)
        here: _Place | None = place
        while here is not None:
            if name == BEFORE and here.outer is not None:
                return here.before
            if name in here.names:
                return (here.names[name],)
            here = here.outer
        return (name,)

    def _argument(self, value: Any, place: _Place) -> _Argument | None:
        name = parameter_of(value)
        return place.arguments.get(name) if name is not None else None

    def _value(self, value: Any, place: _Place) -> Any:
        """A single value, a parameter's where it names one."""
        argument = self._argument(value, place)
        return value if argument is None else self._value(argument.value, argument.place or place)


def _has_name(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("name") not in (None, UNREAD)
