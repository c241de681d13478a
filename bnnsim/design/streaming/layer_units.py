"""The units of each kind of layer, appended to the chain."""

from __future__ import annotations

from dataclasses import replace

from bnnsim.design.network.network import Node
from bnnsim.design.streaming.chain import Chain, End
from bnnsim.design.streaming.matrix_units import weighted_units
from bnnsim.design.streaming.units import Add, Concat, Pool, PoolFunction, Scale, Threshold, levels_of
from bnnsim.spec.streaming.hardware import LayerHardware
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    MaxPoolLayer,
    PreluLayer,
    ThresholdLayer,
    WeightedLayer,
)


def layer_units(chain: Chain, node: Node) -> None:
    layer = node.layer
    hardware = chain.hardware(node.name)
    if isinstance(layer, WeightedLayer):
        weighted_units(chain, node, hardware)
    elif isinstance(layer, ThresholdLayer):
        _threshold(chain, node, hardware)
    elif isinstance(layer, AffineLayer | PreluLayer):
        _scale(chain, node, hardware)
    elif isinstance(layer, MaxPoolLayer | AveragePoolLayer):
        _pool(chain, node, hardware)
    elif isinstance(layer, AddLayer):
        _add(chain, node, hardware)
    elif isinstance(layer, ConcatLayer):
        _concat(chain, node, hardware)
    else:
        chain.fault((), "layers that a streaming unit computes", f"{node.name} ({layer.op})")


def _threshold(chain: Chain, node: Node, hardware: LayerHardware) -> None:
    assert hardware.pe and isinstance(node.layer, ThresholdLayer)
    end = chain.convert(chain.take(node.inputs[0]), hardware.pe, node.name, hardware)
    threshold = Threshold(
        pe=hardware.pe,
        channels=node.output.channels,
        words=node.output.elements // hardware.pe,
        input_type=node.input.type,
        input_bits=end.element_bits,
        output_type=node.output.type,
        thresholds=node.threshold_count,
        compare=node.layer.activation.compare,
        deep_pipeline=hardware.deep_pipeline,
    )
    name = f"{node.name}.threshold"
    chain.unit(name, node.name, threshold, [end], "rtl", False)
    bits = node.output.type.bits
    out = End(name, hardware.pe, bits, node.output.type, node.output.elements)
    chain.finish(node.name, out, hardware)


def _scale(chain: Chain, node: Node, hardware: LayerHardware) -> None:
    layer = node.layer
    assert hardware.pe
    assert isinstance(layer, AffineLayer | PreluLayer)
    end = chain.convert(chain.take(node.inputs[0]), hardware.pe, node.name, hardware)
    scale = Scale(
        function=layer.op,
        pe=hardware.pe,
        channels=node.output.channels,
        words=node.output.elements // hardware.pe,
        input_type=node.input.type,
        input_bits=end.element_bits,
        output_type=node.output.type,
        parameter_type=layer.parameters,
    )
    name = f"{node.name}.{layer.op}"
    chain.unit(name, node.name, scale, [end], "rtl", False)
    bits = node.output.type.bits
    out = End(name, hardware.pe, bits, node.output.type, node.output.elements)
    chain.finish(node.name, out, hardware)


def _pool(chain: Chain, node: Node, hardware: LayerHardware) -> None:
    layer = node.layer
    assert isinstance(layer, MaxPoolLayer | AveragePoolLayer)
    channels, height, width = node.input.shape
    kernel = (height, width) if layer.kernel == "global" else (layer.kernel, layer.kernel)
    if layer.kernel != "global" and (layer.stride or layer.kernel) != layer.kernel:
        chain.fault(
            ("layers", node.name),
            "a pool whose stride is its kernel (the streaming pool does not overlap)",
            f"kernel {layer.kernel}, stride {layer.stride}",
        )
        return
    if height % kernel[0] or width % kernel[1]:
        chain.fault(
            ("layers", node.name),
            "a map that the pool's kernel divides (the streaming pool drops no pixels)",
            f"{height} x {width} with kernel {layer.kernel}",
        )
        return
    end = chain.convert(chain.take(node.inputs[0]), channels, node.name, hardware)
    function: PoolFunction = "max" if isinstance(layer, MaxPoolLayer) else "majority"
    compare = layer.compare if isinstance(layer, AveragePoolLayer) else ">="
    levels = levels_of(node.input.type)
    pool = Pool(
        function,
        channels,
        height,
        width,
        kernel,
        node.input.type,
        compare,
        hardware.pool,
        levels,
    )
    name = f"{node.name}.pool"
    chain.unit(name, node.name, pool, [end], "hls", hardware.pipeline == "freezing")
    out = replace(end, unit=name, depth_words=None, elements=node.output.elements * levels)
    chain.finish(node.name, out, hardware)


def _add(chain: Chain, node: Node, hardware: LayerHardware) -> None:
    taken = [chain.take(name) for name in node.inputs]
    first = taken[0].lanes
    lanes = hardware.pe or (first if first and node.output.channels % first == 0 else 0)
    lanes = lanes or node.output.channels
    ends = [chain.convert(end, lanes, node.name, hardware) for end in taken]
    bits = node.output.type.bits
    add = Add(
        lanes=lanes,
        words=node.output.elements // lanes,
        input_types=tuple(end.type for end in ends),
        input_bits=tuple(end.element_bits for end in ends),
        output_type=node.output.type,
        output_bits=bits,
    )
    name = f"{node.name}.add"
    chain.unit(name, node.name, add, ends, "hls", hardware.pipeline == "freezing")
    out = End(name, lanes, bits, node.output.type, node.output.elements)
    chain.finish(node.name, out, hardware)


def _concat(chain: Chain, node: Node, hardware: LayerHardware) -> None:
    ends = []
    for name, tensor in zip(node.inputs, node.input_tensors, strict=True):
        end = chain.take(name)
        ends.append(chain.convert(end, tensor.channels, node.name, hardware))
    bits = max(end.element_bits for end in ends)
    if any(end.element_bits != bits for end in ends):
        chain.fault(
            ("layers", node.name),
            "inputs with equally wide elements",
            ", ".join(f"{end.element_bits} bits from {end.unit}" for end in ends),
        )
        return
    channels = tuple(tensor.channels for tensor in node.input_tensors)
    name = f"{node.name}.concat"
    concat = Concat(node.output.pixels, channels, bits)
    chain.unit(name, node.name, concat, ends, "hls", hardware.pipeline == "freezing")
    out = End(name, sum(channels), bits, node.output.type, node.output.elements)
    chain.finish(node.name, out, hardware)
