"""Reading YAML: what would never end, or end in a traceback, is a fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.spec.bounds import MAX_DEPTH
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.spec.yaml.source import parse_source, read_source


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nname: &a [*a]\n", "w.yaml:2: name[0]: "),
        ("classes: &c [x, *c]\n", "w.yaml:1: classes[1]: "),
        ("a: &m\n  b: *m\n", "w.yaml:2: a.b: "),
    ],
)
def test_alias_that_contains_itself_is_a_fault(text: str, place: str) -> None:
    source = parse_source(text, "w.yaml")
    (fault,) = source.faults
    assert str(fault).startswith(place + "expected no alias that contains itself")


def test_alias_used_twice_side_by_side_is_what_it_names() -> None:
    source = parse_source("a: &a [1, 2]\nb: [*a, *a]\n", "w.yaml")
    assert not source.faults
    assert source.data == {"a": [1, 2], "b": [[1, 2], [1, 2]]}


def test_alias_of_the_whole_file_is_named_by_a_loader(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("name: &a [*a]\ninput: {shape: [4]}\nlayers: []\n")
    with pytest.raises(SpecError, match=r"w.yaml:1: name.*expected"):
        load_workload(path)


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_deep_nesting_is_a_fault_with_its_line(opening: str) -> None:
    with pytest.raises(SpecError, match=r"w.yaml:2: .*nested more than 100 deep"):
        parse_source("name: x\nlayers: " + opening * 3000, "w.yaml")


def test_aliases_that_stack_up_depth_are_a_fault() -> None:
    lines = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, MAX_DEPTH + 5)]
    source = parse_source("\n".join(lines), "w.yaml")
    assert any("nested at most 100 deep" in str(fault) for fault in source.faults)


def test_alias_bomb_ends_at_once_as_a_fault() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(SpecError, match=r"w.yaml:\d+: expected at most 100000 entries"):
        parse_source("\n".join(lines), "w.yaml")


def test_name_with_a_null_byte_is_a_fault() -> None:
    with pytest.raises(SpecError, match="expected a readable UTF-8 text file, got embedded null"):
        read_source(Path("a\0b.yaml"))


def test_suffix_in_capitals_is_a_path() -> None:
    with pytest.raises(SpecError, match=r"nothing\.YAML: expected a file, got nothing there"):
        load_architecture("nothing.YAML")
