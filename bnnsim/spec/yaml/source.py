"""A YAML file as plain data plus the line of every key, duplicates refused."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from bnnsim.spec.bounds import MAX_DEPTH, MAX_NODES, MAX_SPEC_BYTES
from bnnsim.spec.faults import Fault, KeyPath, SpecError, key_text
from bnnsim.spec.yaml.compose import compose
from bnnsim.spec.yaml.scalars import ScalarError, scalar_value, tag_fault


class _Unread:
    """Stands in plain data where a value has a fault of its own; nothing else is said of it."""

    def __repr__(self) -> str:
        return "a value that is none"


UNREAD = _Unread()
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass
class SourceText:
    """Plain data read from YAML and where each entry stands.

    ``data`` holds dicts, lists and scalars, and ``UNREAD`` where a value is none; ``lines`` maps a key
    path to its 1-based line. ``written`` maps the path of a key that was read under a newer name to what
    stands there; ``within`` is the section of the file that the data is, as messages name it. ``copies``
    are the positions of layers that a block wrote, ``key_lines`` the lines of their keys where these are
    not the lines of the values.
    """

    file: str
    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    written: dict[KeyPath, str] = field(default_factory=dict)
    within: KeyPath = ()
    copies: frozenset[int] = frozenset()
    key_lines: dict[KeyPath, int] = field(default_factory=dict)

    def with_data(self, data: Any) -> SourceText:
        """The same text where ``data`` has been changed, without its faults."""
        return replace(self, data=data, faults=[])

    def section(self, key: str, data: Any) -> SourceText:
        """What stands under the top-level ``key`` as a text of its own; ``data`` in its place."""
        lines = {path[1:]: line for path, line in self.lines.items() if path[:1] == (key,)}
        written = {path[1:]: name for path, name in self.written.items() if path[:1] == (key,)}
        lines.setdefault((), 1)
        name = written.pop((), key)
        return SourceText(self.file, data, lines, [], written, (*self.within, name))

    def line_of(self, path: KeyPath) -> int:
        """The line of ``path`` or of its nearest written parent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(
        self, path: Iterable[str | int], expected: str, got: object, near: Iterable[str] = ()
    ) -> Fault:
        """A fault located at ``path`` in this file."""
        key = tuple(path)
        name = key_text((*self.within, *self._by_name(key)))
        return Fault(self.file, self.line_of(key), name, expected, str(got), tuple(near))

    def _by_name(self, path: KeyPath) -> KeyPath:
        """``path`` as its user calls it: list positions by the entry's own ``name`` where it has one,
        keys by the names that were written."""
        shown: list[str | int] = []
        here = self.data
        for depth, part in enumerate(path, start=1):
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                here = None
            named = isinstance(part, int) and isinstance(here, dict)
            part = here["name"] if named and isinstance(here.get("name"), str) else part
            shown.append(self.written.get(path[:depth], part))
        return tuple(shown)


def read_source(path: Path, shown_as: str | None = None) -> SourceText:
    """Read one YAML document without executing anything in it.

    Raises :class:`SpecError` where the file is missing, is not UTF-8, is not YAML or is not a mapping,
    is larger, nested deeper or longer than :mod:`bnnsim.spec.bounds` says, or contains itself.
    Duplicate keys and values that are none are gathered in ``faults``; of duplicates the first is kept.
    """
    name = shown_as or _shown(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SPEC_BYTES + 1)
        if len(content) > MAX_SPEC_BYTES:
            expected = f"a file of at most {MAX_SPEC_BYTES} bytes"
            raise SpecError([Fault(name, 0, "", expected, "more")])
        text = content.decode("utf-8")
    except FileNotFoundError:
        raise SpecError([Fault(name, 0, "", "a file", "nothing there")]) from None
    except IsADirectoryError:
        raise SpecError([Fault(name, 0, "", "a file", "a folder")]) from None
    except (OSError, ValueError) as error:  # not UTF-8, or a name that no file can have
        raise SpecError([Fault(name, 0, "", "a readable UTF-8 text file", str(error))]) from None
    return parse_source(text, name)


def parse_source(text: str, name: str) -> SourceText:
    """As :func:`read_source`, from text; ``name`` stands for the file in messages."""
    try:
        node = compose(text)
    except (ValueError, OverflowError) as error:  # of escapes and directives beyond what there can be
        raise SpecError([Fault(name, 0, "", "valid YAML", str(error))]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SpecError([Fault(name, line, "", "valid YAML", problem)]) from None
    source = SourceText(name, {})
    if not isinstance(node, yaml.MappingNode):
        got = "an empty file" if node is None else _node_kind(node)
        raise SpecError([Fault(name, 1, "", "a mapping of keys to values", got)])
    source.data = _Plain(source).data(node, ())
    return source


class _Plain:
    """Turns nodes into plain data, noting lines and faults in ``source``."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.around: set[int] = set()
        self.count = 0

    def data(self, node: yaml.Node, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self.source.lines.setdefault(path, line)
        self.count += 1
        if self.count > MAX_NODES:
            expected = f"at most {MAX_NODES} entries, with every alias written out"
            raise SpecError([Fault(self.source.file, line, "", expected, "more")])
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in _COLLECTIONS:
            self._fault(line, path, *tag_fault(node.tag))
            return UNREAD
        # An alias is the node it names: one that stands around itself has no end. One that is long
        # in itself can stand deeper than it was written.
        if id(node) in self.around or len(self.around) > MAX_DEPTH:
            expected = "no alias that contains itself"
            got = _node_kind(node) + " inside itself"
            if id(node) not in self.around:
                expected, got = f"entries nested at most {MAX_DEPTH} deep", "more"
            self.source.faults.append(
                Fault(self.source.file, self.source.line_of(path), key_text(path), expected, got)
            )
            return UNREAD
        self.around.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.data(child, (*path, i)) for i, child in enumerate(node.value)]
        finally:
            self.around.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(line, path, "a plain key", _node_kind(key_node))
                continue
            key = str(key_node.value)
            if key == "<<" or key in result:
                expected = "no merge key" if key == "<<" else "each key once"
                got = "'<<'" if key == "<<" else f"'{key}' a second time"
                self._fault(line, (*path, key), expected, got)
                continue
            self.source.lines[(*path, key)] = line
            result[key] = self.data(value_node, (*path, key))
        return result

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        try:
            return scalar_value(node)
        except ScalarError as error:
            self._fault(node.start_mark.line + 1, path, error.expected, error.got)
            return UNREAD

    def _fault(self, line: int, path: KeyPath, expected: str, got: str) -> None:
        self.source.faults.append(Fault(self.source.file, line, key_text(path), expected, got))


def _node_kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return f"the text {node.value!r}"


def _shown(path: Path) -> str:
    try:
        return str(Path(os.path.abspath(path)).relative_to(Path.cwd()))
    except ValueError:
        return str(path)
