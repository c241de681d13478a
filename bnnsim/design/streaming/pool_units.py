"""The units of a pool: where windows overlap or reach over the edge, a sliding window in front."""

from __future__ import annotations

from bnnsim.design.network.network import Node
from bnnsim.design.streaming.stream_builder import OpenPort, StreamBuilder, unit_style
from bnnsim.design.streaming.units import Pool, PoolFunction, Window, levels_of
from bnnsim.design.streaming.window_units import layer_window, slide
from bnnsim.spec.streaming.hardware import LayerHardware, PoolStyle
from bnnsim.spec.workload import (
    AveragePoolLayer,
    MaxPoolLayer,
    MeanPoolLayer,
    PoolLayer,
    SumPoolLayer,
)


def pool_units(builder: StreamBuilder, node: Node, hardware: LayerHardware) -> None:
    layer = node.layer
    assert isinstance(layer, PoolLayer)
    channels, height, width = node.input.shape
    levels = levels_of(node.input.type)
    kernel = layer.kernel_on(height, width)
    lanes = hardware.pe or channels
    window = layer_window(node, hardware)
    port = builder.connect(node.inputs[0])
    adds = isinstance(layer, SumPoolLayer | MeanPoolLayer)
    usual: PoolStyle = "streaming" if adds else "line_buffered"
    if window is None:
        port = builder.convert(port, lanes, node.name, hardware)
        shape, style = (channels, height, width), hardware.pool or usual
    else:
        port = slide(builder, node, window, port, hardware)
        port = builder.convert(port, lanes, node.name, hardware)
        shape, style = _as_rows(window, lanes), "streaming"
        kernel = (1, window.window_pixels)
    pool = Pool(
        _function(layer),
        *shape,
        kernel,
        port.type,
        layer.compare if isinstance(layer, AveragePoolLayer) else ">=",
        style,
        levels,
        None if lanes == shape[0] else lanes,
        node.output.type if adds else None,
    )
    name = f"{node.name}.pool"
    builder.add_unit(name, node.name, pool, [port], *unit_style(hardware, "hls"))
    kind = node.output.type
    bits = kind.bits if adds else port.element_bits
    out = OpenPort(name, lanes, bits, kind, node.output.elements * levels)
    builder.finish_layer(node.name, out, hardware)


def _as_rows(window: Window, lanes: int) -> tuple[int, int, int]:
    """Windows one behind the other: a map of whole words with one of them a row."""
    pixels = window.out_height * window.out_width
    return lanes, pixels * window.groups, window.window_pixels


def _function(layer: PoolLayer) -> PoolFunction:
    if isinstance(layer, MaxPoolLayer):
        return "max"
    if isinstance(layer, AveragePoolLayer):
        return "majority"
    if isinstance(layer, MeanPoolLayer):
        return "rounded_mean" if layer.rounding == "half_up" else "mean"
    return "sum"
