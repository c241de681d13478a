"""The command starts fast: what takes long to import waits until it is used."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from bnnsim.cli import main

SLOW = {"numba", "optuna", "onnx", "scipy"}


@pytest.mark.parametrize("start", ["import bnnsim", "bnnsim --help"])
def test_starting_imports_nothing_slow(start: str) -> None:
    code = f"""
import sys
sys.argv = {start.split()!r}
import bnnsim
if "--help" in sys.argv:
    from bnnsim.cli import main
    try:
        main()
    except SystemExit as end:
        assert not end.code
print("slow:", *sorted({SLOW!r} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "slow:"


def test_a_command_that_ends_leaves_no_objects_to_look_through() -> None:
    try:
        with pytest.raises(SystemExit):
            main(["--version"])
        assert gc.get_freeze_count() > len(gc.get_objects())
    finally:
        gc.unfreeze()
