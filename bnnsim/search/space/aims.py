"""What a space is searched for: its ``explore`` section, with published designs to compare with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from bnnsim.search.front.objectives import METRICS, parse_constraints, parse_objectives
from bnnsim.spec.faults import Fault, KeyPath, SpecError, near_names
from bnnsim.spec.model import Name, SpecModel
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate


class ReferenceDesign(SpecModel):
    """A published accelerator for the same network and device, to compare with (YAML: ``landmarks``)."""

    name: Annotated[str, Field(min_length=1)]
    """What it is called."""
    source: Annotated[str, Field(min_length=1)]
    """Where it was published."""
    figures: dict[str, float]
    """Its figures by name (``lut``, ``throughput_fps``), in the units of the names."""
    alternative: Name | None = None
    """In a space of alternatives: the one whose designs can be compared with it; default: all."""


class AimsSpec(SpecModel):
    """What a space is searched for unless the user wants something else."""

    objectives: Annotated[list[str], Field(min_length=1)] = ["throughput_fps", "lut"]
    """Figures by name, each with ``:minimise`` or ``:maximise`` where the usual is not wanted."""
    constraints: list[str] = []
    """Bounds such as ``bram18<=280``; the budget of architecture and device holds as well."""
    landmarks: list[ReferenceDesign] = []
    """Shown beside the designs found where the network is the space's own."""


class ExploreSpec(AimsSpec):
    """The ``explore`` section of a space."""

    workload: Annotated[str, Field(min_length=1)] | None = None
    """The network that the space is made for: a shipped name, or a file beside the space's. Without it
    the command line names one."""
    fifos: Literal["given", "sized"] = "given"
    """``sized``: each pipeline's FIFOs hold what lets its slowest unit alone set the pace (before joins,
    what the longer branch holds back), found by exact timing; depths that the space gives are the
    least."""
    knobs: dict[Name, dict[str, Any]] = {}
    """Knobs that fields follow (``{knob: NAME}``), each with ``choose`` or ``range``."""


Aims = TypeVar("Aims", bound=AimsSpec)


def read_aims(model: type[Aims], source: SourceText, header: object) -> Aims:
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
        faults += _aim_faults(source, "objectives", explore.objectives, parse_objectives)
        faults += _aim_faults(source, "constraints", explore.constraints, parse_constraints)
    if faults or explore is None:
        raise SpecError(faults)
    return explore


def _aim_faults(
    source: SourceText, key: str, texts: list[str], parse: Callable[[list[str]], object]
) -> list[Fault]:
    """What is wrong with each text of ``key``; where nothing is, with all of them together."""
    faults: list[Fault] = []
    for place, text in enumerate(texts):
        faults += _located(source, ("explore", key, place), [text], parse)
    return faults or _located(source, ("explore", key), texts, parse)


def _located(
    source: SourceText, path: KeyPath, texts: list[str], parse: Callable[[list[str]], object]
) -> list[Fault]:
    try:
        parse(texts)
    except SpecError as error:
        return [source.fault(path, fault.expected, fault.got, fault.near) for fault in error.faults]
    return []
