"""What of an architecture's layers and folding does not fit a network."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bnnsim.design.network.network import Node
from bnnsim.design.streaming.stream_builder import StreamBuilder
from bnnsim.design.streaming.window_units import border_of, groups_at_once
from bnnsim.spec.bounds import MAX_ALL_DEPTHS_WORDS, MAX_PIPELINE_WORDS
from bnnsim.spec.faults import near_divisors, near_names
from bnnsim.spec.streaming.hardware import LayerHardware, UnitDefaults
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    ConvLayer,
    LinearLayer,
    LookupLayer,
    MatmulLayer,
    MaxPoolLayer,
    MeanPoolLayer,
    MultiplyLayer,
    PreluLayer,
    RepeatLayer,
    SumPoolLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
)

COMPUTING = (
    *(WeightedLayer, MatmulLayer, ThresholdLayer),
    *(AffineLayer, PreluLayer, LookupLayer, TopKLayer),
)
STREAMING = (
    ConvLayer,
    LinearLayer,
    ThresholdLayer,
    AffineLayer,
    PreluLayer,
    LookupLayer,
    MaxPoolLayer,
    AveragePoolLayer,
    SumPoolLayer,
    MeanPoolLayer,
    AddLayer,
    MultiplyLayer,
    MatmulLayer,
    ConcatLayer,
    RepeatLayer,
    TopKLayer,
)


def check_layers(builder: StreamBuilder, nodes: Sequence[Node]) -> None:
    """Note the faults of layer names, operations and of the folding of ``nodes``, before any unit is
    built."""
    _check_layer_names(builder)
    _check_operations(builder)
    for node in nodes:
        _check_folding(builder, node)


def _check_layer_names(builder: StreamBuilder) -> None:
    known = list(builder.network.nodes)
    for name in builder.spec.layers:
        if name not in builder.network.nodes:
            builder.fault(
                ("layers", name),
                f"a layer of workload {builder.network.workload.name}",
                f"'{name}'",
                near_names(name, known),
            )
    for node in builder.network.nodes.values():
        if isinstance(node.layer, COMPUTING) and node.name not in builder.spec.layers:
            expected = f"a unit for layer {node.name} ({node.layer.op})"
            builder.fault(("layers", node.name), expected, "none")


def _check_operations(builder: StreamBuilder) -> None:
    for node in builder.network.nodes.values():
        if not isinstance(node.layer, STREAMING):
            builder.fault(
                ("layers", node.name),
                "a layer that a streaming unit runs (fixed-point layers run on engines)",
                f"{node.layer.op} in the workload",
            )


def _check_folding(builder: StreamBuilder, node: Node) -> None:
    hardware = builder.spec.layers.get(node.name)
    if hardware is None:
        return
    key = ("layers", node.name)
    layer = node.layer
    weighted, has_matrix = isinstance(layer, WeightedLayer), node.has_matrix
    rows = node.matrix_height if has_matrix else node.output.channels
    if isinstance(layer, TopKLayer):
        rows = node.input.channels  # lanes are of the scores: positions leave one by one
    if isinstance(layer, ConcatLayer):
        shared = math.gcd(*(tensor.channels for tensor in node.input_tensors))
        if hardware.pe is not None and shared % hardware.pe:
            expected = f"a divisor of {shared}, which divides the channels of all inputs"
            builder.fault((*key, "pe"), expected, hardware.pe, near_divisors(hardware.pe, shared))
    elif hardware.pe is None:
        if isinstance(layer, COMPUTING):
            builder.fault((*key, "pe"), f"a divisor of {rows}", "nothing")
    elif weighted and node.groups > 1:
        _check_groups(builder, node, hardware)
    elif rows % hardware.pe:
        near = near_divisors(hardware.pe, rows)
        builder.fault((*key, "pe"), f"a divisor of {rows}", hardware.pe, near)
    if not has_matrix:
        if hardware.simd is not None:
            builder.fault((*key, "simd"), f"no simd: a {layer.op} has no matrix", hardware.simd)
    elif hardware.simd is None:
        builder.fault((*key, "simd"), f"a divisor of {node.matrix_width}", "nothing")
    elif node.matrix_width % hardware.simd:
        near = near_divisors(hardware.simd, node.matrix_width)
        builder.fault((*key, "simd"), f"a divisor of {node.matrix_width}", hardware.simd, near)
    _check_weight_frames(builder, node, hardware)
    _check_accumulator(builder, node, hardware)
    _check_window_lanes(builder, node, hardware)
    _check_border_lanes(builder, node, hardware)
    _check_own(builder, node)


def _check_weight_frames(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    frames = hardware.weight_frames
    if frames is not None and not isinstance(node.layer, MatmulLayer):
        expected = f"no weight_frames: the weights of a {node.layer.op} are no stream"
        builder.fault(("layers", node.name, "weight_frames"), expected, frames)


def _check_window_lanes(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    lanes = hardware.simd_window
    if lanes is None:
        return
    key = ("layers", node.name, "simd_window")
    if not isinstance(node.layer, ConvLayer):
        builder.fault(key, f"no simd_window: a {node.layer.op} has no sliding window", lanes)
        return
    channels = node.group_channels
    if groups_at_once(node, hardware) > 1:
        builder.fault(key, "no simd_window: groups side by side have a window of their width", lanes)
    elif channels % lanes:
        builder.fault(key, f"a divisor of {channels}", lanes, near_divisors(lanes, channels))


def _check_border_lanes(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    lanes = hardware.simd_pad
    if lanes is None:
        return
    key, channels = ("layers", node.name, "simd_pad"), node.input.channels
    if not any(border_of(node)):
        builder.fault(key, f"no simd_pad: {node.name} has no border", lanes)
    elif channels % lanes:
        builder.fault(key, f"a divisor of {channels}", lanes, near_divisors(lanes, channels))


def _check_groups(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    """Either some rows of one group, or all rows of several, whose channels then come side by side."""
    key = ("layers", node.name)
    rows, pe, simd = node.matrix_height, hardware.pe, hardware.simd
    choices = node.pe_choices
    if pe not in choices:
        assert pe is not None
        near = sorted(sorted(choices, key=lambda n: (abs(n - pe), n))[:2])
        expected = f"a divisor of {rows} (rows of a group), or {rows} x a divisor of {node.groups} groups"
        builder.fault((*key, "pe"), expected, pe, tuple(str(n) for n in near))
    elif pe > rows and node.is_residual:
        builder.fault((*key, "pe"), f"at most {rows}: levels take one group after the other", pe)
    elif pe > rows and simd is not None and simd % node.group_channels:
        channels = f"{node.group_channels} (channels of a group)"
        expected = f"a multiple of {channels} where {pe // rows} groups are at work at once"
        builder.fault((*key, "simd"), expected, simd)


def _check_own(builder: StreamBuilder, node: Node) -> None:
    """What is said of HLS and RTL units alone has no meaning for own ones."""
    hardware = builder.hardware(node.name)
    if hardware.units != "own":
        return
    usual = UnitDefaults()
    names = ("restart_steps", "mvau_stages", "window_memory", "converters", "fifos")
    for name in ("products", "sum_bits", "weight_queue_words", *names):
        said = getattr(hardware, name)
        if said != getattr(usual, name):
            expected = f"no {name}: own units have their own"
            builder.fault(builder.path_of(node.name, name), expected, said)


def _check_accumulator(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    bits = hardware.accumulator_bits
    if bits is None:
        return
    key = ("layers", node.name, "accumulator_bits")
    has_sums = node.has_matrix and getattr(node.layer, "activation", None) is None
    if not has_sums:
        builder.fault(key, "no accumulator_bits: this layer puts out activations", bits)
    elif bits < node.sum_type.bits:
        builder.fault(key, f"at least {node.sum_type.bits} (sums are {node.sum_type})", bits)


def check_stream_names(builder: StreamBuilder) -> None:
    """Note FIFO depths given for streams that are not there."""
    names = [stream.name for stream in builder.streams]
    for name in builder.spec.fifo_words:
        if name not in names:
            builder.fault(
                ("fifo_words", name),
                "a stream (writer->reader)",
                f"'{name}'",
                near_names(name, names),
            )


def check_depths(builder: StreamBuilder) -> None:
    """Note FIFOs that have more words in all than a run can keep apart; the deepest is named."""
    total = sum(stream.depth_words for stream in builder.streams)
    if total > MAX_ALL_DEPTHS_WORDS:
        deepest = max(builder.streams, key=lambda stream: stream.depth_words)
        is_said = deepest.name in builder.spec.fifo_words
        builder.fault(
            ("fifo_words", deepest.name) if is_said else ("defaults", "fifo_words"),
            f"FIFOs of at most {MAX_ALL_DEPTHS_WORDS:,} words in all",
            f"{total:,} ({deepest.name} has {deepest.depth_words:,})",
        )


def check_words(builder: StreamBuilder) -> None:
    """Note frames of more words than can be timed; the reader of the busiest stream is named."""
    total = sum(stream.words for stream in builder.streams)
    if total > MAX_PIPELINE_WORDS:
        busiest = max(builder.streams, key=lambda stream: stream.words)
        layer = busiest.reader.split(".")[0]
        builder.fault(
            ("layers", layer) if layer in builder.network.nodes else ("layers",),
            f"streams of at most {MAX_PIPELINE_WORDS:,} words a frame in all (more lanes give fewer)",
            f"{total:,} ({busiest.name} has {busiest.words:,})",
        )
