"""The JSON schema of what each command writes with ``--json``, made of the records that it writes."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, is_typeddict

from bnnsim.cli.look.list import Listings
from bnnsim.cli.records.costs import Costs, PowerByBasis
from bnnsim.cli.records.keys import Key, keys_of
from bnnsim.cli.records.tables import SizingCheck, ValidationTables
from bnnsim.cli.records.written import WrittenFiles
from bnnsim.exploration.found import FoundFront
from bnnsim.files.schema_version import SCHEMA_VERSION
from bnnsim.finn.comparison import FinnComparison
from bnnsim.importers.check.report import CheckReport
from bnnsim.report.comparison.comparison import ComparisonInfo
from bnnsim.rtl.handover.record import HardwareCheck
from bnnsim.search.fifos.sizing import FifoSizing
from bnnsim.search.fold.parts import FoldedParts
from bnnsim.search.sweep.grid import Grid
from bnnsim.simulation import Simulation
from bnnsim.spec.faults import InputError
from bnnsim.spec.schema import Schema, headed

WRITES: Mapping[str, tuple[type, ...]] = {
    "simulate": (Simulation,),
    "evaluate": (Simulation, Costs),
    "validate": (ValidationTables,),
    "explore": (FoundFront,),
    "sweep": (Grid,),
    "fold": (FoldedParts,),
    "fifos": (FifoSizing, SizingCheck),
    "new": (WrittenFiles,),
    "import": (WrittenFiles,),
    "check": (CheckReport,),
    "report": (WrittenFiles,),
    "compare": (ComparisonInfo,),
    "compare-finn": (FinnComparison,),
    "list": (Listings,),
    "rtl": (HardwareCheck,),
    "check-rtl": (HardwareCheck,),
    "finn-folding": (WrittenFiles,),
    "vectors": (WrittenFiles,),
    "trace": (WrittenFiles,),
}
"""The records whose keys are the command's JSON, one behind another; the version stands before them."""
LEFT_OUT = {(Simulation, "outputs")}
"""Keys that are left out where there is nothing to say."""
FURTHER: Mapping[type, Mapping[str, str]] = {
    PowerByBasis: {"^plug .": "Watts at the board's plug: what it takes idle, and the rise"}
}
"""Keys with a name of their own, as patterns; all of them numbers."""
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null"}


def json_schema(command: str | None) -> Schema:
    """The JSON schema (draft 2020-12) of ``bnnsim COMMAND --json``.

    Raises :class:`~bnnsim.spec.faults.InputError` for what is no command that writes JSON.
    """
    if command is None or command not in WRITES:
        got = "none" if command is None else repr(command)
        raise InputError("schema json", f"a command: one of {', '.join(WRITES)}", got)
    definitions: dict[str, Schema] = {}
    keys = [(record, key) for record in WRITES[command] for key in keys_of(record)]
    version = {
        "description": "Grows when a key goes or changes its meaning.",
        "const": SCHEMA_VERSION,
    }
    body = _object(keys, definitions)
    properties = {"schema_version": version, **body["properties"]}
    required = ["schema_version", *body["required"]]
    said = f"What `bnnsim {command} --json` writes."
    found = {**body, "description": said, "properties": properties, "required": required}
    return headed(f"json:{command}", {**found, "$defs": dict(sorted(definitions.items()))})


def _object(keys: list[tuple[type, Key]], definitions: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": {
            key.name: {"description": _sentence(key), **_value(key.kind, definitions)} for _, key in keys
        },
        "required": [key.name for record, key in keys if (record, key.name) not in LEFT_OUT],
        "additionalProperties": False,
    }


def _sentence(key: Key) -> str:
    return f"{key.meaning}{f'; null {key.null}' if key.null else ''}."


def _value(kind: Any, definitions: dict[str, Schema]) -> Schema:
    """The schema of a value of one type; those of records go into ``definitions``."""
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if is_dataclass(kind) or is_typeddict(kind):
        return _reference(kind, definitions)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return _list(inner, definitions)
    if origin is Mapping:
        names, value = inner
        entries = {"type": "object", "additionalProperties": _value(value, definitions)}
        if get_origin(names) is Literal:
            known = list(get_args(names))
            return {**entries, "propertyNames": {"enum": known}, "required": known}
        return entries
    if origin in (Union, types.UnionType):
        ways = [_value(one, definitions) for one in inner]
        if all(way.keys() == {"type"} for way in ways):
            return {"type": [way["type"] for way in ways]}
        return {"anyOf": ways}
    raise TypeError(f"no JSON schema for {kind}")


def _list(inner: tuple[Any, ...], definitions: dict[str, Schema]) -> Schema:
    if inner[-1] is Ellipsis:
        return {"type": "array", "items": _value(inner[0], definitions)}
    ways = [_value(one, definitions) for one in inner]
    return {"type": "array", "prefixItems": ways, "items": False, "minItems": len(ways)}


def _reference(record: type, definitions: dict[str, Schema]) -> Schema:
    name = record.__name__
    if name not in definitions:
        definitions[name] = {}  # a record within itself ends here
        body = _object([(record, key) for key in keys_of(record)], definitions)
        patterns = {
            pattern: {"type": "number", "description": f"{text}."}
            for pattern, text in FURTHER.get(record, {}).items()
        }
        definitions[name] = {**body, **({"patternProperties": patterns} if patterns else {})}
    return {"$ref": f"#/$defs/{name}"}
