"""Values in YAML mean what an engineer reads; what two readers read differently is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from bnnsim.spec.faults import SpecError
from bnnsim.spec.yaml.scalars import ScalarDumper
from bnnsim.spec.yaml.source import parse_source

READ = [
    ("100", 100),
    ("-7", -7),
    ("+7", 7),
    ("0", 0),
    ("1_000", 1000),
    ("12_345_678", 12345678),
    ("1e2", 100),
    ("1.5e3", 1500),
    ("1E+2", 100),
    ("1000e-1", 100),
    ("2.5", 2.5),
    ("100.0", 100.0),
    ("1e-3", 0.001),
    (".5", 0.5),
    ("3.", 3.0),
    ("1.0e+50", 1e50),
    (".inf", math.inf),
    ("true", True),
    ("FALSE", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("2017-02-22", "2017-02-22"),
    ("xc7z020", "xc7z020"),
    ("7z020", "7z020"),
    ("1.2.3", "1.2.3"),
    ("-x", "-x"),
    ("y", "y"),
    ("=", "="),
    ("'1e2'", "1e2"),
    ("'on'", "on"),
    ("!!str 100", "100"),
]


@pytest.mark.parametrize(("text", "value"), READ)
def test_value_is_what_it_looks_like(text: str, value: Any) -> None:
    source = parse_source(f"a: {text}\n", "w.yaml")
    assert source.faults == []
    assert source.data == {"a": value}
    assert type(source.data["a"]) is type(value)


REFUSED = [
    ("1:40", "a number in decimal (100, 1_000, 2.5, 1e2), or text in quotes"),
    ("1" + ":59" * 180, "a number in decimal"),
    ("0144", "a number in decimal"),
    ("00.5", "a number in decimal"),
    ("0o144", "a number in decimal"),
    ("0b1100100", "a number in decimal"),
    ("0x64", "a number in decimal"),
    ("0x" + "f" * 4000, "a number in decimal"),
    ("1_00", "a number in decimal"),
    ("1000_000", "a number in decimal"),
    ("9" * 4000, "a number of at most 40 digits"),
    ("1e999", "a number below 1.8e308"),
    ("yes", "true or false, or the text 'yes' in quotes"),
    ("Off", "true or false, or the text 'Off' in quotes"),
    ("!!bool maybe", "a plain YAML value without a tag"),
    ("!!int ''", "a plain YAML value without a tag"),
    ("!!int 5", "a plain YAML value without a tag"),
    ("!!timestamp x", "a plain YAML value without a tag"),
    ("!!float 1:2", "a plain YAML value without a tag"),
    ("!!binary x", "a plain YAML value without a tag"),
    ("!!python/name:os.system x", "a plain YAML value without a tag"),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_value_that_readers_read_differently_is_refused_with_its_place(
    text: str, expected: str
) -> None:
    (fault,) = parse_source(f"b: 1\na: {text}\n", "w.yaml").faults
    assert str(fault).startswith(f"w.yaml:2: a: expected {expected}")
    assert len(str(fault)) < 400


@pytest.mark.parametrize("tag", ["!!set {a, b}", "!!omap [a: 1]", "!!python/tuple [1]", "!x {a: 1}"])
def test_collection_with_a_tag_is_refused(tag: str) -> None:
    (fault,) = parse_source(f"a: {tag}\n", "w.yaml").faults
    assert str(fault).startswith("w.yaml:1: a: expected a plain YAML value without a tag, got !")


@pytest.mark.parametrize(
    "text", ["1e2", "on", "0144", "0x64", "1:40", "1_000", "null", "x: y", "2.5", ""]
)
def test_text_that_is_written_is_read_as_text_again(text: str) -> None:
    written = yaml.dump({"a": text}, Dumper=ScalarDumper)
    assert parse_source(written, "w.yaml").data == {"a": text}


def test_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Any) -> None:
    from bnnsim.spec.yaml.source import read_source

    path = tmp_path / "w.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(SpecError, match=r"w.yaml: expected a file of at most 16777216 bytes"):
        read_source(path)
