"""A small accelerator and its network, right until a test changes a word of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.cli.app import run

WORKLOAD = """\
name: small
input: {shape: [8, 6, 6], type: bipolar}
layers:
  - {name: conv0, op: conv, out: 16, kernel: 3, activation: bipolar}
  - {name: pool0, op: max_pool, kernel: 2}
  - {name: fc0, op: linear, out: 10}
"""
ARCH = """\
name: small-arch
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
layers:
  conv0: {pe: 4, simd: 8}
  fc0: {pe: 2, simd: 8}
"""


def complaints(tmp_path: Path, capsys: pytest.CaptureFixture[str], arch: str, workload: str) -> list[str]:
    (tmp_path / "a.yaml").write_text(arch)
    (tmp_path / "w.yaml").write_text(workload)
    code = run(["simulate", str(tmp_path / "a.yaml"), str(tmp_path / "w.yaml"), "--timing-only"])
    printed = capsys.readouterr()
    assert code == 2, printed.out
    assert "Traceback" not in printed.err
    assert printed.out == ""
    return printed.err.replace(f"{tmp_path}/", "").splitlines()


def change(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)
