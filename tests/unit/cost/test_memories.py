"""Block memory tiling against the blocks' geometry, written out by hand."""

import itertools

import pytest

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.memories import cheapest_tiling, geometry_from_pairs

BRAM18 = default_coefficients().bram18
M20K = default_coefficients().m20k


@pytest.mark.parametrize(
    ("width", "depth", "blocks"),
    [
        (36, 512, 1),
        (72, 512, 2),
        (18, 1024, 1),
        (9, 2048, 1),
        (4, 4096, 1),
        (2, 8192, 1),
        (1, 16384, 1),
        (37, 512, 2),
        (1, 1, 1),
        (0, 512, 0),
        (8, 0, 0),
    ],
)
def test_a_block_holds_its_own_shape_and_one_more_bit_takes_one_more(width, depth, blocks):
    for layout in ("timing", "area"):
        assert BRAM18.blocks(width, depth, layout=layout) == blocks


@pytest.mark.parametrize(
    ("width", "depth", "timing"),
    [
        # 18,432 words: RAMB36 of 32K x 1, one a bit, two BRAM18 each.
        (32, 18432, 64),
        # 2,304 words: RAMB36 of 4K x 9, four of them.
        (32, 2304, 8),
        # 2,341 words of 64 bits: seven RAMB36 of 4K x 9 and a BRAM18 for the last bit.
        (64, 2341, 15),
        # 51,200 words: two rows of 32K.
        (32, 51200, 128),
        # 147,456 words of 8 bits, FINN's fc0 of a CNV: placed in 40 RAMB36, five rows of 32K a bit.
        (8, 147456, 80),
    ],
)
def test_timing_layout_is_as_deep_as_the_memory_and_side_by_side(width, depth, timing):
    assert BRAM18.blocks(width, depth) == timing


def test_side_by_side_layout_gives_the_blocks_of_a_synthesised_design_by_kind():
    """Acce-BNN's core on a Kintex-7 (2 convolvers): 22 RAMB36 and 68 RAMB18, 112 BRAM18."""
    memories = [(64, 1024, 4), (64, 64, 1), (64, 2341, 2), (12, 32, 64)]
    assert sum(BRAM18.blocks(w, d) * n for w, d, n in memories) == 2 * 22 + 68


def test_two_full_ports_halve_the_widest_word():
    assert BRAM18.blocks(64, 14) == 2
    assert BRAM18.blocks(64, 14, "true_dual") == 4
    assert BRAM18.blocks(128, 5, "true_dual") == 8


def test_area_layout_never_takes_more_blocks_than_timing_layout():
    for width, depth in itertools.product((1, 3, 8, 17, 32, 64), (5, 100, 600, 2304, 18432, 40000)):
        assert BRAM18.blocks(width, depth, layout="area") <= BRAM18.blocks(width, depth)


def test_area_layout_reaches_the_bits_it_must_hold_and_not_fewer():
    for width, depth in itertools.product((1, 8, 32, 36), (512, 2304, 18432)):
        assert BRAM18.blocks(width, depth, layout="area") * 18432 >= width * depth
    # 2,304 x 32 bits are 4 blocks' worth of bits; the best real tiling needs a fifth.
    assert BRAM18.blocks(32, 2304, layout="area") == 5


def _smallest_by_brute_force(shapes, width, depth):
    """Every way to cut off a strip of one shape's depth or width; tiny memories only."""
    if width <= 0 or depth <= 0:
        return 0
    best = None
    for block_depth, block_width, count in shapes:
        strips = [
            -(-width // block_width) * count
            + _smallest_by_brute_force(shapes, width, depth - block_depth),
            -(-depth // block_depth) * count
            + _smallest_by_brute_force(shapes, width - block_width, depth),
        ]
        best = min(strips) if best is None else min(best, *strips)
    return best


def test_cheapest_tiling_is_no_worse_than_cutting_strips_by_hand():
    shapes = ((8, 1, 1), (4, 2, 1), (2, 4, 1))
    for width, depth in itertools.product(range(1, 7), range(1, 11)):
        tiled = cheapest_tiling(shapes, width, depth)
        assert tiled <= _smallest_by_brute_force(shapes, width, depth)
        assert tiled * 8 >= width * depth


def test_m20k_has_intels_shapes():
    assert M20K.blocks(40, 512) == 1
    assert M20K.blocks(20, 1024) == 1
    assert M20K.blocks(5, 4096) == 1
    assert M20K.blocks(41, 512) == 2
    assert M20K.blocks(40, 512, "true_dual") == 2


def test_a_geometry_counts_large_blocks_twice():
    geometry = geometry_from_pairs([[4, 2]], [[4, 4]])
    assert geometry.blocks(2, 4) == 1
    assert geometry.blocks(4, 4) == 2
    assert geometry.blocks(6, 4) == 3
