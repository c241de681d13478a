"""A weight constant as integers and one scale a row: binary, ternary, few-bit, or quantised on demand.

Training code writes weights that are exact in real numbers and rounded in float32: what agrees within
:data:`NEAR` of a row's largest magnitude is taken as equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s
from bnnsim.importers.exact.rational import fractions_of
from bnnsim.importers.onnx.graph import Grid, ModelGraph, Operator

NEAR = 2.0**-20
"""Of a row's largest magnitude: a few of float32's last bits."""
LARGEST_WEIGHT = 127
"""Of weights that no Quant describes."""
_GRID_BITS = 16

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WeightRows:
    """``weights = scale * integers``, a scale for each row (or one for all).

    ``quantised_bits``: to how many bits real weights were rounded, ``error`` by how much at most; 0
    and 0 where they are the model's own.
    """

    integers: Int64s
    scales: list[Fraction]
    quantised_bits: int = 0
    error: float = 0.0


def weight_rows(
    graph: ModelGraph, operator: Operator, name: str, row_axis: int, real_bits: int | None = None
) -> WeightRows:
    """A weight constant as integers (its own shape) and one scale for each row of ``row_axis``.

    Weights are binary where each row has one magnitude, ternary where it has one beside 0; few-bit
    where a Quant says so or where a row's numbers are whole multiples of one. Others are rounded to
    ``real_bits``; raises :class:`InputError` where that is None.
    """
    values = graph.constants[name]
    grid = graph.grids.get(name)
    if grid is not None:
        return _of_grid(operator, grid, row_axis)
    if not np.all(np.isfinite(values)):
        raise operator.fault("finite weights", "infinite or NaN")
    reals = np.asarray(values, np.float64)
    rows = np.moveaxis(reals, row_axis, 0).reshape(values.shape[row_axis], -1)
    found = _one_magnitude(rows) or _whole(rows) or _multiples(rows)
    if found is None and real_bits is not None:
        found = _rounded(rows, real_bits)
    if found is None:
        distinct = len(np.unique(np.abs(rows[int(np.argmax(np.ptp(np.abs(rows), axis=1)))])))
        raise operator.fault(
            "binary weights (or a Quant of at most 16 bits in front of them, or --real-layers int8)",
            f"{distinct} different magnitudes in one output channel of {name}",
        )
    moved = np.moveaxis(reals, row_axis, 0).shape
    integers = np.moveaxis(found.integers.reshape(moved), 0, row_axis)
    return WeightRows(integers, found.scales, found.quantised_bits, found.error)


def _of_grid(operator: Operator, grid: Grid, row_axis: int) -> WeightRows:
    scale = np.moveaxis(grid.scale, row_axis, 0).reshape(grid.scale.shape[row_axis], -1)
    if np.any(scale != scale[:, :1]):
        raise operator.fault("one weight scale for each output channel", "several in a row")
    integers = grid.integers - grid.zero
    if np.abs(integers).max(initial=0) > 1 << (_GRID_BITS - 1):
        largest = f"{np.abs(integers).max()}"
        raise operator.fault(f"weights of at most {_GRID_BITS} bits", largest)
    return WeightRows(integers, fractions_of(scale[:, 0]))


def _largest(rows: Reals) -> Reals:
    magnitude = np.abs(rows).max(axis=1, initial=0)
    return np.where(magnitude > 0, magnitude, 1.0)


def _one_magnitude(rows: Reals) -> WeightRows | None:
    """Rows of -m, 0 and +m. Where rounding parts the magnitudes, m is their mean."""
    largest, absolute = _largest(rows)[:, None], np.abs(rows)
    is_zero = rows == 0
    if not np.all((absolute >= largest * (1 - NEAR)) | is_zero):
        return None
    counted = np.maximum(1, (~is_zero).sum(axis=1))
    mean = np.where(is_zero, 0, absolute).sum(axis=1) / counted
    same = np.all((absolute == largest) | is_zero, axis=1)
    return WeightRows(
        np.sign(rows).astype(np.int64), fractions_of(np.where(same, largest[:, 0], mean))
    )


def _whole(rows: Reals) -> WeightRows | None:
    """Integers as they are."""
    if np.all(rows == np.round(rows)) and np.abs(rows).max(initial=0) <= LARGEST_WEIGHT + 1:
        return WeightRows(rows.astype(np.int64), [Fraction(1)] * len(rows))
    return None


def _multiples(rows: Reals) -> WeightRows | None:
    """Rows that are small multiples of one number each, such as (2 i - 3) / 3 of DoReFa's weights."""
    largest = _largest(rows)
    integers = np.zeros(rows.shape, np.int64)
    times = np.zeros(len(rows), np.int64)
    open_rows = np.array([len(np.unique(np.abs(row))) <= LARGEST_WEIGHT + 1 for row in rows])
    if not open_rows.all():
        return None
    for count in range(1, LARGEST_WEIGHT + 1):
        left = np.flatnonzero(times == 0)
        if not left.size:
            break
        scaled = rows[left] * (count / largest[left, None])
        fits = np.all(np.abs(scaled - np.rint(scaled)) <= NEAR * count, axis=1)
        integers[left[fits]] = np.rint(scaled[fits]).astype(np.int64)
        times[left[fits]] = count
    if np.any(times == 0):
        return None
    squares = np.maximum(1, (integers * integers).sum(axis=1))
    best = (rows * integers).sum(axis=1) / squares
    plain = largest / times
    same = np.all(rows == integers * plain[:, None], axis=1)
    scales = np.where(same | (best <= 0), plain, best)
    return WeightRows(integers, fractions_of(scales))


def _rounded(rows: Reals, bits: int) -> WeightRows:
    """Rounded to two's complement of ``bits``, symmetric: the largest magnitude of a row is the most."""
    most = (1 << (bits - 1)) - 1
    scales = _largest(rows) / most
    integers = np.rint(rows / scales[:, None])
    error = float(np.abs(integers * scales[:, None] - rows).max(initial=0))
    return WeightRows(integers.astype(np.int64), fractions_of(scales), bits, error)


