"""What does not change about a unit from design to design: amounts, steps, steering, cycles.

Units and streams of a space's designs are shared objects (:mod:`bnnsim.design.known_parts`), so that each
is looked at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.blocks.amounts import AMOUNTS
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.technology import Technology, technology_of
from bnnsim.cost.energies import control_share
from bnnsim.cost.resources import platform_of, resources_of_stream, resources_of_unit
from bnnsim.cost.switching import PORT_BITS, frame_bits, unit_steps
from bnnsim.cost.usage import RESOURCES, UnitResources
from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Stream, Unit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.unit_programs import unit_program

FACTS = (*AMOUNTS, "lut", "fifo_bits", "steps", "steering", "cycles")
"""``steps`` with new data and ``cycles`` at least are a frame's; of logic the share ``steering`` is
control. A FIFO has no cycles of its own."""
FACT = {name: place for place, name in enumerate(FACTS)}
RESOURCE_FACTS = [FACT[name] for name in RESOURCES]
ROWS = 1024
"""Of a table that has nothing yet."""
MOST_ROWS = 200_000
"""Facts that are kept at once."""


class UnitFacts:
    """Facts of units and streams, by their identity; each is kept beside its own facts, so that no other
    has its place in memory."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._places: dict[tuple[int, ...], int] = {}
        self._kept: list[tuple[object, ...]] = []
        self._table = np.zeros((ROWS, len(FACTS)))

    def of(self, design: Design, places: Sequence[int]) -> Floats:
        """The facts ``(places, facts)`` of those of a pipeline's units, then streams, then platform that
        are at ``places``."""
        if len(self._kept) > MOST_ROWS:
            self._forget()
        coefficients = default_coefficients()
        tech = technology_of(design.device, coefficients, design.architecture.ram_decomposition)
        units, streams = design.graph.units, design.graph.streams
        by_name = design.graph.stream_by_name
        has_dmas = design.architecture.has_dmas
        found: list[int] = []
        platform = []
        for place in places:
            if place < len(units):
                unit = units[place]
                near = [by_name[name] for name in unit.inputs + unit.outputs]
                row = self._places.get((id(tech), id(unit), *map(id, near), id(has_dmas)))
                found.append(self._add_unit(tech, unit, near, has_dmas) if row is None else row)
            elif place < len(units) + len(streams):
                stream = streams[place - len(units)]
                row = self._places.get((id(tech), id(stream)))
                found.append(self._add_stream(tech, stream) if row is None else row)
            else:
                steps = frame_bits(design) / PORT_BITS
                platform.append(_facts(platform_of(tech, design), 0, steps, 0.0))
        return np.array([*self._table[found], *platform])

    def _add_unit(
        self, tech: Technology, unit: Unit, near: Sequence[Stream], has_dmas: bool
    ) -> int:
        used = resources_of_unit(tech, unit, near[0], has_dmas)
        steps = unit_steps(unit, {stream.name: stream for stream in near})
        program = unit_program(unit)  # none of its register slices takes longer
        words = max(program.words_in, program.words_out)
        cycles = program.steps if isinstance(program, Lockstep) else words
        return self._add((tech, unit, *near, has_dmas), _facts(used, 0, steps, float(cycles)))

    def _add_stream(self, tech: Technology, stream: Stream) -> int:
        used = resources_of_stream(tech, stream, "")
        bits = stream.depth_words * stream.width_bits
        return self._add((tech, stream), _facts(used, bits, stream.words, 0.0))

    def _add(self, key: tuple[object, ...], facts: list[float]) -> int:
        place = len(self._kept)
        if place == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[place] = facts
        self._kept.append(key)
        self._places[tuple(map(id, key))] = place
        return place


def _facts(used: UnitResources, fifo_bits: int, steps: float, cycles: float) -> list[float]:
    """The facts in the order of :data:`FACTS`."""
    amounts = [float(getattr(used.amounts, kind)) for kind in AMOUNTS]
    return [*amounts, float(used.lut), float(fifo_bits), float(steps), control_share(used), cycles]
