"""A space: an architecture spec in which fields have choices (``arch_specs/spaces/*.yaml``)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bnnsim.design.network import Network, resolve_network
from bnnsim.search.objectives import METRICS
from bnnsim.spec.architecture import StreamingArchitecture
from bnnsim.spec.faults import Fault, KeyPath, SpecError, divisors_of, near_names
from bnnsim.spec.library import find_spec
from bnnsim.spec.load import Loaded, load_workload
from bnnsim.spec.model import Name, SpecModel
from bnnsim.spec.source import SourceText, read_source
from bnnsim.spec.validate import validate, value_text
from bnnsim.spec.workload import Workload

DIVISORS = "divisors"
Value = int | float | str | bool


class Landmark(SpecModel):
    """A published accelerator for the same network and device, to compare with."""

    name: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    figures: dict[str, float]


class ExploreSpec(SpecModel):
    """The ``explore`` section of a space."""

    workload: Name
    """The network that the space is made for."""
    objectives: Annotated[list[str], Field(min_length=1)] = ["throughput_fps", "lut"]
    """Figures by name, each with ``:minimise`` or ``:maximise`` where the usual is not wanted."""
    constraints: list[str] = []
    """Bounds such as ``bram18<=280``; the budget of architecture and device holds as well."""
    landmarks: list[Landmark] = []
    """Shown beside the designs found where the network is the space's own."""


@dataclass(frozen=True)
class Knob:
    """One field with the values it may take, in order."""

    path: KeyPath
    values: tuple[Value, ...]

    @property
    def name(self) -> str:
        return ".".join(str(part) for part in self.path)


@dataclass(frozen=True)
class Space:
    """All points of an architecture spec with choices.

    ``folded`` are the layers whose PE and SIMD are both free; ``knobs`` the other free fields.
    """

    name: str
    source: SourceText
    """The spec with its choices, without the ``explore`` section."""
    explore: ExploreSpec
    workload: Loaded[Workload]
    network: Network
    folded: tuple[str, ...]
    knobs: tuple[Knob, ...]

    @cached_property
    def paths(self) -> Mapping[str, KeyPath]:
        """Where each free field stands, by its name."""
        folding = [("layers", layer, side) for layer in self.folded for side in ("pe", "simd")]
        free = [*folding, *(knob.path for knob in self.knobs)]
        return {".".join(str(part) for part in path): path for path in free}

    @property
    def first_knobs(self) -> Mapping[str, Value]:
        """The first value of every free field, PE and SIMD 1."""
        folding = dict.fromkeys(self.paths, 1)
        return {**folding, **{knob.name: knob.values[0] for knob in self.knobs}}

    def point_data(self, knobs: Mapping[str, Value], name: str) -> dict[str, Any]:
        """The spec with a value for every free field, by name, as plain data."""
        data: dict[str, Any] = copy.deepcopy(self.source.data)
        for knob, path in self.paths.items():
            here: Any = data
            for part in path[:-1]:
                here = here[part]
            here[path[-1]] = knobs[knob]
        data["name"] = name
        return data

    def point(self, knobs: Mapping[str, Value], name: str) -> StreamingArchitecture:
        """The architecture with a value for every free field, by name."""
        return StreamingArchitecture.model_validate(self.point_data(knobs, name))

    def loaded(self, architecture: StreamingArchitecture) -> Loaded[StreamingArchitecture]:
        """A point as if it had been loaded from the space's file."""
        return Loaded(architecture, self.source)


def load_space(reference: str | Path, workload: str | Path | Loaded[Workload] | None = None) -> Space:
    """A space by shipped name or path. Raises :class:`SpecError` with every fault.

    ``workload`` replaces the network that the space names. With it, a plain architecture is a space
    too: its own points with the PE and SIMD of every layer free.
    """
    return read_space(read_source(find_spec(reference, "space")), workload)


def read_space(source: SourceText, workload: str | Path | Loaded[Workload] | None = None) -> Space:
    """As :func:`load_space`, from plain data, which is left as it is."""
    source = SourceText(source.file, copy.deepcopy(source.data), source.lines, source.faults)
    header = source.data.pop("explore", None)
    faults: list[Fault] = []
    if header is None:
        if workload is None:
            expected = "this key, or a workload beside an architecture whose folding to search"
            raise SpecError([*source.faults, source.fault(("explore",), expected, "nothing")])
        workload = workload if isinstance(workload, Loaded) else load_workload(workload)
        header = _free_folding(source, workload)
    explore, header_faults = validate(
        ExploreSpec, SourceText(source.file, header, _below(source, "explore"))
    )
    faults += [_prefixed(fault) for fault in header_faults]
    if explore is None or faults:
        raise SpecError([*source.faults, *faults])
    faults += _unknown_figures(source, explore)
    if not isinstance(workload, Loaded):
        workload = load_workload(workload or explore.workload)
    network = resolve_network(workload)
    reader = _Reader(source, network)
    sample = reader.walk(source.data, ())
    faults += reader.faults
    _, spec_faults = validate(
        StreamingArchitecture, SourceText(source.file, sample, source.lines, source.faults)
    )
    faults += spec_faults
    if faults:
        raise SpecError(faults)
    return Space(
        str(source.data["name"]),
        source,
        explore,
        workload,
        network,
        tuple(reader.folded),
        tuple(reader.knobs),
    )


