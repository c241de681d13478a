"""What a model's JSON schema knows at a place in a spec: the keys of a mapping, the words of a value."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from bnnsim.spec.faults import KeyPath

Schema = dict[str, Any]


@lru_cache(maxsize=64)
def schema_of(model: type[BaseModel]) -> Schema:
    """The JSON schema of a model, made once."""
    return model.model_json_schema()


def known_keys(schema: Schema, path: KeyPath, data: Any) -> list[str]:
    """The keys that the mapping at ``path`` may have."""
    nodes = _nodes(schema, path, data)
    return list(dict.fromkeys(key for node in nodes for key in node.get("properties", {})))


def known_words(schema: Schema, path: KeyPath, data: Any, of_key: bool = False) -> list[str]:
    """The words that the value at ``path`` may be; with ``of_key`` what its key may be called."""
    if of_key:
        nodes = [node.get("propertyNames", {}) for node in _nodes(schema, path[:-1], data)]
    else:
        nodes = _nodes(schema, path, data)
    return _words(nodes)


def known_tags(schema: Schema, path: KeyPath, data: Any, tag: str) -> list[str]:
    """The words of the key ``tag``, which says what kind of mapping stands at ``path``."""
    nodes = _nodes(schema, path, data)
    return _words([node["properties"][tag] for node in nodes if tag in node.get("properties", {})])


def _words(nodes: list[Schema]) -> list[str]:
    found = [word for node in nodes for word in node.get("enum", [node.get("const")])]
    return list(dict.fromkeys(str(word) for word in found if word is not None))


def _nodes(schema: Schema, path: KeyPath, data: Any) -> list[Schema]:
    """What the schema says of the value at ``path``: one node for each form that it may have."""
    nodes = _resolve(schema, schema, data)
    here = data
    for part in path:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
        nodes = [
            resolved
            for node in nodes
            for child in _children(node, part)
            for resolved in _resolve(child, schema, here)
        ]
    return nodes


def _children(node: Schema, part: str | int) -> list[Schema]:
    if isinstance(part, int):
        return [node["items"]] if isinstance(node.get("items"), dict) else []
    if part in node.get("properties", {}):
        return [node["properties"][part]]
    extra = node.get("additionalProperties")
    return [extra] if isinstance(extra, dict) else []


def _resolve(node: Schema, schema: Schema, data: Any) -> list[Schema]:
    if "$ref" in node:
        target = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        return _resolve(target, schema, data)
    tag = node.get("discriminator")
    if tag and isinstance(data, dict):
        word = data.get(tag["propertyName"])
        chosen = tag["mapping"].get(word) if isinstance(word, str) else None
        if chosen:
            return _resolve({"$ref": chosen}, schema, data)
    branches = node.get("oneOf") or node.get("anyOf")
    if branches:
        return [resolved for branch in branches for resolved in _resolve(branch, schema, data)]
    return [node]
