"""Wrong entries of a workload are one line each: file, line, key, expected, got and a near miss."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.faults.small_spec import ARCH, WORKLOAD, change, complaints

WORKLOAD_CASES = {
    "unknown operation": (
        "op: max_pool",
        "op: maxpool",
        "w.yaml:5: layers.pool0.op: got 'maxpool' (nearest: max_pool, mean_pool), expected one of conv, ",
    ),
    "no operation": (
        "op: max_pool, ",
        "",
        "w.yaml:5: layers.pool0.op: got nothing, expected one of conv, ",
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
        "one layer that no other reads (the output), or their names under outputs, got pool0, fc0",
    ),
    "popcount of integers": (
        "type: bipolar}",
        "type: uint2}",
        None,
    ),
    "pool larger than the map": (
        "kernel: 2",
        "kernel: 5",
        "w.yaml:5: layers.pool0.kernel: expected at most 4 x 4 (the map), got 5 x 5",
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


@pytest.mark.parametrize("case", [c for c, v in WORKLOAD_CASES.items() if v[2]])
def test_wrong_workload_entry_is_named(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, *wanted = WORKLOAD_CASES[case]
    lines = complaints(tmp_path, capsys, ARCH, change(WORKLOAD, old, new))
    assert any(all(str(text) in line for text in wanted) for line in lines), lines


def test_popcount_needs_bipolar_weights_and_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = change(WORKLOAD, "type: bipolar}", "type: uint2}")
    text = change(text, "kernel: 3", "kernel: 3, accumulator: popcount")
    lines = complaints(tmp_path, capsys, ARCH, text)
    assert "w.yaml:4: layers.conv0.accumulator: expected dot where weights or inputs are not " in lines[0]
