"""A space: an architecture spec in which fields have choices (``arch_specs/spaces/*.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from bnnsim.design.known_parts import KnownParts
from bnnsim.design.network.network import Network
from bnnsim.search.space.aims import ExploreSpec, ReferenceDesign
from bnnsim.search.space.fields import Field, Knob, Value, field_values
from bnnsim.search.space.known_sections import KnownSections
from bnnsim.spec.architecture import Architecture, architecture_model
from bnnsim.spec.engine.outside import outside_of
from bnnsim.spec.faults import KeyPath, SpecError
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate
from bnnsim.timing.engine.mapping.choice import KnownWays

CLOCK: KeyPath = ("clock_mhz",)


@dataclass(frozen=True)
class Space:
    """All points of an architecture spec with choices.

    ``folded`` are the layers whose PE and SIMD are both free; ``knobs`` everything else that is free,
    ``fields`` the places that follow them.
    """

    name: str
    source: SourceText
    """The spec with its choices, without the ``explore`` section."""
    explore: ExploreSpec
    workload: Loaded[Workload]
    network: Network
    folded: tuple[str, ...]
    knobs: tuple[Knob, ...]
    fields: tuple[Field, ...]
    ways: KnownWays = field(default_factory=KnownWays, compare=False, repr=False)
    """What was found of loops that are left to the tool, for points that have them in common."""
    parts: KnownParts = field(default_factory=KnownParts, compare=False, repr=False)
    """What layers became in pipelines, for points that have them in common."""
    sections: KnownSections = field(default_factory=KnownSections, compare=False, repr=False)
    """What entries of pipelines' layers were read as, for points that have them in common."""
    as_given: SourceText | None = field(default=None, compare=False, repr=False)
    """The architecture as its file says it, where the space is that with its folding set free."""
    sized: dict[tuple[tuple[str, Value], ...], Mapping[str, int]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """Depths by stream that were found for points, by their knobs in order; the latest are kept."""

    def member(self, knobs: Mapping[str, Value]) -> Space:
        """The space that a point is of: this one."""
        return self

    def given(self, knobs: Mapping[str, Value]) -> Mapping[str, float]:
        """Figures of a point that are known without evaluating it: none."""
        return {}

    @property
    def workloads(self) -> tuple[str, ...]:
        """The names of the networks that are searched with."""
        return (self.workload.spec.name,)

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that designs can have."""
        return tuple(str(value) for value in self.values_at(("device",)))

    @property
    def outside(self) -> tuple[str, ...]:
        """What an engine of the space leaves to others: in no figure."""
        return outside_of(self.source.data)

    @property
    def reference_designs(self) -> tuple[ReferenceDesign, ...]:
        """The landmarks, where the network is the one that the space is made for."""
        own = self.workload.spec.name == self.explore.workload
        return tuple(self.explore.landmarks) if own else ()

    @cached_property
    def folds(self) -> tuple[tuple[str, KeyPath], ...]:
        """Name and place of the PE and SIMD of every layer that is free in both."""
        sides = [("layers", layer, side) for layer in self.folded for side in ("pe", "simd")]
        return tuple((".".join(path), path) for path in sides)

    @cached_property
    def knob_names(self) -> tuple[str, ...]:
        """Everything free, by the names that results use."""
        return (*(name for name, _ in self.folds), *(knob.name for knob in self.knobs))

    @property
    def first_knobs(self) -> Mapping[str, Value]:
        """The first value of everything free, PE and SIMD 1."""
        folding = dict.fromkeys((name for name, _ in self.folds), 1)
        return {**folding, **{knob.name: knob.values[0] for knob in self.knobs}}

    def values_at(self, path: KeyPath) -> tuple[Value, ...]:
        """The values that the field at ``path``, free or not, can have."""
        named = {knob.name: knob for knob in self.knobs}
        return field_values(path, self.fields, named, self.source.data)

    @property
    def fastest_clock(self) -> tuple[str, int] | None:
        """The knob that alone sets the clock, and the position of its fastest value."""
        for found in self.fields:
            if found.path == CLOCK and len(found.knobs) == 1:
                clocks = [float(value) for value in self.values_at(CLOCK)]
                return found.knob, clocks.index(max(clocks))
        return None

    @property
    def device_knob(self) -> str | None:
        """The knob that sets the device, if any."""
        names = [f.knob for f in self.fields if f.path == ("device",) and len(f.knobs) == 1]
        return names[0] if names else None

    def point_data(self, knobs: Mapping[str, Value], name: str) -> dict[str, Any]:
        """The spec with a value for every free field as plain data; what has none is the space's own."""
        data: dict[str, Any] = dict(self.source.data)
        copied: dict[KeyPath, Any] = {(): data}
        for knob, path in self.folds:
            _put(copied, path, knobs[knob])
        for found in self.fields:
            _put(copied, found.path, found.value(knobs))
        data["name"] = name
        return data

    def point(self, knobs: Mapping[str, Value], name: str) -> Architecture:
        """The architecture with a value for every knob. Raises :class:`SpecError` where it is none."""
        data = self.point_data(knobs, name)
        model = architecture_model(self.source)
        try:
            if model is StreamingArchitecture:
                return model.model_validate(self.sections.read(data))
            return model.model_validate(data)
        except ValidationError:
            raise SpecError(validate(model, self.source.with_data(data))[1]) from None

    def loaded(self, architecture: Architecture) -> Loaded[Architecture]:
        """A point as if it had been loaded from the space's file."""
        return Loaded(architecture, self.source)


def _put(copied: dict[KeyPath, Any], path: KeyPath, value: Value) -> None:
    """Give the field at ``path`` a value; of the data above it only ``copied`` parts are changed."""
    for depth in range(1, len(path)):
        here = path[:depth]
        if here not in copied:
            above = copied[here[:-1]]
            part = above[here[-1]]
            copied[here] = above[here[-1]] = list(part) if isinstance(part, list) else dict(part)
    copied[path[:-1]][path[-1]] = value
