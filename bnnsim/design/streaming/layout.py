"""From a network and a streaming architecture to units and streams, with every misfit reported."""

from __future__ import annotations

from dataclasses import replace

from bnnsim.design.network.network import INPUT, Network
from bnnsim.design.streaming.chain import Chain, End
from bnnsim.design.streaming.folding_rules import check_layers, check_stream_names
from bnnsim.design.streaming.layer_units import layer_units
from bnnsim.design.streaming.matrix_units import check_windows
from bnnsim.design.streaming.units import Sink, Source, StreamingGraph
from bnnsim.spec.faults import Fault
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import LayerHardware

SOURCE, SINK = "source", "sink"


def build_streaming(
    architecture: Loaded[StreamingArchitecture], network: Network
) -> tuple[StreamingGraph | None, list[Fault]]:
    """Units and streams of ``network`` on ``architecture``; the graph is None where faults bar it."""
    chain = Chain(architecture, network)
    check_layers(chain)
    check_windows(chain)
    if chain.faults:
        return None, chain.faults
    _frame_source(chain)
    for node in network.nodes.values():
        layer_units(chain, node)
        if chain.faults:
            return None, chain.faults
    end = chain.take(network.output)
    if end.lanes == 0:
        end = replace(end, lanes=end.elements)
    words = end.elements // end.lanes
    chain.unit(SINK, SINK, Sink(words), [end], library="rtl", freezes=True)
    check_stream_names(chain)
    if chain.faults:
        return None, chain.faults
    return StreamingGraph(tuple(chain.units), tuple(chain.streams)), []


def _frame_source(chain: Chain) -> None:
    spec = chain.spec.frame_source
    frame = chain.network.input
    hardware = chain.hardware(INPUT)
    end = End(SOURCE, 0, frame.type.bits, frame.type, frame.elements)
    if spec.width_bits is not None:
        key = ("frame_source", "width_bits")
        end = chain.to_width(end, spec.width_bits, key, INPUT, hardware)
    lanes = end.lanes
    # The source's own words: known now, or once the first reader has said what it wants.
    if lanes == 0:
        lanes = _first_reader_lanes(chain)
        end = replace(end, lanes=lanes)
    source = Source(frame.elements // lanes, spec.gap_steps)
    chain.unit(SOURCE, SOURCE, source, [], "hls", freezes=True)
    if spec.out_width_bits is not None:
        key = ("frame_source", "out_width_bits")
        end = chain.to_width(end, spec.out_width_bits, key, SOURCE, hardware)
    end = replace(end, depth_words=spec.out_fifo_words, depth_key=("frame_source", "out_fifo_words"))
    chain.open(INPUT, end, hardware)


def _first_reader_lanes(chain: Chain) -> int:
    """One pixel, or for a flat frame the lanes of the layer that reads it."""
    if chain.network.input.pixels > 1:
        return chain.network.input.channels
    reader = chain.network.consumers[INPUT][0][0]
    hardware = chain.spec.layers.get(reader, LayerHardware())
    return hardware.simd or hardware.pe or chain.network.input.elements
