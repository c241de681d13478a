"""From a network and a streaming architecture to units and streams, with every misfit reported."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bnnsim.design.known_parts import KnownParts
from bnnsim.design.network.network import INPUT, Network
from bnnsim.design.streaming.folding_rules import (
    check_depths,
    check_layers,
    check_stream_names,
    check_words,
)
from bnnsim.design.streaming.layer_units import layer_units
from bnnsim.design.streaming.stream_builder import SINK, SOURCE, OpenPort, StreamBuilder
from bnnsim.design.streaming.units import Sink, Source, StreamingGraph
from bnnsim.design.streaming.window_units import check_shared_windows, check_windows
from bnnsim.spec.faults import Fault
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import LayerHardware, UnitLibrary


def build_streaming(
    architecture: Loaded[StreamingArchitecture],
    network: Network,
    all_depths_count: bool = True,
    known: KnownParts | None = None,
) -> tuple[StreamingGraph | None, list[Fault]]:
    """Units and streams of ``network`` on ``architecture``; the graph is None where faults bar it.

    A FIFO depth of a stream that is not there is a fault, unless not ``all_depths_count``. ``known`` has
    parts of other pipelines of the same network, and takes in what is new.
    """
    known = known or KnownParts()
    known.make_room()
    builder = StreamBuilder(architecture, network, known.options)
    unsure = known.unsure(builder)
    check_layers(builder, unsure)
    check_windows(builder, unsure)
    check_shared_windows(builder)
    if builder.faults:
        return None, builder.faults
    known.keep_sound(builder, unsure)
    lanes = _first_reader_lanes(builder)
    known.add_source(builder, lanes, partial(_frame_source, builder, lanes))
    for node in network.nodes.values():
        known.add_layer(builder, node, partial(layer_units, builder, node))
        if builder.faults:
            return None, builder.faults
    for name in network.outputs:
        known.add_sink(builder, name, partial(_frame_sink, builder, name))
    check_depths(builder)
    check_words(builder)
    if all_depths_count:
        check_stream_names(builder)
    if builder.faults:
        return None, builder.faults
    return StreamingGraph(known.units(builder), tuple(builder.streams)), []


def _frame_sink(builder: StreamBuilder, output: str) -> None:
    """The sink of one output: ``sink``, or where there are several, ``<layer>.sink``."""
    port = builder.connect(output)
    if port.lanes == 0:
        port = replace(port, lanes=port.elements)
    name = SINK if len(builder.network.outputs) == 1 else f"{output}.{SINK}"
    library = _end_library(builder, "rtl")
    spec = builder.spec.frame_sink
    words = port.elements // port.lanes
    sink = Sink(words, spec.steps_a_word, spec.inter_frame_gap_steps)
    builder.add_unit(name, SINK, sink, [port], library, freezes=True)


def _end_library(builder: StreamBuilder, usual: UnitLibrary) -> UnitLibrary:
    """The library of what stands at a pipeline's end."""
    return "own" if builder.spec.defaults.units == "own" else usual


def _frame_source(builder: StreamBuilder, reader_lanes: int) -> None:
    spec = builder.spec.frame_source
    frame = builder.network.input
    hardware = builder.hardware(INPUT)
    port = OpenPort(SOURCE, 0, frame.type.bits, frame.type, frame.elements)
    if spec.width_bits is not None:
        key = ("frame_source", "width_bits")
        port = builder.to_width(port, spec.width_bits, key, INPUT, hardware)
    # The source's own words: known now, or what the first reader wants.
    lanes = port.lanes or reader_lanes
    port = replace(port, lanes=lanes)
    share = -(-spec.burst_start_steps // spec.burst_frames)
    source = Source(
        frame.elements // lanes,
        spec.inter_frame_gap_steps + share,
        spec.burst_start_steps,
        builder.spec.is_one_core,
    )
    builder.add_unit(SOURCE, SOURCE, source, [], _end_library(builder, "hls"), freezes=True)
    if spec.out_width_bits is not None:
        key = ("frame_source", "out_width_bits")
        port = builder.to_width(port, spec.out_width_bits, key, SOURCE, hardware)
    port = replace(port, depth_key=("frame_source", "out_fifo_words"))
    builder.offer(INPUT, port, hardware)


def _first_reader_lanes(builder: StreamBuilder) -> int:
    """One pixel, or for a flat frame the lanes of the layer that reads it."""
    if builder.network.input.pixels > 1:
        return builder.network.input.channels
    reader = builder.network.consumers[INPUT][0][0]
    hardware = builder.spec.layers.get(reader, LayerHardware())
    return hardware.simd or hardware.pe or builder.network.input.elements
