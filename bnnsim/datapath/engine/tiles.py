"""What an array reads and what its sums are, trip by trip: the tiles of a layer's turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.datapath.engine.contents import bounds_of, placed
from bnnsim.datapath.engine.frame import operands_of, weights_of
from bnnsim.datapath.engine.kernel import DIMENSIONS, read_trips, seen_pixels
from bnnsim.datapath.engine.stages import Values
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import LayerProgram, Work
from bnnsim.design.network.network import Node

_TRIPS = 1 << 14
"""Trips of a step that are looked at together, at most."""
_ELEMENTS = 1 << 17
"""Elements that are held together, about."""
_WEIGHTS = ("groups", "out_channels", "kernel_rows", "kernel_columns", "in_channels")
_AT = {name: i for i, name in enumerate(DIMENSIONS)}


@dataclass(frozen=True)
class Tiles:
    """Trips of a compute step, one behind the other, that read and add equally much.

    ``step``: which compute step of the turn, from 0; ``first``: which of its trips the first one is.
    ``bounds``: start and stop of every dimension, int64 ``(trips, 9, 2)``. ``operands``: the padded input
    that each reads, ``(trips, elements)``: plane, row, column, channel, strided windows with what lies
    between; ``sums``: the accumulators of its outputs after it, ``(trips, elements)``: plane, output,
    pixel. ``weights``: which of the parts of :class:`LayerTiles` each takes. All three are empty where
    nothing is kept of these trips.
    """

    step: int
    first: int
    work: Work
    bounds: Integers
    operands: Integers
    weights: Integers
    sums: Integers


@dataclass
class LayerTiles:
    """The tiles of one layer, whose parts of the weights are met again in every frame.

    ``parts``: the parts met so far, each ``(outputs, kernel rows, kernel columns, in_channels)``, in the
    order in which they were met.
    """

    design: EngineDesign
    part: LayerProgram
    node: Node
    values: Values
    parts: list[Integers] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._weights = weights_of(self.node, self.values)

    def of(self, x: Integers) -> Iterator[Tiles]:
        """Every trip of every compute step with input ``x`` ``(channels, height, width)``."""
        operands = operands_of(self.design, self.part, self.node, x)
        extents = self.part.extents
        shape = (extents["planes"], self.node.output.channels, extents["rows"], extents["columns"])
        sums = np.zeros(shape, np.int64)
        bits = self.design.architecture.arrays[self.part.array].accumulator_bits or 0
        step = 0
        for work, start, is_new in placed(self.part.ops, bounds_of(self.part)):
            if not isinstance(work, Work) or work.kind != "compute":
                continue
            for first, bounds, kept in _trips(work, start, is_new):
                seen = seen_pixels(bounds, extents["columns"], operands.stride, operands.dilation)
                sizes = _sizes(bounds, seen, kept)
                for begin, end in _runs(sizes):
                    here, size = bounds[begin:end], [int(n) for n in sizes[begin]]
                    planes, rows, columns, ins, outs, pixels = size
                    read = np.zeros((end - begin, planes * rows * columns * ins), np.int64)
                    left = np.zeros((end - begin, planes * outs * pixels), np.int64)
                    parts = np.zeros(0, np.int64)
                    if left.size:
                        parts = np.array([self._part(one) for one in here], np.int64)
                        read_trips(
                            operands.x,
                            self._weights,
                            sums,
                            here,
                            seen[begin:end],
                            operands.stride,
                            operands.dilation,
                            extents["out_channels"],
                            extents["in_channels"],
                            bits,
                            read,
                            left,
                        )
                    yield Tiles(step, first + begin, work, here, read, parts, left)
            step += 1

    def _part(self, bounds: Integers) -> int:
        """The number of the part of the weights that a trip takes."""
        key = bounds[[_AT[name] for name in _WEIGHTS]].tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self.parts)
            at = {name: slice(*(int(n) for n in bounds[_AT[name]])) for name in _WEIGHTS}
            size = self.part.extents["out_channels"]
            groups = range(at["groups"].start, at["groups"].stop)
            own = range(at["out_channels"].start, at["out_channels"].stop)
            within = self._weights[:, at["kernel_rows"], at["kernel_columns"], at["in_channels"]]
            self.parts.append(within[[group * size + out for group in groups for out in own]])
        return self._numbers[key]


def _trips(work: Work, start: Integers, is_new: bool) -> Iterator[tuple[int, Integers, Integers]]:
    """A step's trips in their order, some at a time: the first one's number, the bounds of each, int64
    ``(trips, 9, 2)``, and which of them are kept."""
    turns = tuple(loop.trips for loop in work.loops)
    for first in range(0, prod(turns), _TRIPS):
        numbers = np.arange(first, min(prod(turns), first + _TRIPS))
        bounds = np.repeat(start[None], len(numbers), axis=0)
        kept = np.full(len(numbers), is_new)
        index = np.unravel_index(numbers, turns) if turns else ()
        for loop, at in zip(work.loops, index, strict=True):
            if loop.dimension not in _AT:
                kept &= at == 0
                continue
            row = bounds[:, _AT[loop.dimension]]
            row[:, 0] += at * loop.tile
            row[:, 1] = np.minimum(row[:, 1], row[:, 0] + loop.tile)
            kept &= row[:, 0] < row[:, 1]
        yield first, bounds, kept


def _sizes(bounds: Integers, seen: Integers, kept: Integers) -> Integers:
    """Of each trip its planes, rows and columns read, channels read, outputs and pixels, int64
    ``(trips, 6)``; all 0 where nothing is kept."""
    count = {name: bounds[:, i, 1] - bounds[:, i, 0] for name, i in _AT.items()}
    sizes = np.stack(
        [
            count["planes"],
            seen[:, 1],
            seen[:, 3],
            count["groups"] * count["in_channels"],
            count["groups"] * count["out_channels"],
            seen[:, 4],
        ],
        axis=1,
    )
    sizes[~kept | (sizes <= 0).any(axis=1)] = 0
    return sizes


def _runs(sizes: Integers) -> Iterator[tuple[int, int]]:
    """Stretches of equal sizes that are not too large to be held together."""
    edges = np.flatnonzero((sizes[1:] != sizes[:-1]).any(axis=1)) + 1
    for begin, end in zip([0, *edges], [*edges, len(sizes)], strict=True):
        planes, rows, columns, ins, outs, pixels = (int(n) for n in sizes[begin])
        most = max(1, _ELEMENTS // max(1, planes * (rows * columns * ins + outs * pixels)))
        for at in range(int(begin), int(end), most):
            yield at, min(int(end), at + most)
