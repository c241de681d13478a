"""JSON schemas of what users write, for editors and for other tools."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from bnnsim.spec.architecture import Architecture
from bnnsim.spec.device import Device
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import Workload

Schema = dict[str, Any]
MODELS: dict[str, Any] = {"arch": Architecture, "workload": Workload, "device": Device}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Defaults as YAML has them: a value type by its name."""

    def encode_default(self, dft: Any) -> Any:
        return str(dft) if isinstance(dft, ValueType) else super().encode_default(dft)


def spec_schema(kind: str) -> Schema:
    """The JSON schema (draft 2020-12) of an ``arch``, ``workload`` or ``device`` file."""
    schema = TypeAdapter(MODELS[kind]).json_schema(schema_generator=_Generator)
    return headed(kind, schema)


def headed(kind: str, schema: Schema) -> Schema:
    """A schema with its dialect and its name, ``urn:bnnsim:schema:KIND``."""
    return {"$schema": DIALECT, "$id": f"urn:bnnsim:schema:{kind}", **schema}
