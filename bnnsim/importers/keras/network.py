"""Keras and Larq models as ONNX graphs of plain operators, which the ONNX importer then reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.importers.draft.write import ImportedNetwork, write_network
from bnnsim.importers.keras.file import KerasLayer, read_keras
from bnnsim.importers.onnx.graph import Array
from bnnsim.importers.onnx.lowering import SignOfZero
from bnnsim.importers.onnx.network import (
    DEFAULT_FIXED,
    checked_name,
    import_options,
    lower_model,
    workload_name,
)
from bnnsim.spec.faults import InputError, near_names

_OPSET = 13
_SIGNS = ("ste_sign", "approx_sign", "swish_sign", "SteSign", "ApproxSign", "SwishSign")
_SCALED_SIGNS = ("magnitude_aware_sign", "MagnitudeAwareSign")
_HEAVISIDES = ("ste_heaviside", "SteHeaviside")
_QUANTISERS = (*_SIGNS, *_SCALED_SIGNS, *_HEAVISIDES)


def import_keras(
    path: str | Path,
    out_dir: str | Path,
    name: str | None = None,
    *,
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: tuple[float, float] | None = None,
    sign_of_zero: SignOfZero = "exact",
    force: bool = False,
) -> ImportedNetwork:
    """Import a Keras (Larq) model and write ``<name>.yaml`` and ``<name>.npz`` into ``out_dir``.

    As :func:`~bnnsim.importers.onnx.network.import_onnx`; h5py reads the file, TensorFlow is not
    needed. Raises :class:`InputError`; nothing is written then.
    """
    options = import_options(fixed, input_type, image_range, sign_of_zero)
    chosen = checked_name(name) if name is not None else workload_name(path)
    lowered = lower_model(keras_to_onnx(path), str(path), chosen, options)
    return write_network(out_dir, lowered.workload, lowered.arrays, lowered.notes, force=force)


def keras_to_onnx(path: str | Path) -> Any:
    """The model as an ``onnx.ModelProto`` with the layers' names on its operators."""
    return _Converter(str(path), read_keras(path)).run()


