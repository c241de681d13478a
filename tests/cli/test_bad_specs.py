"""Every kind of wrong entry in a spec is one line with file, line, key, expected, got and a near miss."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.spec.library import find_spec

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


def _run(tmp_path: Path, capsys: pytest.CaptureFixture[str], arch: str, workload: str) -> list[str]:
    (tmp_path / "a.yaml").write_text(arch)
    (tmp_path / "w.yaml").write_text(workload)
    code = run(
        ["simulate", str(tmp_path / "a.yaml"), str(tmp_path / "w.yaml"), "--timing-only"]
    )
    printed = capsys.readouterr()
    assert code == 2, printed.out
    assert "Traceback" not in printed.err
    assert printed.out == ""
    return printed.err.replace(f"{tmp_path}/", "").splitlines()


def change(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


ARCH_CASES = {
    "unknown key": (
        "clock_mhz: 100",
        "clock_mhz: 100\nclok: 1",
        "a.yaml:6: clok: expected one of the keys name, source, ",
        "got 'clok'",
    ),
    "unknown key with a near miss": (
        "simd: 8}\n  fc0",
        "simdd: 8}\n  fc0",
        "a.yaml:7: layers.conv0.simdd: expected one of the keys pe, simd, ",
        "got 'simdd' (nearest: simd)",
    ),
    "duplicate key": (
        "clock_mhz: 100",
        "clock_mhz: 100\nclock_mhz: 200",
        "a.yaml:6: clock_mhz: expected each key once, got 'clock_mhz' a second time",
    ),
    "duplicate layer": (
        "  fc0: {pe: 2, simd: 8}",
        "  fc0: {pe: 2, simd: 8}\n  fc0: {pe: 5, simd: 8}",
        "a.yaml:9: layers.fc0: expected each key once, got 'fc0' a second time",
    ),
    "text for a number": (
        "clock_mhz: 100",
        "clock_mhz: fast",
        "a.yaml:5: clock_mhz: expected a number, got the text 'fast'",
    ),
    "YAML's 1e6 is text": (
        "clock_mhz: 100",
        "clock_mhz: 1e6",
        "a.yaml:5: clock_mhz: expected a number, got the text '1e6'",
    ),
    "YAML's on is a bool": (
        "{pe: 4, simd: 8}",
        "{pe: on, simd: 8}",
        "a.yaml:7: layers.conv0.pe: expected an integer, got true",
    ),
    "fraction for a count": (
        "{pe: 4, simd: 8}",
        "{pe: 4.5, simd: 8}",
        "a.yaml:7: layers.conv0.pe: expected an integer, got 4.5",
    ),
    "zero PE": (
        "{pe: 4, simd: 8}",
        "{pe: 0, simd: 8}",
        "a.yaml:7: layers.conv0.pe: expected a number >= 1, got 0",
    ),
    "negative clock": (
        "clock_mhz: 100",
        "clock_mhz: -5",
        "a.yaml:5: clock_mhz: expected a number > 0, got -5",
    ),
    "clock beyond any FPGA": (
        "clock_mhz: 100",
        "clock_mhz: 100000",
        "a.yaml:5: clock_mhz: expected a number <= 2000, got 100000",
    ),
    "clock that is no number": (
        "clock_mhz: 100",
        "clock_mhz: .nan",
        "a.yaml:5: clock_mhz: expected a finite number, got nan",
    ),
    "clock without end": (
        "clock_mhz: 100",
        "clock_mhz: .inf",
        "a.yaml:5: clock_mhz: expected a finite number, got inf",
    ),
    "gap longer than any counter": (
        "clock_mhz: 100",
        f"clock_mhz: 100\nframe_source: {{gap_steps: {10**30}}}",
        "a.yaml:6: frame_source.gap_steps: expected a number <= 2147483648, got 1000",
    ),
    "missing key": (
        "device: xc7z020\n",
        "",
        "a.yaml:1: device: expected this key, got nothing",
    ),
    "no source": (
        'source: "made for this test"',
        'source: ""',
        "a.yaml:2: source: expected text that is not empty, got the text ''",
    ),
    "unknown device": (
        "device: xc7z020",
        "device: xc7z02",
        "a.yaml:4: device: expected one of 5sgsd8, xc7vx690t, xc7z020, ",
        "got 'xc7z02' (nearest: xc7z020",
    ),
    "unknown kind of sliding window": (
        "clock_mhz: 100",
        "clock_mhz: 100\ndefaults: {sliding_window: row_bufer}",
        "a.yaml:6: defaults.sliding_window: expected row_buffer, no_overlap, ",
        "(nearest: row_buffer, line_buffer)",
    ),
    "unknown pipeline": (
        "{pe: 4, simd: 8}",
        "{pe: 4, simd: 8, pipeline: freezin}",
        "a.yaml:7: layers.conv0.pipeline: expected freezing, flushing, got the text 'freezin'"
        " (nearest: freezing)",
    ),
    "PE that does not divide": (
        "{pe: 4, simd: 8}",
        "{pe: 5, simd: 8}",
        "a.yaml:7: layers.conv0.pe: expected a divisor of 16, got 5 (nearest: 4, 8)",
    ),
    "SIMD that does not divide": (
        "{pe: 4, simd: 8}",
        "{pe: 4, simd: 7}",
        "a.yaml:7: layers.conv0.simd: expected a divisor of 72, got 7 (nearest: 6, 8)",
    ),
    "no SIMD": (
        "{pe: 4, simd: 8}",
        "{pe: 4}",
        "a.yaml:7: layers.conv0.simd: expected a divisor of 72, got nothing",
    ),
    "layer without a unit": (
        "  fc0: {pe: 2, simd: 8}\n",
        "",
        "a.yaml:6: layers.fc0: expected a unit for layer fc0 (linear), got none",
    ),
    "unit for no layer": (
        "  fc0: {pe: 2, simd: 8}",
        "  fc0: {pe: 2, simd: 8}\n  conv1: {pe: 2, simd: 8}",
        "a.yaml:9: layers.conv1: expected a layer of workload small, got 'conv1' (nearest: conv0)",
    ),
    "PE for a pool": (
        "  fc0: {pe: 2, simd: 8}",
        "  fc0: {pe: 2, simd: 8}\n  pool0: {pe: 2}",
        "a.yaml:9: layers.pool0.pe: expected no pe: a max_pool takes whole pixels, got 2",
    ),
    "FIFO of no words": (
        "{pe: 4, simd: 8}",
        "{pe: 4, simd: 8, out_fifo_words: 0}",
        "a.yaml:7: layers.conv0.out_fifo_words: expected a number >= 1, got 0",
    ),
    "depth of an unknown stream": (
        "clock_mhz: 100",
        'clock_mhz: 100\nfifo_words: {"conv0.windw->conv0.mvau": 4}',
        "a.yaml:6: fifo_words.conv0.windw->conv0.mvau: expected a stream (writer->reader), ",
        "(nearest: conv0.window->conv0.mvau",
    ),
    "depth said twice": (
        "layers:\n  conv0: {pe: 4, simd: 8}",
        "fifo_words: {conv0.mvau->pool0.widen: 4}\n"
        "layers:\n  conv0: {pe: 4, simd: 8, out_fifo_words: 9}",
        "fifo_words.conv0.mvau->pool0.widen: expected this depth said once"
        " (layers.conv0.out_fifo_words says 9), got 4",
    ),
    "stream width that no word fits": (
        "{pe: 4, simd: 8}",
        "{pe: 4, simd: 8, out_width_bits: 7}",
        "a.yaml:7: layers.conv0.out_width_bits: expected a width whose words divide a frame of "
        "256 bits, got 7 (nearest: 4, 8)",
    ),
    "accumulator too narrow": (
        "fc0: {pe: 2, simd: 8}",
        "fc0: {pe: 2, simd: 8, accumulator_bits: 3}",
        "a.yaml:8: layers.fc0.accumulator_bits: expected at least 8 (sums are int8), got 3",
    ),
    "accumulator of an activation": (
        "{pe: 4, simd: 8}",
        "{pe: 4, simd: 8, accumulator_bits: 16}",
        "a.yaml:7: layers.conv0.accumulator_bits: expected no accumulator_bits: ",
    ),
    "not YAML": (
        "clock_mhz: 100",
        "clock_mhz: [100",
        "a.yaml:",
        "expected valid YAML, got ",
    ),
    "a tag that would run code": (
        "clock_mhz: 100",
        "clock_mhz: !!python/object/apply:os.system [ls]",
        "a.yaml:5: clock_mhz: expected a ",
    ),
    "list for a mapping": (
        "  conv0: {pe: 4, simd: 8}",
        "  conv0: [4, 8]",
        "a.yaml:7: layers.conv0: expected a mapping, got [4, 8]",
    ),
}

WORKLOAD_CASES = {
    "unknown operation": (
        "op: max_pool",
        "op: maxpool",
        "w.yaml:5: layers.pool0: expected one of conv, ",
        "got 'maxpool' (nearest: max_pool, ",
    ),
    "no operation": (
        "op: max_pool, ",
        "",
        "w.yaml:5: layers.pool0: expected a key ",
    ),
    "unknown type": (
        "type: bipolar",
        "type: bipolr",
        "w.yaml:2: input.type: expected bipolar, uint1..uint8, int2..int8, fixedW.F",
        "got the text 'bipolr'",
    ),
    "kernel larger than the map": (
        "kernel: 3",
        "kernel: 9",
        "w.yaml:4: layers.conv0.kernel: expected a window within the padded height of 6, got 9",
    ),
    "groups that do not divide": (
        "kernel: 3",
        "kernel: 3, groups: 3",
        "w.yaml:4: layers.conv0.groups: expected a divisor of 8 input and 16 output channels, got 3",
    ),
    "border value outside the type": (
        "kernel: 3",
        "kernel: 3, pad: 1, pad_value: 2",
        "w.yaml:4: layers.conv0.pad_value: expected 0 or a value of bipolar, got 2",
    ),
    "unknown input": (
        "name: fc0, op: linear",
        "name: fc0, inputs: [pool], op: linear",
        "w.yaml:6: layers.fc0.inputs[0]: expected the name of a layer or 'input', got 'pool'"
        " (nearest: pool0)",
    ),
    "cycle": (
        "name: conv0, op: conv",
        "name: conv0, inputs: [pool0], op: conv",
        "w.yaml:4: layers.conv0.inputs: expected a graph without a cycle, "
        "got the cycle conv0 -> pool0 -> conv0",
    ),
    "name used twice": (
        "name: fc0",
        "name: conv0",
        "w.yaml:6: layers.conv0.name: expected a name not used before, got 'conv0'",
    ),
    "two outputs": (
        "name: fc0, op: linear",
        "name: fc0, inputs: [conv0], op: linear",
        "expected one layer that no other reads (the output), got pool0, fc0",
    ),
    "popcount of integers": (
        "type: bipolar}",
        "type: uint2}",
        None,
    ),
    "pool larger than the map": (
        "kernel: 2",
        "kernel: 5",
        "w.yaml:5: layers.pool0.kernel: expected at most 4 (the map's side), got 5",
    ),
    "pool that does not divide the map": (
        "kernel: 2",
        "kernel: 3",
        "layers.pool0: expected a map that the pool's kernel divides",
    ),
    "threshold on bits": (
        "name: fc0, op: linear, out: 10",
        "name: fc0, op: threshold, activation: bipolar",
        "w.yaml:6: layers.fc0.inputs: expected integer sums, got bipolar bits",
    ),
    "join of one": (
        "name: fc0, op: linear, out: 10",
        "name: fc0, op: add",
        "w.yaml:6: layers.fc0.inputs: expected two or more layers, got 1",
    ),
    "join of different shapes": (
        "name: fc0, op: linear, out: 10",
        "name: fc0, op: add, inputs: [conv0, pool0]",
        "expected the shape [16, 4, 4] of conv0, got [16, 2, 2] from pool0",
    ),
    "shape of two numbers": (
        "shape: [8, 6, 6]",
        "shape: [8, 6]",
        "w.yaml:2: input.shape: expected [channels, height, width] or [features], got [8, 6]",
    ),
    "stride beyond reason": (
        "kernel: 3",
        f"kernel: 3, stride: {10**12}",
        "w.yaml:4: layers.conv0.stride: expected a number <= 2147483648 or a list, got 1000000000000",
    ),
    "frame beyond memory": (
        "shape: [8, 6, 6]",
        "shape: [4, 30000, 30000]",
        "w.yaml:2: input.shape: expected a frame of at most 268435456 elements, got 3600000000",
    ),
    "side beyond memory": (
        "shape: [8, 6, 6]",
        f"shape: [8, 6, {10**30}]",
        "w.yaml:2: input.shape[2]: expected a number <= 268435456, got 1000",
    ),
    "border beyond memory": (
        "kernel: 3",
        f"kernel: 3, pad: {10**12}",
        "w.yaml:4: layers.conv0.pad: expected a padded map of at most 268435456 elements, got ",
    ),
    "more weights than memory": (
        "op: linear, out: 10",
        "op: linear, out: 200000000",
        "w.yaml:6: layers.fc0.out: expected at most 2147483648 weights, got 12800000000",
    ),
    "more outputs than memory": (
        "op: linear, out: 10",
        f"op: linear, out: {10**9}",
        "w.yaml:6: layers.fc0.out: expected ",
    ),
    "image range of one value": (
        "type: bipolar}",
        "type: bipolar, image_range: [1.0, 1.0]}",
        "w.yaml:2: input.image_range: expected two different numbers, got [1.0, 1.0]",
    ),
    "image range that is no number": (
        "type: bipolar}",
        "type: bipolar, image_range: [.nan, 1.0]}",
        "w.yaml:2: input.image_range[0]: expected a finite number, got nan",
    ),
    "negative pad": (
        "kernel: 3",
        "kernel: 3, pad: -1",
        "w.yaml:4: layers.conv0.pad: expected a number >= 0",
    ),
}


@pytest.mark.parametrize("case", ARCH_CASES)
def test_wrong_architecture_entry_is_named(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, *wanted = ARCH_CASES[case]
    lines = _run(tmp_path, capsys, change(ARCH, old, new), WORKLOAD)
    assert any(all(text in line for text in wanted) for line in lines), lines


@pytest.mark.parametrize("case", [c for c, v in WORKLOAD_CASES.items() if v[2]])
def test_wrong_workload_entry_is_named(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, *wanted = WORKLOAD_CASES[case]
    lines = _run(tmp_path, capsys, ARCH, change(WORKLOAD, old, new))
    assert any(all(str(text) in line for text in wanted) for line in lines), lines


def test_popcount_needs_bipolar_weights_and_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = change(WORKLOAD, "type: bipolar}", "type: uint2}")
    text = change(text, "kernel: 3", "kernel: 3, accumulator: popcount")
    lines = _run(tmp_path, capsys, ARCH, text)
    assert "w.yaml:4: layers.conv0.accumulator: expected dot where weights or inputs are not " in lines[0]


def test_all_faults_of_both_files_come_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arch = change(change(ARCH, "pe: 4", "pee: 4"), "fc0: {pe: 2", "fc0: {pe: 3")
    workload = change(WORKLOAD, "kernel: 3", "kernel: 3, strid: 2")
    lines = _run(tmp_path, capsys, arch, workload)
    assert len(lines) == 4, lines
    assert "layers.conv0.pe: expected a divisor of 16, got nothing" in lines[0]
    assert "layers.conv0.pee" in lines[1]
    assert "layers.fc0.pe: expected a divisor of 10, got 3 (nearest: 2, 5)" in lines[2]
    assert "w.yaml:4: layers.conv0.strid" in lines[3]


def test_row_buffer_refuses_dilation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workload = change(WORKLOAD, "kernel: 3", "kernel: 2, dilation: 2")
    arch = change(ARCH, "simd: 8}\n  fc0", "simd: 8, sliding_window: row_buffer}\n  fc0")
    lines = _run(tmp_path, capsys, arch, workload)
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


def test_engine_that_loads_a_word_for_all_its_weights_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = find_spec("acce-bnn", "architecture").read_text(encoding="utf-8")
    assert shipped.count("words: 4752") == 3
    starved = tmp_path / "starved.yaml"
    starved.write_text(shipped.replace("words: 4752", "words: 1"), encoding="utf-8")
    assert run(["simulate", str(starved), "binarynet", "--weights-seed", "1"]) == 2
    error = capsys.readouterr().err
    assert "programs.conv.steps: expected loads of all weights of conv6, 2359296 bits, got" in error
    assert "Traceback" not in error
