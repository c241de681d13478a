"""From a network and a streaming architecture to units and streams, with every misfit reported."""

from __future__ import annotations

from dataclasses import replace

from bnnsim.design.network.network import INPUT, Network
from bnnsim.design.streaming.folding_rules import check_layers, check_stream_names
from bnnsim.design.streaming.layer_units import layer_units
from bnnsim.design.streaming.stream_builder import OpenPort, StreamBuilder
from bnnsim.design.streaming.units import Sink, Source, StreamingGraph
from bnnsim.design.streaming.window_units import check_windows
from bnnsim.spec.faults import Fault
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import LayerHardware, UnitLibrary

SOURCE, SINK = "source", "sink"


def build_streaming(
    architecture: Loaded[StreamingArchitecture], network: Network, all_depths_count: bool = True
) -> tuple[StreamingGraph | None, list[Fault]]:
    """Units and streams of ``network`` on ``architecture``; the graph is None where faults bar it.

    A FIFO depth of a stream that is not there is a fault, unless not ``all_depths_count``.
    """
    builder = StreamBuilder(architecture, network)
    check_layers(builder)
    check_windows(builder)
    if builder.faults:
        return None, builder.faults
    _frame_source(builder)
    for node in network.nodes.values():
        layer_units(builder, node)
        if builder.faults:
            return None, builder.faults
    for name in network.outputs:
        _frame_sink(builder, name)
    if all_depths_count:
        check_stream_names(builder)
    if builder.faults:
        return None, builder.faults
    return StreamingGraph(tuple(builder.units), tuple(builder.streams)), []


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


def _frame_source(builder: StreamBuilder) -> None:
    spec = builder.spec.frame_source
    frame = builder.network.input
    hardware = builder.hardware(INPUT)
    port = OpenPort(SOURCE, 0, frame.type.bits, frame.type, frame.elements)
    if spec.width_bits is not None:
        key = ("frame_source", "width_bits")
        port = builder.to_width(port, spec.width_bits, key, INPUT, hardware)
    lanes = port.lanes
    # The source's own words: known now, or once the first reader has said what it wants.
    if lanes == 0:
        lanes = _first_reader_lanes(builder)
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
    port = replace(port, depth_words=spec.out_fifo_words, depth_key=("frame_source", "out_fifo_words"))
    builder.offer(INPUT, port, hardware)


def _first_reader_lanes(builder: StreamBuilder) -> int:
    """One pixel, or for a flat frame the lanes of the layer that reads it."""
    if builder.network.input.pixels > 1:
        return builder.network.input.channels
    reader = builder.network.consumers[INPUT][0][0]
    hardware = builder.spec.layers.get(reader, LayerHardware())
    return hardware.simd or hardware.pe or builder.network.input.elements
