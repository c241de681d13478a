"""The units of a layer with a matrix: padding, sliding window, MVAU, a buffer of streamed weights."""

from __future__ import annotations

from dataclasses import replace

from bnnsim.design.network.network import Node
from bnnsim.design.streaming.stream_builder import OpenPort, StreamBuilder, unit_style
from bnnsim.design.streaming.units import Mvau, WeightBuffer, levels_of
from bnnsim.design.streaming.window_units import (
    TERNARY,
    groups_at_once,
    layer_window,
    slide,
)
from bnnsim.spec.streaming.hardware import LayerHardware, UnitDefaults
from bnnsim.spec.workload import ConvLayer, MatmulLayer, WeightedLayer

WEIGHT_FRAMES = 2
"""Frames of a streamed matrix that are kept, unless said otherwise: one comes while one is used."""


def weighted_units(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    assert hardware.pe and hardware.simd and isinstance(node.layer, WeightedLayer)
    _check_own_weights(builder, node, hardware)
    port = builder.connect(*builder.reads(node))
    channel_block = node.group_channels
    group_lanes = groups_at_once(node, hardware)
    owner = node if hardware.window_of is None else builder.network.nodes[hardware.window_of]
    window = layer_window(owner, builder.hardware(owner.name))
    if window is not None:
        if owner is node:
            port = slide(builder, node, window, port, hardware)
            if builder.faults:
                return
        if window.writes_whole_windows and group_lanes == 1:
            channel_block = window.lanes
    port = builder.convert(port, hardware.simd * group_lanes, node.name, hardware)
    if owner is node and window is not None:
        port = builder.share_window(node.name, port, hardware)
    activation = node.layer.activation
    levels_in, levels_out = levels_of(node.input.type), levels_of(node.output.type)
    output_bits = hardware.accumulator_bits or node.output.type.bits // levels_out
    mvau = Mvau(
        pe=hardware.pe,
        simd=hardware.simd,
        matrix_height=node.matrix_height * group_lanes,
        matrix_width=node.matrix_width,
        vectors=node.output.pixels * node.groups // group_lanes,
        groups=node.groups // group_lanes,
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
        stages=hardware.mvau_stages or UnitDefaults().mvau_stages,
        sum_bits=hardware.sum_bits or 0,
        queue_words=hardware.weight_queue_words or 0,
        products=hardware.products or "auto",
        levels_in=levels_in,
        levels_out=levels_out,
        lowest=activation.least if activation and not activation.type.is_bipolar else 0,
        group_lanes=group_lanes,
    )
    if group_lanes == 1:
        mvau = _with_codebook(mvau, node)
    # The RTL library has no MVAU for bipolar weights and inputs: FINN takes the HLS one there.
    # Nor has it one for residual levels, nor for groups side by side on every device.
    is_elsewhere = mvau.is_binary or mvau.is_residual or group_lanes > 1
    usual = "hls" if is_elsewhere else hardware.units or "hls"
    name = f"{node.name}.mvau"
    builder.add_unit(name, node.name, mvau, [port], *unit_style(hardware, usual))
    elements = node.output.elements * levels_out
    out = OpenPort(name, hardware.pe, output_bits, node.output.type, elements)
    builder.finish_layer(node.name, out, hardware)


def matmul_units(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    """A buffer that keeps the second input's map, and an MVAU whose weights it gives."""
    layer = node.layer
    assert hardware.pe and hardware.simd and isinstance(layer, MatmulLayer)
    _check_own_weights(builder, node, hardware)
    pe, simd = hardware.pe, hardware.simd
    vectors, matrix = (builder.connect(name) for name in node.inputs)
    matrix = builder.convert(matrix, simd if layer.transposed else pe, node.name, hardware)
    buffer = WeightBuffer(
        by_rows=layer.transposed,
        pe=pe,
        simd=simd,
        matrix_height=node.matrix_height,
        matrix_width=node.matrix_width,
        groups=layer.heads,
        pixels=node.output.pixels,
        frames=hardware.weight_frames or WEIGHT_FRAMES,
        memory=hardware.weights or "auto",
    )
    name = f"{node.name}.weights"
    builder.add_unit(name, node.name, buffer, [matrix], *unit_style(hardware, "rtl"))
    elements = buffer.words_out * pe * simd
    weights = OpenPort(name, pe * simd, matrix.element_bits, matrix.type, elements)
    vectors = builder.convert(vectors, simd, node.name, hardware)
    output_bits = hardware.accumulator_bits or node.output.type.bits
    mvau = Mvau(
        pe=pe,
        simd=simd,
        matrix_height=node.matrix_height,
        matrix_width=node.matrix_width,
        vectors=node.output.pixels * layer.heads,
        groups=layer.heads,
        channel_block=node.matrix_width,
        weight_type=matrix.type,
        input_type=vectors.type,
        sum_type=node.sum_type,
        accumulator="dot",
        output_type=node.output.type,
        output_bits=output_bits,
        thresholds=0,
        compare="",
        weight_memory=hardware.weights or "auto",
        memory_layout=hardware.memory or "per_layer",
        stages=hardware.mvau_stages or UnitDefaults().mvau_stages,
        sum_bits=hardware.sum_bits or 0,
        products=hardware.products or "auto",
        weights_stream=True,
    )
    usual = "hls" if mvau.is_binary else hardware.units or "hls"
    name = f"{node.name}.mvau"
    builder.add_unit(name, node.name, mvau, [vectors, weights], *unit_style(hardware, usual))
    out = OpenPort(name, pe, output_bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)


def _check_own_weights(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    if hardware.units == "own" and hardware.weights != "auto":
        expected = "auto (own weights of up to 64 words sit in LUTs, deeper ones in block RAM)"
        builder.fault(builder.path_of(node.name, "weights"), expected, hardware.weights)


def _with_codebook(mvau: Mvau, node: Node) -> Mvau:
    """An MVAU that keeps numbers of kernels, where a word has lanes of one tap; else the same."""
    layer, lanes, block = node.layer, mvau.simd, mvau.channel_block
    if not isinstance(layer, ConvLayer) or layer.codebook is None or node.is_residual:
        return mvau
    if lanes > block or block % lanes:
        return mvau
    return replace(mvau, codebook=layer.codebook, taps=layer.kernel_hw[0] * layer.kernel_hw[1])
