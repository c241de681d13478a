"""Who waits for kernels to be compiled is told so, once, and only then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

KERNELS = """
from bnnsim.arrays.jit import njit

@njit(cache=True)
def more(x):
    return x + 1

@njit(cache=True)
def less(x):
    return x - 1

@njit
def not_kept(x):
    return x
"""


def _stderr(folder: Path, calls: str) -> str:
    code = f"from bnnsim.cli.console import remarks\nimport kernels\nwith remarks():\n    {calls}"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return run.stderr


def test_the_first_use_says_in_a_line_that_kernels_are_compiled_and_the_next_says_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "kernels.py").write_text(KERNELS)
    both = "kernels.more(kernels.less(1))"
    assert _stderr(tmp_path, both) == "compiling kernels, which takes half a minute and is done once\n"
    assert _stderr(tmp_path, both) == ""


def test_what_is_not_kept_on_disk_is_compiled_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text(KERNELS)
    assert _stderr(tmp_path, "kernels.not_kept(1)") == ""
