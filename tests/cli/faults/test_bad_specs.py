"""Faults of both files at once, of the command line, and of parts that do not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.spec.library import find_spec
from tests.cli.faults.small_spec import ARCH, WORKLOAD, change, complaints


def test_all_faults_of_both_files_come_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arch = change(change(ARCH, "pe: 4", "pee: 4"), "fc0: {pe: 2", "fc0: {pe: 3")
    workload = change(WORKLOAD, "kernel: 3", "kernel: 3, strid: 2")
    lines = complaints(tmp_path, capsys, arch, workload)
    assert len(lines) == 4, lines
    assert "layers.conv0.pe: expected a divisor of 16, got nothing" in lines[0]
    assert "layers.conv0.pee" in lines[1]
    assert "layers.fc0.pe: expected a divisor of 10, got 3 (nearest: 2, 5)" in lines[2]
    assert "w.yaml:4: layers.conv0.strid" in lines[3]


def test_row_buffer_refuses_dilation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workload = change(WORKLOAD, "kernel: 3", "kernel: 2, dilation: 2")
    arch = change(ARCH, "simd: 8}\n  fc0", "simd: 8, sliding_window: row_buffer}\n  fc0")
    lines = complaints(tmp_path, capsys, arch, workload)
    assert "layers.conv0.sliding_window: expected no_overlap, full_frame_coupled, rtl" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["simulate", "pynq-cn", "cnv"], "pynq-cn: expected a YAML file or a shipped architecture"),
        (["simulate", "pynq-cn", "cnv"], "(nearest: pynq-cnv"),
        (["simulate", "nowhere/a.yaml", "cnv"], "nowhere/a.yaml: expected a file, got nothing there"),
        (["simulate", "pynq-cnv", "cnv", "--frames", "0"], "--frames: expected a number >= 1, got 0"),
        (["simulate", "pynq-cnv", "cnv", "--frames", "x"], "Invalid value for '--frames'"),
        (["simulate", "pynq-cnv", "tfc", "--timing-only"], "expected a layer of workload tfc"),
        (["simulate", "pynq-cnv"], "Missing argument"),
        (["schema", "archh"], "Invalid value"),
        (["simulat"], "No such command"),
    ],
)
def test_wrong_command_lines_are_one_message(
    arguments: list[str], wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert wanted in capsys.readouterr().err


def _changed(folder: Path, name: str, old: str, new: str, times: int) -> Path:
    """A shipped architecture with ``new`` for ``old``, which it has so often."""
    shipped = find_spec(name, "architecture").read_text(encoding="utf-8")
    assert shipped.count(old) == times
    file = folder / f"{name}.yaml"
    file.write_text(shipped.replace(old, new), encoding="utf-8")
    return file


def test_engine_that_loads_a_word_for_all_its_weights_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    starved = _changed(tmp_path, "acce-bnn", "words: 4752", "words: 1", 3)
    assert run(["simulate", str(starved), "binarynet", "--weights-seed", "1"]) == 2
    error = capsys.readouterr().err
    # 128 x 128 x 3 x 3 weights in one word of 64 bits; the other layers of the step are only counted.
    wanted = "loads of all weights of conv2, 147456 bits (and so for 4 more), got 64 bits"
    assert f"programs.conv.steps: expected {wanted}" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("clock_mhz: 100", "clock_mhz: 1:40", "a.yaml:5: clock_mhz: "),
        ("clock_mhz: 100", "clock_mhz: !!int 100", "a.yaml:5: clock_mhz: "),
        ("style: streaming", "style: on", "a.yaml:3: style: "),
        ("{pe: 4, simd: 8}", "0x10", "a.yaml:7: layers.conv0: "),
        ("{pe: 4, simd: 8}", "{pe: 04, simd: 8}", "a.yaml:7: layers.conv0.pe: "),
        ("shape: [8, 6, 6]", "shape: [8, 0x6, 6]", "w.yaml:2: input.shape[1]: "),
        ("op: max_pool", "op: yes", "w.yaml:5: layers[1].op: "),
        ("name: small\n", "name: 1:40\n", "w.yaml:1: name: "),
        ("{name: pool0, op: max_pool, kernel: 2}", "!x {a: 1}", "w.yaml:5: layers[1]: "),
    ],
)
def test_a_value_that_is_none_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, place: str
) -> None:
    specs = [change(text, old, new) if old in text else text for text in (ARCH, WORKLOAD)]
    (line,) = complaints(tmp_path, capsys, *specs)
    assert line.startswith(place)
    assert "nothing" not in line


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("device: xc7z020", "device: " + "x" * 900, "a.yaml:4: device: expected a name of at most "),
        ("op: max_pool", "op: null", "w.yaml:5: layers.pool0.op: got nothing, expected one of conv, "),
        ("{pe: 2, simd: 8}", "{pe: 2, simd: 8}\n  a:b: {pe: 1}", "a.yaml:9: layers.a:b: expected a "),
        ("name: small\n", 'name: "\\ud800"\n', "w.yaml:1: name: expected text of Unicode characters"),
    ],
)
def test_what_is_said_of_strange_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, line: str
) -> None:
    specs = [change(text, old, new) if old in text else text for text in (ARCH, WORKLOAD)]
    (said,) = complaints(tmp_path, capsys, *specs)
    assert said.startswith(line)
    assert "None" not in said


def test_an_array_that_unrolls_beyond_all_counts_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = _changed(tmp_path, "fc-bnn", "kernel_rows: 3, ", "kernel_rows: 2147483647, ", 2)
    assert run(["evaluate", str(wide), "vgg11ave", "--timing-only"]) == 2
    lines = capsys.readouterr().err.splitlines()
    wanted = "arrays.integer_conv.spatial_unrolling: expected at most 2147483648 indices a cycle in all"
    assert len(lines) == 2  # two arrays
    assert wanted in lines[0]
