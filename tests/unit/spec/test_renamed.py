"""Keys that have been renamed: the old ones still read, give the same design, and are said once."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.cli.app import run
from bnnsim.cli.console import remarks
from bnnsim.search.space.alternatives import Alternatives, load_search_space
from bnnsim.search.space.space_reader import load_space
from bnnsim.search.sweep.knobs import parse_knobs
from bnnsim.spec import SpecError, load_architecture
from bnnsim.spec.architecture import architecture_model
from bnnsim.spec.faults import OldKeyWarning
from bnnsim.spec.library import find_spec, shipped_names
from bnnsim.spec.yaml.renamed import RENAMED, Renamed, current
from bnnsim.spec.yaml.source import SourceText, parse_source
from bnnsim.spec.yaml.write import architecture_text
from tests.designs import WORDS_SPACE

STREAMING = """\
name: aged
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
tiling: area
frame_source: {gap_steps: 7}
layers:
  conv0: {pe: 4, simd: 8}
  pool0: {pool: flow}
"""
MIXED = """\
name: aged
source: "made for this test"
style: engine
device: xc7z020
clock_mhz: 100
front:
  until: pool0
  frame_source: {gap_steps: 7}
  layers: {conv0: {pe: 4, simd: 8}, pool0: {pool: flow}}
arrays:
  pes: {executes: [conv, linear], unrolls: {in_channels: 8}, walks: every_pixel}
stages:
  finish: {unrolls: {out_channels: 8}}
buffers:
  maps: {holds: activations, words: 64, width_bits: 64, keeps: tile}
ports:
  ddr: {width_bits: 64, latency_cycles: 30, source: "made up"}
programs:
  all:
    array: pes
    steps:
      - do: beside
        branches:
          - [{do: compute, loops: [{over: rows}]}]
          - [{do: stage, on: finish, loops: [{over: columns}]}]
      - {do: load, what: weights, port: ddr, buffer: maps, words: 4}
frame:
  before:
    - {do: load, what: image, port: ddr, buffer: maps, words: 4}
  after:
    - {do: stage, on: finish, loops: [{over: pixels}]}
layers: {}
"""


def _current(text: str) -> SourceText:
    source = parse_source(text, "a.yaml")
    return current(source, architecture_model(source))


def _fits(place: str, path: tuple[str | int, ...]) -> bool:
    """Whether a place of the table means ``path``; by regular expressions, not by the reader's way."""
    parts = [f"#{part}" if isinstance(part, int) else part for part in path]
    pattern = re.escape(place).replace(r"\*\*\.", "(?:[^/]+/)*").replace(r"\.", "/")
    pattern = pattern.replace(r"\*", "[^/]+").replace(r"\#", r"#\d+")
    return re.fullmatch(pattern, "/".join(parts)) is not None


def aged(value: Any, path: tuple[str | int, ...] = ()) -> Any:
    """Plain data of today with every key and word as it once was."""
    if isinstance(value, list):
        return [aged(one, (*path, i)) for i, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    result = {}
    for key, entry in value.items():
        entry = aged(entry, (*path, key))
        for rule in RENAMED:
            if rule.new == key and _fits(rule.place, path):
                key = rule.old
                if isinstance(entry, str):
                    entry = {new: old for old, new in rule.words.items()}.get(entry, entry)
        result[key] = entry
    return result


def _aged_file(folder: Path, kind: str, name: str) -> tuple[Path, int]:
    """A shipped file in its old words, and how many keys and words that changed."""
    text = find_spec(name, kind).read_text(encoding="utf-8")
    data = yaml.load(text, yaml.SafeLoader)
    old = aged(data)
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(old, sort_keys=False), encoding="utf-8")
    return file, old != data


@pytest.mark.parametrize("name", shipped_names("architecture"))
def test_a_shipped_spec_in_its_old_words_is_the_same_design(tmp_path: Path, name: str) -> None:
    file, is_older = _aged_file(tmp_path, "architecture", name)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert load_architecture(file).spec == load_architecture(name).spec
    assert [one.category for one in said] == [OldKeyWarning] * is_older


@pytest.mark.parametrize("name", ["binarynet-engine", "cnv-engine", "cnv-7z020"])
def test_a_shipped_space_in_its_old_words_is_the_same_space(tmp_path: Path, name: str) -> None:
    file, is_older = _aged_file(tmp_path, "space", name)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        old, new = load_search_space(file), load_search_space(name)
    assert len(said) == is_older
    assert not isinstance(old, Alternatives)
    assert not isinstance(new, Alternatives)
    assert (old.knobs, old.fields, old.folded) == (new.knobs, new.fields, new.folded)
    assert old.source.data == new.source.data


