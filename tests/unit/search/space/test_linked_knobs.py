"""Knobs that several fields follow: what the fields become, and what is said where they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.search.space.fields import Field, Knob, knob_values
from bnnsim.search.space.space import Space
from bnnsim.search.space.space_reader import load_space
from bnnsim.spec.faults import SpecError
from bnnsim.spec.yaml.source import SourceText

SPACE = """\
name: tiny
source: "made for this test"
style: engine
device: xc7z020
clock_mhz: {choose: [100, 143]}
arrays:
  pes: {supported_ops: [linear], spatial_unrolling: {out_channels: {knob: outputs}, in_channels: {knob: inputs}}}
buffers:
  weights: {holds: weights, banks: {knob: outputs}, words: {knob: bits, over: outputs, plus: 4}, width_bits: 64, double: {knob: ahead}, residency: network, source: "made up"}
  fmap: {holds: activations, words: {knob: inputs, map: {16: 64, 64: 16}}, width_bits: {knob: inputs}, copies: 2}
programs:
  dense:
    array: pes
    buffers: [weights, fmap]
    steps:
      - {op: compute, loops: [{dimension: out_channels}, {dimension: in_channels}], depth: {range: [4, 8], step: 4}, source: "made up"}
layers:
  fc0: {program: dense}
  fc1: {program: dense}
  fc2: {program: dense}
  fc3: {program: dense}
explore:
  workload: tfc
  objectives: [throughput_fps, lut]
  knobs:
    outputs: {choose: [1, 2, 4]}
    inputs: {choose: [16, 64]}
    bits: {choose: [1024, 4096]}
    ahead: {choose: [false, true]}
outside:
  - {payload: image, source: "not what this test is about"}
  - {payload: weights, source: "not what this test is about"}
  - {payload: activations, source: "not what this test is about"}
  - {payload: results, source: "not what this test is about"}
