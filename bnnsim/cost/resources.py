"""Resources of a whole design: every unit, every stream, the platform, against device and budget."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial

from bnnsim.cost.blocks.amounts import Amounts, add_up
from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.cost.blocks.memories import Layout
from bnnsim.cost.blocks.parts import Part, total
from bnnsim.cost.blocks.platform import pipeline_platform
from bnnsim.cost.blocks.technology import Technology, technology_of
from bnnsim.cost.engine.resources import capped_blocks, engine_units
from bnnsim.cost.known_sizes import KnownSizes
from bnnsim.cost.streaming.frame_ends import MEMORY_PORT
from bnnsim.cost.streaming.units import stream_parts, unit_parts
from bnnsim.cost.usage import PLATFORM, Capped, Resources, UnitResources
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.streaming.units import Sink, Source, Stream, StreamingGraph, Unit, UnitParameters
from bnnsim.spec.device import Device
from bnnsim.spec.streaming.hardware import HlsTool, UnitLibrary


def estimate_resources(
    design: Design | EngineDesign,
    coefficients: Coefficients | None = None,
    layout: Layout | None = None,
    known: KnownSizes | None = None,
) -> Resources:
    """What a ``design`` takes, from its parameters alone.

    ``layout`` chooses how block memories are tiled (:mod:`bnnsim.cost.blocks.memories`); default: what
    the architecture says under ``ram_decomposition``. ``known`` has sizes of other pipelines' units, and
    takes in what is new. A design that exceeds its budget is reported, not refused.
    """
    chosen = layout or design.architecture.ram_decomposition
    tech = technology_of(design.device, coefficients or default_coefficients(), chosen)
    capped: tuple[Capped, ...] = ()
    if isinstance(design, EngineDesign):
        units = [*_prefix_units(tech, design), *engine_units(tech, design)]
        capped = capped_blocks(tech, design, units)
    else:
        units = _streaming_units(tech, design, known or KnownSizes())
    used = add_up(unit.amounts for unit in units)
    return Resources(tuple(units), used, design.device, design.budget, capped)


def estimate_part(device: Device, graph: StreamingGraph) -> list[UnitResources]:
    """What the units and then the streams of a part of a pipeline take, memories laid out for timing."""
    tech = technology_of(device, default_coefficients())
    return _units_and_streams(tech, graph.units, graph, KnownSizes())


def _prefix_units(tech: Technology, design: EngineDesign) -> list[UnitResources]:
    """The units and streams of a mixed design's streaming part.

    Its results stay on the device and its platform is the engine's, so neither sink nor platform count.
    """
    if design.streaming_prefix is None:
        return []
    graph = design.streaming_prefix.graph
    return _units_and_streams(tech, design.prefix_units, graph, KnownSizes())


def _streaming_units(tech: Technology, design: Design, known: KnownSizes) -> list[UnitResources]:
    """Units, then streams, then the platform."""
    has_dmas = design.architecture.has_dmas
    units = _units_and_streams(tech, design.graph.units, design.graph, known, has_dmas)
    return [*units, platform_of(tech, design)]


def platform_of(tech: Technology, design: Design) -> UnitResources:
    """What connects a pipeline with processor and memory."""
    spec = design.architecture
    connections = pipeline_platform(tech, spec.platform, spec.is_one_core)
    size = total(connections).rounded(tech)
    return UnitResources(PLATFORM, PLATFORM, PLATFORM, size, connections)


def _units_and_streams(
    tech: Technology,
    present: Iterable[Unit],
    graph: StreamingGraph,
    known: KnownSizes,
    has_dmas: bool = True,
) -> list[UnitResources]:
    """The ``present`` units of ``graph``, then all its streams."""
    known.make_room()
    streams, by_name, found = graph.stream_by_name, graph.unit_by_name, []
    for unit in present:
        stream = streams[(unit.inputs or unit.outputs)[0]]
        size = partial(resources_of_unit, tech, unit, stream, has_dmas)
        found.append(known.of((tech, unit, stream, has_dmas), size))
    for stream in graph.streams:
        layer = by_name[stream.writer].layer
        found.append(known.of((tech, stream, layer), partial(resources_of_stream, tech, stream, layer)))
    return found


def resources_of_stream(tech: Technology, stream: Stream, layer: str) -> UnitResources:
    """What the FIFO of a ``stream`` takes that ``layer`` writes."""
    store = stream.width_bits, stream.depth_words, stream.library, stream.srl_words
    size, parts = _stream_amounts(tech, *store)
    return UnitResources(stream.name, "fifo", layer, size, parts)


def resources_of_unit(
    tech: Technology, unit: Unit, stream: Stream, has_dmas: bool = True
) -> UnitResources:
    """What a ``unit`` takes whose first input, or where it has none first output, is ``stream``."""
    bits = stream.element_bits, stream.width_bits
    size, parts = _unit_amounts(tech, unit.parameters, unit.library, *bits, unit.freezes, unit.hls_tool)
    if not has_dmas and isinstance(unit.parameters, Source | Sink):
        parts = tuple(part for part in parts if part.name != MEMORY_PORT)
        size = total(parts).rounded(tech)
    return UnitResources(unit.name, unit.kind, unit.layer, size, parts)


@lru_cache(maxsize=65536)
def _unit_amounts(
    tech: Technology,
    parameters: UnitParameters,
    library: UnitLibrary,
    element_bits: int,
    width_bits: int,
    freezes: bool,
    hls_tool: HlsTool,
) -> tuple[Amounts[int], tuple[Part, ...]]:
    parts = unit_parts(tech, parameters, library, element_bits, width_bits, freezes, hls_tool)
    return total(parts).rounded(tech), parts


@lru_cache(maxsize=65536)
def _stream_amounts(
    tech: Technology, width_bits: int, depth_words: int, library: UnitLibrary, srl_words: int
) -> tuple[Amounts[int], tuple[Part, ...]]:
    parts = stream_parts(tech, width_bits, depth_words, library, srl_words)
    return total(parts).rounded(tech), parts
