"""What the cache on disk is keyed by."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bnnsim.timing.streaming.solver import kernels

FOLDER = Path(kernels.__path__[0])
ROOM = "bnnsim.timing.streaming.solver.kernels"


@pytest.mark.parametrize("source", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_all_that_is_compiled_lies_in_the_folder_whose_files_are_hashed(source: Path) -> None:
    """A function from elsewhere would be compiled into the entry points and not be in their stamp."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            of_types_only = name == "bnnsim.arrays"
            assert not name.startswith("bnnsim") or name.startswith(ROOM) or of_types_only, name
