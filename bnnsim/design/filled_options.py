"""Options of layers with an architecture's defaults filled in: equal ones are one object."""

from __future__ import annotations

from bnnsim.spec.streaming.hardware import LayerHardware, UnitDefaults

INHERITED = tuple(name for name in LayerHardware.model_fields if name in UnitDefaults.model_fields)
"""What a layer says or takes from the defaults."""


class FilledOptions:
    """What is filled in for architectures that have layers or defaults in common."""

    def __init__(self) -> None:
        self._by_defaults: dict[UnitDefaults, dict[LayerHardware, LayerHardware]] = {}
        self._filled: dict[LayerHardware, LayerHardware] = {}
        # By the identity of options that are kept above or here.
        self._units: dict[int, LayerHardware] = {}
        self._seen: dict[tuple[int, int], tuple[LayerHardware, LayerHardware]] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def with_defaults(self, defaults: UnitDefaults) -> dict[LayerHardware, LayerHardware]:
        """What was filled in with these ``defaults``, for :meth:`fill`."""
        return self._by_defaults.setdefault(defaults, {})

    def fill(
        self, given: LayerHardware, defaults: UnitDefaults, filled: dict[LayerHardware, LayerHardware]
    ) -> LayerHardware:
        """A layer's options as ``given``, with the ``defaults`` that ``filled`` is for."""
        seen = self._seen.get((id(given), id(filled)))
        if seen is not None:
            return seen[1]
        found = self._fill(given, defaults, filled)
        self._seen[id(given), id(filled)] = given, found
        return found

    def _fill(
        self, given: LayerHardware, defaults: UnitDefaults, filled: dict[LayerHardware, LayerHardware]
    ) -> LayerHardware:
        found = filled.get(given)
        if found is None:
            unsaid = [key for key in INHERITED if getattr(given, key) is None]
            found = given.model_copy(update={key: getattr(defaults, key) for key in unsaid})
            found = filled[given] = self._filled.setdefault(found, found)
        return found

    def for_units(self, filled: LayerHardware) -> LayerHardware:
        """The options without what no unit depends on: the depth of a FIFO."""
        found = self._units.get(id(filled))
        if found is None:
            found = filled.model_copy(update={"out_fifo_words": None})
            found = self._units[id(filled)] = self._filled.setdefault(found, found)
        return found
