"""How many memory blocks a word store takes: the blocks' real geometry, and two ways to lay them out.

The *timing* layout is what Vivado does unless told otherwise: blocks as deep as the memory, side by
side, so that no multiplexer follows them (UG912, property RAM_DECOMP). It wastes the rest of each
block on depths just above a power of two. The *area* layout is the cheapest tiling that may mix all
shapes in depth and width; an architecture asks for it with ``ram_decomposition: area``. Geometry and
sources are in ``coefficients.yaml``.

Why ``timing`` is the default: placed designs show it. BNN-PYNQ's three CNV accelerators have 248, 263
and 280 blocks (140 tiles, all of the part); side by side gives 250, 265 and 295, the cheapest tiling
207, 222 and 255. Where memories fill their blocks (its LFC: 220; Acce-BNN: 192 against 188 placed)
the two agree. A designer who tells the tool to save blocks, at the price of a multiplexer behind them,
gets ``area``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Layout = Literal["timing", "area"]
Ports = Literal["single", "simple_dual", "true_dual"]
Shape = tuple[int, int, int]
"""(depth in words, width in bits, what it counts in the vendor's unit)."""


@dataclass(frozen=True)
class BlockGeometry:
    """The shapes one kind of block RAM can take, deepest first.

    ``shapes`` serve single and simple dual port memories, ``true_dual_shapes`` those that need two
    full ports. A Xilinx RAMB36 is a shape that counts two BRAM18.
    """

    shapes: tuple[Shape, ...]
    true_dual_shapes: tuple[Shape, ...]

    @property
    def bits_per_block(self) -> int:
        """Bits of one block, parity included: 18,432 of a RAMB18."""
        return max(depth * width // count for depth, width, count in self.shapes)

    def blocks(
        self, width_bits: int, depth_words: int, ports: Ports = "simple_dual", layout: Layout = "timing"
    ) -> int:
        """Blocks for ``depth_words`` words of ``width_bits``; 0 for an empty memory."""
        if width_bits <= 0 or depth_words <= 0:
            return 0
        shapes = self.true_dual_shapes if ports == "true_dual" else self.shapes
        if layout == "timing":
            return side_by_side(shapes, width_bits, depth_words)
        return cheapest_tiling(shapes, width_bits, depth_words)


def geometry_from_pairs(
    small: Sequence[Sequence[int]],
    large: Sequence[Sequence[int]] = (),
    small_true_dual: Sequence[Sequence[int]] | None = None,
    large_true_dual: Sequence[Sequence[int]] | None = None,
) -> BlockGeometry:
    """Geometry from (depth, width) lists: ``small`` blocks count one, ``large`` ones two."""

    def shapes(ones: Sequence[Sequence[int]], twos: Sequence[Sequence[int]]) -> tuple[Shape, ...]:
        pairs = [(p[0], p[1], 1) for p in ones] + [(p[0], p[1], 2) for p in twos]
        return tuple(sorted(pairs, reverse=True))

    return BlockGeometry(
        shapes(small, large),
        shapes(
            small if small_true_dual is None else small_true_dual,
            large if large_true_dual is None else large_true_dual,
        ),
    )


@lru_cache(maxsize=65536)
def side_by_side(shapes: tuple[Shape, ...], width_bits: int, depth_words: int) -> int:
    """Blocks as deep as the memory, next to each other.

    The depth is that of the shallowest shape that still holds all words. A memory deeper than any block
    is a cascade of rows of the deepest, the last one as deep: FINN's 147,456 x 8 weights of a CNV are 5
    x 8 RAMB36 (Finn_Thesis). The last column takes the smaller block if it is enough.
    """
    depths = sorted({shape[0] for shape in shapes})
    if depth_words > depths[-1]:
        rows = -(-depth_words // depths[-1])
        return rows * side_by_side(shapes, width_bits, depths[-1])
    depth = next(d for d in depths if d >= depth_words)
    columns = [(width, count) for d, width, count in shapes if d == depth]
    best: int | None = None
    for width, count in columns:
        whole, rest = divmod(width_bits, width)
        tail = min(c for w, c in columns if w >= rest) if rest else 0
        total = whole * count + tail
        best = total if best is None else min(best, total)
    assert best is not None
    return best


@lru_cache(maxsize=65536)
def cheapest_tiling(shapes: tuple[Shape, ...], width_bits: int, depth_words: int) -> int:
    """The fewest blocks over tilings that cut the memory into rectangles of any of the shapes.

    Each step places a grid of one shape in a corner and tiles the strip beside and the strip below.
    """
    if width_bits <= 0 or depth_words <= 0:
        return 0
    best: int | None = None
    for depth, width, count in shapes:
        for rows in {max(1, depth_words // depth), -(-depth_words // depth)}:
            for columns in {max(1, width_bits // width), -(-width_bits // width)}:
                placed = rows * columns * count
                if best is not None and placed >= best:
                    continue
                below = cheapest_tiling(shapes, width_bits, depth_words - rows * depth)
                beside = cheapest_tiling(
                    shapes, width_bits - columns * width, min(depth_words, rows * depth)
                )
                total = placed + below + beside
                best = total if best is None else min(best, total)
    assert best is not None
    return best
