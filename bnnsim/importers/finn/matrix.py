"""Products of matrices: MVAUs and VVAUs, with or without windows in front, as convolutions."""

from __future__ import annotations

import math

import numpy as np

from bnnsim.importers.finn.emitter import Emitter, WindowOf
from bnnsim.importers.finn.nodes import DataflowNode, resolved
from bnnsim.importers.onnx.graph import Array


def mvau(out: Emitter, node: DataflowNode) -> str:
    """``x * w``, ``w`` of shape ``(MW, MH)``; then thresholds unless ``noActivation``."""
    weights = out.array(node, 1, "weights")
    rows, columns = node.number("MH"), node.number("MW")
    if weights.shape != (columns, rows):
        raise node.fault(f"weights of shape [MW, MH], {[columns, rows]}", list(weights.shape))
    xnor = bool(node.number("binaryXnorMode", 0))
    return _activated(out, node, product(out, node, weights, _vectors(node), xnor))


def product(
    out: Emitter, node: DataflowNode, weights: Array, vectors: tuple[int, ...], xnor: bool
) -> str:
    """The sums of a matrix ``(columns, rows)`` on a vector, each pixel of a map, or windows over one.

    ``vectors`` are the rows and columns of pixels, empty for a single vector. ``xnor``: bits stand for
    -1 and +1 on both sides, and equal ones are counted.
    """
    columns, rows = weights.shape
    if xnor:
        if not np.all((weights == 0) | (weights == 1)):
            raise node.fault("weights of 0 and 1 (binaryXnorMode)", "others")
        weights = 2 * weights - 1
    name = resolved(node.inputs[0], out.alias) if node.inputs else ""
    window = out.windows.get(name)
    if window is not None:
        sums = _windowed(out, node, window, weights, xnor)
    elif len(vectors) > 1:
        data = out.shaped(node, out.data(node), (*vectors, columns))
        one = WindowOf(_bits(out, node, data, xnor), columns, (1, 1), (1, 1), (1, 1))
        sums = out.conv(node, one, weights.T.reshape(rows, 1, 1, columns))
    else:
        data = _bits(out, node, out.shaped(node, out.data(node), (columns,)), xnor)
        sums = out.op(node, "MatMul", [data, out.constant(node, "weights", weights)])
        out.ranks[sums] = 2
    return out.affine(node, sums, 0.5, columns / 2) if xnor else sums


def _bits(out: Emitter, node: DataflowNode, name: str, xnor: bool) -> str:
    return out.affine(node, name, 2.0, -1.0) if xnor else name


def _windowed(
    out: Emitter, node: DataflowNode, window: WindowOf, weights: Array, xnor: bool
) -> str:
    columns, rows = weights.shape
    kernel, channels = window.kernel, window.channels
    if columns != math.prod(kernel) * channels:
        expected = f"a matrix of {math.prod(kernel) * channels} columns, as its windows have"
        raise node.fault(expected, columns)
    if xnor:
        if any(window.pads):
            raise node.fault("windows without a border around bits", window.pads)
        made = _bits(out, node, window.tensor, xnor)
        window = WindowOf(made, channels, kernel, window.stride, window.dilation)
    if not window.channel_major:
        return out.conv(node, window, weights.T.reshape(rows, *kernel, channels))
    by_channel = weights.T.reshape(rows, channels, *kernel)
    if rows == channels:  # a depthwise convolution as a matrix: each row reads a channel of its own
        own = by_channel[np.arange(rows), np.arange(rows)]
        others = by_channel.copy()
        others[np.arange(rows), np.arange(rows)] = 0
        if not others.any():
            return out.conv(node, window, own[..., np.newaxis], channels)
    return out.conv(node, window, np.moveaxis(by_channel, 1, -1))


def vvau(out: Emitter, node: DataflowNode) -> str:
    """A convolution of each channel by itself, ``w`` of shape ``(channels, 1, kh, kw)``."""
    window = out.windows.get(resolved(node.inputs[0], out.alias)) if node.inputs else None
    channels, kernel = node.number("Channels"), node.pair("Kernel")
    weights = out.array(node, 1, "weights")
    if weights.shape != (channels, 1, *kernel):
        expected = f"weights of shape {[channels, 1, *kernel]}"
        raise node.fault(expected, list(weights.shape))
    if window is None:
        if kernel != (1, 1):
            raise node.fault("windows in front of it", "none")
        window = WindowOf(out.data(node), channels, (1, 1), (1, 1), (1, 1))
    if window.channels != channels or window.kernel != kernel:
        got = f"{window.channels} channels, kernel {list(window.kernel)}"
        raise node.fault(f"windows of {channels} channels, kernel {list(kernel)}", got)
    if node.number("binaryXnorMode", 0):
        raise node.fault("binaryXnorMode 0 (sums of bipolar products)", 1)
    return _activated(out, node, out.conv(node, window, np.moveaxis(weights, 1, -1), channels))


def _activated(out: Emitter, node: DataflowNode, sums: str) -> str:
    if node.number("noActivation", 0):
        return sums
    return out.thresholds(node, sums, out.array(node, 2, "thresholds"), node.outputs[0])


def _vectors(node: DataflowNode) -> tuple[int, ...]:
    """Rows and columns of pixels; empty for one vector."""
    batch, *vectors = node.numbers("numInputVectors", (1,)) or (1,)
    if batch != 1 and not vectors:
        raise node.fault("numInputVectors of one frame, such as [1] or [1, 30, 30]", batch)
    if len(vectors) > 2:
        raise node.fault("maps with rows and columns", f"numInputVectors {[batch, *vectors]}")
    return (vectors[0], 1) if len(vectors) == 1 else tuple(vectors)