@pytest.mark.filterwarnings("ignore::bnnsim.spec.faults.OldKeyWarning")
@pytest.mark.parametrize("text", [STREAMING, MIXED])
def test_a_spec_that_is_written_has_no_old_key(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(text)
    spec = load_architecture(file).spec
    written = architecture_text(spec, with_defaults=True)
    (tmp_path / "new.yaml").write_text(written)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_architecture(tmp_path / "new.yaml").spec == spec


@pytest.mark.filterwarnings("ignore::bnnsim.spec.faults.OldKeyWarning")
def test_the_two_specs_above_use_the_whole_table() -> None:
    used = set()
    for text in (STREAMING, MIXED):
        data = _current(text).data
        used |= {rule for rule in map(_hashable, RENAMED) if _stands(data, rule)}
    assert used == set(map(_hashable, RENAMED))


def _hashable(rule: Renamed) -> tuple[str, str, str]:
    return rule.place, rule.old, rule.new


def _stands(value: Any, rule: tuple[str, str, str], path: tuple[str | int, ...] = ()) -> bool:
    entries: Any = value.items() if isinstance(value, dict) else ()
    entries = enumerate(value) if isinstance(value, list) else entries
    return any(
        (key == rule[2] and _fits(rule[0], path)) or _stands(entry, rule, (*path, key))
        for key, entry in entries
    )


def test_the_warning_names_place_and_key_and_every_renaming_once() -> None:
    with pytest.warns(OldKeyWarning) as said:
        _current(MIXED)
    assert [str(one.message) for one in said] == [
        "a.yaml:6: front: 'front' is now 'streaming_prefix' ('gap_steps' is now 'inter_frame_gap_steps', "
        "'flow' is now 'streaming', 'executes' is now 'supported_ops', 'unrolls' is now "
        "'spatial_unrolling', 'walks' is now 'iteration_space', 'keeps' is now 'residency', 'do' is now "
        "'op', 'over' is now 'dimension', 'on' is now 'unit', 'what' is now 'payload')"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("unrolls: {in_channels: 8}", "unrolls: {in_channels: 0}",
         "a.yaml:11: arrays.pes.unrolls.in_channels: expected a number >= 1, got 0"),
        ("simd: 8}, pool0", "simd: x}, pool0",
         "a.yaml:9: front.layers.conv0.simd: expected an integer, got the text 'x'"),
        ("over: rows", "over: row",
         "a.yaml:24: programs.all.steps[0].branches[0][0].loops[0].over: expected out_channels, "),
        ("do: load, what: image", "do: loed, what: image",
         "a.yaml:29: frame.before[0].do: expected one of repeat, "),
        ("do: load, what: image", "op: load, do: load, what: image",
         "a.yaml:29: frame.before[0].do: expected its newer name 'op' alone, got 'do' beside it"),
        ("keeps: tile", "keeps: tile, unrolls: 3",
         "a.yaml:15: buffers.maps.unrolls: expected one of the keys holds, "),
        ("walks:", "walkes:",
         "a.yaml:11: arrays.pes.walkes: expected one of the keys spatial_unrolling, iteration_space, "
         "group, accumulator_bits, may_wrap, supported_ops, circuits, source, got 'walkes' "
         "(nearest: iteration_space)"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::bnnsim.spec.faults.OldKeyWarning")
def test_faults_name_the_key_that_the_user_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert MIXED.count(old) == 1
    Path("a.yaml").write_text(MIXED.replace(old, new))
    with pytest.raises(SpecError, match=re.escape(message)) as raised:
        load_architecture("a.yaml")
    assert len(raised.value.faults) == (2 if old == "over: rows" else 1)  # a loop over nothing, too


def test_a_spaces_words_are_chosen_and_mapped_in_their_old_names() -> None:
    text = "layers:\n  a: {pool: {choose: [row, flow]}}\n  b: {pool: {knob: k, map: {1: row, 2: flow}}}\n"
    with pytest.warns(OldKeyWarning, match="'row' is now 'line_buffered' .'flow' is now 'streaming'"):
        data = _current(text).data
    assert data["layers"] == {
        "a": {"pool": {"choose": ["line_buffered", "streaming"]}},
        "b": {"pool": {"knob": "k", "map": {"1": "line_buffered", "2": "streaming"}}},
    }


def test_a_knobs_own_words_are_put_into_the_field_in_todays() -> None:
    with pytest.warns(OldKeyWarning) as said:
        data = _current(WORDS_SPACE).data
    assert [str(one.message) for one in said] == [
        "a.yaml:12: explore.knobs.walk: 'row' is now 'line_buffered' ('flow' is now 'streaming')"
    ]
    assert data["explore"]["knobs"] == {"walk": {"choose": ["row", "flow"]}}
    assert data["layers"]["pool1"]["pool"] == {
        "knob": "walk",
        "map": {"row": "line_buffered", "flow": "streaming"},
    }


@pytest.mark.filterwarnings("ignore::bnnsim.spec.faults.OldKeyWarning")
def test_a_space_whose_knob_has_old_words_is_searched(tmp_path: Path) -> None:
    file = tmp_path / "words.yaml"
    file.write_text(WORDS_SPACE)
    space = load_space(file)
    assert {knob.name: knob.values for knob in space.knobs}["walk"] == ("row", "flow")
    for word, now in {"row": "line_buffered", "flow": "streaming"}.items():
        design = space.point({**space.first_knobs, "walk": word}, "a")
        assert design.layers["pool1"].pool == now  # type: ignore[union-attr]


def test_a_knobs_arithmetic_keeps_its_over() -> None:
    step = "{do: load, words: {knob: words, over: ports}, loops: [{trips: {knob: a, over: b}}]}"
    with pytest.warns(OldKeyWarning, match=r"steps\[0\].do: 'do' is now 'op'$"):
        data = _current(f"style: engine\nprograms: {{p: {{steps: [{step}]}}}}").data
    assert data["programs"]["p"]["steps"][0] == {
        "op": "load",
        "words": {"knob": "words", "over": "ports"},
        "loops": [{"trips": {"knob": "a", "over": "b"}}],
    }


def test_a_sweep_takes_old_keys_and_words() -> None:
    with pytest.warns(OldKeyWarning) as said:
        knobs = parse_knobs(["arrays.pes.unrolls.in_channels=1,2", "layers.pool0.pool=row,flow"])
    assert knobs[0].name == "arrays.pes.spatial_unrolling.in_channels"
    assert knobs[1].name == "layers.pool0.pool"
    assert knobs[1].values == ("line_buffered", "streaming")
    assert "--knob arrays.pes.unrolls.in_channels: 'unrolls' is now 'spatial_unrolling'" in str(
        said[0].message
    )


def test_a_command_says_it_in_one_line_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arch, _ = _aged_file(tmp_path, "architecture", "fp-bnn")
    for _ in range(2):
        assert run(["evaluate", str(arch), "binarynet", "--timing-only"]) == 0
        (line,) = capsys.readouterr().err.replace(f"{tmp_path}/", "").splitlines()
        key = r"arrays\.array\.executes: 'executes' is now 'supported_ops' "
        assert re.match(r"fp-bnn\.yaml:\d+: " + key, line)


def test_each_file_with_old_keys_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [_aged_file(tmp_path, "architecture", name)[0] for name in ("fp-bnn", "fracbnn")]
    with remarks():
        for file in files * 2:
            load_architecture(file)
    said = capsys.readouterr().err.splitlines()
    assert [Path(line.partition(":")[0]).name for line in said] == ["fp-bnn.yaml", "fracbnn.yaml"]


def test_a_sweep_says_its_file_and_its_knob(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, _ = _aged_file(tmp_path, "architecture", "fp-bnn")
    run(["sweep", str(file), "binarynet", "--knob", "arrays.array.unrolls.in_channels=x"])
    said = [line for line in capsys.readouterr().err.splitlines() if "is now" in line]
    assert said[0] == "--knob arrays.array.unrolls.in_channels: 'unrolls' is now 'spatial_unrolling'"
    assert "fp-bnn.yaml:" in said[1]
    assert len(said) == 2


REPEAT = "- {do: repeat, on: finish, loops: [{over: rows}], steps: [{do: overhead, cycles: 1}]}\n      "


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (STREAMING, "tiling: area", "front: {layers: {}}", "front: got 'front', expected one of "),
        (STREAMING, "tiling: area", "frnt: {layers: {}}", "frnt: got 'frnt', expected one of "),
        (MIXED, "- do: beside", REPEAT + "- do: beside", "on: expected one of the keys op, loops, steps"),
        (MIXED, "layers: {}", "layers: {a: {pool: row}}", "layers.a.pool: expected one of the keys "),
    ],
)
def test_an_old_name_counts_only_where_its_new_one_may_stand(
    tmp_path: Path, text: str, old: str, new: str, message: str
) -> None:
    file = tmp_path / "a.yaml"
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(SpecError, match=re.escape(message)) as raised:
            load_architecture(file)
    (fault,) = [one for one in raised.value.faults if message.partition(":")[0] in one.key]
    assert fault.got == f"'{fault.key.rpartition('.')[2]}'"
    assert fault.near == ()
    if text == STREAMING:
        assert not any("front" in str(one.message) for one in said)
    assert not any("'row'" in str(one.message) for one in said)


def test_todays_specs_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "fp-bnn", "binarynet", "--timing-only"]) == 0
    assert capsys.readouterr().err == ""


def test_a_key_on_that_a_script_read_as_true_is_refused_with_the_key_to_write(tmp_path: Path) -> None:
    original = find_spec("fracbnn", "architecture").read_text(encoding="utf-8")
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(original.replace("unit:", "on:"))))
    with pytest.raises(SpecError) as caught:
        load_architecture(path)
    told = [fault for fault in caught.value.faults if fault.key.endswith(".true")]
    assert len(told) == path.read_text().count("true: ") > 0
    assert all("a script makes of the old key 'on'" in fault.got for fault in told)
    assert all(fault.near == ("unit",) for fault in told)
    assert len(told) == len(caught.value.faults)
