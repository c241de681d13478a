"""FIFO sizing: what is kept, that nothing more can go, and that the reference agrees."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.search.fifos.check import check_sizing
from bnnsim.search.fifos.sizing import FifoSizing, Goal, size_fifos
from bnnsim.simulation import load_streaming_design
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_architecture
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.steady_state.api import steady_state

BRANCH = """\
name: branch
input: {shape: [4, 6, 6], type: bipolar}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, pad: 1, activation: bipolar}
  - {name: sum, op: add, inputs: [input, conv0]}
  - {name: bits, op: threshold, activation: bipolar}
  - {name: fc, op: linear, out: 4}
"""
BRANCH_ARCH = """\
name: branch-arch
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
layers:
  conv0: {pe: 4, simd: 4}
  bits: {pe: 4}
  fc: {pe: 4, simd: 4}
"""


def _sized(arch: str | Path, workload: str | Path, keep: float, goal: Goal) -> FifoSizing:
    design, _ = load_streaming_design(arch, workload)
    return size_fifos(design, keep, goal)


@pytest.mark.parametrize("keep", [1.0, 0.8])
def test_no_single_fifo_can_be_made_smaller(keep: float) -> None:
    design, _ = load_streaming_design("digits-7z020", "digits")
    sizing = size_fifos(design, keep)
    timing = build_timing(design.graph)
    steady = steady_state(timing.with_depths(sizing.depth_words))
    assert steady.initiation_interval_cycles == sizing.initiation_interval_cycles
    assert sizing.initiation_interval_cycles <= sizing.unlimited_interval_cycles / keep
    for name, depth in sizing.depth_words.items():
        if depth == 1:
            continue
        try:
            less = steady_state(timing.with_depths({**sizing.depth_words, name: depth - 1}))
        except DeadlockError:
            continue
        interval = less.initiation_interval_cycles
        assert interval is None or interval > sizing.target_interval_cycles, name


def test_sizing_never_claims_more_memory_than_it_started_with() -> None:
    sizing = _sized("digits-7z020", "digits", 1.0, "bits")
    assert sizing.fifo_bits <= sizing.before_bits
    assert sizing.initiation_interval_cycles <= (sizing.before_interval_cycles or 0)


def test_curve_falls_as_memory_grows() -> None:
    curve = _sized("digits-7z020", "digits", 1.0, "bits").curve
    assert len(curve) > 2
    for smaller, larger in pairwise(curve):
        assert smaller.fifo_bits < larger.fifo_bits
        assert smaller.initiation_interval_cycles > larger.initiation_interval_cycles


def test_sizing_makes_a_deadlocked_branch_run_and_simpy_agrees(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BRANCH_ARCH)
    (tmp_path / "w.yaml").write_text(BRANCH)
    design, _ = load_streaming_design(tmp_path / "a.yaml", tmp_path / "w.yaml")
    sizing = size_fifos(design)
    assert sizing.before_interval_cycles is None  # two words beside a sliding window: a deadlock
    assert sizing.depth_words["input.split->sum.add"] > 2
    check = check_sizing(design, sizing)
    again, _ = load_streaming_design(check.architecture, tmp_path / "w.yaml")
    depths = {s.name: s.depth_words for s in again.graph.streams}
    assert depths == dict(sizing.depth_words)


@pytest.mark.parametrize("keep", [0.0, 1.5, -1.0])
def test_keep_is_a_fraction(keep: float) -> None:
    with pytest.raises(InputError, match=r"--keep: expected a fraction in \(0, 1\], got"):
        _sized("digits-7z020", "digits", keep, "bits")


def test_command_writes_an_architecture_that_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sized.yaml"
    assert run(["fifos", "digits-7z020", "digits", "--out", str(out), "--objective", "bram"]) == 0
    printed = capsys.readouterr().out
    assert "Throughput against FIFO memory" in printed
    assert "checked    4 frames with SimPy" in printed
    assert load_architecture(out).spec.name == "digits-7z020-fifos"