def _free_folding(source: SourceText, workload: Loaded[Workload]) -> dict[str, Any]:
    """Free the PE and SIMD of every layer of a plain architecture; returns its ``explore`` section."""
    layers = source.data.get("layers")
    nodes = resolve_network(workload).nodes
    for name, hardware in layers.items() if isinstance(layers, dict) else ():
        if name in nodes and nodes[name].macs and isinstance(hardware, dict):
            hardware["pe"] = hardware["simd"] = DIVISORS
    return {"workload": workload.spec.name}


def _unknown_figures(source: SourceText, explore: ExploreSpec) -> list[Fault]:
    return [
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


def _below(source: SourceText, key: str) -> dict[KeyPath, int]:
    lines = {path[1:]: line for path, line in source.lines.items() if path[:1] == (key,)}
    lines[()] = source.lines.get((key,), 1)
    return lines


def _prefixed(fault: Fault) -> Fault:
    key = f"explore.{fault.key}" if fault.key else "explore"
    return Fault(fault.file, fault.line, key, fault.expected, fault.got, fault.near)


class _Reader:
    """Finds the knobs in a spec, and puts each one's first value in its place."""

    def __init__(self, source: SourceText, network: Network) -> None:
        self.source = source
        self.network = network
        self.knobs: list[Knob] = []
        self.folded: list[str] = []
        self.faults: list[Fault] = []

    def walk(self, value: Any, path: KeyPath) -> Any:
        if not isinstance(value, dict):
            return value
        if set(value) & {"choose", "range"}:
            values = self._values(value, path)
            if not values:
                return None
            self.knobs.append(Knob(path, values))
            return values[0]
        if len(path) == 2 and path[0] == "layers" and DIVISORS in (value.get("pe"), value.get("simd")):
            value = self._folding(value, path)
        return {key: self.walk(entry, (*path, key)) for key, entry in value.items()}

    def _folding(self, value: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        layer = str(path[1])
        node = self.network.nodes.get(layer)
        if node is None or not node.macs:
            self.faults.append(
                self.source.fault(
                    path,
                    f"a convolution or linear layer of {self.network.workload.name}",
                    f"'{layer}'",
                )
            )
            return {k: v for k, v in value.items() if v != DIVISORS}
        sizes = {"pe": node.matrix_height, "simd": node.matrix_width}
        if value.get("pe") == DIVISORS and value.get("simd") == DIVISORS:
            self.folded.append(layer)
            return {**value, "pe": 1, "simd": 1}
        for side, whole in sizes.items():
            if value.get(side) == DIVISORS:
                self.knobs.append(Knob((*path, side), tuple(divisors_of(whole))))
                value = {**value, side: 1}
        return value

    def _values(self, value: dict[str, Any], path: KeyPath) -> tuple[Value, ...]:
        if "choose" in value and set(value) == {"choose"}:
            chosen = value["choose"]
            if not isinstance(chosen, list) or not chosen or any(isinstance(v, dict) for v in chosen):
                self._fault((*path, "choose"), "a list of values", chosen)
                return ()
            if len({str(v) for v in chosen}) < len(chosen):
                self._fault((*path, "choose"), "each value once", chosen)
            return tuple(chosen)
        known = {"range", "step", "factor"}
        if "range" not in value or set(value) - known or {"step", "factor"} <= set(value):
            self._fault(path, "choose: [..], or range: [low, high] with step or factor", list(value))
            return ()
        return self._range(value, path)

    def _range(self, value: dict[str, Any], path: KeyPath) -> tuple[Value, ...]:
        bounds = value["range"]
        numbers = isinstance(bounds, list) and all(
            isinstance(b, int | float) and not isinstance(b, bool) for b in bounds
        )
        if not numbers or len(bounds) != 2 or not 0 < bounds[0] <= bounds[1]:
            self._fault((*path, "range"), "[low, high] with 0 < low <= high", bounds)
            return ()
        factor = value.get("factor")
        step = value.get("step", 1 if factor is None else None)
        growth = factor if factor is not None else step
        if not isinstance(growth, int | float) or growth <= (1 if factor is not None else 0):
            key = "factor" if factor is not None else "step"
            self._fault((*path, key), "a number > 1" if factor is not None else "a number > 0", growth)
            return ()
        values: list[Value] = []
        here = bounds[0]
        while here <= bounds[1]:
            values.append(here)
            here = here * factor if factor is not None else here + step
        return tuple(values)

    def _fault(self, path: KeyPath, expected: str, got: object) -> None:
        self.faults.append(self.source.fault(path, expected, value_text(got)))
