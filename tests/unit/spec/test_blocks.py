"""Blocks of layers in a workload: what is written out, and where its faults are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_workload

HEAD = "name: w\ninput: {shape: [8, 8, 8]}\n"
RESIDUAL = """\
blocks:
  unit:
    parameters: {out: , stride: 1, shortcut: before}
    layers:
      - {name: sign, op: threshold, activation: bipolar}
      - {name: conv, op: conv, out: $out, kernel: 3, stride: $stride, pad: 1}
      - {name: add, op: add, inputs: [conv, $shortcut]}
layers:
  - {name: stem, op: conv, out: 8, kernel: 3, pad: 1}
  - {block: unit, name: s1, repeat: 2, out: 8}
  - {name: proj, op: conv, out: 16, kernel: 1, stride: 2, weight: int8}
  - {block: unit, name: s2, inputs: [s1], out: 16, stride: 2, shortcut: proj}
  - {name: fc, op: linear, out: 4, weight: int8}
"""
PLAIN = """\
layers:
  - {name: stem, op: conv, out: 8, kernel: 3, pad: 1}
  - {name: s1_1_sign, op: threshold, activation: bipolar}
  - {name: s1_1_conv, op: conv, out: 8, kernel: 3, stride: 1, pad: 1}
  - {name: s1_1_add, op: add, inputs: [s1_1_conv, stem]}
  - {name: s1_2_sign, op: threshold, activation: bipolar}
  - {name: s1_2_conv, op: conv, out: 8, kernel: 3, stride: 1, pad: 1}
  - {name: s1_2_add, op: add, inputs: [s1_2_conv, s1_1_add]}
  - {name: proj, op: conv, out: 16, kernel: 1, stride: 2, weight: int8}
  - {name: s2_sign, op: threshold, activation: bipolar, inputs: [s1_2_add]}
  - {name: s2_conv, op: conv, out: 16, kernel: 3, stride: 2, pad: 1}
  - {name: s2_add, op: add, inputs: [s2_conv, proj]}
  - {name: fc, op: linear, out: 4, weight: int8}
"""


def _file(folder: Path, text: str, name: str = "w.yaml") -> Path:
    path = folder / name
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def _faults(folder: Path, text: str) -> list[str]:
    path = _file(folder, text)
    with pytest.raises(SpecError, match="expected") as caught:
        load_workload(path)
    return [str(fault).replace(os.path.relpath(path), "w.yaml").replace(str(path), "w.yaml")
            for fault in caught.value.faults]  # fmt: skip


def test_a_network_of_blocks_is_the_network_written_by_hand(tmp_path: Path) -> None:
    blocks, plain = _file(tmp_path, RESIDUAL, "a.yaml"), _file(tmp_path, PLAIN, "b.yaml")
    assert load_workload(blocks).spec == load_workload(plain).spec


def test_blocks_stand_in_blocks_and_their_names_are_told_apart(tmp_path: Path) -> None:
    nested = """\
blocks:
  pair:
    parameters: {wide: }
    layers:
      - {name: a, op: conv, out: $wide, kernel: 1, activation: bipolar}
      - {name: b, op: conv, out: $wide, kernel: 1, activation: bipolar}
  stage:
    parameters: {channels: 4}
    layers:
      - {block: pair, name: p, repeat: 2, wide: $channels}
      - {name: a, op: concat, inputs: [p, before]}
layers:
  - {block: stage, name: x}
  - {block: stage, name: y, channels: 6}
  - {name: last, op: concat, inputs: [x, y, x_p_1_b]}
