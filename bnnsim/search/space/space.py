"""A space: an architecture spec in which fields have choices (``arch_specs/spaces/*.yaml``)."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field as ModelField
from pydantic import ValidationError

from bnnsim.design.device import device_of
from bnnsim.design.network.network import Network, resolve_network
from bnnsim.search.front.objectives import METRICS
from bnnsim.search.space.field_reader import DIVISORS, FieldReader
from bnnsim.search.space.fields import Field, Knob, Value, combinations, knob_values
from bnnsim.spec.architecture import Architecture, architecture_model
from bnnsim.spec.faults import Fault, KeyPath, SpecError, near_names
from bnnsim.spec.library import find_spec, shipped_names
from bnnsim.spec.load import Loaded, load_workload, read_architecture_source
from bnnsim.spec.model import Name, SpecModel
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate

CLOCK: KeyPath = ("clock_mhz",)
RESERVED = ("alternative", "target_interval")
_KNOB_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Names that parameters of a search have already."""


class ReferenceDesign(SpecModel):
    """A published accelerator for the same network and device, to compare with."""

    name: Annotated[str, ModelField(min_length=1)]
    source: Annotated[str, ModelField(min_length=1)]
    figures: dict[str, float]
    alternative: Name | None = None
    """In a space of alternatives: the one whose designs can be compared with it; default: all."""


class AimsSpec(SpecModel):
    """What a space is searched for unless the user wants something else."""

    objectives: Annotated[list[str], ModelField(min_length=1)] = ["throughput_fps", "lut"]
    """Figures by name, each with ``:minimise`` or ``:maximise`` where the usual is not wanted."""
    constraints: list[str] = []
    """Bounds such as ``bram18<=280``; the budget of architecture and device holds as well."""
    landmarks: list[ReferenceDesign] = []
    """Shown beside the designs found where the network is the space's own."""


class ExploreSpec(AimsSpec):
    """The ``explore`` section of a space."""

    workload: Name
    """The network that the space is made for."""
    knobs: dict[Name, dict[str, Any]] = {}
    """Knobs that fields follow (``{knob: NAME}``), each with ``choose`` or ``range``."""


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
        for found in self.fields:
            if found.path == path:
                named = {knob.name: knob for knob in self.knobs}
                return tuple(found.value(chosen) for chosen in combinations(found.knobs, named))
        here: Any = self.source.data
        for part in path:
            here = here[part]
        return (here,)

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
        """The spec with a value for every free field as plain data."""
        data: dict[str, Any] = copy.deepcopy(self.source.data)
        for knob, path in self.folds:
            _put(data, path, knobs[knob])
        for found in self.fields:
            _put(data, found.path, found.value(knobs))
        data["name"] = name
        return data

    def point(self, knobs: Mapping[str, Value], name: str) -> Architecture:
        """The architecture with a value for every knob. Raises :class:`SpecError` where it is none."""
        data = self.point_data(knobs, name)
        model = architecture_model(self.source)
        try:
            return model.model_validate(data)
        except ValidationError:
            raise SpecError(validate(model, self.source.with_data(data))[1]) from None

    def loaded(self, architecture: Architecture) -> Loaded[Architecture]:
        """A point as if it had been loaded from the space's file."""
        return Loaded(architecture, self.source)


def _put(data: Any, path: KeyPath, value: Value) -> None:
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = value


def find_space(reference: str | Path) -> Path:
    """The file that ``reference`` means: a path, a shipped space or a shipped architecture."""
    if str(reference) not in shipped_names("space") and str(reference) in shipped_names("architecture"):
        return find_spec(reference, "architecture")
    return find_spec(reference, "space")


def load_space(reference: str | Path, workload: str | Path | Loaded[Workload] | None = None) -> Space:
    """A space by shipped name or path. Raises :class:`SpecError` with every fault.

    ``workload`` replaces the network that the space names. With it, a plain streaming architecture is a
    space too: its own points with the PE and SIMD of every layer free.
    """
    return read_space(read_architecture_source(find_space(reference)), workload)