"""  # noqa: E501


def _load(folder: Path, text: str = SPACE) -> Space:
    path = folder / "tiny.yaml"
    path.write_text(text)
    return load_space(path)


@pytest.mark.parametrize("name", ["layers.fc0.pe", "slack.fc0"])
def test_a_shared_knob_cannot_be_called_like_a_field(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError, match=f"a name of letters, digits and _, got '{name}'"):
        _load(tmp_path, SPACE.replace("knob: outputs", f"knob: {name}").replace("outputs:", f"{name}:"))


def test_free_fields_in_lists_are_named_by_their_position(tmp_path: Path) -> None:
    space = _load(tmp_path)
    assert {knob.name: knob.values for knob in space.knobs} == {
        "outputs": (1, 2, 4),
        "inputs": (16, 64),
        "bits": (1024, 4096),
        "ahead": (False, True),
        "clock_mhz": (100, 143),
        "programs.dense.steps.0.depth": (4, 8),
    }
    assert space.knob_names[:2] == ("outputs", "inputs")


def test_fields_follow_their_knobs(tmp_path: Path) -> None:
    space = _load(tmp_path)
    knobs = {
        "outputs": 4, "inputs": 64, "bits": 4096, "ahead": True, "clock_mhz": 143,
        "programs.dense.steps.0.depth": 8,
    }  # fmt: skip
    data = space.point_data(knobs, "p")
    assert data["arrays"]["pes"]["spatial_unrolling"] == {"out_channels": 4, "in_channels": 64}
    assert (data["buffers"]["weights"]["banks"], data["buffers"]["weights"]["words"]) == (4, 1028)
    assert data["buffers"]["weights"]["double"] is True
    assert (data["buffers"]["fmap"]["words"], data["buffers"]["fmap"]["width_bits"]) == (16, 64)
    assert data["programs"]["dense"]["steps"][0]["depth"] == 8
    assert space.point(knobs, "p").clock_mhz == 143


def test_a_field_is_the_mapped_knob_times_over_plus() -> None:
    knobs = {"a": 3, "b": 4, "c": 2, "d": 5}
    assert Field((), "a", (), "b", "c", "d").value(knobs) == 3 * 4 // 2 + 5
    assert Field((), "a", ((3, 8),), over=16).value(knobs) == 0.5
    assert isinstance(Field((), "a", (), times=2).value(knobs), int)
    assert Field((), "a", ((3, "bram"),)).value(knobs) == "bram"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{knob: outputs}, in_channels",
            "{knob: output}, in_channels",
            r"tiny.yaml:7: arrays.pes.spatial_unrolling.out_channels.knob: expected a knob of "
            r"explore.knobs \(outputs, inputs, bits, ahead\), got 'output' \(nearest: outputs",
        ),
        ("over: outputs", "over: outs", r"words.over: expected a knob of explore.knobs .*got 'outs'"),
        ("plus: 4", "plus: [4]", r"weights.words.plus: expected a number or a knob's name, got \[4\]"),
        ("plus: 4", "pls: 4", r"weights.words.pls: expected one of the keys knob, .*nearest: plus"),
        ("{16: 64, 64: 16}", "{16: 64}", r"fmap.words.map: expected an entry for each value of inputs "
         r"\(16, 64\), got none for 64"),
        ("{16: 64, 64: 16}", "{16: 64, 64: 16, 61: 3}", r"map.61: expected a value of inputs .*got '61'"),
        ("{16: 64, 64: 16}", "{16: 64, 64: [16]}", r"map.64: expected a plain value, got \[16\]"),
        ("{16: 64, 64: 16}", "[64, 16]", r"fmap.words.map: expected an entry for each value of inputs"),
        (
            "outputs: {choose: [1, 2, 4]}",
            "outputs: {choose: [1, 2, 3]}",
            r"tiny.yaml:9: buffers.weights.words: expected a whole number for every choice, "
            r"got 345.333 with bits 1024, outputs 3",
        ),
        (
            "over: outputs",
            "over: ahead",
            r"words: expected numbers to calculate with, and none over 0, got bits 1024, ahead false",
        ),
        ("ahead: {choose: [false, true]}", "ahead: {choose: [false, true]}\n    more: {choose: [1, 2]}",
         r"yaml:30: explore.knobs.more: expected a field that follows it \({knob: more}\), got none"),
        ("choose: [1024, 4096]", "choice: [1024]", r"yaml:28: explore.knobs.bits: expected choose: "),
        ("bits: {choose", "lut: {choose", r"knobs.lut: expected a name that no figure or parameter has"),
        ("choose: [16, 64]", "choose: [[16], 64]", r"knobs.inputs.choose: expected a list of values"),
        ("range: [4, 8]", "range: [1, 1000000]", r"steps\[0\].depth.range: expected at most 1000 values"),
        ("range: [4, 8]", "range: [4, .inf]", r"steps\[0\].depth.range: expected \[low, high\] with"),
        ("choose: [100, 143]", "choose: [100, -143]", r"tiny.yaml:5: clock_mhz: expected a number > 0"),
        ("choose: [false, true]", "choose: [false, soon]", r"weights.double: expected true or false,"),
        ("device: xc7z020", "device: {choose: [xc7z020, xc7z0200]}",
         r"yaml:4: device: expected one of 5sgsd8, .*got 'xc7z0200' \(nearest: xc7z020"),
        ("supported_ops: [linear]", "supported_ops: divisors",
         r"pes.supported_ops: expected a list, got the text 'div"),
        ("objectives: [",
         "landmarks: [{name: a, source: b, figures: {}, alternative: c}]\n  objectives: [",
         r"landmarks\[0\].alternative: expected no alternative in a space without alternatives, got 'c'"),
    ],
)  # fmt: skip
def test_wrong_links_are_located(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert SPACE.count(old) == 1
    with pytest.raises(SpecError, match=message):
        _load(tmp_path, SPACE.replace(old, new))


def test_all_faults_are_told_at_once_and_each_once(tmp_path: Path) -> None:
    text = SPACE.replace("{knob: outputs}, in_channels", "{knob: output}, in_channels")
    text = text.replace("{16: 64, 64: 16}", "{16: 64}")
    text = text.replace("style: engine", "stile: engine\nstyle: engine")
    with pytest.raises(SpecError) as caught:
        _load(tmp_path, text)
    assert [fault.key for fault in caught.value.faults] == [
        "stile",
        "arrays.pes.spatial_unrolling.out_channels.knob",
        "buffers.fmap.words.map",
    ]


def test_knob_with_a_fault_is_said_once_not_at_every_field(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        _load(tmp_path, SPACE.replace("outputs: {choose: [1, 2, 4]}", "outputs: {choose: []}"))
    assert [fault.key for fault in caught.value.faults] == ["explore.knobs.outputs.choose"]


def test_values_that_are_numbers_have_an_order() -> None:
    assert Knob("a", (1, 2.5)).is_ordered
    assert not Knob("a", (1, True)).is_ordered
    assert not Knob("a", ("bram", "lutram")).is_ordered


def test_range_goes_by_step_or_factor_up_to_its_end() -> None:
    source = SourceText("f", {})
    assert knob_values(source, {"range": [2, 9], "step": 3}, (), []) == (2, 5, 8)
    assert knob_values(source, {"range": [2, 32], "factor": 4}, (), []) == (2, 8, 32)
