"""What of an architecture's layers and folding does not fit a network."""

from __future__ import annotations

from bnnsim.design.network.network import Node
from bnnsim.design.streaming.chain import Chain
from bnnsim.spec.faults import near_divisors, near_names
from bnnsim.spec.streaming.hardware import LayerHardware
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    ConvLayer,
    LinearLayer,
    MaxPoolLayer,
    PreluLayer,
    ThresholdLayer,
    WeightedLayer,
)

COMPUTING = (WeightedLayer, ThresholdLayer, AffineLayer, PreluLayer)
STREAMING = (
    ConvLayer,
    LinearLayer,
    ThresholdLayer,
    AffineLayer,
    PreluLayer,
    MaxPoolLayer,
    AveragePoolLayer,
    AddLayer,
    ConcatLayer,
)


def check_layers(chain: Chain) -> None:
    """Note the faults of layer names, operations and folding, before any unit is built."""
    _check_layer_names(chain)
    _check_operations(chain)
    for node in chain.network.nodes.values():
        _check_folding(chain, node)


def _check_layer_names(chain: Chain) -> None:
    known = list(chain.network.nodes)
    for name in chain.spec.layers:
        if name not in chain.network.nodes:
            chain.fault(
                ("layers", name),
                f"a layer of workload {chain.network.workload.name}",
                f"'{name}'",
                near_names(name, known),
            )
    for node in chain.network.nodes.values():
        if isinstance(node.layer, COMPUTING) and node.name not in chain.spec.layers:
            chain.fault(("layers", node.name), f"a unit for layer {node.name} ({node.layer.op})", "none")


def _check_operations(chain: Chain) -> None:
    for node in chain.network.nodes.values():
        if not isinstance(node.layer, STREAMING):
            chain.fault(
                ("layers", node.name),
                "a layer that a streaming unit runs (fixed-point layers run on engines)",
                f"{node.layer.op} in the workload",
            )


def _check_folding(chain: Chain, node: Node) -> None:
    hardware = chain.spec.layers.get(node.name)
    if hardware is None:
        return
    key = ("layers", node.name)
    layer = node.layer
    weighted = isinstance(layer, WeightedLayer)
    rows = node.matrix_height if weighted else node.output.channels
    if isinstance(layer, MaxPoolLayer | AveragePoolLayer | ConcatLayer):
        if hardware.pe is not None:
            chain.fault((*key, "pe"), f"no pe: a {layer.op} takes whole pixels", hardware.pe)
    elif hardware.pe is None:
        if isinstance(layer, COMPUTING):
            chain.fault((*key, "pe"), f"a divisor of {rows}", "nothing")
    elif rows % hardware.pe:
        near = near_divisors(hardware.pe, rows)
        chain.fault((*key, "pe"), f"a divisor of {rows}", hardware.pe, near)
    if not weighted:
        if hardware.simd is not None:
            chain.fault((*key, "simd"), f"no simd: a {layer.op} has no matrix", hardware.simd)
    elif hardware.simd is None:
        chain.fault((*key, "simd"), f"a divisor of {node.matrix_width}", "nothing")
    elif node.matrix_width % hardware.simd:
        near = near_divisors(hardware.simd, node.matrix_width)
        chain.fault((*key, "simd"), f"a divisor of {node.matrix_width}", hardware.simd, near)
    _check_accumulator(chain, node, hardware)


def _check_accumulator(chain: Chain, node: Node, hardware: LayerHardware) -> None:
    bits = hardware.accumulator_bits
    if bits is None:
        return
    key = ("layers", node.name, "accumulator_bits")
    has_sums = isinstance(node.layer, WeightedLayer) and node.layer.activation is None
    if not has_sums:
        chain.fault(key, "no accumulator_bits: this layer puts out activations", bits)
    elif bits < node.sum_type.bits:
        chain.fault(key, f"at least {node.sum_type.bits} (sums are {node.sum_type})", bits)


def check_stream_names(chain: Chain) -> None:
    """Note FIFO depths given for streams that are not there."""
    names = [stream.name for stream in chain.streams]
    for name in chain.spec.fifo_words:
        if name not in names:
            chain.fault(
                ("fifo_words", name),
                "a stream (writer->reader)",
                f"'{name}'",
                near_names(name, names),
            )
