"""The JSON schema of a space: an architecture's, with choices in the place of values."""

from __future__ import annotations

import copy

from pydantic import TypeAdapter

from bnnsim.search.space.aims import ExploreSpec
from bnnsim.search.space.alternatives import AlternativesFile, AlternativesSpec
from bnnsim.search.space.field_reader import DIVISORS
from bnnsim.spec.schema import Schema, SpecSchema, headed, spec_schema

_NUMBER_OR_KNOB = {"type": ["number", "string"]}
_CHOICE: Schema = {
    "description": "Free: one of these values.",
    "type": "object",
    "properties": {
        "choose": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"type": ["number", "string", "boolean"]},
            "description": "The values.",
        }
    },
    "required": ["choose"],
    "additionalProperties": False,
}
_RANGE: Schema = {
    "description": "Free: numbers from the first to the second, by steps or factors.",
    "type": "object",
    "properties": {
        "range": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number", "exclusiveMinimum": 0},
            "description": "The least and the greatest value.",
        },
        "step": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "From one value to the next; default 1.",
        },
        "factor": {
            "type": "number",
            "exclusiveMinimum": 1,
            "description": "From one value to the next, multiplied.",
        },
    },
    "required": ["range"],
    "additionalProperties": False,
    "not": {"required": ["step", "factor"]},
}
_LINK: Schema = {
    "description": "Follows a knob of explore.knobs: map[knob] x times / over + plus.",
    "type": "object",
    "properties": {
        "knob": {"type": "string", "description": "The knob's name."},
        "map": {
            "type": "object",
            "additionalProperties": {"type": ["number", "string", "boolean"]},
            "description": "The field's value for each value of the knob; default: the value itself.",
        },
        "times": {**_NUMBER_OR_KNOB, "description": "A factor, or a knob's name."},
        "over": {**_NUMBER_OR_KNOB, "description": "A divisor, or a knob's name."},
        "plus": {**_NUMBER_OR_KNOB, "description": "A summand, or a knob's name."},
    },
    "required": ["knob"],
    "additionalProperties": False,
}
_PARTS = {"Choice": _CHOICE, "Range": _RANGE, "Link": _LINK}
_FREE = [{"$ref": f"#/$defs/{name}"} for name in _PARTS]
_FIXED = ("name", "source", "notes", "structure", "op", "circuit")
"""Keys that say what a thing is: nothing to choose, as where there is one value alone."""


def space_schema() -> Schema:
    """The JSON schema (draft 2020-12) of a space, or of a space of alternatives."""
    schema = spec_schema("arch")
    definitions = {name: _freed(model) for name, model in schema["$defs"].items()}
    for side in ("pe", "simd"):
        definitions["LayerHardware"]["properties"][side]["anyOf"].append(
            {"const": DIVISORS, "description": "Free: every divisor of the matrix's side."}
        )
    explore = _definitions(ExploreSpec, definitions)
    explore["properties"]["knobs"]["additionalProperties"] = {"anyOf": _FREE[:2]}
    for branch in schema["anyOf"]:
        model = definitions[branch["$ref"].rsplit("/", 1)[-1]]
        model["properties"]["explore"] = {
            "$ref": "#/$defs/ExploreSpec",
            "description": "What the space is searched for.",
        }
        model["required"] = [*model["required"], "explore"]
    file = _definitions(AlternativesFile, definitions)
    _definitions(AlternativesSpec, definitions)
    file["properties"]["explore"] = {
        "$ref": "#/$defs/AlternativesSpec",
        "description": "Which spaces there are, and what they are searched for.",
    }
    file["required"] = [*file["required"], "explore"]
    branches = [*schema["anyOf"], {"$ref": "#/$defs/AlternativesFile"}]
    return headed("space", {"anyOf": branches, "$defs": {**definitions, **_PARTS}})


def _definitions(model: type, definitions: dict[str, Schema]) -> Schema:
    """The schema of a model, put with all that it refers to among ``definitions``."""
    schema = TypeAdapter(model).json_schema(schema_generator=SpecSchema)
    definitions |= schema.pop("$defs", {})
    definitions[model.__name__] = schema
    return schema


def _freed(model: Schema) -> Schema:
    """A model of an architecture with a choice allowed wherever a value stands."""
    model = copy.deepcopy(model)
    for name, value in model.get("properties", {}).items():
        if name not in _FIXED and "const" not in value:
            model["properties"][name] = _free(value)
    return model


def _free(value: Schema) -> Schema:
    inner = dict(value)
    words = ("description", "title", "default")
    described: Schema = {key: inner.pop(key) for key in words if key in inner}
    for key in ("items", "additionalProperties"):
        if isinstance(inner.get(key), dict):
            inner[key] = _free(inner[key])
    return {**described, "anyOf": [inner, *_FREE]}
