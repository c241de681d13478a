"""Windows of a layer's map, as a border and a sliding-window unit lay them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bnnsim.design.network.network import Node
from bnnsim.design.streaming.stream_builder import OpenPort, StreamBuilder, unit_style, window_name
from bnnsim.design.streaming.units import Padding, Window, levels_of
from bnnsim.design.streaming.window_rules import window_obstacle
from bnnsim.spec.faults import divisors_of
from bnnsim.spec.layers.base import Pair
from bnnsim.spec.layers.pools import SlidingPool
from bnnsim.spec.streaming.hardware import LayerHardware, UnitLibrary
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import ConvLayer

TERNARY = ValueType("int", 2)
"""-1, 0 and +1: bits behind a border of true zeros."""


def layer_window(node: Node, hardware: LayerHardware) -> Window | None:
    """The sliding-window unit of a convolution or pool; None where its windows are its pixels, or lie
    side by side and a pool gathers them itself."""
    layer = node.layer
    if isinstance(layer, ConvLayer):
        return _conv_window(node, layer, hardware) if hardware.simd else None
    if isinstance(layer, SlidingPool):
        return _pool_window(node, layer, hardware)
    return None


def check_windows(builder: StreamBuilder, nodes: Sequence[Node]) -> None:
    """Note every layer of ``nodes`` whose kind of sliding-window unit cannot walk its map.

    A convolution without a SIMD has no window yet; that fault is the folding's.
    """
    for node in nodes:
        check_window(builder, node)


def check_window(builder: StreamBuilder, node: Node) -> None:
    """As :func:`check_windows`, of one layer."""
    window = layer_window(node, builder.hardware(node.name))
    obstacle = window_obstacle(window) if window else None
    if obstacle:
        builder.fault(("layers", node.name, "sliding_window"), *obstacle)


def check_shared_windows(builder: StreamBuilder) -> None:
    """Note every layer that is to read another one's sliding window and cannot."""
    nodes = builder.network.nodes
    order = list(nodes)
    for name, given in builder.spec.layers.items():
        if given.window_of is None or name not in nodes:
            continue
        path, owner = ("layers", name, "window_of"), nodes.get(given.window_of)
        in_front = order[: order.index(name)]
        alike = [n for n in in_front if _slides_alike(nodes[n], nodes[name])]
        shared = [n for n in alike if builder.hardware(n).window_of is None]
        if owner is None or owner.name not in shared:
            expected = "a convolution in front with this one's input, kernel, stride, border and groups"
            builder.fault(path, expected, repr(given.window_of), tuple(shared))
        elif layer_window(owner, builder.hardware(owner.name)) is None:
            builder.fault(path, "a convolution that has a sliding window", repr(owner.name))
        elif given.simd_window is not None or given.simd_pad is not None:
            key = "simd_pad" if given.simd_window is None else "simd_window"
            builder.fault(("layers", name, key), "none beside window_of", getattr(given, key))
        elif any(groups_at_once(nodes[n], builder.hardware(n)) > 1 for n in (owner.name, name)):
            builder.fault(path, "groups one after the other in both", "some side by side")


def with_shared_windows(
    nodes: Mapping[str, Node], layers: Mapping[str, LayerHardware]
) -> dict[str, LayerHardware]:
    """``layers`` where each ungrouped convolution reads the sliding window of the first that has one like
    its own."""
    found = dict(layers)
    owners: list[Node] = []
    alone = dict.fromkeys(("simd_window", "simd_pad"))  # of a window that the layer has not
    for name in nodes:
        given = found.get(name)
        node = nodes[name]
        if given is None or node.groups > 1 or layer_window(node, given) is None:
            continue
        owner = next((one for one in owners if _slides_alike(one, node)), None)
        if owner is None:
            owners.append(node)
        else:
            found[name] = given.model_copy(update={"window_of": owner.name, **alone})
    return found


def _slides_alike(one: Node, other: Node) -> bool:
    """Whether the windows of two layers hold the same elements in the same order."""

    def walk(node: Node) -> tuple[object, ...]:
        layer = node.layer
        if not isinstance(layer, ConvLayer):
            return ()
        sides = layer.kernel_hw, layer.stride_hw, layer.dilation_hw, layer.pad_tlbr
        return node.inputs, sides, layer.groups, node.pad_value

    return bool(walk(one)) and walk(one) == walk(other)


def border_of(node: Node) -> tuple[int, int, int, int]:
    """Pixels around a layer's map."""
    layer = node.layer
    return layer.pad_tlbr if isinstance(layer, ConvLayer | SlidingPool) else (0, 0, 0, 0)


