"""From plain data to a spec object, with every fault located and worded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bnnsim.spec.faults import Fault, KeyPath, near_names
from bnnsim.spec.model import NAME_TEXT
from bnnsim.spec.yaml.known import known_keys, known_tags, known_words, schema_of
from bnnsim.spec.yaml.renamed import old_names
from bnnsim.spec.yaml.source import UNREAD, SourceText

Model = TypeVar("Model", bound=BaseModel)

WORDING = {
    "missing": "this key",
    "extra_forbidden": "one of the keys {options}",
    "literal_error": "{options}",
    "union_tag_invalid": "one of {options}",
    "union_tag_not_found": "one of {options}",
    "value_error": "{error}",
    "int_type": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_unicode": "text of Unicode characters",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "greater_than": "a number > {gt}",
    "greater_than_equal": "a number >= {ge}",
    "less_than": "a number < {lt}",
    "less_than_equal": "a number <= {le}",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "string_too_short": "text that is not empty",
    "string_pattern_mismatch": NAME_TEXT,
}
"""What each kind of pydantic's errors expects, with its bounds and the words to choose from."""


def validate(model: type[Model], source: SourceText) -> tuple[Model | None, list[Fault]]:
    """Check ``source`` against ``model``.

    Returns the spec and the faults found. Where only single entries are wrong, the spec is built
    without them, so that later checks can look for further faults in the same go.
    """
    faults = list(source.faults)
    data = source.data
    reported: set[KeyPath] = set()
    for _ in range(4):  # a removed entry can uncover others, such as a union's second branch
        try:
            return model.model_validate(data), faults
        except ValidationError as error:
            found, paths = _faults_of(error, model, source, data)
            fresh = [(path, fault) for path, fault in found if path not in reported]
            faults += _once_a_block(fresh, source)
            reported |= paths
            pruned = _without(data, paths)
            if pruned == data:
                return None, faults
            data = pruned
    return None, faults


def _faults_of(
    error: ValidationError, model: type[BaseModel], source: SourceText, data: Any
) -> tuple[list[tuple[KeyPath, Fault]], set[KeyPath]]:
    grouped: dict[KeyPath, list[Any]] = {}
    for item in error.errors(include_url=False):
        path = _data_path(item["loc"], data, item["type"] == "missing")
        grouped.setdefault(path, []).append(item)
    # An entry that is itself wrong explains what is wrong inside it in other union branches.
    schema = schema_of(model)
    faults = []
    for path, items in grouped.items():
        if any(len(other) > len(path) and other[: len(path)] == path for other in grouped):
            items = [i for i in items if i["type"] in ("missing", "extra_forbidden")]
            if not items:
                continue
        if _is_unread(items[0]):
            continue
        expected = list(dict.fromkeys(_expected(item, path, schema, data) for item in items))
        if items[0]["type"] == "missing" and _is_switch(source, path):
            continue  # the key is there, as a script's boolean, with a fault of its own
        got, near = _got(items[0], path, schema, data, source)
        where = (*path, *_tag(items[0]))
        fault = source.fault(where, " or ".join(expected), got, near)
        if items[0]["type"] == "extra_forbidden":
            fault = replace(fault, line=source.key_lines.get(path, fault.line))
        faults.append((path, fault))
    return faults, set(grouped)


def _once_a_block(found: list[tuple[KeyPath, Fault]], source: SourceText) -> list[Fault]:
    """The faults, those that layers share with the block that wrote them only of the first layer."""
    first: dict[object, Fault] = {}
    for path, fault in found:
        is_copy = path[:1] == ("layers",) and len(path) > 1 and path[1] in source.copies
        alike = (fault.line, path[2:], fault.expected, fault.got) if is_copy else path
        first.setdefault(alike, fault)
    return list(first.values())


def _is_unread(item: Any) -> bool:
    """Whether an error is of a value, or of the key that says its kind, that has a fault already."""
    value = item["input"]
    tag = _tag(item)
    return value is UNREAD or (bool(tag) and isinstance(value, dict) and value.get(tag[0]) is UNREAD)


