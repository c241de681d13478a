"""FIFO sizing: what is kept, that nothing more can go, and that the reference agrees."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bnnsim.cli.app import run
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.report.search.sizing import sizing_info
from bnnsim.search.fifos import sizing as fifo_sizing
from bnnsim.search.fifos import trials
from bnnsim.search.fifos.bound import bound_depths, paced_graph, unlimited_depths
from bnnsim.search.fifos.check import check_sizing, with_depths
from bnnsim.search.fifos.sizing import FifoSizing, Goal, size_fifos
from bnnsim.simulation import load_streaming_design
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_architecture
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.bottleneck import unlimited_interval
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.solver import layout
from bnnsim.timing.streaming.solver.ended_run import most_filled_words
from bnnsim.timing.streaming.solver.solver import Solver
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


@pytest.mark.parametrize("keep", [1.0, 0.8])
def test_no_depths_of_a_large_design_that_were_timed_keep_the_target_with_less(keep: float) -> None:
    sizing = _sized("pynq-cnv", "cnv", keep, "bits")
    kept = [p for p in sizing.curve if p.initiation_interval_cycles <= sizing.target_interval_cycles]
    assert sizing.fifo_bits == min(point.fifo_bits for point in kept)
    assert sizing.fifo_bits < sizing.before_bits / 4


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
    assert check_sizing(design, sizing) == 4
    again, _ = load_streaming_design(with_depths(design, sizing), tmp_path / "w.yaml")
    depths = {s.name: s.depth_words for s in again.graph.streams}
    assert depths == dict(sizing.depth_words)


def test_a_run_at_the_wanted_pace_says_depths_that_keep_the_interval() -> None:
    shipped = {"digits-7z020": "digits", "pynq-cnv": "cnv", "rebnet-m1": "rebnet-cifar10-m1"}
    for arch, workload in shipped.items():
        design, _ = load_streaming_design(arch, workload)
        timing = build_timing(design.graph)
        best = unlimited_interval(timing)
        wanted = -(-best.numerator // best.denominator)
        deep = bound_depths(timing, wanted, 12)
        assert steady_state(timing.with_depths(deep)).initiation_interval_cycles == wanted
        assert deep.keys() == design.graph.stream_by_name.keys()


def residual(blocks: int, pixels: int) -> Design:
    """Blocks of two convolutions beside a shortcut, with FIFOs of two words: a deadlock."""
    keys = {"op": "conv", "out": 4, "kernel": 3, "pad": 1}
    layers: list[dict[str, Any]] = [{"name": "stem", **keys, "activation": "bipolar"}]
    hardware = {"stem": {"pe": 4, "simd": 3}}
    last = "stem"
    for block in range(blocks):
        first, second, both, bits = (f"{name}{block}" for name in ("a", "b", "sum", "bits"))
        layers += [
            {"name": first, **keys, "inputs": [last], "activation": "bipolar"},
            {"name": second, **keys, "inputs": [first]},
            {"name": both, "op": "add", "inputs": [second, last]},
            {"name": bits, "op": "threshold", "activation": "bipolar"},
        ]
        hardware |= {first: {"pe": 4, "simd": 4}, second: {"pe": 4, "simd": 4}, bits: {"pe": 4}}
        last = bits
    workload = Workload.model_validate(
        {"name": "r", "input": {"shape": [3, pixels, pixels], "type": "uint8"}, "layers": layers}
    )
    spec = {"name": "r-arch", "source": "test", "style": "streaming", "device": "xczu9eg"}
    more = {"clock_mhz": 100, "defaults": {"sliding_window": "rtl"}, "layers": hardware}
    return build_streaming_design(StreamingArchitecture.model_validate(spec | more), workload)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_unlimited_fifos_are_as_full_as_simpy_s_and_no_unit_is_asked_again_for_their_room(
    frames: int,
) -> None:
    timing = build_timing(residual(2, 6).graph)
    interval = unlimited_interval(timing)
    deep = timing.with_depths(unlimited_depths(timing, frames))
    paced = paced_graph(deep, -(-interval.numerator // interval.denominator))
    assert most_filled_words(paced, frames) == run_simpy(paced, frames).max_occupancy_words
    solver = Solver(paced, frames)
    solver.next_window(1)
    register_slices = sum(channel.falls_through for channel in paced.channels)
    assert solver.evaluations <= len(paced.units) + 4 * register_slices


def test_channels_that_need_more_room_than_there_is_get_it_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layout, "MOST_WINDOW_WORDS", 1 << 8)
    timing = build_timing(residual(2, 8).graph)
    graph = paced_graph(timing.with_depths(unlimited_depths(timing, 4)), 10)
    places: list[int] = []
    make_room = Solver._make_room

    def noted(solver: Solver) -> None:
        make_room(solver)
        places.append(len(solver.state.cycles))

    monkeypatch.setattr(Solver, "_make_room", noted)
    assert most_filled_words(graph, 4) == run_simpy(graph, 4).max_occupancy_words
    assert len(places) > 1


@pytest.mark.parametrize(("blocks", "pixels"), [(1, 10), (4, 6)])
def test_branches_take_dozens_of_timings_however_many_there_are(blocks: int, pixels: int) -> None:
    design = residual(blocks, pixels)
    sizing = size_fifos(design)
    assert sizing.before_interval_cycles is None
    assert sizing.initiation_interval_cycles == sizing.unlimited_interval_cycles
    assert sizing.designs_timed <= 200
    assert sizing.fifo_bits < sizing.bound_bits
    assert check_sizing(design, sizing) >= 1


def test_that_no_word_can_go_is_proven_only_where_there_are_frames_for_every_fifo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    design = residual(1, 10)
    assert size_fifos(design).is_minimal
    monkeypatch.setattr(trials, "MOST_WORDS", 1)
    few = size_fifos(design)
    assert not few.is_minimal
    assert few.initiation_interval_cycles == few.unlimited_interval_cycles


def test_ctrl_c_leaves_the_best_until_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def stop(*_: object) -> None:
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr("bnnsim.cli.explore.fifos._SizingWork.advance_with", stop)
    out = tmp_path / "a.yaml"
    files = ["--out", str(out), "--json", str(tmp_path / "a.json")]
    assert run(["fifos", "digits-7z020", "digits", *files]) == 130
    found = json.loads((tmp_path / "a.json").read_text())
    assert (found["is_finished"], found["is_minimal"], found["checked_frames"]) == (False, False, 0)
    design, _ = load_streaming_design(out, "digits")
    interval = steady_state(build_timing(design.graph)).initiation_interval_cycles
    assert interval == found["initiation_interval_cycles"] <= found["target_interval_cycles"]
    assert "not checked" in capsys.readouterr().err


def test_ctrl_c_before_any_depths_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bnnsim.search.fifos.trials.steady_state", stop)
    assert run(["fifos", "digits-7z020", "digits", "--out", str(tmp_path / "a.yaml")]) == 130
    assert not (tmp_path / "a.yaml").exists()
    assert "interrupted before any depths kept the throughput" in capsys.readouterr().err


def test_front_is_a_page_too(tmp_path: Path) -> None:
    page = tmp_path / "front.html"
    files = ["--out", str(tmp_path / "a.yaml"), "--page", str(page)]
    assert run(["fifos", "digits-7z020", "digits", *files]) == 0
    text = page.read_text()
    assert "default-src 'none'" in text
    assert "Throughput against FIFO memory" in text
    design, _ = load_streaming_design("digits-7z020", "digits")
    info = sizing_info(design, size_fifos(design))
    assert info.front[-1] == info.chosen
    assert info.chosen.throughput_fps == 100e6 / info.chosen.interval_cycles
    assert sum(row.after_bits for row in info.rows) == info.chosen.fifo_bits


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
    assert re.search(r"^checked +4 frames with SimPy", printed, re.M)
    assert load_architecture(out).spec.name == "digits-7z020-fifos"


def test_frames_that_are_too_large_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fifo_sizing, "MAX_SIZED_WORDS", 1000)
    design, _ = load_streaming_design("digits-7z020", "digits")
    with pytest.raises(InputError, match="expected at most 1,000 reads and writes a frame"):
        size_fifos(design)
