"""A grid of designs, as ``sweep --json`` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bnnsim.files.schema_version import versioned
from bnnsim.search.space.fields import Value


@dataclass(frozen=True)
class GridDesign:
    """A design of a grid."""

    values: Mapping[str, Value]
    """What was changed, by the field's path."""
    figures: Mapping[str, float]
    """Its figures by the names that objectives have; empty where there is no design."""
    exceeds: tuple[str, ...]
    """Resources of which it takes more than it may."""
    reason: str | None
    """Why there is no design; null where there is one."""


@dataclass(frozen=True)
class Grid:
    """A grid over one or two fields of an architecture."""

    arch: str
    """The architecture's name."""
    workload: str
    """The workload's name."""
    knobs: tuple[str, ...]
    """The fields that were changed."""
    designs: tuple[GridDesign, ...]
    """All of them, the last knob fastest."""
    outside: tuple[str, ...]
    """What an engine neither brings nor keeps, with the reason: no figure contains it."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned(asdict(self))
