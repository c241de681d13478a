"""A trace that ends early runs only the frames that can have begun by then, and shows the same cycles."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.report.waveform import trace as module
from bnnsim.simulation import RunOptions
from tests.cli.faults.small_spec import ARCH, WORKLOAD


@pytest.mark.parametrize("end_cycle", [10, 137, 900])
def test_window_of_a_long_run_is_that_of_the_shortened_one(
    end_cycle: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text(ARCH)
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    files = tmp_path / "a.yaml", tmp_path / "w.yaml"
    options = RunOptions(frames=25, timing_only=True)
    written = []
    for name in ("short", "long"):
        path = tmp_path / f"{name}.vcd"
        found = module.trace(*files, options, vcd=path, end_cycle=end_cycle)
        written.append((found.simulation.frames, path.read_text()))
        monkeypatch.setattr(module, "_frames_begun", lambda timing, end: 25)
    (short, text), (long, whole) = written
    assert short < long == 25
    assert text == whole
