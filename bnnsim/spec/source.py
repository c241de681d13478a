"""A YAML file as plain data plus the line of every key, duplicates refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bnnsim.spec.faults import Fault, KeyPath, SpecError, key_text


@dataclass
class SourceText:
    """Plain data read from YAML and where each entry stands.

    ``data`` holds dicts, lists and scalars; ``lines`` maps a key path to its 1-based line.
    """

    file: str
    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

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
        name = key_text(self._by_name(key))
        return Fault(self.file, self.line_of(key), name, expected, str(got), tuple(near))

    def _by_name(self, path: KeyPath) -> KeyPath:
        """``path`` with list positions replaced by the entry's own ``name`` where it has one."""
        shown: list[str | int] = []
        here = self.data
        for part in path:
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                here = None
            named = isinstance(part, int) and isinstance(here, dict)
            shown.append(here["name"] if named and isinstance(here.get("name"), str) else part)
        return tuple(shown)


def read_source(path: Path, shown_as: str | None = None) -> SourceText:
    """Read one YAML document without executing anything in it.

    Raises :class:`SpecError` where the file is missing, is not UTF-8, is not YAML or is not a mapping.
    Duplicate keys are gathered in ``faults``; the first value is kept.
    """
    name = shown_as or _shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError([Fault(name, 0, "", "a file", "nothing there")]) from None
    except IsADirectoryError:
        raise SpecError([Fault(name, 0, "", "a file", "a folder")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError([Fault(name, 0, "", "a readable UTF-8 text file", str(error))]) from None
    return parse_source(text, name)


def parse_source(text: str, name: str) -> SourceText:
    """As :func:`read_source`, from text; ``name`` stands for the file in messages."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SpecError([Fault(name, line, "", "valid YAML", problem)]) from None
    source = SourceText(name, {})
    if not isinstance(node, yaml.MappingNode):
        got = "an empty file" if node is None else _node_kind(node)
        raise SpecError([Fault(name, 1, "", "a mapping of keys to values", got)])
    source.data = _plain(node, (), source)
    return source


def _plain(node: yaml.Node, path: KeyPath, source: SourceText) -> Any:
    source.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                source.faults.append(
                    Fault(source.file, line, key_text(path), "a plain key", _node_kind(key_node))
                )
                continue
            key = str(key_node.value)
            if key == "<<" or key in result:
                expected = "no merge key" if key == "<<" else "each key once"
                got = "'<<'" if key == "<<" else f"'{key}' a second time"
                source.faults.append(
                    Fault(source.file, line, key_text((*path, key)), expected, got)
                )
                continue
            source.lines[(*path, key)] = line
            result[key] = _plain(value_node, (*path, key), source)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, i), source) for i, child in enumerate(node.value)]
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError):
        source.faults.append(
            Fault(
                source.file,
                node.start_mark.line + 1,
                key_text(path),
                "a plain YAML value",
                f"{node.tag} {getattr(node, 'value', '')!r}",
            )
        )
        return None


def _node_kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return f"the text {node.value!r}"


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
