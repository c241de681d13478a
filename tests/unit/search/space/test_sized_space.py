"""Spaces whose designs have FIFOs of their own sizes: every folding runs at its slowest unit's pace."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from bnnsim.design.design import Design
from bnnsim.evaluation import evaluate
from bnnsim.exploration.explore import explore
from bnnsim.search.fifos import sizing
from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.points.point_design import finished_design, point_architecture, point_design
from bnnsim.search.space.space import Space
from bnnsim.search.space.space_reader import load_space
from bnnsim.spec.faults import SpecError
from bnnsim.timing.streaming.bottleneck import unlimited_interval
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

NETWORK = """\
name: shortcuts
input: {shape: [8, 8, 8], type: bipolar}
layers:
  - {name: c0, op: conv, out: 8, kernel: 3, pad: 1, activation: bipolar}
  - {name: c1, op: conv, out: 8, kernel: 3, pad: 1}
  - {name: sum, op: add, inputs: [input, c1]}
  - {name: bits, op: threshold, activation: bipolar}
  - {name: fc, op: linear, out: 4}
"""
SPACE = """\
name: shortcuts-space
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {fifo_words: 2}
layers:
  c0: {pe: {choose: [1, 2, 8]}, simd: {choose: [1, 8]}}
  c1: {pe: {choose: [1, 4, 8]}, simd: {choose: [2, 8]}}
  sum: {pe: 4}
  bits: {pe: 4}
  fc: {pe: 4, simd: 8}
explore: {workload: shortcuts.yaml, objectives: [throughput_fps, lut], fifos: sized}
"""
NAMES = ("layers.c0.pe", "layers.c0.simd", "layers.c1.pe", "layers.c1.simd")
POINTS = [(1, 1, 1, 2), (1, 8, 8, 8), (8, 8, 1, 2), (8, 8, 8, 8), (2, 8, 4, 2)]


def _space(folder: Path, text: str = SPACE) -> Space:
    (folder / "shortcuts.yaml").write_text(NETWORK)
    path = folder / "space.yaml"
    path.write_text(text)
    return load_space(path)


@pytest.mark.parametrize("point", POINTS)
def test_every_folding_runs_at_the_pace_of_its_slowest_unit(
    tmp_path: Path, point: tuple[int, ...]
) -> None:
    space, knobs = _space(tmp_path), dict(zip(NAMES, point, strict=True))
    given, sized = point_design(space, knobs), finished_design(space, knobs)
    assert isinstance(given, Design) and isinstance(sized, Design)
    least = {stream.name: stream.depth_words for stream in given.graph.streams}
    depths = {stream.name: stream.depth_words for stream in sized.graph.streams}
    assert depths.keys() == least.keys()
    assert all(depths[name] >= words for name, words in least.items())
    timing = build_timing(sized.graph)
    ends = run_simpy(timing, 8).frame_end_cycles
    assert ends[-1] - ends[-2] == math.ceil(unlimited_interval(timing))


def test_a_point_whose_frames_are_too_large_to_size_for_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sizing, "MAX_SIZED_WORDS", 1000)
    result = Evaluator(_space(tmp_path), (), ())(dict(zip(NAMES, POINTS[0], strict=True)))
    assert "expected at most 1,000 reads and writes a frame" in result.infeasible_reason


def test_without_sizes_the_shallow_branch_locks_up(tmp_path: Path) -> None:
    space = _space(tmp_path, SPACE.replace(", fifos: sized", ""))
    result = Evaluator(space, (), ())(dict(zip(NAMES, POINTS[0], strict=True)))
    assert "deadlock" in result.infeasible_reason


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sized_design_is_written_with_its_depths(tmp_path: Path, jobs: int) -> None:
    _space(tmp_path)
    found = explore(tmp_path / "space.yaml", trials=6, jobs=jobs, baseline=0, out=tmp_path / "out")
    assert found.exploration.front
    for trial in found.exploration.front:
        path = next((tmp_path / "out").rglob(f"*{trial.id}*.yaml"))
        again = evaluate(path, tmp_path / "shortcuts.yaml", timing_only=True)
        assert again.initiation_interval_cycles == trial.result.figures["initiation_interval_cycles"]
        assert again.resources.total.lut == trial.result.figures["lut"]


def test_an_architecture_has_the_depths_that_its_design_has(tmp_path: Path) -> None:
    space, knobs = _space(tmp_path), dict(zip(NAMES, POINTS[0], strict=True))
    design = finished_design(space, knobs)
    assert point_architecture(space, knobs).spec == design.architecture


def test_engines_have_no_fifos_to_size(tmp_path: Path) -> None:
    from bnnsim.spec.library import find_spec

    text = find_spec("cnv-engine", "space").read_text()
    path = tmp_path / "engine.yaml"
    path.write_text(text.replace("\nexplore:\n", "\nexplore:\n  fifos: sized\n"))
    with pytest.raises(SpecError, match=r"explore.fifos.*given: engines have no FIFOs"):
        load_space(path)


def test_the_folding_of_an_architecture_with_joins_is_searched_with_sized_fifos(tmp_path: Path) -> None:
    plain = re.sub(r"{choose: \[(\d+)[^}]*}", r"\1", SPACE.split("explore:")[0])
    (tmp_path / "plain.yaml").write_text(plain)
    (tmp_path / "shortcuts.yaml").write_text(NETWORK)
    assert load_space(tmp_path / "plain.yaml", tmp_path / "shortcuts.yaml").explore.fifos == "sized"
    assert load_space("digits-7z020", "digits").explore.fifos == "given"
