"""A parameter folder of BNN-PYNQ as a graph of steps, channels first.

By its ``finnthesizer.py`` and HLS sources: word ``fold * SF + part`` of file ``layer-pe-weights.bin`` has
the weights of row ``fold * PE + pe`` and columns ``part * SIMD ...``, the lowest bits first, columns by
kernel row, kernel column, channel; an output is what it is without any threshold, and one more for each
that lies below the sum. The order of layers, kernels and pools, which no file says, are the workload's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bnnsim.reference.graph import Array, ReferenceGraph, Step
from bnnsim.reference.onnx_operators import refusing
from bnnsim.reference.windows import convolved, maxima, windows
from bnnsim.spec.faults import InputError
from bnnsim.spec.layers.pools import AveragePoolLayer, MaxPoolLayer, SumPoolLayer
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import (
    Activation,
    AddLayer,
    ConcatLayer,
    ConvLayer,
    Layer,
    LinearLayer,
    Workload,
)

_THRESHOLD_STEP = 1 / 256
"""Of thresholds on sums of fixed-point inputs."""
_NEVER = float("inf")
Shape = tuple[int, int, int]


def read_bnn_pynq_model(
    folder: Path, workload: Workload, shapes: Mapping[str, Shape], outputs: Sequence[str]
) -> ReferenceGraph:
    """The model of a folder: tensors have the layers' names, sums in front of thresholds ``name/sum``.

    ``shapes``: channels, rows, columns of the input and of every layer. The input holds real numbers:
    pixels of ``fixed8.7`` in 1/128. Raises :class:`InputError` where files and layers do not fit.
    """
    steps: list[Step] = []
    types: dict[str, ValueType | None] = {"input": workload.input.type}
    previous, index = "input", 0
    for layer in workload.layers:
        given = list(layer.inputs or [previous])
        place = f"{folder}: layer {index} ({layer.name})"
        if isinstance(layer, ConvLayer | LinearLayer):
            steps += _matrix_steps(
                folder, index, layer, given[0], shapes, types[given[0]], workload.classes, place
            )
            types[layer.name] = None if layer.activation is None else layer.activation.type
            index += 1
        else:
            steps.append(_step("pool", given, layer.name, _joined(layer, shapes[given[0]], place), place))
            types[layer.name] = types[given[0]]
        previous = layer.name
    return ReferenceGraph(str(folder), "input", shapes["input"], tuple(outputs), tuple(steps), {})


def _step(
    kind: str, given: Sequence[str], made: str, run: Callable[..., Array], place: str
) -> Step:
    return Step(kind, tuple(given), (made,), refusing(lambda arrays: [run(*arrays)]), place)


def _matrix_steps(
    folder: Path,
    index: int,
    layer: ConvLayer | LinearLayer,
    given: str,
    shapes: Mapping[str, Shape],
    kind: ValueType | None,
    classes: Sequence[str] | None,
    place: str,
) -> list[Step]:
    channels, height, width = shapes[given]
    columns = channels * height * width
    if isinstance(layer, ConvLayer):
        columns = channels // layer.groups * layer.kernel_hw[0] * layer.kernel_hw[1]
    rows, stored = _rows_of(folder, index, layer.out, columns, layer.weight, classes or (), place)
    unit = 2.0**-kind.fraction_bits if kind is not None and kind.kind == "fixed" else 1.0
    run: Callable[..., Array] = partial(_dense, rows)
    if isinstance(layer, ConvLayer):
        default = -1.0 if kind is not None and kind.is_bipolar else 0.0
        run = partial(_convolved, layer, rows, unit, default)
    counts = columns if layer.accumulator == "popcount" else 0
    if layer.activation is None:
        return [_step("sum", [given], layer.name, lambda x: _counted(run(x), counts), place)]
    step = _THRESHOLD_STEP if unit < 1 else 1.0
    count = layer.activation.thresholds
    levels = _thresholds_of(folder, index, layer.out, count, stored, place) * step
    sums = f"{layer.name}/sum"
    return [
        _step("sum", [given], sums, lambda x: _counted(run(x), counts), place),
        _step("threshold", [sums], layer.name, partial(_fired, levels, layer.activation), place),
    ]


def _words(folder: Path, index: int, kind: str, place: str) -> Array:
    """``(PE, words)`` of a layer's files. Raises :class:`InputError`."""
    files: list[Path] = []
    while (file := folder / f"{index}-{len(files)}-{kind}.bin").is_file():
        files.append(file)
    if not files:
        raise InputError(place, f"files {index}-PE-{kind}.bin", "none")
    return np.stack([np.fromfile(file, "<u8") for file in files])


