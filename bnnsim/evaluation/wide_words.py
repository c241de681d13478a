"""Words of a design that HLS cannot build: streams at its units, and the weights of its MVAUs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.streaming.units import Mvau, StreamingGraph, Unit
from bnnsim.spec.streaming.hls_words import is_too_wide, weight_word_bits

WEIGHTS = "weights"


@dataclass(frozen=True)
class WideWord:
    """A word of an HLS unit with more bits than HLS has."""

    unit: str
    """The unit that HLS would have to make."""
    word: str
    """The stream (``writer->reader``), or weights."""
    bits: int
    """How wide it is."""


def wide_words(design: Design | EngineDesign) -> tuple[WideWord, ...]:
    """Every word of a pipeline's HLS units that is too wide, unit by unit; other units have none."""
    if isinstance(design, EngineDesign):
        if design.streaming_prefix is None:
            return ()
        graph, units = design.streaming_prefix.graph, design.prefix_units
    else:
        graph, units = design.graph, design.graph.units
    return wide_words_of(graph, units)


def wide_words_of(graph: StreamingGraph, units: Iterable[Unit]) -> tuple[WideWord, ...]:
    """As :func:`wide_words`, of some units of a graph."""
    return tuple(
        WideWord(unit.name, name, bits)
        for unit in units
        if unit.library == "hls"
        for name, bits in _words(unit, graph)
        if is_too_wide(bits)
    )


def _words(unit: Unit, graph: StreamingGraph) -> Iterator[tuple[str, int]]:
    for name in (*unit.inputs, *unit.outputs):
        yield name, graph.stream_by_name[name].width_bits
    made = unit.parameters
    if isinstance(made, Mvau) and not made.weights_stream:
        is_streamed = made.memory_layout == "per_layer"
        yield WEIGHTS, weight_word_bits(made.pe, made.simd, made.weight_type.bits, is_streamed)
