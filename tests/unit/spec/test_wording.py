"""Every kind of error that pydantic can raise on a spec has words of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, Field, model_validator
from pydantic_core.core_schema import ErrorType

from bnnsim.cost.blocks.coefficients import CoefficientFile
from bnnsim.search.space.alternatives import AlternativesFile, AlternativesSpec
from bnnsim.search.space.space import ExploreSpec
from bnnsim.spec.device import Device
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault
from bnnsim.spec.model import Name, SpecModel
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import WORDING, validate
from bnnsim.validation.published import Publication

MODELS: list[type[BaseModel]] = [
    *(StreamingArchitecture, EngineArchitecture, Workload, Device, Publication),
    *(ExploreSpec, AlternativesSpec, AlternativesFile, CoefficientFile),
]
RAISED = {
    "any": set(),
    "bool": {"bool_type"},
    "default": set(),
    "definition-ref": set(),
    "definitions": set(),
    "dict": {"dict_type"},
    "float": {"float_type", "finite_number"},
    "function-after": {"value_error"},
    "function-before": {"value_error"},
    "int": {"int_type"},
    "list": {"list_type"},
    "literal": {"literal_error"},
    "model": {"model_type"},
    "model-field": {"missing"},
    "model-fields": {"extra_forbidden"},
    "nullable": set(),
    "str": {"string_type"},
    "tagged-union": {"union_tag_invalid", "union_tag_not_found", "model_attributes_type"},
    "union": set(),
}
"""What each node of a strict model's schema can raise, its bounds aside (pydantic's documentation)."""
BOUNDS = {
    ("dict", "min_length"): "too_short",
    ("float", "ge"): "greater_than_equal",
    ("float", "gt"): "greater_than",
    ("float", "le"): "less_than_equal",
    ("float", "lt"): "less_than",
    ("int", "ge"): "greater_than_equal",
    ("int", "gt"): "greater_than",
    ("int", "le"): "less_than_equal",
    ("int", "lt"): "less_than",
    ("list", "max_length"): "too_long",
    ("list", "min_length"): "too_short",
    ("str", "min_length"): "string_too_short",
    ("str", "pattern"): "string_pattern_mismatch",
}
PLAIN = {
    *("type", "metadata", "ref", "strict", "schema", "default", "choices", "discriminator", "cls"),
    *("keys_schema", "values_schema", "items_schema", "allow_inf_nan", "expected", "definitions"),
    *("schema_ref", "function", "serialization", "config", "custom_init", "root_model", "fields"),
    *("model_name", "computed_fields", "from_attributes", "validation_alias"),
}
"""Keys of schema nodes that bound nothing."""


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """The nodes that validate what a user wrote; a dataclass is only ever made by our own validators."""
    if isinstance(schema, list | tuple):
        for one in schema:
            yield from _nodes(one)
    if not isinstance(schema, dict) or schema.get("type") == "dataclass":
        return
    if isinstance(schema.get("type"), str):
        yield schema
    for key, value in schema.items():
        if key not in ("metadata", "function", "serialization", "default"):
            yield from _nodes(value)


def _raised() -> set[str]:
    found = set()
    for model in MODELS:
        for node in _nodes(model.__pydantic_core_schema__):
            found |= RAISED[node["type"]]
            found |= {BOUNDS[node["type"], key] for key in node.keys() - PLAIN}
    return found


def test_every_error_that_our_models_can_raise_is_worded() -> None:
    assert _raised() <= WORDING.keys()


def test_only_kinds_of_errors_that_pydantic_has_are_worded() -> None:
    assert WORDING.keys() <= set(get_args(ErrorType))


class _Left(SpecModel):
    kind: Literal["left"]


class _Right(SpecModel):
    kind: Literal["right", "straight"]
    turns: int = 0


class _Probe(SpecModel):
    whole: int = 0
    above: Annotated[int, Field(gt=2)] = 3
    least: Annotated[int, Field(ge=2)] = 3
    below: Annotated[int, Field(lt=4)] = 3
    most: Annotated[float, Field(le=4)] = 3
    real: float = 0
    text: Annotated[str, Field(min_length=1)] = "x"
    name: Name = "x"
    flag: bool = False
    few: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    table: dict[Literal["rows", "columns"], int] = {}
    word: Literal["one", "two", "three"] = "one"
    size: int | Literal["all"] = 1
    way: Annotated[_Left | _Right, Field(discriminator="kind")] = _Left(kind="left")
    inner: _Left | None = None

    @model_validator(mode="after")
    def _even(self) -> _Probe:
        if self.whole % 2:
            raise ValueError("an even number")
        return self


CASES = [
    ("missing", {"inner": {}}, "inner.kind: expected this key, got nothing"),
    ("extra_forbidden", {"way": {"kind": "right", "turn": 1}},
     "way.turn: expected one of the keys kind, turns, got 'turn' (nearest: turns)"),
    ("literal_error", {"word": "thre"},
     "word: expected one, two, three, got the text 'thre' (nearest: three)"),
    ("literal_error", {"table": {"row": 1}},
     "table.row: expected rows, columns, got the text 'row' (nearest: rows)"),
    ("literal_error", {"size": "al"},
     "size: expected an integer or all, got the text 'al'"),
    ("union_tag_invalid", {"way": {"kind": "lift"}},
     "way.kind: expected one of left, right, straight, got 'lift' (nearest: left)"),
    ("union_tag_not_found", {"way": {}}, "way.kind: expected one of left, right, straight, got nothing"),
    ("model_attributes_type", {"way": 3}, "way: expected a mapping, got 3"),
    ("value_error", {"whole": 3}, "expected an even number, got a mapping"),
    ("int_type", {"whole": 4.5}, "whole: expected an integer, got 4.5"),
    ("float_type", {"real": "1e6"}, "real: expected a number, got the text '1e6'"),
    ("finite_number", {"real": float("inf")}, "real: expected a finite number, got inf"),
    ("string_type", {"text": 1}, "text: expected text, got 1"),
    ("string_unicode", {"text": "\ud800"},
     "text: expected text of Unicode characters, got the text '\\ud800'"),
    ("bool_type", {"flag": 1}, "flag: expected true or false, got 1"),
    ("list_type", {"few": 1}, "few: expected a list, got 1"),
    ("dict_type", {"table": 1}, "table: expected a mapping, got 1"),
    ("model_type", {"inner": 1}, "inner: expected a mapping, got 1"),
    ("greater_than", {"above": 2}, "above: expected a number > 2, got 2"),
    ("greater_than_equal", {"least": 1}, "least: expected a number >= 2, got 1"),
    ("less_than", {"below": 4}, "below: expected a number < 4, got 4"),
    ("less_than_equal", {"most": 4.5}, "most: expected a number <= 4, got 4.5"),
    ("too_short", {"few": []}, "few: expected at least 1 entries, got []"),
    ("too_long", {"few": [1, 2, 3]}, "few: expected at most 2 entries, got [1, 2, 3]"),
    ("string_too_short", {"text": ""}, "text: expected text that is not empty, got the text ''"),
    ("string_pattern_mismatch", {"name": "a b"},
     "name: expected a name of at most 160 letters, digits, _ . and -, "
     "the first a letter, digit or _, "
     "got the text 'a b'"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data", "message"), CASES)
def test_error_is_worded(kind: str, data: dict[str, Any], message: str) -> None:
    _, (fault, *_) = validate(_Probe, SourceText("a.yaml", data))
    assert str(fault).removeprefix("a.yaml:1: ") == message


def test_every_wording_has_a_case() -> None:
    assert {kind for kind, _, _ in CASES} == WORDING.keys()


def test_a_choice_of_words_is_read_from_the_model_and_not_from_pydantics_text() -> None:
    class Words(SpecModel):
        word: Literal["this or that", "it's, so"]

    _, (fault, *_) = validate(Words, SourceText("a.yaml", {"word": "it's so"}))
    assert fault.expected == "this or that, it's, so"
    assert fault.near == ("it's, so",)


LONG = "x" * 3000


def test_a_long_value_is_not_repeated_and_says_its_length() -> None:
    _, (fault, *_) = validate(_Probe, SourceText("a.yaml", {"word": LONG}))
    assert f"got the text '{'x' * 70}" in str(fault)
    assert "(3,011 characters)" in str(fault)
    assert len(str(fault)) < 250


def test_a_long_list_of_what_there_is_comes_behind_what_is_wrong() -> None:
    names = ", ".join(f"operator{i}" for i in range(46))
    expected = f"an operator that can be imported ({names})"
    shown = str(Fault("m.onnx", 0, "node3", expected, "Foo", ("Fo",)))
    assert shown.startswith(
        "m.onnx: node3: expected an operator that can be imported, got Foo (nearest: Fo); known: oper"
    )
    assert str(Fault("a", 0, "", f"one of {names}", "'x'")).startswith("a: got 'x', expected one of oper")


def test_what_does_not_print_is_escaped_so_that_a_fault_is_one_line() -> None:
    shown = str(Fault("a\nb.yaml", 0, "k\x1b[31m", "text", "'\ud800'"))
    assert shown == "a\\nb.yaml: k\\x1b[31m: expected text, got '\\ud800'"
