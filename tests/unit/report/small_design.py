"""A small binary network on a small accelerator, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

from bnnsim.design.design import Design
from bnnsim.simulation import load_streaming_design

WORKLOAD = """\
name: small
input: {shape: [4, 6, 6], type: bipolar}
layers:
  - {name: conv0, op: conv, out: 8, kernel: 3, activation: bipolar}
  - {name: pool0, op: max_pool, kernel: 2}
  - {name: fc0, op: linear, out: 10}
"""
BRANCHED = """\
name: branched
input: {shape: [4, 6, 6], type: bipolar}
layers:
  - {name: conv0, op: conv, out: 8, kernel: 3, activation: bipolar}
  - {name: conv1, op: conv, out: 8, kernel: 1, activation: bipolar}
  - {name: both, op: concat, inputs: [conv0, conv1]}
  - {name: fc0, op: linear, out: 10}
"""
ARCH = """\
name: small-arch
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
layers:
  conv0: {pe: 2, simd: 4, out_fifo_words: 40}
  fc0: {pe: 1, simd: 8}
"""
BRANCHED_ARCH = ARCH + "  conv1: {pe: 8, simd: 8, out_fifo_words: 40}\n"


def write_specs(folder: Path, arch: str = ARCH, workload: str = WORKLOAD) -> tuple[str, str]:
    """Paths of the two files, written into ``folder``."""
    (folder / "a.yaml").write_text(arch)
    (folder / "w.yaml").write_text(workload)
    return str(folder / "a.yaml"), str(folder / "w.yaml")


def small_design(folder: Path, arch: str = ARCH, workload: str = WORKLOAD) -> Design:
    return load_streaming_design(*write_specs(folder, arch, workload))[0]
