"""MXNet's operators on each element, sums, products and joins of maps, as ONNX operators."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from bnnsim.importers.mxnet.file import Node
from bnnsim.importers.mxnet.graph import Shape, SymbolGraph

_TRUE = (True, 1, "True", "true")


def whether(node: Node, key: str, default: bool) -> bool:
    """Whether a setting is on, however it was written."""
    return node.setting(key, default) in _TRUE


def map_of(g: SymbolGraph, node: Node) -> tuple[str, Shape]:
    """What a node reads, which must be a map. Raises :class:`InputError`."""
    shape = g.shape(node)
    if len(shape) != 3:
        raise node.fault("a map (channels, rows, columns)", list(shape))
    return g.data(node), shape


def _same(g: SymbolGraph, node: Node) -> Shape:
    g.op(node, "Identity", g.data(node))
    return g.shape(node)


def _add(g: SymbolGraph, node: Node) -> Shape:
    shapes = {g.shape(node, i) for i in range(len(node.inputs))}
    if len(shapes) != 1:
        raise node.fault("inputs of one shape", ", ".join(str(list(one)) for one in sorted(shapes)))
    g.op(node, "Sum", *(g.data(node, i) for i in range(len(node.inputs))))
    return shapes.pop()


def _concat(g: SymbolGraph, node: Node) -> Shape:
    shapes = [g.shape(node, i) for i in range(len(node.inputs))]
    if node.setting("dim", 1) != 1 or len({one[1:] for one in shapes}) != 1:
        raise node.fault("channels side by side (dim 1)", node.settings.get("dim", shapes))
    g.op(node, "Concat", *(g.data(node, i) for i in range(len(shapes))), axis=1)
    return (sum(one[0] for one in shapes), *shapes[0][1:])


def _scalar(g: SymbolGraph, node: Node) -> Shape:
    kinds = {"plus": "Add", "minus": "Sub", "mul": "Mul", "div": "Div"}
    kind = next(value for key, value in kinds.items() if key in node.op.lower())
    number = float(node.setting("scalar", 0.0))
    g.op(node, kind, g.data(node), g.constant(node, "scalar", number))
    return g.shape(node)


def _clip(g: SymbolGraph, node: Node) -> Shape:
    bounds = [g.constant(node, key, float(node.setting(key, 0.0))) for key in ("a_min", "a_max")]
    g.op(node, "Clip", g.data(node), *bounds)
    return g.shape(node)


def _product(g: SymbolGraph, node: Node) -> Shape:
    """Of data and parameters (one of each channel, or one number), or of two maps (a gate)."""
    known = [i in g.known for i in node.inputs]
    if not any(known):
        shapes = sorted((g.shape(node, 0), g.shape(node, 1)), key=prod)
        if len(shapes[0]) != len(shapes[1]) or any(
            one not in (1, full) for one, full in zip(*shapes, strict=True)
        ):
            raise node.fault("a map and its gate", ", ".join(str(list(one)) for one in shapes))
        g.op(node, "Mul", g.data(node, 0), g.data(node, 1))
        return shapes[1]
    at = known.index(False)
    shape, values = g.shape(node, at), g.weight(node, 1 - at)
    if values.size not in (1, shape[0]) or values.size != max(values.shape[1:2] or values.shape):
        raise node.fault(f"one number, or one of each of {shape[0]} channels", list(values.shape))
    form = values.reshape(1, -1, *[1] * (len(shape) - 1))
    g.op(node, "Mul", g.data(node, at), g.constant(node, "scale", form))
    return shape


def _magnitude(g: SymbolGraph, node: Node) -> Shape:
    g.op(node, "Abs", g.data(node))
    return g.shape(node)


def _mean(g: SymbolGraph, node: Node) -> Shape:
    """Over the channels of a map, as XNOR-Net's K is made."""
    _, shape = map_of(g, node)
    axis, keep = node.setting("axis", None), whether(node, "keepdims", False)
    if axis not in (1, (1,)) or not keep or whether(node, "exclude", False):
        raise node.fault("a mean over channels (axis 1, keepdims)", node.settings)
    g.op(node, "ReduceMean", g.data(node), axes=[1], keepdims=1)
    return (1, *shape[1:])


def _rounded(g: SymbolGraph, node: Node) -> Shape:
    """Halves up: what is rounded lies above 0 in BMXNet's activations, which are limited first."""
    before = next((one for one in g.symbol.nodes if one.name == g.data(node)), node)
    limited = g.symbol.nodes[before.inputs[0]] if before.op == "_mul_scalar" else before
    if limited.op != "clip" or float(limited.setting("a_min", -1.0)) < 0:
        raise node.fault("numbers that were limited to 0 and more (clip, _mul_scalar)", before.op)
    half = g.op(node, "Add", g.data(node), g.constant(node, "half", 0.5), role="half_more")
    g.op(node, "Floor", half)
    return g.shape(node)


def _tanh(g: SymbolGraph, node: Node) -> Shape:
    g.op(node, "Tanh", g.data(node))
    return g.shape(node)


def _relu(g: SymbolGraph, node: Node) -> Shape:
    g.op(node, "Relu", g.data(node))
    return g.shape(node)


def _leaky(g: SymbolGraph, node: Node) -> Shape:
    x, shape = g.data(node), g.shape(node)
    kind = node.setting("act_type", "leaky")
    if kind == "leaky":
        g.op(node, "LeakyRelu", x, alpha=float(node.setting("slope", 0.25)))
    elif kind == "prelu":
        slopes = g.weight(node, 1).reshape(-1)
        if slopes.size not in (1, shape[0]):
            raise node.fault(f"a slope, or one of each of {shape[0]} channels", f"{slopes.size}")
        full = slopes.reshape(-1, *[1] * (len(shape) - 1))
        g.op(node, "PRelu", x, g.constant(node, "slopes", full))
    else:
        raise node.fault("act_type leaky or prelu", kind)
    return shape


ELEMENTWISE: dict[str, Callable[[SymbolGraph, Node], Shape]] = {
    "BlockGrad": _same,
    "Concat": _concat,
    "Dropout": _same,
    "LeakyReLU": _leaky,
    "_contrib_gradcancel": _same,
    "_copy": _same,
    "abs": _magnitude,
    "broadcast_mul": _product,
    "clip": _clip,
    "elemwise_add": _add,
    "mean": _mean,
    "relu": _relu,
    "round_ste": _rounded,
    "tanh": _tanh,
    **dict.fromkeys(("_div_scalar", "_minus_scalar", "_mul_scalar", "_plus_scalar"), _scalar),
}
"""A function for each kind."""