outputs: [last]
"""
    spec = load_workload(_file(tmp_path, nested)).spec
    read = {layer.name: layer.inputs for layer in spec.layers}
    assert list(read) == [
        "x_p_1_a", "x_p_1_b", "x_p_2_a", "x_p_2_b", "x_a",
        "y_p_1_a", "y_p_1_b", "y_p_2_a", "y_p_2_b", "y_a", "last",
    ]  # fmt: skip
    assert read["x_a"] == ["x_p_2_b", "input"]
    assert read["y_a"] == ["y_p_2_b", "x_a"]
    assert read["last"] == ["x_a", "y_a", "x_p_1_b"]


def test_outputs_may_be_blocks(tmp_path: Path) -> None:
    text = RESIDUAL + "outputs: [fc, s1]\n"
    assert load_workload(_file(tmp_path, text)).spec.outputs == ["fc", "s1_2_add"]


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        (
            "repeat: 2, out: 8",
            "repeat: 2, out: 0",
            "w.yaml:12: layers.s1_1_conv.out: expected a number >= 1, got 0",
        ),
        (
            "kernel: 3, stride: $stride",
            "kernel: 3, strid: $stride",
            "w.yaml:8: layers.s1_1_conv.strid: expected one of the keys name, inputs, out, weight, "
            "accumulator, activation, kernel, stride, dilation, groups, pad, pad_value, op, codebook, "
            "got 'strid' (nearest: stride)",
        ),
        (
            "block: unit, name: s1",
            "block: unti, name: s1",
            "w.yaml:12: layers[1].block: expected one of the blocks (unit), got 'unti' (nearest: unit)",
        ),
        (
            "repeat: 2, out: 8",
            "repeat: 2",
            "w.yaml:12: layers[1].out: expected a value for this parameter of unit, got nothing",
        ),
        (
            "repeat: 2, out: 8",
            "repeat: 2, out: 8, strides: 2",
            "w.yaml:12: layers[1].strides: expected one of the keys block, name, repeat, "
            "inputs, out, stride, "
            "shortcut, got 'strides' (nearest: stride)",
        ),
        (
            "repeat: 2",
            "repeat: 0",
            "w.yaml:12: layers[1].repeat: expected an integer of 1 .. 2147483648, got 0",
        ),
        (
            "repeat: 2",
            "repeat: 200000000",
            "w.yaml:10: layers: expected at most 100000 entries, with every block written out, got more",
        ),
        (
            "out: $out",
            "out: $ouput",
            "w.yaml:8: blocks.unit.layers[1].out: expected a parameter of this block (out, "
            "stride, shortcut), "
            "got '$ouput' (nearest: out)",
        ),
        (
            "shortcut: before}",
            "shortcut: before, groups: 1}",
            "w.yaml:5: blocks.unit.parameters.groups: expected a parameter that the block's "
            "layers use as "
            "$groups, got none that does",
        ),
        (
            "{name: add, op: add, inputs: [conv, $shortcut]}",
            "{block: unit, name: $shortcut, out: 3}",
            "w.yaml:9: blocks.unit.layers[2].block: expected a block that does not contain "
            "this one or itself, "
            "got 'unit'",
        ),
        (
            "block: unit, name: s2",
            "block: unit, name: proj",
            "w.yaml:14: layers[3].name: expected a name not used before, got 'proj'",
        ),
        (
            "repeat: 2",
            "repeat: true",
            "w.yaml:12: layers[1].repeat: expected an integer of 1 .. 2147483648, got true",
        ),
        (
            "  unit:\n    parameters",
            "  unit:\n    parametres",
            "w.yaml:5: blocks.unit.parametres: expected one of the keys parameters, layers, "
            "got 'parametres' "
            "(nearest: parameters)",
        ),
    ],
)
def test_a_fault_in_a_block_is_said_once_at_its_line(
    tmp_path: Path, was: str, becomes: str, expected: str
) -> None:
    assert was in RESIDUAL
    faults = _faults(tmp_path, RESIDUAL.replace(was, becomes, 1))
    assert expected in faults
    assert len([fault for fault in faults if "s1_2" in fault]) == 0


def test_blocks_that_double_themselves_end_at_once(tmp_path: Path) -> None:
    lines = ["blocks:", "  b0: {layers: [{name: l, op: linear, out: 3}]}"]
    for i in range(1, 16):
        both = ", ".join(f"{{block: b{i - 1}, name: {n}, repeat: 9}}" for n in "xy")
        lines.append(f"  b{i}: {{layers: [{both}]}}")
    text = "\n".join([*lines, "layers: [{block: b15, name: z}]", ""])
    assert _faults(tmp_path, text) == [
        "w.yaml:20: layers: expected at most 100000 entries, with every block written out, got more"
    ]
    one_more = "\n  b16: {layers: [{block: b15, name: q}]}\nlayers: [{block: b16"
    deeper = text.replace("\nlayers: [{block: b15", one_more)
    assert _faults(tmp_path, deeper) == [
        "w.yaml:20: blocks.b16: expected blocks in blocks at most 16 deep, got more"
    ]


def test_resolved_prints_the_network_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _file(tmp_path, RESIDUAL)
    assert run(["simulate", "digits-7z020", str(path), "--resolved"]) == 0
    printed = tmp_path / "printed.yaml"
    printed.write_text(capsys.readouterr().out, encoding="utf-8")
    assert "blocks" not in printed.read_text(encoding="utf-8")
    assert load_workload(printed).spec == load_workload(path).spec
