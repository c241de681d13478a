"""JSON schemas of what users write, for editors and for other tools."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import ModelSchema

from bnnsim.spec.architecture import Architecture
from bnnsim.spec.device import Device
from bnnsim.spec.docstrings import attribute_docstrings, class_body
from bnnsim.spec.model import SpecModel
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.block_check import PARAMETER_PATTERN

Schema = dict[str, Any]
MODELS: dict[str, Any] = {"arch": Architecture, "workload": Workload, "device": Device}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class SpecSchema(GenerateJsonSchema):
    """Defaults as YAML has them, a value type by its name; each key says what its docstring says.

    Docstrings are read here, since reading them with the models took a third of the models' import.
    """

    def model_schema(self, schema: ModelSchema) -> Schema:
        made = super().model_schema(schema)
        for base in reversed(schema["cls"].__mro__):
            if issubclass(base, SpecModel):
                for name, text in attribute_docstrings(class_body(base)).items():
                    if name in made.get("properties", {}):
                        made["properties"][name]["description"] = text
        return made

    def encode_default(self, dft: Any) -> Any:
        return str(dft) if isinstance(dft, ValueType) else super().encode_default(dft)


def spec_schema(kind: str) -> Schema:
    """The JSON schema (draft 2020-12) of an ``arch``, ``workload`` or ``device`` file."""
    schema = TypeAdapter(MODELS[kind]).json_schema(schema_generator=SpecSchema)
    return headed(kind, _with_blocks(schema) if kind == "workload" else schema)


def _with_blocks(schema: Schema) -> Schema:
    """A workload's schema as files are written: with blocks, and entries that stand for them."""
    layers = schema["properties"]["layers"]
    use = {
        "type": "object",
        "description": "A block in use; other keys are its parameters.",
        "properties": {
            "block": {"type": "string", "description": "A block of `blocks`."},
            "name": {"type": "string", "description": "The beginning of its layers' names."},
            "repeat": {"type": "integer", "minimum": 1, "description": "How often, one behind another."},
            "inputs": {"type": "array", "items": {"type": "string"}, "description": "What it reads."},
        },
        "required": ["block", "name"],
    }
    block = {
        "type": "object",
        "properties": {
            "parameters": {
                "type": ["object", "null"],
                "propertyNames": {"pattern": PARAMETER_PATTERN},
                "description": "Defaults by name; nothing: to be given wherever the block is used.",
            },
            "layers": {
                "type": "array",
                "items": {"type": "object"},
                "minItems": 1,
                "description": "Layers and blocks; `$name` is a parameter, `before` what is read.",
            },
        },
        "required": ["layers"],
        "additionalProperties": False,
    }
    properties = {
        **schema["properties"],
        "blocks": {**schema["properties"]["blocks"], "additionalProperties": block},
        "layers": {**layers, "items": {"anyOf": [use, layers["items"]]}},
    }
    return {**schema, "properties": properties}


def headed(kind: str, schema: Schema) -> Schema:
    """A schema with its dialect and its name, ``urn:bnnsim:schema:KIND``."""
    return {"$schema": DIALECT, "$id": f"urn:bnnsim:schema:{kind}", **schema}