def read_space(source: SourceText, workload: str | Path | Loaded[Workload] | None = None) -> Space:
    """As :func:`load_space`, from plain data, which is left as it is."""
    source = replace(source, data=copy.deepcopy(source.data))
    model = architecture_model(source)
    header = source.data.pop("explore", None)
    if header is None:
        if workload is None:
            expected = "this key, or a workload beside an architecture whose folding to search"
            raise SpecError([*source.faults, source.fault(("explore",), expected, "nothing")])
        workload = workload if isinstance(workload, Loaded) else load_workload(workload)
        header = {"workload": workload.spec.name}
        if model is StreamingArchitecture:
            _free_folding(source, workload)
    explore = read_aims(ExploreSpec, source, header)
    for place, reference in enumerate(explore.landmarks):
        if reference.alternative is not None:
            key = ("explore", "landmarks", place, "alternative")
            expected = "no alternative in a space without alternatives"
            raise SpecError([source.fault(key, expected, f"'{reference.alternative}'")])
    if not isinstance(workload, Loaded):
        workload = load_workload(workload or explore.workload)
    network = resolve_network(workload)
    faults: list[Fault] = []
    shared = _shared_knobs(source, explore, faults)
    reader = FieldReader(source, network, shared, model is StreamingArchitecture)
    sample = reader.walk(source.data)
    faults += reader.faults
    faults += [] if faults else reader.unused()
    checked = replace(source, data=sample)
    wrong = {source.fault(path, "", "").key for path in reader.wrong}
    faults += [fault for fault in validate(model, checked)[1] if fault.key not in wrong]
    if faults:
        raise SpecError(faults)
    name, knobs = str(source.data["name"]), tuple(reader.knobs.values())
    folded, fields = tuple(reader.folded), tuple(reader.fields)
    space = Space(name, source, explore, workload, network, folded, knobs, fields)
    _check_values(space)
    return space


def _shared_knobs(source: SourceText, explore: ExploreSpec, faults: list[Fault]) -> dict[str, Knob]:
    shared = {}
    for name, given in explore.knobs.items():
        path = ("explore", "knobs", name)
        if name in RESERVED or name in METRICS:
            faults.append(source.fault(path, "a name that no figure or parameter has", f"'{name}'"))
        elif not _KNOB_NAME.fullmatch(name):  # fields' own names have points, parameters' as well
            faults.append(source.fault(path, "a name of letters, digits and _", f"'{name}'"))
        # A knob with a fault has no values, but its name, so that fields that follow it have no fault.
        shared[name] = Knob(name, knob_values(source, given, path, faults))
    return shared


def _check_values(space: Space) -> None:
    """Raise :class:`SpecError` where a knob's value is none that its fields can have."""
    faults: list[Fault] = []
    for device in space.devices:
        device_of(device, space.source, faults)
    for knob in space.knobs:
        for value in knob.values[1:]:
            try:
                space.point({**space.first_knobs, knob.name: value}, space.name)
            except SpecError as error:
                faults += error.faults
    if faults:
        raise SpecError(faults)


def read_aims(model: type[Any], source: SourceText, header: Any) -> Any:
    """An ``explore`` section as ``model``. Raises :class:`SpecError` with every fault in it."""
    explore, found = validate(model, source.section("explore", header))
    faults = [*source.faults, *found]
    if explore is not None:
        faults += [
            source.fault(
                ("explore", "landmarks", i, "figures", name),
                "a figure's name",
                f"'{name}'",
                near_names(name, METRICS),
            )
            for i, landmark in enumerate(explore.landmarks)
            for name in landmark.figures
            if name not in METRICS
        ]
    if faults:
        raise SpecError(faults)
    return explore


def _free_folding(source: SourceText, workload: Loaded[Workload]) -> None:
    """Free the PE and SIMD of every layer of a plain architecture."""
    layers = source.data.get("layers")
    nodes = resolve_network(workload).nodes
    for name, hardware in layers.items() if isinstance(layers, dict) else ():
        if name in nodes and nodes[name].macs and isinstance(hardware, dict):
            hardware["pe"] = hardware["simd"] = DIVISORS
