"""YAML text becomes nodes: through libyaml where it reads what PyYAML's own parser reads.

libyaml is about eleven times as fast. The two differ in tabs, in ``!`` and ``?`` where they begin no
token, in what is not ASCII, in directives, and in the line of an empty value before the end of a flow;
texts with any of these are left to PyYAML, and so are texts that libyaml refuses: it refuses more, and
what is wrong with a file is told in the same words wherever it is read.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from bnnsim.spec.bounds import MAX_DEPTH
from bnnsim.spec.yaml.scalars import ScalarLoader, Unresolved

_ALIKE = re.compile(r"[\n\x20\x22-\x3e\x40-\x7e]*")
"""Printable ASCII without ``!`` and ``?``."""
_APART = re.compile(r"^%|:\s*\n\s*[,\]}]", re.MULTILINE)


def compose(text: str) -> yaml.Node | None:
    """The root node of a text, None for an empty one; scalars are tagged as in :mod:`.scalars`.

    Raises ``yaml.YAMLError`` for what is not YAML or nested more than ``MAX_DEPTH`` deep, before the
    recursion of reading is, and ``ValueError`` or ``OverflowError`` for impossible characters.
    """
    if _Libyaml is not None and _ALIKE.fullmatch(text) and not _APART.search(text):
        try:
            return _node(text, _Libyaml)
        except yaml.YAMLError:
            pass  # told below
    return _node(text, ShallowLoader)


def _node(text: str, loader: Any) -> yaml.Node | None:
    return yaml.compose(text, Loader=loader)


class ShallowLoader(ScalarLoader):
    """PyYAML's parser, which stops at ``MAX_DEPTH``."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth > MAX_DEPTH:
            problem = f"entries nested more than {MAX_DEPTH} deep"
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _libyaml_loader() -> Any:
    """A loader over libyaml; None where PyYAML was built without it."""
    base: Any = getattr(yaml, "CSafeLoader", None)
    if base is None:
        return None

    class LibyamlLoader(Unresolved, base):  # type: ignore[misc]
        """libyaml's parser, which stops at ``MAX_DEPTH``: it asks this at every node."""

        depth = 0

        def descend_resolver(self, parent: yaml.Node | None, index: int) -> None:
            self.depth += 1
            if self.depth > MAX_DEPTH + 1:
                raise yaml.YAMLError("too deep")

        def ascend_resolver(self) -> None:
            self.depth -= 1

    return LibyamlLoader


_Libyaml = _libyaml_loader()
