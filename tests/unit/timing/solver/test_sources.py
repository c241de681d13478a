"""What the cache on disk is keyed by."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bnnsim.timing.streaming.solver import kernels

FOLDER = Path(kernels.__path__[0])
SOURCES = sorted(FOLDER.parent.rglob("kernels/*.py"))
STRIDES = "bnnsim.timing.streaming.programs.strides"
"""Its file is hashed too: the kernels have its numbers."""
ROOMS = ("bnnsim.timing.streaming.solver.kernels", "bnnsim.timing.streaming.solver.steady.kernels")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_all_that_is_compiled_lies_in_the_folder_whose_files_are_hashed(source: Path) -> None:
    """A function from elsewhere would be compiled into the entry points and not be in their stamp."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            is_no_kernel = name in ("bnnsim.arrays", "bnnsim.arrays.jit", STRIDES)
            assert not name.startswith("bnnsim") or name.startswith(ROOMS) or is_no_kernel, name
