"""Imports run one way: a module imports only from floors below its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "bnnsim"
ALLOWED = {
    "arrays": set(),
    "spec": set(),
    "files": {"spec"},
    "design": {"spec"},
    "functional": {"spec", "files", "design"},
    "timing": {"spec", "design"},
    "cost": {"spec", "design"},
    "datapath": {"spec", "design", "functional"},
    "simulation": {"spec", "design", "functional", "timing", "datapath"},
    "evaluation": {"spec", "design", "functional", "timing", "datapath", "cost", "simulation"},
    "validation": {"spec", "design", "timing", "cost", "simulation", "evaluation"},
    "importers": {"spec", "files", "design", "functional"},
    "search": {
        "spec", "files", "design", "timing", "cost", "datapath", "simulation", "evaluation",
        "validation",
    },
    "report": {
        "spec", "files", "design", "functional", "timing", "datapath", "cost", "simulation",
        "evaluation", "validation", "search",
    },
    "exploration": {
        "spec", "design", "timing", "cost", "simulation", "evaluation", "validation", "search",
        "report",
    },
}  # fmt: skip
TOP = {"cli", "__init__"}  # may import everything


def _floor(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imported_floors(path: Path) -> set[str]:
    floors = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names = [module] if module != "bnnsim" else [f"bnnsim.{a.name}" for a in node.names]
        floors |= {name.split(".")[1] for name in names if name.startswith("bnnsim.")}
    return floors


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_imports_only_from_floors_below(path: Path) -> None:
    floor = _floor(path)
    if floor in TOP:
        return
    above = _imported_floors(path) - ALLOWED[floor] - {floor, "arrays"}
    assert not above, f"{path.relative_to(PACKAGE)} imports from {sorted(above)}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_prints_or_exits(path: Path) -> None:
    if _floor(path) == "cli":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "exit", "sys.exit", "quit"), f"{path}:{node.lineno}"
