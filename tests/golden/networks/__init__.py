"""Trained networks with known outputs: two stand here, the others are looked for beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHIPPED = Path(__file__).parent
ELSEWHERE = Path(os.environ.get("BNNSIM_NETWORKS", SHIPPED.parents[3] / "shared" / "networks"))


def trained(name: str) -> Path:
    """The file or folder of a trained network; the test is skipped where it is in neither place."""
    for folder in (SHIPPED, ELSEWHERE):
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"no trained network {name}: BNNSIM_NETWORKS may name the folder that has it")
