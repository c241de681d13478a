"""Alternatives: several spaces that one search goes over (streaming or engine, one level or two)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from bnnsim.search.space.aims import AimsSpec, ReferenceDesign, read_aims
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space
from bnnsim.search.space.space_reader import beside, find_space, find_workload, read_space
from bnnsim.spec.faults import Fault, InputError, SpecError, near_names
from bnnsim.spec.library import shipped_names
from bnnsim.spec.load import Loaded, load_workload, read_architecture_source
from bnnsim.spec.model import Name, SpecModel
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate

ALTERNATIVE = "alternative"
"""The knob that says which alternative a design is of."""
Text = Annotated[str, Field(min_length=1)]


class AlternativeSpec(SpecModel):
    """One of the spaces: a shipped name, or a file beside the one that names it."""

    space: Text
    """A space or a plain architecture (a streaming one with its folding free)."""
    workload: Text | None = None
    """Default: the space's own."""
    name: Name | None = None
    """What the alternative is called; default: what the space is called."""
    accuracy_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """The published accuracy of its network, where there is one: nothing here predicts it."""
    accuracy_source: Text | None = None
    """Where it was published."""

    @model_validator(mode="after")
    def _accuracy_has_source(self) -> Self:
        if (self.accuracy_percent is None) != (self.accuracy_source is None):
            raise ValueError("accuracy_percent and accuracy_source together")
        return self


class AlternativesSpec(AimsSpec):
    """The ``explore`` section of a space of alternatives. What its members are searched for when they
    are on their own (objectives, constraints, landmarks) does not count here."""

    alternatives: Annotated[list[AlternativeSpec], Field(min_length=2)]
    """The spaces."""


class AlternativesFile(SpecModel):
    """What else stands in a space of alternatives."""

    name: Name
    """What the space is called."""
    source: str = ""
    """Where it comes from."""
    notes: str = ""
    """What a reader should know."""


@dataclass(frozen=True)
class Alternatives:
    """All points of several spaces, which keep their own names, networks and devices."""

    name: str
    source: SourceText
    """The file without its ``explore`` section."""
    explore: AlternativesSpec
    members: Mapping[str, Space]

    def member(self, knobs: Mapping[str, Value]) -> Space:
        """The space that a point is of."""
        return self.members[str(knobs[ALTERNATIVE])]

    def given(self, knobs: Mapping[str, Value]) -> Mapping[str, float]:
        """Figures of a point that are known without evaluating it."""
        place = list(self.members).index(str(knobs[ALTERNATIVE]))
        accuracy = self.explore.alternatives[place].accuracy_percent
        return {} if accuracy is None else {"accuracy_percent": accuracy}

    @property
    def workloads(self) -> tuple[str, ...]:
        """The names of the networks that are searched with."""
        names = [name for space in self.members.values() for name in space.workloads]
        return tuple(dict.fromkeys(names))

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that designs can have."""
        names = [name for space in self.members.values() for name in space.devices]
        return tuple(dict.fromkeys(names))

    @property
    def outside(self) -> tuple[str, ...]:
        """What engines of the members leave to others, each with its alternative."""
        return tuple(f"{name}: {text}" for name, of in self.members.items() for text in of.outside)

    @property
    def reference_designs(self) -> tuple[ReferenceDesign, ...]:
        """The published accelerators to compare with."""
        return tuple(self.explore.landmarks)

    @cached_property
    def knob_names(self) -> tuple[str, ...]:
        """Everything free in any of the spaces, by the names that results use."""
        names = [name for space in self.members.values() for name in space.knob_names]
        return tuple(dict.fromkeys([ALTERNATIVE, *names]))


SearchSpace = Space | Alternatives


def load_search_space(
    reference: str | Path, workload: str | Path | Loaded[Workload] | None = None
) -> SearchSpace:
    """A space, of alternatives or not, by shipped name or path.

    ``workload`` replaces the network that the space names; alternatives name their own. Raises
    :class:`SpecError` with every fault.
    """
    path = find_space(reference)
    source = read_architecture_source(path)
    header = source.data.get("explore")
    if not isinstance(header, dict) or "alternatives" not in header:
        return read_space(source, workload, path.parent)
    if workload is not None:
        expected = "no workload beside a space of alternatives, which name their own"
        raise InputError(str(reference), expected, _shown(workload))
    return _read(source, path.parent)


def _read(source: SourceText, folder: Path) -> Alternatives:
    head = {key: value for key, value in source.data.items() if key != "explore"}
    faults: list[Fault] = []
    explore = None
    try:
        explore = read_aims(AlternativesSpec, source, source.data["explore"])
    except SpecError as error:
        faults += error.faults
    kept = source.with_data(head)
    faults += validate(AlternativesFile, kept)[1]
    members: dict[str, Space] = {}
    for place, given in enumerate(explore.alternatives if explore is not None else ()):
        try:
            space = _member(source, given, place, folder)
        except SpecError as error:
            faults += error.faults
            continue
        name = given.name or space.name
        if name in members:
            key = ("explore", "alternatives", place, "name")
            faults.append(source.fault(key, "a name of its own for each alternative", f"'{name}' again"))
        members[name] = space
    if explore is not None and not faults:
        faults += _unknown_alternatives(source, explore, members)
    if faults or explore is None:
        raise SpecError(faults)
    return Alternatives(str(head["name"]), kept, explore, members)


def _member(source: SourceText, given: AlternativeSpec, place: int, folder: Path) -> Space:
    key = ("explore", "alternatives", place)
    names = list(dict.fromkeys([*shipped_names("space"), *shipped_names("architecture")]))
    path = beside(source, (*key, "space"), given.space, folder)
    if path is None and given.space not in names:
        expected = f"a YAML file or a shipped space or architecture ({', '.join(names)})"
        near = near_names(given.space, names)
        raise SpecError([source.fault((*key, "space"), expected, f"'{given.space}'", near)])
    workload = None
    if given.workload is not None:
        workload = load_workload(find_workload(source, (*key, "workload"), given.workload, folder))
    text = read_architecture_source(path or find_space(given.space))
    header = text.data.get("explore")
    if isinstance(header, dict) and "alternatives" in header:
        expected = "a space without alternatives of its own"
        raise SpecError([source.fault((*key, "space"), expected, f"'{given.space}'")])
    if header is None and workload is None:
        expected = f"a workload beside the architecture {given.space}"
        raise SpecError([source.fault((*key, "workload"), expected, "nothing")])
    return read_space(text, workload, (path or find_space(given.space)).parent)


def _unknown_alternatives(
    source: SourceText, explore: AlternativesSpec, members: Mapping[str, Space]
) -> list[Fault]:
    faults = []
    for place, reference in enumerate(explore.landmarks):
        if reference.alternative is not None and reference.alternative not in members:
            key = ("explore", "landmarks", place, "alternative")
            near = near_names(reference.alternative, members)
            expected = f"an alternative ({', '.join(members)})"
            faults.append(source.fault(key, expected, f"'{reference.alternative}'", near))
    return faults


def _shown(workload: str | Path | Loaded[Workload]) -> str:
    return workload.spec.name if isinstance(workload, Loaded) else str(workload)
