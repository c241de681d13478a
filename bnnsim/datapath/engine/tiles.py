"""What an array reads and what its sums are, trip by trip: the tiles of a layer's turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.datapath.engine.contents import bounds_of, placed
from bnnsim.datapath.engine.frame import Operands, loop_table, narrow, operands_of, weights_of
from bnnsim.datapath.engine.kernel import DIMENSIONS, accumulate
from bnnsim.datapath.engine.stages import Values
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import LayerProgram, Work
from bnnsim.design.network.network import Node


@dataclass(frozen=True)
class Tile:
    """One trip of a compute step.

    ``step``: which compute step of the turn, from 0; ``trip``: which of its trips. ``bounds``: start and
    stop of every dimension, int64 ``(9, 2)``. ``operands``: the padded input that it reads, ``(planes,
    rows, columns, channels)``, strided windows with what lies between; ``weights``: ``(outputs, kernel
    rows, kernel columns, in_channels)``; ``sums``: the accumulators of its outputs after it, ``(planes,
    outputs, pixels)``. All three are empty where nothing is kept of the trip.
    """

    step: int
    trip: int
    work: Work
    bounds: Integers
    operands: Integers
    weights: Integers
    sums: Integers


def tiles(
    design: EngineDesign, part: LayerProgram, node: Node, values: Values, x: Integers
) -> Iterator[Tile]:
    """Every trip of every compute step of a layer with input ``x`` ``(channels, height, width)``."""
    array = design.architecture.arrays[part.array]
    operands, weights = operands_of(design, part, node, x), weights_of(node, values)
    extents = part.extents
    shape = (extents["planes"], node.output.channels, extents["rows"], extents["columns"])
    sums = np.zeros(shape, np.int64)
    none = np.zeros(0, np.int64)
    step = 0
    for work, bounds, is_new in placed(part.ops, bounds_of(part)):
        if not isinstance(work, Work) or work.kind != "compute":
            continue
        for trip, turn in enumerate(product(*(range(loop.trips) for loop in work.loops))):
            inner = bounds.copy()
            kept = [narrow(inner, loop, i) for loop, i in zip(work.loops, turn, strict=True)]
            if not (is_new and all(kept)):
                yield Tile(step, trip, work, inner, none, none, none)
                continue
            accumulate(
                operands.x,
                weights,
                sums,
                loop_table(()),
                inner,
                operands.stride,
                operands.dilation,
                extents["out_channels"],
                array.accumulator_bits or 0,
            )
            yield Tile(step, trip, work, inner, *_read(operands, weights, sums, inner, extents))
        step += 1


def _read(
    operands: Operands, weights: Integers, sums: Integers, bounds: Integers, extents: Mapping[str, int]
) -> tuple[Integers, Integers, Integers]:
    """A trip's operands, weights and sums."""
    at = {name: (int(a), int(b)) for name, (a, b) in zip(DIMENSIONS, bounds, strict=True)}
    pixels = [
        (row, column)
        for row in range(*at["rows"])
        for column in range(*at["columns"])
        if at["pixels"][0] <= row * extents["columns"] + column < at["pixels"][1]
    ]
    groups = range(*at["groups"])
    outs = [g * extents["out_channels"] + o for g in groups for o in range(*at["out_channels"])]
    ins = [g * extents["in_channels"] + i for g in groups for i in range(*at["in_channels"])]
    if not pixels or not outs:
        none = np.zeros(0, np.int64)
        return none, none, none
    rows, columns = [row for row, _ in pixels], [column for _, column in pixels]
    spans = []
    for seen, kernel, axis in (
        (rows, at["kernel_rows"], 0),
        (columns, at["kernel_columns"], 1),
    ):
        first = min(seen) * operands.stride[axis] + kernel[0] * operands.dilation[axis]
        last = max(seen) * operands.stride[axis] + (kernel[1] - 1) * operands.dilation[axis]
        spans.append(slice(first, last + 1))
    read = operands.x[slice(*at["planes"]), spans[0], spans[1]][..., ins]
    own = weights[outs][
        :, slice(*at["kernel_rows"]), slice(*at["kernel_columns"]), slice(*at["in_channels"])
    ]
    left = sums[slice(*at["planes"])][:, outs][:, :, rows, columns]
    return read, own, left
