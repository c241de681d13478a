"""The units of each kind of layer, added to the pipeline under construction."""

from __future__ import annotations

from bnnsim.design.network.network import Node
from bnnsim.design.streaming.matrix_units import matmul_units, weighted_units
from bnnsim.design.streaming.pool_units import pool_units
from bnnsim.design.streaming.stream_builder import OpenPort, StreamBuilder, unit_style
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    LabelSelect,
    Lookup,
    Multiply,
    Repeat,
    Scale,
    Threshold,
)
from bnnsim.spec.streaming.hardware import LayerHardware
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    ConcatLayer,
    LookupLayer,
    MatmulLayer,
    MultiplyLayer,
    PoolLayer,
    PreluLayer,
    RepeatLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
)


def layer_units(builder: StreamBuilder, node: Node) -> None:
    layer = node.layer
    hardware = builder.hardware(node.name)
    if isinstance(layer, WeightedLayer):
        weighted_units(builder, node, hardware)
    elif isinstance(layer, ThresholdLayer):
        _threshold(builder, node, hardware)
    elif isinstance(layer, AffineLayer | PreluLayer):
        _scale(builder, node, hardware)
    elif isinstance(layer, LookupLayer):
        _lookup(builder, node, hardware)
    elif isinstance(layer, PoolLayer):
        pool_units(builder, node, hardware)
    elif isinstance(layer, AddLayer):
        _add(builder, node, hardware)
    elif isinstance(layer, MultiplyLayer):
        _multiply(builder, node, hardware)
    elif isinstance(layer, MatmulLayer):
        matmul_units(builder, node, hardware)
    elif isinstance(layer, ConcatLayer):
        _concat(builder, node, hardware)
    elif isinstance(layer, RepeatLayer):
        _repeat(builder, node, hardware)
    elif isinstance(layer, TopKLayer):
        _label_select(builder, node, hardware)
    else:
        builder.fault((), "layers that a streaming unit computes", f"{node.name} ({layer.op})")


