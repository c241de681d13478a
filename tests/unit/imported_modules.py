"""Which modules of a tree of source files import which, read from the text: nothing is executed.

Every import statement counts, wherever it stands: at the top, in a function, under ``TYPE_CHECKING``;
so does ``import_module`` of a name that is written out, and so do the values of a dict ``_HOMES``, from
which a package loads its public names lazily.

``from a.b import c`` is an arrow to ``a.b.c`` where that is a module, else to ``a.b``. That Python also
runs the ``__init__`` of ``a`` on the way is not an arrow: an ``__init__`` is a front page that names
again what stands inside, and modules inside import each other by their full names. Whoever imports
*from* a front page depends on it, and so on everything that it names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path


def module_paths(root: Path, package: str) -> dict[str, Path]:
    """Dotted names of the modules in folder ``root / package``, with their files."""
    return {_dotted(path.relative_to(root)): path for path in sorted((root / package).rglob("*.py"))}


@cache
def imports(root: Path, package: str) -> dict[str, set[str]]:
    """Each module's imports of other modules of the package.

    Raises:
        ValueError: a module imports relatively.
    """
    paths = module_paths(root, package)
    return {name: set(_imported(path, paths)) - {name} for name, path in paths.items()}


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Largest sets of modules that all import each other in a circle, however long (Tarjan)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            circle = set(stack[stack.index(module) :])
            del stack[stack.index(module) :]
            if len(circle) > 1:
                found.append(circle)

    for module in graph:
        if module not in number:
            visit(module)
    return found


def _imported(path: Path, paths: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in paths)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: relative import")
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in paths or node.module in paths:
                    yield inner if inner in paths else str(node.module)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            yield from ast.literal_eval(node.value).values()
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and a.value in paths)


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
