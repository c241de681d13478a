"""Layers' entries that were read before: equal ones of a space's points are one object.

A search reads thousands of points whose layers have a few dozen different entries each.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from pydantic import ValidationError

from bnnsim.spec.streaming.hardware import LayerHardware, UnitDefaults

MOST_SECTIONS = 50_000
"""Entries that are kept at once."""


class KnownSections:
    """What plain data of layers and defaults was read as."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, LayerHardware | UnitDefaults] = {}

    def __reduce__(self) -> tuple[type[KnownSections], tuple[()]]:
        return KnownSections, ()  # another process finds its own

    def read(self, data: dict[str, Any]) -> dict[str, Any]:
        """A streaming architecture's ``data`` with layers and defaults as objects where they are any;
        what is none stays as it is, for whoever reads the whole."""
        if len(self._kept) > MOST_SECTIONS:
            self._kept.clear()
        found = dict(data)
        layers = data.get("layers")
        if isinstance(layers, dict):
            found["layers"] = {name: self._section(LayerHardware, one) for name, one in layers.items()}
        if "defaults" in data:
            found["defaults"] = self._section(UnitDefaults, data["defaults"])
        return found

    def _section(self, model: type[LayerHardware] | type[UnitDefaults], data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        values = tuple(data.values())
        key = model, tuple(data), values, tuple(map(type, values))  # 1, 1.0 and true are equal
        try:
            kept = self._kept.get(key)
        except TypeError:  # something inside holds more
            return data
        if kept is None:
            try:
                kept = self._kept[key] = model.model_validate(data)
            except ValidationError:
                return data
        return kept
