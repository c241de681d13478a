"""What the cache on disk is keyed by, and the page about the kernels."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bnnsim.timing.streaming.compiled import kernels

FOLDER = Path(kernels.__path__[0])
ROOM = "bnnsim.timing.streaming.compiled.kernels"
PAGE = Path(__file__).resolve().parents[4] / "docs" / "compiled-executor.md"


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


def test_the_page_about_visits_holds_with_the_kernels_as_plain_python() -> None:
    command = [sys.executable, "-m", "doctest", str(PAGE)]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    child = subprocess.run(
        command, cwd=PAGE.parents[1], env=environment, capture_output=True, text=True, check=False
    )
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")
    assert PAGE.read_text(encoding="utf-8").count(">>> visit(") == 3
