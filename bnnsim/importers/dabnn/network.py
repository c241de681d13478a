"""daBNN's models as ONNX graphs of plain operators, which the ONNX importer then reads.

A binary convolution takes its input's signs (what is above 0 is +1, all else and the border -1) and
gives how many bits differ from the weights'; the affine layer behind it has the factor -2 that makes a
sum of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.dabnn.file import DabModel, Layer, read_dab
from bnnsim.importers.foreign.plain_graph import PlainGraph
from bnnsim.importers.onnx.graph import KERAS, Array
from bnnsim.spec.faults import InputError

Shape = tuple[int, int, int]
"""(channels, rows, columns)."""
_GLOBAL = -1


class _Graph(PlainGraph):
    """Tensors keep their names; maps are channels first inside. ``shapes`` say so."""

    def __init__(self, model: DabModel) -> None:
        super().__init__()
        self.model = model
        rows, columns, channels = model.shape
        self.takes(model.input, model.shape)
        turned = self.append(
            "Transpose", [model.input], f"{model.input}/channels", perm=[0, 3, 1, 2]
        )
        self.names = {model.input: turned}
        self.shapes: dict[str, Shape] = {model.input: (channels, rows, columns)}

    def data(self, layer: Layer, key: str = "input") -> str:
        """The name of the tensor that a field names. Raises :class:`InputError`."""
        return self._made(layer, str(layer.fields[key]))

    def _made(self, layer: Layer, name: str) -> str:
        if name not in self.names:
            raise layer.fault("inputs that were made before", name or "none")
        return self.names[name]

    def shape(self, layer: Layer, key: str = "input") -> Shape:
        """The shape of the same."""
        self.data(layer, key)
        return self.shapes[str(layer.fields[key])]

    def parts(self, layer: Layer) -> tuple[list[str], list[Shape]]:
        """The inputs of a layer that has a list of them."""
        names = [str(one) for one in layer.fields["inputs"]]
        return [self._made(layer, one) for one in names], [self.shapes[one] for one in names]

    def tensor(self, layer: Layer, key: str, shape: tuple[int, ...]) -> Array:
        """A parameter, which must have this shape. Raises :class:`InputError`."""
        name = str(layer.fields[key])
        found = self.model.tensors.get(name)
        if found is None or found.shape != shape:
            got = "none" if found is None else str(list(found.shape))
            raise layer.fault(f"a tensor {name} of shape {list(shape)}", got)
        return found

    def constant(self, name: str, values: Any, dtype: Any = np.float32) -> str:
        """The name of a constant, which is new."""
        full = f"{name}_{len(self.nodes)}" if self.holds(name) else name
        return self.stored(full, np.ascontiguousarray(values, dtype))

    def op(self, layer: Layer, kind: str, *inputs: str, role: str = "", **how: Any) -> str:
        """Append an operator; the last of ``layer`` has no role and makes its output."""
        return self.append(kind, inputs, f"{layer.output}/{role}" if role else layer.output, **how)


Handler = Callable[[_Graph, Layer], Shape]


def _two(layer: Layer, key: str, values: list[int], least: int) -> tuple[int, int]:
    if len(values) != 2 or min(values) < least:
        raise layer.fault(f"{key} of two numbers of at least {least}", values)
    return values[0], values[1]


def _slid(
    layer: Layer, shape: Shape, kernel: tuple[int, int]
) -> tuple[dict[str, Any], tuple[int, int], tuple[int, int]]:
    """A window's attributes without its border, the border's widths, and the sizes behind it."""
    pads, strides = layer.fields["pads"], _two(layer, "strides", layer.fields["strides"], 1)
    if len(pads) == 4 and (pads[0] != pads[2] or pads[1] != pads[3]):
        raise layer.fault("the same border on both sides, as daBNN runs it", pads)
    pad = _two(layer, "pads", pads[:2], 0)
    dilations = layer.fields.get("dilations") or [1, 1]
    if any(one != 1 for one in dilations):
        raise layer.fault("dilations of 1, as daBNN runs them", dilations)
    around = zip(shape[1:], pad, kernel, strides, strict=True)
    sizes = [(size + 2 * p - k) // s + 1 for size, p, k, s in around]
    if min(sizes) < 1:
        raise layer.fault(f"a window within its map of {list(shape[1:])}", list(kernel))
    how = {"kernel_shape": list(kernel), "strides": list(strides)}
    return how, pad, (sizes[0], sizes[1])


def _kernel(g: _Graph, layer: Layer, shape: Shape) -> tuple[Array, tuple[int, int]]:
    """A convolution's weights ``(out, in, rows, columns)``, and its window."""
    name = str(layer.fields["weight"])
    stored = g.model.tensors.get(name)
    if stored is None or stored.ndim != 4 or stored.shape[3] != shape[0]:
        got = "none" if stored is None else str(list(stored.shape))
        raise layer.fault(f"a tensor {name} of shape [out, rows, columns, {shape[0]}]", got)
    return stored.transpose(0, 3, 1, 2), (stored.shape[1], stored.shape[2])


def _real_conv(g: _Graph, layer: Layer) -> Shape:
    shape = g.shape(layer)
    weights, kernel = _kernel(g, layer, shape)
    how, pad, sizes = _slid(layer, shape, kernel)
    inputs = [g.data(layer), g.constant(str(layer.fields["weight"]), weights)]
    if layer.fields["bias"]:
        bias = g.tensor(layer, "bias", (len(weights),))
        inputs.append(g.constant(str(layer.fields["bias"]), bias))
    g.op(layer, "Conv", *inputs, **how, pads=[*pad, *pad])
    return (len(weights), *sizes)


