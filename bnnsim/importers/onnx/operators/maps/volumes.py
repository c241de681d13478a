"""Convolutions of three dimensions: depth lies among the channels, so they are convolutions of maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bnnsim.importers.onnx.binding import Dimension, TensorBinding, dimension, map_dimensions
from bnnsim.importers.onnx.graph import Array, Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.quantise import quantised

Convolve = Callable[[Lowering, Operator], TensorBinding]


def volume_conv(state: Lowering, operator: Operator, convolve: Convolve) -> TensorBinding:
    """``[channels, depth, rows, columns]`` times weights ``(out, channels / groups, kd, kh, kw)``.

    Each depth of the result is so many output channels, whose weights are 0 where the kernel does not
    reach. ``convolve`` lays out the convolution of maps.
    """
    binding = quantised(state, operator, state.binding(operator))
    weights = state.constant(operator, 1, "weights")
    parted = len(binding.dimensions) == 4 and all(
        all(label[0] == "C" for label, _ in one) for one in binding.dimensions[:2]
    )
    if not parted or weights.ndim != 5:
        expected = "[batch, channels, depth, rows, columns] and weights of three dimensions"
        raise operator.fault(expected, f"{[1, *binding.shape]} and {list(weights.shape)}")
    channels, depth = binding.shape[:2]
    groups = int(operator.attributes.get("group", 1))
    if weights.shape[1] * groups != channels or len(weights) % groups:
        expected = f"weights for {channels} channels in {groups} groups"
        raise operator.fault(expected, list(weights.shape))
    stride, dilation = (_three(operator, key, 1, 3) for key in ("strides", "dilations"))
    pads = _three(operator, "pads", 0, 6)
    if str(operator.attributes.get("auto_pad", "NOTSET")) not in ("NOTSET", "VALID"):
        raise operator.fault("auto_pad NOTSET", operator.attributes["auto_pad"])
    reach = (weights.shape[2] - 1) * dilation[0] + 1
    layers = (depth + pads[0] + pads[3] - reach) // stride[0] + 1
    if layers < 1:
        raise operator.fault("a kernel within its padded input", f"{reach} on a depth of {depth}")
    places = binding.places("C")[:, :, 0, 0]
    flat = _flattened(weights, places, groups, layers, (stride[0], dilation[0], pads[0]))
    inputs = [f"{operator.output} {name}" for name in ("map", "weights", "bias")]
    sizes = binding.extent("C"), binding.extent("H"), binding.extent("W")
    state.bindings[inputs[0]] = replace(binding, dimensions=map_dimensions(*sizes))
    state.graph.constants[inputs[1]] = flat
    bias = state.optional(operator, 2, "bias")
    if bias is not None:
        state.graph.constants[inputs[2]] = np.repeat(bias, layers)
    attributes = {
        "strides": stride[1:],
        "dilations": dilation[1:],
        "pads": (pads[1], pads[2], pads[4], pads[5]),
    }
    given = tuple(inputs if bias is not None else inputs[:2])
    found = convolve(state, replace(operator, inputs=given, attributes=attributes))
    if inputs[1] in state.rounded:
        raise operator.fault("binary or few-bit weights in three dimensions", "real ones")
    out: Dimension = ((f"C{layers}" if layers > 1 else "C", len(weights)),) if len(weights) > 1 else ()
    return replace(found, dimensions=(out, dimension("C", layers), *found.dimensions[1:]))


def _flattened(
    weights: Array, places: Array, groups: int, layers: int, along: tuple[int, int, int]
) -> Array:
    """``(out x depths out, channels x depths in, kh, kw)``; columns lie as the base's channels do."""
    stride, dilation, before = along
    out, group_channels, taps = weights.shape[:3]
    depth = places.shape[1]
    flat = np.zeros((out, layers, places.size, *weights.shape[3:]), weights.dtype)
    for o in range(out):
        first = o // (out // groups) * group_channels
        for z in range(layers):
            for tap in range(taps):
                at = z * stride + tap * dilation - before
                if 0 <= at < depth:
                    flat[o, z, places[first : first + group_channels, at]] = weights[o, :, tap]
    return flat.reshape(out * layers, places.size, *weights.shape[3:])


def _three(operator: Operator, key: str, usual: int, count: int) -> tuple[int, ...]:
    values = tuple(int(one) for one in operator.attributes.get(key, (usual,) * count))
    if len(values) != count or min(values) < usual:
        raise operator.fault(f"{count} {key} of at least {usual}", list(values))
    return values
