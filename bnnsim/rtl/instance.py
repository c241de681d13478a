"""A unit as an instance of one of the library's modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bnnsim.arrays import Integers
from bnnsim.design.streaming.units import Stream, StreamingGraph, Unit
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.rtl.memories import RomImage
from bnnsim.timing.streaming.programs.program import Lockstep, Program
from bnnsim.timing.streaming.programs.unit_programs import unit_program


class NoModuleError(Exception):
    """The library has no module for a unit; the text says what it would need."""


@dataclass(frozen=True)
class UnitValues:
    """A unit with all that determines its hardware.

    ``weights`` and ``thresholds`` as in the weights file, ``named`` the parameters of scaled layers by
    name: those of the unit's layer, where it has some.
    """

    unit: Unit
    program: Program
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    weights: Integers | None = None
    thresholds: Integers | None = None
    named: Mapping[str, Integers] = field(default_factory=dict)

    @property
    def pipeline(self) -> dict[str, int]:
        """The parameters that every lockstep module has."""
        assert isinstance(self.program, Lockstep)
        return {
            "PIPELINE_DEPTH": self.program.pipeline_depth,
            "FREEZES": int(self.program.freezes),
        }

    def freezes(self, stages: int) -> dict[str, int]:
        """The parameter of a module that always has so many ``stages``."""
        parameters = self.pipeline
        if parameters["PIPELINE_DEPTH"] != stages:
            depth = parameters["PIPELINE_DEPTH"]
            raise NoModuleError(f"{self.unit.name}: a {self.unit.kind} of {depth} stages, not {stages}")
        return {"FREEZES": parameters["FREEZES"]}


def unit_values(graph: StreamingGraph, unit: Unit, parameters: Parameters) -> UnitValues:
    """What determines the hardware of ``unit`` in ``graph``."""
    stream = graph.stream_by_name
    return UnitValues(
        unit,
        unit_program(unit),
        tuple(stream[name] for name in unit.inputs),
        tuple(stream[name] for name in unit.outputs),
        parameters.weights.get(unit.layer),
        parameters.thresholds.get(unit.layer),
        parameters.values.get(unit.layer, {}),
    )


@dataclass(frozen=True)
class Instance:
    """A module of the library with the parameters that make it a design's unit.

    ``parameters`` by name: those of the design's own dataclasses in capitals (``PE``, ``MATRIX_WIDTH``),
    and what its program says (``PIPELINE_DEPTH``, ``FREEZES``); text is a constant as Verilog writes it.
    Each memory's files are given to the parameter ``<NAME>_FILE``. ``is_clocked``: has ``clk`` and
    ``rst``; ``counts_frames``: has ``frames``. Ports: see ``library/README.md``.
    """

    module: str
    parameters: Mapping[str, int | str]
    memories: tuple[RomImage, ...] = ()
    is_clocked: bool = True
    counts_frames: bool = True
