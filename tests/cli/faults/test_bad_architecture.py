"""Wrong entries of an architecture are one line each: file, line, key, expected, got and a near miss."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.faults.small_spec import ARCH, WORKLOAD, change, complaints

ARCH_CASES = {
    "unknown key": (
        "clock_mhz: 100",
        "clock_mhz: 100\nclok: 1",
        "a.yaml:6: clok: got 'clok'",
        "expected one of the keys name, source, ",
    ),
    "unknown key with a near miss": (
        "simd: 8}\n  fc0",
        "simdd: 8}\n  fc0",
        "a.yaml:7: layers.conv0.simdd: got 'simdd' (nearest: simd",
        "expected one of the keys pe, simd, ",
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
    "1e6 is a million": (
        "clock_mhz: 100",
        "clock_mhz: 1e6",
        "a.yaml:5: clock_mhz: expected a number <= 2000, got 1000000",
    ),
    "YAML's on is no number": (
        "{pe: 4, simd: 8}",
        "{pe: on, simd: 8}",
        "a.yaml:7: layers.conv0.pe: expected true or false, or the text 'on' in quotes, got on",
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
        f"clock_mhz: 100\nframe_source: {{inter_frame_gap_steps: {10**30}}}",
        "a.yaml:6: frame_source.inter_frame_gap_steps: expected a number <= 2147483648, got 1000",
    ),
    "missing key": (
        "device: xc7z020\n",
        "",
        "a.yaml:1: device: expected this key, got nothing",
    ),
    "a source that is a list": (
        'source: "made for this test"',
        "source: [a, b]",
        "a.yaml:2: source: expected text, got ['a', 'b']",
    ),
    "unknown device": (
        "device: xc7z020",
        "device: xc7z02",
        "a.yaml:4: device: expected one of 5sgsd8, ",
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
        "  fc0: {pe: 2, simd: 8}\n  pool0: {pe: 3}",
        "a.yaml:9: layers.pool0.pe: expected a divisor of 16, got 3 (nearest: 2, 4)",
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
        "fifo_words: {conv0.mvau->pool0.widen: 4}\nlayers:\n  conv0: {pe: 4, simd: 8, out_fifo_words: 9}",
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


@pytest.mark.parametrize("case", ARCH_CASES)
def test_wrong_architecture_entry_is_named(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, *wanted = ARCH_CASES[case]
    lines = complaints(tmp_path, capsys, change(ARCH, old, new), WORKLOAD)
    assert any(all(text in line for text in wanted) for line in lines), lines


def test_a_device_s_file_that_is_not_there(tmp_path, capsys):
    arch = change(ARCH, "device: xc7z020", "device: ../no/such.yaml")
    lines = complaints(tmp_path, capsys, arch, WORKLOAD)
    assert any("no/such.yaml" in line and "expected" in line for line in lines), lines
    assert not any("that can be used" in line for line in lines), lines
