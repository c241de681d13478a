"""A finished network draft as a workload and its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bnnsim.functional.tensors.codebook import codebook_of
from bnnsim.importers.draft.draft import INPUT, LayerDraft, NetworkDraft, weight_type
from bnnsim.spec.workload import (
    Activation,
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    ConvLayer,
    InputSpec,
    Layer,
    LinearLayer,
    LookupLayer,
    MatmulLayer,
    MaxPoolLayer,
    MultiplyLayer,
    PreluLayer,
    RepeatLayer,
    SumPoolLayer,
    ThresholdLayer,
    TopKLayer,
    Workload,
)

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]


def to_workload(draft: NetworkDraft, name: str, source: str) -> tuple[Workload, Arrays]:
    """The workload and ``<layer>.weights``, ``<layer>.thresholds`` ... of every layer."""
    assert draft.input_type is not None
    channels, height, width = draft.input_shape
    flat = height == width == 1
    image_range = None if draft.image_range is None else list(draft.image_range)
    frame = InputSpec(
        shape=[channels] if flat else [channels, height, width],
        type=draft.input_type,
        image_range=image_range,
    )
    layers: list[Layer] = []
    arrays: Arrays = {}
    previous = INPUT
    for draft_layer in draft.layers.values():
        inputs = None if draft_layer.inputs == [previous] else list(draft_layer.inputs)
        layers.append(_layer(draft, draft_layer, inputs, arrays))
        previous = draft_layer.name
    outputs = list(draft.outputs) if len(draft.outputs) > 1 else None
    workload = Workload(name=name, source=source, input=frame, layers=layers, outputs=outputs)
    return workload, arrays


def _layer(draft: NetworkDraft, layer: LayerDraft, inputs: list[str] | None, arrays: Arrays) -> Layer:
    named: dict[str, Any] = {"name": layer.name, "inputs": inputs}
    options = layer.options
    match layer.kind:
        case "conv":
            assert layer.weights is not None
            _store_weights(draft, layer, arrays)
            return ConvLayer(
                op="conv",
                out=layer.channels,
                weight=weight_type(layer.weights),
                activation=_activation(layer),
                groups=options.get("groups", 1),
                codebook=_codebook(draft, layer),
                **_geometry(draft, layer),
                **named,
            )
        case "linear":
            assert layer.weights is not None
            _store_weights(draft, layer, arrays)
            return LinearLayer(
                op="linear",
                out=layer.channels,
                weight=weight_type(layer.weights),
                activation=_activation(layer),
                **named,
            )
        case "threshold":
            _store_thresholds(layer, arrays)
            activation = _activation(layer)
            assert activation is not None
            return ThresholdLayer(op="threshold", activation=activation, **named)
        case "max_pool":
            return MaxPoolLayer(op="max_pool", **_pool_geometry(draft, layer), **named)
        case "sum_pool":
            return SumPoolLayer(op="sum_pool", **_pool_geometry(draft, layer), **named)
        case "majority":
            return AveragePoolLayer(
                op="average_pool",
                compare=options["compare"],
                **_pool_geometry(draft, layer),
                **named,
            )
        case "add":
            return AddLayer(op="add", **named)
        case "multiply":
            return MultiplyLayer(op="multiply", **named)
        case "matmul":
            return MatmulLayer(op="matmul", **options, **named)
        case "repeat":
            return RepeatLayer(op="repeat", **_repeats(layer), **named)
        case "top_k":
            return TopKLayer(op="top_k", **options, **named)
        case "concat":
            return ConcatLayer(op="concat", **named)
        case "lookup":
            assert layer.activation is not None
            arrays[f"{layer.name}.values"] = layer.arrays["values"]
            return LookupLayer(op="lookup", type=layer.activation, **options, **named)
        case "affine" | "prelu":
            arrays.update({f"{layer.name}.{key}": v for key, v in layer.arrays.items()})
            assert layer.activation is not None
            word = {"type": layer.activation, **options}
            if layer.kind == "affine":
                return AffineLayer(op="affine", **word, **named)
            return PreluLayer(op="prelu", **word, **named)
    raise AssertionError(layer.kind)


def _repeats(layer: LayerDraft) -> dict[str, Any]:
    """How often along each axis, as shortly as it can be said."""
    options = layer.options
    said: dict[str, Any] = {"factor": _short(options["factor"]), "border": _short(options["border"])}
    said |= {key: options[key] for key in ("channels", "fill")}
    usual = {"factor": 1, "border": 0, "channels": 1, "fill": "nearest"}
    return {key: value for key, value in said.items() if value != usual[key]}


def _codebook(draft: NetworkDraft, layer: LayerDraft) -> int | None:
    """How many different kernels a convolution has, where these and the number of each take fewer bits
    than the weights (Sub-bit networks); None elsewhere."""
    weights = layer.weights
    assert weights is not None
    taps = int(np.prod(weights.shape[2:]))
    is_read = not draft.means_of(layer.inputs[0]) and not layer.means
    if taps == 1 or not is_read or not weight_type(weights).is_bipolar:
        return None
    count = max(2, len(codebook_of(weights)[0]))
    bits = weights.size // taps * (count - 1).bit_length() + (taps << (count - 1).bit_length())
    return count if bits < weights.size else None


def _geometry(draft: NetworkDraft, layer: LayerDraft) -> dict[str, Any]:
    """Kernel, stride, dilation and border, each as shortly as it can be said."""
    options = layer.options
    result: dict[str, Any] = {}
    for key in ("kernel", "stride", "dilation"):
        pair = options.get(key, (1, 1))
        result[key] = pair[0] if pair[0] == pair[1] else list(pair)
    pads = options.get("pad")
    if pads is not None:
        result["pad"] = pads[0] if len(set(pads)) == 1 else list(pads)
        value_type = draft.type_of(layer.inputs[0])
        has_signs = value_type is not None and (value_type.is_bipolar or value_type.is_residual)
        default = -1 if has_signs else 0
        value = options["pad_value"]
        if value_type is not None and value_type.is_residual:
            value = (value > 0) - (value < 0)  # every level at +1, none, every level at -1
        result["pad_value"] = None if value == default else value
    return result


def _pool_geometry(draft: NetworkDraft, layer: LayerDraft) -> dict[str, Any]:
    """Kernel, stride and border of a pool, each as shortly as it can be said."""
    kernel, stride, pads = layer.options["kernel"], layer.options["stride"], layer.options.get("pad")
    if not pads and kernel == draft.shape_of(layer.inputs[0])[1:]:
        return {"kernel": "global"}
    result: dict[str, Any] = {"kernel": _short(kernel)}
    if stride != kernel:
        result["stride"] = _short(stride)
    if pads:
        result["pad"] = _short(pads)
    return result


def _short(values: Sequence[int]) -> int | list[int]:
    """One number where all are the same."""
    return values[0] if len(set(values)) == 1 else list(values)


def _activation(layer: LayerDraft) -> Activation | None:
    return None if layer.activation is None else Activation(type=layer.activation, compare=">=")


def _store_weights(draft: NetworkDraft, layer: LayerDraft, arrays: Arrays) -> None:
    weights = layer.weights
    means = draft.means_of(layer.inputs[0])
    if means:
        arrays[f"{layer.name}.in_means"] = np.array(means, np.int32)
    assert weights is not None
    is_binary = weight_type(weights).is_bipolar
    arrays[f"{layer.name}.weights"] = (
        (weights > 0).astype(np.uint8) if is_binary else weights.astype(np.int16)
    )
    _store_thresholds(layer, arrays)


def _store_thresholds(layer: LayerDraft, arrays: Arrays) -> None:
    if layer.thresholds is not None:
        stored, limits = layer.thresholds, np.iinfo(np.int32)
        if limits.min <= stored.min(initial=0) and stored.max(initial=0) <= limits.max:
            stored = stored.astype(np.int32)
        arrays[f"{layer.name}.thresholds"] = stored[:, 0] if stored.shape[1] == 1 else stored
