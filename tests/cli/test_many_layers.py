"""Deep networks: what a command does grows with the layers, not with their square.

Function calls are counted, which are the same in every run.
"""

from __future__ import annotations

import cProfile
from pathlib import Path

import pytest

from bnnsim.cli.app import run

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from tests.golden.imported.onnx_models import Builder  # noqa: E402

SIZES = (10, 30, 60, 120)
COMMANDS = {
    "simulate": ["simulate", "a{n}.yaml", "w{n}.yaml", "--timing-only"],
    "bits": ["simulate", "a{n}.yaml", "w{n}.yaml", "--weights-seed", "1"],
    "evaluate": ["evaluate", "a{n}.yaml", "w{n}.yaml", "--timing-only"],
    "report": ["report", "a{n}.yaml", "w{n}.yaml", "--timing-only", "--out", "{n}.html"],
    "trace": ["trace", "a{n}.yaml", "w{n}.yaml", "--timing-only", "--vcd", "{n}.vcd"],
    "vectors": ["vectors", "a{n}.yaml", "w{n}.yaml", "--weights-seed", "1", "--out", "v{n}"],
    "import": ["import", "onnx", "m{n}.onnx", "--out", "i{n}", "--sign-of-zero", "plus"],
    "check": ["check", "m{n}.onnx", "i{n}/m{n}.yaml", "--random-inputs", "2"],
}


def _write(folder: Path, layers: int) -> None:
    b = Builder((1, 8))
    x = b.op("Sign", "x")
    for i in range(layers):
        x = b.op("MatMul", x, b.signs(8, 8))
        x = b.op("Sign", x) if i < layers - 1 else x
    b.save(x, folder / f"m{layers}.onnx")
    names = [f"fc{i}" for i in range(layers)]
    lines = [f"  - {{name: {name}, op: linear, out: 8, activation: bipolar}}" for name in names]
    head = "name: deep\ninput: {shape: [8], type: bipolar}\nlayers:\n"
    (folder / f"w{layers}.yaml").write_text(head + "\n".join(lines) + "\n")
    head = 'name: deep\nsource: "made up"\nstyle: streaming\ndevice: xczu9eg\nclock_mhz: 100\nlayers:\n'
    units = [f"  {name}: {{pe: 2, simd: 4}}" for name in names]
    (folder / f"a{layers}.yaml").write_text(head + "\n".join(units) + "\n")


def _calls(arguments: list[str]) -> int:
    """How many functions a command calls, C's included."""
    counter = cProfile.Profile()
    counter.enable()
    try:
        code = run(arguments)
    finally:
        counter.disable()
    assert code == 0, arguments
    return sum(entry.callcount for entry in counter.getstats())


def test_the_work_of_every_command_is_linear_in_the_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for layers in SIZES:
        _write(tmp_path, layers)
    growth = {}
    for name, command in COMMANDS.items():
        # The first run fills caches and loads modules, and does not count.
        _, *found = (_calls([word.format(n=layers) for word in command]) for layers in SIZES)
        growth[name] = (found[2] - found[1]) / (found[1] - found[0])
    # As many layers more again: twice the work more where it is linear, four times where it is square.
    assert {name: ratio for name, ratio in growth.items() if not 1.5 < ratio < 2.5} == {}
