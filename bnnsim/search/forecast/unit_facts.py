"""What does not change about a unit from design to design: amounts, steps, steering, cycles.

Units and streams of a space's designs are shared objects (:mod:`bnnsim.design.known_parts`), so that each
is looked at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.blocks.amounts import AMOUNTS, amounts_of
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.technology import Technology, technology_of
from bnnsim.cost.resources import platform_of, resources_of_stream, resources_of_unit
from bnnsim.cost.switching import PORT_BITS, frame_bits, unit_steps
from bnnsim.cost.usage import PLATFORM, RESOURCES, UnitResources
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
FIFO = "fifo"
"""The kind of all streams."""
PLATFORM_NAME = f" {PLATFORM}"
"""The name of the platform: no layer shapes it."""


class UnitFacts:
    """Facts of units and streams, by their identity; each is kept beside its own facts, so that no other
    has its place in memory."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._places: dict[tuple[int, bool], dict[tuple[int, ...], int]] = {}
        self._names: dict[tuple[str, ...], dict[int, str]] = {}
        self._kept: list[tuple[object, ...]] = []
        self._named: list[Unit | Stream] = []
        self._table = np.zeros((ROWS, len(FACTS)))

    def of(
        self, design: Design, folded: tuple[str, ...], passed: Collection[str] = ()
    ) -> tuple[list[str], Floats, int]:
        """Names and facts ``(parts, facts)`` of a pipeline's units, then streams, then its platform, but
        for those of the names ``passed``; how many are units.

        A name says the layer of ``folded`` that shapes the part, and its kind.
        """
        if len(self._kept) + len(self._named) > MOST_ROWS:
            self._forget()
        coefficients = default_coefficients()
        tech = technology_of(design.device, coefficients, design.architecture.ram_decomposition)
        has_dmas = design.architecture.has_dmas
        rows = self._places.setdefault((id(tech), has_dmas), {})
        known, by_name = self._names.setdefault(folded, {}), design.graph.stream_by_name
        names, found = [], []
        owners: dict[str, str] = {}
        for unit in design.graph.units:
            name = known.get(id(unit)) or self._name(known, unit, owners, design, folded)
            if name not in passed:
                near = [by_name[stream] for stream in unit.inputs + unit.outputs]
                row = rows.get((id(unit), *map(id, near)))
                if row is None:
                    facts = _unit_facts(tech, unit, near, has_dmas)
                    row = self._add(tech, (unit, *near), rows, facts)
                names.append(name)
                found.append(row)
        units = len(found)
        for stream in design.graph.streams:
            name = known.get(id(stream)) or self._name(known, stream, owners, design, folded)
            if name not in passed:
                row = rows.get((id(stream),))
                if row is None:
                    row = self._add(tech, (stream,), rows, _stream_facts(tech, stream))
                names.append(name)
                found.append(row)
        if PLATFORM_NAME in passed:
            return names, self._table[found], units
        steps = frame_bits(design) / PORT_BITS
        platform = _facts(platform_of(tech, design), 0, steps, 0.0)
        return [*names, PLATFORM_NAME], np.array([*self._table[found], platform]), units

    def _name(
        self,
        known: dict[int, str],
        part: Unit | Stream,
        owners: dict[str, str],
        design: Design,
        folded: tuple[str, ...],
    ) -> str:
        """The name of a part that is seen first; ``owners`` are the design's, once they are found."""
        if not owners:
            owners.update(_owners(design, folded))
        if isinstance(part, Unit):
            name = f"{owners[part.name]} {part.kind}"
        else:
            name = f"{owners[part.writer]} {FIFO}"
        self._named.append(part)
        known[id(part)] = name
        return name

    def _add(
        self,
        tech: Technology,
        things: tuple[object, ...],
        rows: dict[tuple[int, ...], int],
        facts: list[float],
    ) -> int:
        place = len(self._kept)
        if place == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[place] = facts
        self._kept.append((tech, *things))
        rows[tuple(map(id, things))] = place
        return place


def _owners(design: Design, folded: tuple[str, ...]) -> dict[str, str]:
    """The free layer that shapes each unit: its own, or the last one before it."""
    layers: dict[str, str] = {}
    last = ""
    for unit in design.graph.units:
        last = unit.layer if unit.layer in folded else last
        layers.setdefault(unit.layer, last)
    return {unit.name: layers[unit.layer] for unit in design.graph.units}


def _unit_facts(tech: Technology, unit: Unit, near: Sequence[Stream], has_dmas: bool) -> list[float]:
    used = resources_of_unit(tech, unit, near[0], has_dmas)
    steps = unit_steps(unit, {stream.name: stream for stream in near})
    program = unit_program(unit)  # none of its register slices takes longer
    words = max(program.words_in, program.words_out)
    cycles = program.steps if isinstance(program, Lockstep) else words
    return _facts(used, 0, steps, float(cycles))


def _stream_facts(tech: Technology, stream: Stream) -> list[float]:
    used = resources_of_stream(tech, stream, "")
    return _facts(used, stream.depth_words * stream.width_bits, stream.words, 0.0)


def _facts(used: UnitResources, fifo_bits: int, steps: float, cycles: float) -> list[float]:
    """The facts in the order of :data:`FACTS`."""
    counts = map(float, (*amounts_of(used.amounts), used.lut, fifo_bits, steps))
    return [*counts, used.control_share, cycles]