def _binary_conv(g: _Graph, layer: Layer) -> Shape:
    shape = g.shape(layer)
    weights, kernel = _kernel(g, layer, shape)
    if layer.fields["weight"] not in g.model.stray:
        raise layer.fault("weights as bits", "real ones")
    how, pad, sizes = _slid(layer, shape, kernel)
    name, low = layer.output, g.constant(f"{layer.output}/low", -1.0)
    over = g.op(layer, "Greater", g.data(layer), g.constant(f"{name}/zero", 0.0), role="above")
    x = g.op(layer, "Where", over, g.constant(f"{name}/high", 1.0), low, role="bits")
    if any(pad):
        pads = g.constant(f"{name}/pads", [0, 0, *pad, 0, 0, *pad], np.int64)
        x = g.op(layer, "Pad", x, pads, low, role="bordered")
    x = g.op(layer, "Conv", x, g.constant(str(layer.fields["weight"]), weights), role="sums", **how)
    x = g.op(layer, "Mul", x, g.constant(f"{name}/half", -0.5), role="less")
    stray = g.model.stray[str(layer.fields["weight"])].reshape(-1, 1, 1)
    g.op(layer, "Add", x, g.constant(f"{name}/most", weights[0].size / 2 + stray))
    return (len(weights), *sizes)


def _pool(g: _Graph, layer: Layer) -> Shape:
    shape, stored = g.shape(layer), layer.fields["kernel_shape"]
    is_max = layer.kind == "MaxPool"
    if stored == [_GLOBAL, _GLOBAL]:
        g.op(layer, "GlobalMaxPool" if is_max else "GlobalAveragePool", g.data(layer))
        return (shape[0], 1, 1)
    how, pad, sizes = _slid(layer, shape, _two(layer, "kernel_shape", stored, 1))
    g.op(layer, "MaxPool" if is_max else "AveragePool", g.data(layer), **how, pads=[*pad, *pad])
    return (shape[0], *sizes)


def _affine(g: _Graph, layer: Layer) -> Shape:
    shape = g.shape(layer)
    a, b = (g.tensor(layer, key, shape[:1]).reshape(-1, 1, 1) for key in ("a", "b"))
    x = g.op(layer, "Mul", g.data(layer), g.constant(str(layer.fields["a"]), a), role="scaled")
    g.op(layer, "Add", x, g.constant(str(layer.fields["b"]), b))
    return shape


def _add(g: _Graph, layer: Layer) -> Shape:
    shapes = [g.shape(layer, key) for key in ("input1", "input2")]
    if shapes[0] != shapes[1]:
        raise layer.fault("two inputs of one shape", ", ".join(str(list(one)) for one in shapes))
    g.op(layer, "Add", *(g.data(layer, key) for key in ("input1", "input2")))
    return shapes[0]


def _concat(g: _Graph, layer: Layer) -> Shape:
    """daBNN's runtime takes the first two of any number."""
    names, shapes = g.parts(layer)
    if len(names) != 2 or layer.fields["axis"] != 3 or shapes[0][1:] != shapes[1][1:]:
        got = f"{len(names)} inputs, axis {layer.fields['axis']}"
        raise layer.fault("two maps of one size, joined along channels (axis 3)", got)
    g.op(layer, "Concat", *names, axis=1)
    return (shapes[0][0] + shapes[1][0], *shapes[0][1:])


def _prelu(g: _Graph, layer: Layer) -> Shape:
    shape, name = g.shape(layer), str(layer.fields["slope"])
    slope = g.model.tensors.get(name)
    if slope is None or slope.size not in (1, shape[0]):
        raise layer.fault(
            f"slopes {name}, one or {shape[0]}", "none" if slope is None else slope.size
        )
    g.op(layer, "PRelu", g.data(layer), g.constant(name, slope.reshape(-1, 1, 1)))
    return shape


def _plain(kind: str, **how: Any) -> Handler:
    def made(g: _Graph, layer: Layer) -> Shape:
        g.op(layer, kind, g.data(layer), **how)
        return g.shape(layer)

    return made


_HANDLERS: dict[str, Handler] = {
    "Add": _add,
    "Affine": _affine,
    "AvePool": _pool,
    "BinConv2D": _binary_conv,
    "Concat": _concat,
    "FpConv2D": _real_conv,
    "MaxPool": _pool,
    "PRelu": _prelu,
    "Relu": _plain("Relu"),
    "Softmax": _plain("Softmax", axis=1),
}


def dab_to_onnx(path: str | Path) -> Any:
    """The model as an ``onnx.ModelProto`` with daBNN's names; outputs are what no layer reads.

    Raises :class:`InputError` where the file cannot be read, or holds what has no counterpart.
    """
    with foreign_file(path, "a model as daBNN's converter writes it"):
        model = read_dab(path)
        graph = _Graph(model)
        for layer in model.layers:
            if not layer.output or layer.output in graph.names:
                raise layer.fault("an output of a name of its own", layer.output or "none")
            graph.shapes[layer.output] = _HANDLERS[layer.kind](graph, layer)
            graph.names[layer.output] = layer.output
        outputs = output_names(model)
        if not outputs:
            raise InputError(str(path), "a layer whose output no layer reads", "none")
        return graph.proto("dabnn", outputs, domain=KERAS)


def output_names(model: DabModel) -> list[str]:
    """What layers make and none reads."""
    keys = ("input", "input1", "input2")
    read = {one.fields[key] for one in model.layers for key in keys if key in one.fields}
    read |= {name for one in model.layers for name in one.fields.get("inputs", ())}
    return [one.output for one in model.layers if one.output not in read]
