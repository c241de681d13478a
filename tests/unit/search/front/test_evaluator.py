"""What a baseline's screen leaves out can be left out: feasible designs have the same result."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.front.objectives import parse_constraints, parse_objectives
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.space.space_reader import load_space

SPACE = """\
name: small
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: {choose: [100, 143]}
budget: {bram18: 40}
layers:
  fc0: {pe: {choose: [1, 8, 64]}, simd: {choose: [1, 28, 784]}}
  fc1: {pe: {choose: [1, 16]}, simd: 8, out_fifo_words: {choose: [2, 64]}}
  fc2: {pe: 4, simd: 8}
  fc3: {pe: 10, simd: 8}
explore: {workload: tfc, objectives: [throughput_fps, lut]}
"""


@pytest.mark.parametrize(
    "bounds", [["throughput_fps>=20000"], ["lut<=9000"], ["throughput_fps<=30000", "power_w<=1.9"]]
)
def test_screening_finds_the_same_designs_feasible(tmp_path: Path, bounds: list[str]) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SPACE)
    space = load_space(path)
    evaluator = Evaluator(space, parse_objectives(["throughput_fps", "lut"]), parse_constraints(bounds))
    raw = RawEncoding(space)
    feasible = rejected = 0
    for point in itertools.product(*(range(size) for size in raw.sizes.values())):
        knobs = raw.describe(dict(zip(raw.sizes, point, strict=True)))
        full, quick = evaluator(knobs), evaluator.screen(knobs)
        assert quick.is_feasible == full.is_feasible
        if full.is_feasible:
            assert quick == full
            feasible += 1
        elif not quick.figures:
            assert quick.infeasible_reason.startswith("breaks ")
            rejected += 1
    assert feasible
    assert rejected