def _rows_of(
    folder: Path,
    index: int,
    rows: int,
    columns: int,
    weight: ValueType,
    classes: Sequence[str],
    place: str,
) -> tuple[Array, int]:
    """Weights ``(rows, columns)``, and how many rows are stored; bits 0 stand for those that are not."""
    words = _words(folder, index, "weights", place)
    pes, count = words.shape
    bits = 1 if weight.is_bipolar else weight.bits
    used = int(np.bitwise_or.reduce(words, axis=None)).bit_length()
    ways = []
    for folds in {rows // pes, -(-len(classes) // pes)} - {0}:
        parts = count // folds
        fits = folds * parts == count and parts and columns % parts == 0
        if fits and used <= columns // parts * bits <= 64:
            ways.append((columns // parts, folds))
    if not ways:
        raise InputError(place, f"words for {rows} rows of {columns} columns", f"{pes} x {count}")
    simd, folds = min(ways)
    lanes = [(words >> np.uint64(s * bits)) & np.uint64((1 << bits) - 1) for s in range(simd)]
    codes = np.stack(lanes, axis=-1).astype(np.int64)  # (PE, words, SIMD)
    codes = codes.reshape(pes, folds, columns).transpose(1, 0, 2).reshape(folds * pes, columns)
    whole = np.zeros((rows, columns), np.int64)
    whole[: len(codes)] = codes
    if weight.is_bipolar:
        return 2.0 * whole - 1.0, len(codes)
    return np.where(whole >> (bits - 1), whole - (1 << bits), whole).astype(np.float64), len(codes)


def _thresholds_of(
    folder: Path, index: int, rows: int, count: int, stored: int, place: str
) -> Array:
    """``(rows, count)``; none is ever passed of rows that are not stored."""
    words = _words(folder, index, "thres", place).view("<i8")
    if words.size != stored * count:
        raise InputError(place, f"{stored * count} thresholds", str(words.size))
    folds = words.reshape(len(words), -1, count).transpose(1, 0, 2)
    whole = np.full((rows, count), _NEVER)
    whole[:stored] = folds.reshape(stored, count)
    return whole


def _convolved(layer: ConvLayer, rows: Array, unit: float, default: float, x: Array) -> Array:
    """``default``: what stands around the map where the layer does not say it."""
    height, width = layer.kernel_hw
    weights = rows.reshape(len(rows), height, width, -1).transpose(0, 3, 1, 2)
    top, left, bottom, right = layer.pad_tlbr
    border = default if layer.pad_value is None else layer.pad_value * unit
    how = (layer.stride_hw, layer.dilation_hw, (top, left, bottom, right))
    return convolved(x, weights, *how, groups=layer.groups, border=border)


def _dense(rows: Array, x: Array) -> Array:
    """A map is read pixel by pixel, channel fastest."""
    flat = np.moveaxis(x.reshape(*x.shape[:2], -1), 1, 2).reshape(len(x), -1)
    return np.asarray(flat @ rows.T).reshape(len(x), -1, 1, 1)


def _counted(sums: Array, products: int) -> Array:
    """How many products are +1, of a layer that counts those."""
    return (sums + products) / 2 if products else sums


def _fired(levels: Array, activation: Activation, sums: Array) -> Array:
    above = sums[:, :, np.newaxis] > levels[np.newaxis, :, :, np.newaxis, np.newaxis]
    passed: Array = above.sum(axis=2)
    return 2.0 * passed - 1.0 if activation.type.is_bipolar else passed + float(activation.least)


def _joined(layer: Layer, shape: Shape, place: str) -> Callable[..., Array]:
    if isinstance(layer, AddLayer):
        return lambda *maps: np.sum(maps, axis=0)
    if isinstance(layer, ConcatLayer):
        return lambda *maps: np.concatenate(maps, axis=1)
    if not isinstance(layer, MaxPoolLayer | SumPoolLayer | AveragePoolLayer):
        raise InputError(place, "a layer of BNN-PYNQ's networks", layer.op)
    kernel, stride = layer.kernel_on(*shape[1:]), layer.stride_on(*shape[1:])
    how = (kernel, stride, (1, 1), layer.pad_tlbr)
    if isinstance(layer, MaxPoolLayer):
        return lambda x: maxima(x, *how)
    if isinstance(layer, SumPoolLayer):
        return lambda x: windows(x, *how).sum(axis=(-2, -1))
    is_more = np.greater if layer.compare == ">" else np.greater_equal
    return lambda x: np.where(is_more(windows(x, *how).sum(axis=(-2, -1)), 0), 1.0, -1.0)