def _threshold(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    assert hardware.pe and isinstance(node.layer, ThresholdLayer)
    port = builder.convert(builder.connect(node.inputs[0]), hardware.pe, node.name, hardware)
    threshold = Threshold(
        pe=hardware.pe,
        channels=node.output.channels,
        words=node.output.elements // hardware.pe,
        input_type=node.input.type,
        input_bits=port.element_bits,
        output_type=node.output.type,
        thresholds=node.threshold_count,
        compare=node.layer.activation.compare,
        deep_pipeline=hardware.deep_pipeline,
        lowest=0 if node.output.type.is_bipolar else node.layer.activation.least,
    )
    name = f"{node.name}.threshold"
    builder.add_unit(name, node.name, threshold, [port], *unit_style(hardware, "rtl"))
    bits = node.output.type.bits
    out = OpenPort(name, hardware.pe, bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)


def _scale(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    layer = node.layer
    assert hardware.pe
    assert isinstance(layer, AffineLayer | PreluLayer)
    port = builder.convert(builder.connect(node.inputs[0]), hardware.pe, node.name, hardware)
    scale = Scale(
        function=layer.op,
        pe=hardware.pe,
        channels=node.output.channels,
        words=node.output.elements // hardware.pe,
        input_type=node.input.type,
        input_bits=port.element_bits,
        output_type=node.output.type,
        multiplier_type=layer.scale_type if isinstance(layer, AffineLayer) else layer.parameters,
        bias_type=layer.bias_type if isinstance(layer, AffineLayer) else None,
        shift_bits=layer.shift_bits if isinstance(layer, AffineLayer) else None,
    )
    name = f"{node.name}.{layer.op}"
    builder.add_unit(name, node.name, scale, [port], *unit_style(hardware, "rtl"))
    bits = node.output.type.bits
    out = OpenPort(name, hardware.pe, bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)


def _lanewise_inputs(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> list[OpenPort]:
    """The inputs with as many channels a word as a layer of equal maps works on at once."""
    taken = [builder.connect(name) for name in node.inputs]
    first = taken[0].lanes
    lanes = hardware.pe or (first if first and node.output.channels % first == 0 else 0)
    lanes = lanes or node.output.channels
    return [builder.convert(port, lanes, node.name, hardware) for port in taken]


def _add(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    ports = _lanewise_inputs(builder, node, hardware)
    lanes = ports[0].lanes
    bits = node.output.type.bits
    add = Add(
        lanes=lanes,
        words=node.output.elements // lanes,
        input_types=tuple(port.type for port in ports),
        input_bits=tuple(port.element_bits for port in ports),
        output_type=node.output.type,
        output_bits=bits,
    )
    name = f"{node.name}.add"
    builder.add_unit(name, node.name, add, ports, *unit_style(hardware, "hls"))
    out = OpenPort(name, lanes, bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)


def _concat(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    ports = []
    for name, tensor in zip(node.inputs, node.input_tensors, strict=True):
        port = builder.connect(name)
        ports.append(builder.convert(port, hardware.pe or tensor.channels, node.name, hardware))
    widths = tuple(port.element_bits for port in ports)
    bits = max(node.output.type.bits, *widths)
    channels = tuple(tensor.channels for tensor in node.input_tensors)
    name = f"{node.name}.concat"
    signs = tuple(port.type.is_signed for port in ports)
    lanes = hardware.pe or sum(channels)
    words = node.output.elements // lanes
    concat = Concat(words, channels, widths, signs, bits, hardware.pe)
    builder.add_unit(name, node.name, concat, ports, *unit_style(hardware, "hls"))
    out = OpenPort(name, lanes, bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)


def _multiply(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    one, other = _lanewise_inputs(builder, node, hardware)
    bits = node.output.type.bits
    multiply = Multiply(
        lanes=one.lanes,
        words=node.output.elements // one.lanes,
        input_types=(one.type, other.type),
        input_bits=(one.element_bits, other.element_bits),
        output_type=node.output.type,
        output_bits=bits,
    )
    name = f"{node.name}.multiply"
    builder.add_unit(name, node.name, multiply, [one, other], *unit_style(hardware, "hls"))
    out = OpenPort(name, one.lanes, bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)


def _repeat(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    layer = node.layer
    assert isinstance(layer, RepeatLayer)
    channels, height, width = node.input.shape
    rows, columns = layer.row_counts(height), layer.column_counts(width)
    lanes = hardware.pe or node.output.channels
    given = 1 if layer.channels > 1 else lanes
    port = builder.convert(builder.connect(node.inputs[0]), given, node.name, hardware)
    repeat = Repeat(
        channels=channels,
        times=layer.channels,
        row_counts=rows,
        column_counts=columns,
        lanes=lanes,
        zeros=layer.fill == "zero",
        widens_bits=port.type.is_bipolar and layer.fill == "zero",
    )
    name = f"{node.name}.repeat"
    builder.add_unit(name, node.name, repeat, [port], *unit_style(hardware, "hls"))
    bits = 2 if repeat.widens_bits else port.element_bits
    out = OpenPort(name, lanes, bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)


def _lookup(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    layer = node.layer
    assert hardware.pe and isinstance(layer, LookupLayer)
    port = builder.convert(builder.connect(node.inputs[0]), hardware.pe, node.name, hardware)
    lookup = Lookup(
        pe=hardware.pe,
        words=node.output.elements // hardware.pe,
        input_type=node.input.type,
        input_bits=port.element_bits,
        output_type=node.output.type,
        low=layer.low,
        shift_bits=layer.shift_bits,
        segments=layer.segments,
    )
    name = f"{node.name}.lookup"
    builder.add_unit(name, node.name, lookup, [port], *unit_style(hardware, "rtl"))
    bits = node.output.type.bits
    out = OpenPort(name, hardware.pe, bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)


def _label_select(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    layer = node.layer
    assert hardware.pe and isinstance(layer, TopKLayer)
    port = builder.convert(builder.connect(node.inputs[0]), hardware.pe, node.name, hardware)
    select = LabelSelect(
        pe=hardware.pe,
        labels=node.input.channels,
        top=layer.k,
        pixels=node.input.pixels,
        input_type=node.input.type,
        input_bits=port.element_bits,
        output_type=node.output.type,
    )
    name = f"{node.name}.label_select"
    builder.add_unit(name, node.name, select, [port], *unit_style(hardware, "hls"))
    out = OpenPort(name, 1, node.output.type.bits, node.output.type, node.output.elements)
    builder.finish_layer(node.name, out, hardware)