def slide(
    builder: StreamBuilder, node: Node, window: Window, port: OpenPort, hardware: LayerHardware
) -> OpenPort:
    """A layer's border and its sliding window behind ``port``."""
    channels, height, width = node.input.shape
    lanes = hardware.simd_pad or window.lanes
    port = builder.convert(port, lanes, node.name, hardware)
    if any(border_of(node)):
        # One bit cannot carry a true zero: behind such a border the stream has two.
        given = node.input.type
        is_widened = node.pad_value == 0 and (given.is_bipolar or given.has_integer_means)
        levels = levels_of(node.input.type)
        # around levels, a word each: every bit 0, or every bit 1
        value = int(node.pad_value > 0) if given.is_residual else node.pad_value
        border = Padding(
            channels * levels, height, width, border_of(node), value, lanes, is_widened
        )
        name = f"{node.name}.pad"
        builder.add_unit(name, node.name, border, [port], *unit_style(hardware, "rtl"))
        port = replace(
            port,
            unit=name,
            depth_key=(),
            elements=border.words_out * lanes,
        )
        if is_widened:
            of_bits = TERNARY if given.is_bipolar else given
            port = replace(port, type=of_bits, element_bits=TERNARY.bits)
        port = builder.convert(port, window.lanes, node.name, hardware)
    name = window_name(node.name)
    usual: UnitLibrary = "rtl" if window.style in ("rtl", "parallel", "line_buffer") else "hls"
    builder.add_unit(name, node.name, window, [port], *unit_style(hardware, usual))
    return replace(
        port,
        unit=name,
        lanes=window.out_lanes,
        depth_key=(),
        elements=window.words_out * window.out_lanes,
    )


def _conv_window(node: Node, layer: ConvLayer, hardware: LayerHardware) -> Window | None:
    slides = layer.kernel_hw != (1, 1) or layer.stride_hw != (1, 1) or any(layer.pad_tlbr)
    if not slides and node.groups == 1:
        return None
    side_by_side = groups_at_once(node, hardware)
    if side_by_side > 1:
        lanes = node.group_channels * side_by_side
    else:
        lanes = _conv_lanes(hardware, node.group_channels, layer)
    sides = layer.kernel_hw, layer.stride_hw, layer.dilation_hw
    return _window(node, hardware, *sides, node.groups // side_by_side, lanes)


def groups_at_once(node: Node, hardware: LayerHardware) -> int:
    """How many groups of a layer are at work side by side: more than one where PEs are left over."""
    pe, simd = hardware.pe, hardware.simd
    if not (pe and simd) or pe <= node.matrix_height:
        return 1
    if pe not in node.pe_choices or simd % node.group_channels:
        return 1
    return pe // node.matrix_height


def _pool_window(node: Node, layer: SlidingPool, hardware: LayerHardware) -> Window | None:
    """Window by window for each word of channels in turn: as many groups as a pixel has words."""
    channels, height, width = node.input.shape
    kernel, stride = layer.kernel_on(height, width), layer.stride_on(height, width)
    if kernel == stride and not any(border_of(node)):
        return None
    lanes = hardware.pe or channels
    return _window(node, hardware, kernel, stride, (1, 1), channels // lanes, lanes)


def _window(
    node: Node,
    hardware: LayerHardware,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    groups: int,
    lanes: int,
) -> Window:
    channels, height, width = node.input.shape
    top, left, bottom, right = border_of(node)
    return Window(
        style=hardware.sliding_window or "row_buffer",
        channels=channels * levels_of(node.input.type),
        height=height + top + bottom,
        width=width + left + right,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        groups=groups,
        lanes=lanes,
        memory=hardware.window_memory or "lutram",
    )


def _conv_lanes(hardware: LayerHardware, channels: int, layer: ConvLayer) -> int:
    """Channels a word of the sliding window: the MVAU's SIMD where it divides them.

    ``simd_window`` says otherwise. A SIMD that does not divide them is served by the next wider word and
    a converter; a parallel window takes as many channels as make SIMD columns with the whole kernel.
    """
    assert hardware.simd
    if hardware.simd_window is not None:
        return hardware.simd_window
    wanted = hardware.simd
    if hardware.sliding_window in ("parallel", "line_buffer"):
        pixels = layer.kernel_hw[0] * layer.kernel_hw[1]
        wanted = hardware.simd // pixels if hardware.simd % pixels == 0 else channels
        if layer.groups > 1:
            wanted = channels
    wider = [d for d in divisors_of(channels) if d >= wanted]
    return wider[0] if wider else channels
