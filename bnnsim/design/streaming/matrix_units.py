"""The units of a convolution or linear layer: padding, sliding window and MVAU."""

from __future__ import annotations

from dataclasses import replace

from bnnsim.design.network.network import Node
from bnnsim.design.streaming.stream_builder import OpenPort, StreamBuilder, unit_style
from bnnsim.design.streaming.units import Mvau, Padding, Window, levels_of
from bnnsim.design.streaming.window_rules import window_obstacle
from bnnsim.spec.faults import divisors_of
from bnnsim.spec.streaming.hardware import LayerHardware, UnitLibrary
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import ConvLayer, WeightedLayer

TERNARY = ValueType("int", 2)
"""-1, 0 and +1: bits behind a border of true zeros."""


def weighted_units(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    assert hardware.pe and hardware.simd and isinstance(node.layer, WeightedLayer)
    if hardware.units == "own" and hardware.weights != "auto":
        expected = "auto (own weights of up to 64 words sit in LUTs, deeper ones in block RAM)"
        is_default = builder.spec.layers[node.name].weights is None
        path = ("defaults", "weights") if is_default else ("layers", node.name, "weights")
        builder.fault(path, expected, hardware.weights)
    port = builder.connect(node.inputs[0])
    channel_block = node.input.channels // node.groups
    if isinstance(node.layer, ConvLayer):
        port, channel_block = _windows(builder, node, node.layer, port, hardware)
        if builder.faults:
            return
    port = builder.convert(port, hardware.simd, node.name, hardware)
    activation = node.layer.activation
    levels_in, levels_out = levels_of(node.input.type), levels_of(node.output.type)
    output_bits = hardware.accumulator_bits or node.output.type.bits // levels_out
    mvau = Mvau(
        pe=hardware.pe,
        simd=hardware.simd,
        matrix_height=node.matrix_height,
        matrix_width=node.matrix_width,
        vectors=node.output.pixels * node.groups,
        groups=node.groups,
        channel_block=channel_block,
        weight_type=node.layer.weight,
        input_type=port.type if port.type == TERNARY else node.input.type,
        sum_type=node.sum_type,
        accumulator=node.layer.accumulator,
        output_type=node.output.type,
        output_bits=output_bits,
        thresholds=node.threshold_count,
        compare=activation.compare if activation else "",
        weight_memory=hardware.weights or "auto",
        memory_layout=hardware.memory or "per_layer",
        levels_in=levels_in,
        levels_out=levels_out,
        lowest=activation.least if activation and not activation.type.is_bipolar else 0,
    )
    # The RTL library has no MVAU for bipolar weights and inputs: FINN takes the HLS one there.
    # Nor has it one for residual levels.
    usual = "hls" if mvau.is_binary or mvau.is_residual else hardware.units or "hls"
    name = f"{node.name}.mvau"
    builder.add_unit(name, node.name, mvau, [port], *unit_style(hardware, usual))
    elements = node.output.elements * levels_out
    out = OpenPort(name, hardware.pe, output_bits, node.output.type, elements)
    builder.finish_layer(node.name, out, hardware)


def check_windows(builder: StreamBuilder) -> None:
    """Note every layer whose kind of sliding-window unit cannot walk its map.

    A layer without a SIMD has no window yet; that fault is the folding's.
    """
    for node in builder.network.nodes.values():
        hardware = builder.hardware(node.name)
        if isinstance(node.layer, ConvLayer) and hardware.simd:
            window = _window(node, node.layer, hardware)
            obstacle = window_obstacle(window) if window else None
            if obstacle:
                builder.fault(("layers", node.name, "sliding_window"), *obstacle)


def _window(node: Node, layer: ConvLayer, hardware: LayerHardware) -> Window | None:
    """The sliding-window unit of a convolution; None where its windows are its pixels."""
    channels, height, width = node.input.shape
    slides = layer.kernel_hw != (1, 1) or layer.stride_hw != (1, 1) or any(layer.pad_tlbr)
    if not slides and node.groups == 1:
        return None
    return Window(
        style=hardware.sliding_window or "row_buffer",
        channels=channels * levels_of(node.input.type),
        height=height + layer.pad_tlbr[0] + layer.pad_tlbr[2],
        width=width + layer.pad_tlbr[1] + layer.pad_tlbr[3],
        kernel=layer.kernel_hw,
        stride=layer.stride_hw,
        dilation=layer.dilation_hw,
        groups=node.groups,
        lanes=_window_lanes(hardware, channels // node.groups, layer),
    )


def _windows(
    builder: StreamBuilder, node: Node, layer: ConvLayer, port: OpenPort, hardware: LayerHardware
) -> tuple[OpenPort, int]:
    """Padding and sliding window in front of a convolution's MVAU."""
    channels, height, width = node.input.shape
    group_channels = channels // node.groups
    window = _window(node, layer, hardware)
    if window is None:
        return port, group_channels
    port = builder.convert(port, window.lanes, node.name, hardware)
    if any(layer.pad_tlbr):
        # One bit cannot carry a true zero: behind such a border the stream has two.
        is_widened = node.pad_value == 0 and node.input.type.is_bipolar
        levels = levels_of(node.input.type)
        # around levels, a word each: every bit 0, or every bit 1
        value = int(node.pad_value > 0) if node.input.type.is_residual else node.pad_value
        border = Padding(
            channels * levels, height, width, layer.pad_tlbr, value, window.lanes, is_widened
        )
        name = f"{node.name}.pad"
        builder.add_unit(name, node.name, border, [port], *unit_style(hardware, "rtl"))
        port = replace(
            port,
            unit=name,
            depth_words=None,
            elements=border.words_out * window.lanes,
        )
        if is_widened:
            port = replace(port, type=TERNARY, element_bits=TERNARY.bits)
    name = f"{node.name}.window"
    usual: UnitLibrary = "rtl" if window.style in ("rtl", "parallel", "line_buffer") else "hls"
    builder.add_unit(name, node.name, window, [port], *unit_style(hardware, usual))
    port = replace(
        port,
        unit=name,
        lanes=window.out_lanes,
        depth_words=None,
        elements=window.words_out * window.out_lanes,
    )
    return port, window.lanes if window.writes_whole_windows else group_channels


def _window_lanes(hardware: LayerHardware, channels: int, layer: ConvLayer) -> int:
    """Channels a word of the sliding window: the MVAU's SIMD where it divides them.

    A SIMD that does not is served by the next wider word and a converter; a parallel window takes as
    many channels as make SIMD columns with the whole kernel.
    """
    assert hardware.simd
    wanted = hardware.simd
    if hardware.sliding_window in ("parallel", "line_buffer"):
        pixels = layer.kernel_hw[0] * layer.kernel_hw[1]
        wanted = hardware.simd // pixels if hardware.simd % pixels == 0 else channels
        if layer.groups > 1:
            wanted = channels
    wider = [d for d in divisors_of(channels) if d >= wanted]
    return wider[0] if wider else channels