class _Converter:
    """Walks the layers; maps are channels first inside, as ONNX wants them."""

    def __init__(self, file: str, layers: Sequence[KerasLayer]) -> None:
        self.file = file
        self.layers = layers
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.tensors: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        """Shape of each layer's output without the batch, channels first."""
        self.input: Any = None

    def run(self) -> Any:
        from onnx import helper

        for layer in self.layers:
            handler = _HANDLERS.get(layer.kind)
            if handler is None:
                near = near_names(layer.kind, _HANDLERS)
                expected = f"a layer that can be imported ({', '.join(sorted(_HANDLERS))})"
                raise InputError(layer.place, expected, layer.kind, near)
            if self.input is None and layer.kind != "InputLayer":
                self._input(layer, layer.config)
            given = layer.inputs or ((next(iter(self.tensors)),) if self.tensors else ())
            missing = [name for name in given if name not in self.tensors]
            if missing:
                raise layer.fault("inputs that were made before", missing[0])
            self.tensors[layer.name], self.shapes[layer.name] = handler(self, layer, given)
        read = {name for layer in self.layers for name in layer.inputs}
        ends = [layer.name for layer in self.layers if layer.name not in read]
        if len(ends) != 1 or not self.nodes:
            raise InputError(self.file, "a model with one output", ", ".join(ends) or "none")
        outputs = [helper.make_empty_tensor_value_info(self.tensors[ends[0]])]
        graph = helper.make_graph(self.nodes, "keras", [self.input], outputs, self.initializers)
        opsets = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="keras")

    # ---- building ----------------------------------------------------------------------------

    def constant(self, layer: KerasLayer, role: str, values: Any, dtype: Any = np.float32) -> str:
        from onnx import numpy_helper

        name = f"{layer.name}/{role}{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def op(self, layer: KerasLayer, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"{layer.name}/{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def _input(self, layer: KerasLayer, config: Any) -> None:
        """The graph's input; an image is channels last in Keras and turned around at once."""
        from onnx import TensorProto, helper

        given = config.get("batch_input_shape") or config.get("batch_shape")
        if given is None or len(given) not in (2, 4) or not all(given[1:]):
            expected = "a fixed input shape [batch, height, width, channels] or [batch, features]"
            raise layer.fault(expected, given)
        if config.get("data_format", "channels_last") != "channels_last":
            raise layer.fault("data_format channels_last", config["data_format"])
        shape = [int(size) for size in given[1:]]
        self.input = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, *shape])
        self.tensors[""], self.shapes[""] = "input", tuple(shape)
        if len(shape) == 3:
            self.tensors[""] = self.op(layer, "Transpose", "input", perm=[0, 3, 1, 2])
            self.shapes[""] = (shape[2], shape[0], shape[1])

    def quantised(self, layer: KerasLayer, x: str, key: str) -> str:
        """Larq's input quantiser: sign(sign(x) + 0.1), which is +1 on zero."""
        kind = _quantiser(layer, key)
        if kind is None:
            return x
        if kind in _HEAVISIDES:
            over = self.op(layer, "Greater", x, self.constant(layer, "zero", 0.0))
            return self.op(layer, "Cast", over, to=1)
        if kind in _SCALED_SIGNS:
            raise layer.fault("an input quantiser without a scale made at run time", kind)
        tenth = self.constant(layer, "tenth", 0.1)
        return self.op(layer, "Sign", self.op(layer, "Add", self.op(layer, "Sign", x), tenth))

    def activated(self, layer: KerasLayer, x: str) -> str:
        name = _named(layer.config.get("activation"))
        if name in (None, "linear"):
            return x
        if name == "relu":
            return self.op(layer, "Relu", x)
        if name == "softmax":
            return self.op(layer, "Softmax", x)
        if name in ("hard_tanh", "HardTanh"):
            bounds = (self.constant(layer, "bound", v) for v in (-1.0, 1.0))
            return self.op(layer, "Clip", x, *bounds)
        raise layer.fault("activation linear, relu, hard_tanh or softmax", name)

    def window(
        self, layer: KerasLayer, x: str, shape: tuple[int, ...], kernel: Sequence[int], stride: Any
    ) -> tuple[str, dict[str, Any], tuple[int, int]]:
        """Padding as TensorFlow does it: the padded tensor, attributes, height and width behind."""
        strides = _pair(layer, layer.config.get("strides") or stride)
        dilations = _pair(layer, layer.config.get("dilation_rate", 1))
        same = layer.config.get("padding", "valid") == "same"
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
        sizes = [
            -(-e // s) if same else (e - r) // s + 1
            for e, r, s in zip(shape[1:], reach, strides, strict=True)
        ]
        attributes: dict[str, Any] = {"kernel_shape": list(kernel), "strides": list(strides)}
        if dilations != (1, 1):
            attributes["dilations"] = list(dilations)
        if same:
            totals = [
                max(0, (n - 1) * s + r - e)
                for n, s, r, e in zip(sizes, strides, reach, shape[1:], strict=True)
            ]
            pads = [totals[0] // 2, totals[1] // 2, -(-totals[0] // 2), -(-totals[1] // 2)]
            value = float(layer.config.get("pad_values", 0.0))
            if value == 0.0 or not any(pads):
                attributes["pads"] = pads
            else:
                full = [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]]
                border = self.constant(layer, "pads", full, np.int64)
                x = self.op(layer, "Pad", x, border, self.constant(layer, "border", value))
        return x, attributes, (sizes[0], sizes[1])

    def biased(self, layer: KerasLayer) -> tuple[str, ...]:
        if not layer.config.get("use_bias", True):
            return ()
        return (self.constant(layer, "bias", layer.weight("bias", str(len(layer.weights) - 1))),)


_Result = tuple[str, tuple[int, ...]]
_Handler = Callable[[_Converter, KerasLayer, tuple[str, ...]], _Result]


def _of(c: _Converter, given: tuple[str, ...]) -> _Result:
    return c.tensors[given[0]], c.shapes[given[0]]


def _input_layer(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    if c.input is not None:
        raise layer.fault("one input", "a second one")
    c._input(layer, layer.config)
    return c.tensors[""], c.shapes[""]


def _conv(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    kernel = _quantised_weights(layer, layer.weight("kernel", "0"), "kernel_quantizer")
    x = c.quantised(layer, x, "input_quantizer")
    x, attributes, sizes = c.window(layer, x, shape, kernel.shape[:2], 1)
    weights = c.constant(layer, "kernel", kernel.transpose(3, 2, 0, 1))
    group = int(layer.config.get("groups", 1))
    x = c.op(layer, "Conv", x, weights, *c.biased(layer), group=group, **attributes)
    return c.activated(layer, x), (kernel.shape[3], *sizes)


def _depthwise(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    stored = layer.weight("depthwise_kernel", "kernel", "0")
    kernel = _quantised_weights(layer, stored, "depthwise_quantizer")
    x = c.quantised(layer, x, "input_quantizer")
    x, attributes, sizes = c.window(layer, x, shape, kernel.shape[:2], 1)
    height, width, channels, multiplier = kernel.shape
    rows = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    weights = c.constant(layer, "depthwise_kernel", rows)
    bias = c.biased(layer) if layer.kind != "QuantSeparableConv2D" else ()
    x = c.op(layer, "Conv", x, weights, *bias, group=channels, **attributes)
    return x, (channels * multiplier, *sizes)


def _plain_depthwise(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _depthwise(c, layer, given)
    return c.activated(layer, x), shape


def _separable(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    """Depthwise, then pointwise on its sums: Larq quantises nothing in between."""
    x, shape = _depthwise(c, layer, given)
    stored = layer.weight("pointwise_kernel", "1")
    kernel = _quantised_weights(layer, stored, "pointwise_quantizer")
    weights = c.constant(layer, "pointwise_kernel", kernel.transpose(3, 2, 0, 1))
    x = c.op(layer, "Conv", x, weights, *c.biased(layer), kernel_shape=[1, 1])
    return c.activated(layer, x), (kernel.shape[3], *shape[1:])


def _dense(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    kernel = _quantised_weights(layer, layer.weight("kernel", "0"), "kernel_quantizer")
    if len(shape) != 1 or kernel.ndim != 2 or kernel.shape[0] != shape[0]:
        raise layer.fault(f"a kernel for {list(shape)}", f"one of shape {list(kernel.shape)}")
    x = c.quantised(layer, x, "input_quantizer")
    x = c.op(layer, "Gemm", x, c.constant(layer, "kernel", kernel), *c.biased(layer))
    return c.activated(layer, x), (kernel.shape[1],)


def _batch_norm(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    axis = layer.config.get("axis", -1)
    last = axis[0] if isinstance(axis, list) else axis
    if last not in (-1, len(shape)):
        raise layer.fault("a batch norm over channels, which come last", f"axis {axis}")
    order = iter(str(i) for i in range(4))
    columns: list[Array] = []
    for present, name, default in (
        (layer.config.get("scale", True), "gamma", 1.0),
        (layer.config.get("center", True), "beta", 0.0),
        (True, "moving_mean", 0.0),
        (True, "moving_variance", 1.0),
    ):
        if present:
            columns.append(layer.weight(name, next(order)))
        else:
            columns.append(np.full(shape[0], default, np.float32))
    names = [c.constant(layer, "bn", values) for values in columns]
    epsilon = float(layer.config.get("epsilon", 1e-3))
    return c.op(layer, "BatchNormalization", x, *names, epsilon=epsilon), shape


def _pool(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    kernel = _pair(layer, layer.config.get("pool_size", 2))
    x, attributes, sizes = c.window(layer, x, shape, kernel, kernel)
    kind = "MaxPool" if layer.kind.startswith("Max") else "AveragePool"
    return c.op(layer, kind, x, **attributes), (shape[0], *sizes)


def _global_average(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    x = c.op(layer, "GlobalAveragePool", x)
    if layer.config.get("keepdims", False):
        return x, (shape[0], 1, 1)
    return c.op(layer, "Flatten", x), shape[:1]


def _flatten(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    """Keras flattens pixel by pixel, channel fastest."""
    x, shape = _of(c, given)
    if len(shape) == 3:
        x = c.op(layer, "Transpose", x, perm=[0, 2, 3, 1])
    return c.op(layer, "Flatten", x), (int(np.prod(shape)),)


def _activation(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    name = _named(layer.config.get("activation"))
    if name in (*_SIGNS, *_HEAVISIDES):
        return c.quantised(layer, x, "activation"), shape
    return c.activated(layer, x), shape


def _relu(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    return c.op(layer, "Relu", x), shape


def _prelu(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x, shape = _of(c, given)
    alpha = layer.weight("alpha", "0")
    slopes = np.broadcast_to(alpha, (*shape[1:], shape[0]) if len(shape) == 3 else shape)
    turned = slopes.transpose(2, 0, 1) if len(shape) == 3 else slopes
    return c.op(layer, "PRelu", x, c.constant(layer, "alpha", turned)), shape


def _add(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    x = c.tensors[given[0]]
    for other in given[1:]:
        x = c.op(layer, "Add", x, c.tensors[other])
    return x, c.shapes[given[0]]


def _concatenate(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    shapes = [c.shapes[name] for name in given]
    if layer.config.get("axis", -1) not in (-1, len(shapes[0])):
        raise layer.fault("a concatenation of channels", f"axis {layer.config['axis']}")
    x = c.op(layer, "Concat", *(c.tensors[name] for name in given), axis=1)
    return x, (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _same(c: _Converter, layer: KerasLayer, given: tuple[str, ...]) -> _Result:
    return _of(c, given)


_HANDLERS: dict[str, _Handler] = {
    "Activation": _activation,
    "Add": _add,
    "AveragePooling2D": _pool,
    "BatchNormalization": _batch_norm,
    "Concatenate": _concatenate,
    "Conv2D": _conv,
    "Dense": _dense,
    "Dropout": _same,
    "Flatten": _flatten,
    "GlobalAveragePooling2D": _global_average,
    "InputLayer": _input_layer,
    "MaxPooling2D": _pool,
    "PReLU": _prelu,
    "QuantConv2D": _conv,
    "QuantDense": _dense,
    "QuantDepthwiseConv2D": _plain_depthwise,
    "QuantSeparableConv2D": _separable,
    "ReLU": _relu,
    "SpatialDropout2D": _same,
}


def _named(value: Any) -> str | None:
    """The name of an activation or quantiser, written as text or as a configuration."""
    if value is None:
        return None
    if isinstance(value, dict):
        return str(value.get("class_name", value.get("name", ""))).rsplit(">", 1)[-1]
    return str(value).rsplit(">", 1)[-1]


def _quantiser(layer: KerasLayer, key: str) -> str | None:
    name = _named(layer.config.get(key))
    if name is None or name in _QUANTISERS:
        return name
    raise layer.fault(f"{key} of {', '.join(_QUANTISERS)}", name)


def _quantised_weights(layer: KerasLayer, values: Array, key: str) -> Array:
    """A kernel as its quantiser leaves it; Larq's sign is +1 on zero."""
    name = _quantiser(layer, key)
    if name is None:
        return values
    if name in _HEAVISIDES:
        raise layer.fault("a weight quantiser of -1 and +1", name)
    signs = np.where(values >= 0, 1, -1).astype(np.float32)
    if name in _SCALED_SIGNS:
        axes = tuple(range(values.ndim - 1))
        scaled: Array = signs * np.abs(values).mean(axis=axes, dtype=np.float32)
        return scaled
    return signs


def _pair(layer: KerasLayer, value: Any) -> tuple[int, int]:
    values = [int(v) for v in value] if isinstance(value, list | tuple) else [int(value)] * 2
    if len(values) != 2 or min(values) < 1:
        raise layer.fault("one or two numbers of at least 1", value)
    return values[0], values[1]
