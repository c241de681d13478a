"""The bench sees what is planted: every fault with its stream, its word and its cycle."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bnnsim.rtl.simulators import build_bench, run_bench
from bnnsim.simulation import RunOptions
from tests.hardware.benches import needs, write_benched
from tests.hardware.faults import FAULTS, Fault, small_design

FRAMES = 2
FEW = tuple(fault for fault in FAULTS if fault.design in ("levels", "integer levels", "flushing rtl"))
"""In every run; the others in the long one."""
PLACE = re.compile(r"stream \S+, word \d+.* cycle \d+")


class _Projects(dict[str, Path]):
    """Projects by the name of their design, written when they are first asked for."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        super().__init__()
        self._folders = folders

    def __missing__(self, name: str) -> Path:
        folder = self._folders.mktemp("project")
        write_benched(small_design(name), None, RunOptions(frames=FRAMES, weights_seed=4), folder)
        self[name] = folder
        return folder


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each small design's project, right as it is emitted."""
    needs("icarus")
    return _Projects(tmp_path_factory)


def _differences(project: Path, fault: Fault | None, folder: Path) -> tuple[str, ...]:
    shutil.copytree(project, folder)
    if fault is not None:
        fault.plant(folder / "rtl")
    build_bench(folder, "icarus")
    return run_bench(folder, "icarus").differences


@pytest.mark.parametrize("name", sorted({fault.design for fault in FEW}))
def test_there_is_nothing_to_see_without_a_fault(
    name: str, projects: dict[str, Path], tmp_path: Path
) -> None:
    assert _differences(projects[name], None, tmp_path / "right") == ()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.what, marks=() if fault in FEW else pytest.mark.long)
        for fault in FAULTS
    ],
)
def test_a_planted_fault_is_reported_with_stream_word_and_cycle(
    fault: Fault, projects: dict[str, Path], tmp_path: Path
) -> None:
    differences = _differences(projects[fault.design], fault, tmp_path / "faulty")
    assert differences and PLACE.search(differences[0]), differences