def _tag(item: Any) -> tuple[str, ...]:
    """The key that says what kind of mapping an entry is, where an error is of that key."""
    if item["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return (str(item["ctx"]["discriminator"]).strip("'"),)
    return ()


def _expected(item: Any, path: KeyPath, schema: dict[str, Any], data: Any) -> str:
    template = WORDING.get(item["type"])
    if template is None:
        return str(item["msg"])
    parts = {name: _bound_text(bound) for name, bound in item.get("ctx", {}).items()}
    options = _options(item, path, schema, data)
    if item["type"] == "extra_forbidden" and not options:
        return "no such key"
    return template.format(**{**parts, "options": ", ".join(options)})


def _bound_text(bound: Any) -> str:
    """2000.0 as 2000, and large integers with every digit."""
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _got(
    item: Any, path: KeyPath, schema: dict[str, Any], data: Any, source: SourceText
) -> tuple[str, tuple[str, ...]]:
    kind = item["type"]
    if kind in ("missing", "union_tag_not_found"):
        return "nothing", ()
    if kind == "extra_forbidden":
        written = source.written.get(path, str(path[-1]))
        known = _options(item, path, schema, data)
        former = {old: new for old, new in old_names(path[:-1]).items() if new in known}
        if written == "true" and "on" in former:
            script = former["on"]
            return f"'true', which a script makes of the old key 'on' (now '{script}')", (script,)
        hints = {**former, **{key: key for key in known}}
        return f"'{written}'", tuple(dict.fromkeys(hints[n] for n in near_names(written, hints)))
    value = item["input"]
    if kind == "union_tag_invalid":
        tag = value.get(_tag(item)[0]) if isinstance(value, dict) else item["ctx"]["tag"]
        if not isinstance(tag, str):
            return value_text(tag), ()
        return repr(tag), near_names(tag, _options(item, path, schema, data))
    near: tuple[str, ...] = ()
    if kind == "literal_error" and isinstance(value, str):
        near = near_names(value, _options(item, path, schema, data))
    return value_text(value), near


def _options(item: Any, path: KeyPath, schema: dict[str, Any], data: Any) -> list[str]:
    """The words from which a value, a mapping's key or its kind was to be chosen."""
    match item["type"]:
        case "extra_forbidden":
            return known_keys(schema, path[:-1], data)
        case "union_tag_invalid" | "union_tag_not_found":
            return known_tags(schema, path, data, *_tag(item))
        case "literal_error":
            return known_words(schema, path, data, of_key=item["loc"][-1] == "[key]")
    return []


def _is_switch(source: SourceText, path: KeyPath) -> bool:
    """Whether a missing key stands there under its old name ``on``, which PyYAML reads as true."""
    return (*path[:-1], "true") in source.lines and old_names(path[:-1]).get("on") == path[-1]


def value_text(value: Any) -> str:
    """A YAML value as a message shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list) and len(value) > 8:
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"the text {value!r}"
    return repr(value)


def _data_path(loc: tuple[str | int, ...], data: Any, missing: bool) -> KeyPath:
    """``loc`` without the names of union branches that pydantic mixes in."""
    path: list[str | int] = []
    here: Any = data
    for position, part in enumerate(loc):
        is_last = position == len(loc) - 1
        in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if in_list or (isinstance(here, dict) and part in here):
            path.append(part)
            here = here[part]
        elif is_last and missing:
            path.append(part)
    return tuple(path)


def _without(data: Any, paths: set[KeyPath]) -> Any:
    """A copy of ``data`` without the mapping entries at ``paths``."""

    def copy(value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {
                k: copy(v, (*path, k)) for k, v in value.items() if (*path, k) not in paths
            }
        if isinstance(value, list):
            return [copy(v, (*path, i)) for i, v in enumerate(value)]
        return value

    return copy(data, ())
