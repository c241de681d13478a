"""What a module of the hardware library is built of, counted; and what Yosys makes of each.

Flip-flops are those of the Verilog, less what every synthesis tool merges or finds constant; LUTs are
the counts below times ratios that were fitted on Yosys (``own_*`` in ``coefficients.yaml``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from types import MappingProxyType

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import multiplexer
from bnnsim.cost.blocks.memories import Ports
from bnnsim.cost.blocks.storage import lut_memory
from bnnsim.cost.blocks.technology import Technology

FRAME_BITS = 32
"""Width of the modules' ``frames``."""
LUT_WORDS = 64
"""Memories of more words are block memories in every module."""
_ONE_PART_WORDS = 512
UNLIKE = 40
"""From so many bits on that tell units apart, none is like another."""

Contents = Mapping[str, Sequence[int]]
"""Of each read-only memory whose words are known, by name: columns of its parts (:func:`columns_of`)."""
UNKNOWN: Contents = MappingProxyType({})
"""Nothing is known of what stands in any memory: the cost of parameters alone."""


def address_bits(count: int) -> int:
    """Bits that tell ``count`` values apart: 0 of one."""
    return (count - 1).bit_length() if count > 1 else 0


@dataclass(frozen=True)
class Structure:
    """Counts of a module's pieces; ``registers`` are flip-flops besides those of ``counters``."""

    units: float = 0
    """Pipeline controls with their handshakes."""
    counters: float = 0
    """Bits of counters that wrap, with the comparison that ends them."""
    frame_counters: float = 0
    adders: float = 0
    """Bits of adders and subtractors."""
    trees: float = 0
    """Bits of the adders of trees, which are too short for carry chains to pay."""
    matches: float = 0
    """LUTs of three XNOR lanes and their count, two for three lanes."""
    compares: float = 0
    """Bits of comparisons of variables."""
    selects: float = 0
    """Bits of multiplexers of two words."""
    tables: float = 0
    """Columns of read-only memories in logic; one for each 16 words."""
    products: float = 0
    """Partial products of multipliers, one a pair of bits."""
    registers: float = 0

    def __add__(self, other: Structure) -> Structure:
        return Structure(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def features(self) -> tuple[float, ...]:
        """What LUTs are a sum of, in the order of :data:`RATIOS`."""
        return astuple(self)[:-1]

    def amounts(self, tech: Technology) -> Estimate:
        """LUTs and flip-flops of these pieces."""
        luts = sum(tech[f"own_{name}"] * n for name, n in zip(RATIOS, self.features, strict=True))
        flip_flops = self.registers + self.counters + FRAME_BITS * self.frame_counters
        return Amounts(lut_logic=luts, ff=flip_flops)


def times(structure: Structure, count: int) -> Structure:
    """``count`` of a structure."""
    total = Structure()
    for _ in range(count):
        total = total + structure
    return total


RATIOS = (
    "unit_luts",
    "counter_luts_per_bit",
    "frame_counter_luts",
    "adder_luts_per_bit",
    "tree_luts_per_bit",
    "match_luts",
    "compare_luts_per_bit",
    "select_luts_per_bit",
    "table_luts_per_bit",
    "product_luts",
)


def control(stages: int, counts_frames: bool, passes: int = 1) -> Structure:
    """Pipeline control of ``stages`` and, where the unit ``counts_frames``, its end of a run."""
    frames = Structure(counters=address_bits(passes), frame_counters=1) if counts_frames else Structure()
    return Structure(units=1, registers=stages) + frames


def tree_bits(operands: int, bits: int) -> int:
    """Bits of the adders of ``sum_tree.v``: halves first, each sum as wide as it can get."""
    if operands <= 1:
        return 0
    left = (operands + 1) // 2
    right = operands - left
    return tree_bits(left, bits) + tree_bits(right, bits) + bits + address_bits(left)


def matches(lanes: int, units: int = 1, depth_words: int = UNLIKE) -> Structure:
    """XNORs and their count, ``match_count.v``, of ``units`` that read the same operand.

    One operand of each is a word of a memory of ``depth_words``. Synthesis keeps one of units whose words
    are the same: of few words there are few kinds.
    """
    threes = math.ceil(lanes / 3)
    firsts = sum(unlike(units, depth_words * min(3, lanes - 3 * i)) for i in range(threes))
    return Structure(
        matches=2 * firsts,
        trees=_shared_tree(threes, 2, lambda part: unlike(units, 3 * depth_words * part)),
    )


def signed_sums(lanes: int, bits: int, units: int) -> Structure:
    """The trees of ``signed_sum.v``: an adder subtracts as well at no cost in LUTs."""
    return Structure(trees=units * tree_bits(lanes, bits))


def fixed_sums(lanes: int, bits: int, units: int) -> Structure:
    """The same of ``units`` that read the same numbers, with signs that never change, with registers.

    A sum's sign is its first number's, so units differ by the signs of the others against it; those
    alike share their sums.
    """
    shared = _shared_tree(lanes, bits, lambda part: unlike(units, part - 1))
    sums = unlike(units, lanes - 1)
    return Structure(adders=shared, registers=sums * (bits + address_bits(lanes)))


def unlike(units: int, bits: float) -> float:
    """How many of ``units`` differ, on average, if ``bits`` random bits tell them apart."""
    if bits >= UNLIKE:
        return units
    kinds = math.pow(2, bits)
    return kinds * (1 - math.pow(1 - 1 / kinds, units))


def _shared_tree(operands: int, bits: int, copies: Callable[[int], float]) -> float:
    """As :func:`tree_bits`, of many units; ``copies``: how many sums of so many operands there are."""
    if operands <= 1:
        return 0
    left = (operands + 1) // 2
    both = _shared_tree(left, bits, copies) + _shared_tree(operands - left, bits, copies)
    return both + copies(operands) * (bits + address_bits(left))


def part_depths(depth_words: int) -> list[int]:
    """Words of each part of a read-only memory, as ``rom.v`` lays it out.

    The largest power of two comes first, then what is left, as long as that is at most half as much.
    """
    depths = []
    while depth_words:
        top = 1 << depth_words.bit_length() - 1
        if depth_words <= _ONE_PART_WORDS or 2 * (depth_words - top) > top:
            top = depth_words
        depths.append(top)
        depth_words -= top
    return depths


def distinct_columns(width_bits: int, depth_words: int) -> int:
    """Columns of a shallow memory that differ from each other, about, where its words look random.

    Synthesis keeps one of equal columns and none that is constant: of few words there are few kinds.
    """
    changing = 1 - math.ldexp(2, -depth_words)  # of all kinds two are constant
    return int(changing * unlike(width_bits, depth_words) + 0.5)


def columns_of(memories: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Columns that synthesis keeps of memories side by side, for each part (:func:`part_depths`).

    Each memory is its words as non-negative integers; all have as many. Of equal columns one is kept, of
    constant ones none.
    """
    images = [tuple(words) for words in memories]
    found, start = [], 0
    for depth in part_depths(len(images[0])):
        kept: set[int] = set()
        for words in images:
            part = words[start : start + depth]
            width = max(part).bit_length()
            kept |= {
                sum((word >> bit & 1) << row for row, word in enumerate(part)) for bit in range(width)
            }
        found.append(len(kept - {0, (1 << depth) - 1}))
        start += depth
    return tuple(found)


def table(width_bits: int, depth_words: int, columns: int | None = None) -> Structure:
    """A read-only memory in logic with the registers of its word.

    ``columns``: how many of it are kept, where its contents are known. A column of up to 64 words would
    fit a LUT6; Yosys takes more the deeper it is.
    """
    if columns is None:
        columns = distinct_columns(width_bits, depth_words)
    return Structure(tables=columns * max(1.0, depth_words / 16), registers=columns)


def rom(
    tech: Technology,
    width_bits: int,
    depth_words: int,
    count: int = 1,
    columns: Sequence[int] | None = None,
) -> Estimate:
    """``count`` read-only memories with registered words: logic up to 64 words a part, above in blocks.

    ``columns``: how many each part keeps of all of them together, where their contents are known.
    """
    depths = part_depths(depth_words)
    total: Estimate = Amounts()
    for part, depth in enumerate(depths):
        if depth > LUT_WORDS:
            total = total + block_memory(tech, width_bits, depth, "single") * count
        elif columns is None:
            total = total + table(width_bits * count, depth).amounts(tech)  # alike in any are kept once
        else:
            total = total + table(width_bits, depth, columns[part]).amounts(tech)
    if len(depths) > 1:  # which part was asked, and the word of that one
        joined = Structure(selects=width_bits * (len(depths) - 1), registers=len(depths))
        total = total + joined.amounts(tech) * count
    return total


def ram(tech: Technology, width_bits: int, depth_words: int, ports: Ports = "simple_dual") -> Estimate:
    """A memory that is written: LUTs up to 64 words, block memory above; without its word's register."""
    if depth_words > LUT_WORDS:
        return block_memory(tech, width_bits, depth_words, ports)
    if ports == "single" and not tech.is_intel:
        bits = 8 if depth_words <= 32 else 4  # of the four LUTs of a RAM32M or RAM64M
        return Amounts(lutram=4 * math.ceil(width_bits / bits))
    return lut_memory(tech, width_bits, depth_words, ports)


def unregistered_ram(tech: Technology, width_bits: int, depth_words: int) -> Estimate:
    """A memory of one address, read in the same cycle as no block memory is: in LUTs however deep.

    256 words a bit are four LUTs and the slice's multiplexers (UG474, RAM256X1S).
    """
    if tech.is_intel:
        return lut_memory(tech, width_bits, depth_words)
    if depth_words <= LUT_WORDS:
        return ram(tech, width_bits, depth_words, "single")
    select = multiplexer(tech, math.ceil(depth_words / 256), width_bits)
    return Amounts(lutram=math.ceil(depth_words / LUT_WORDS) * width_bits) + select


def block_memory(tech: Technology, width_bits: int, depth_words: int, ports: Ports) -> Estimate:
    """Block memories by their geometry."""
    geometry = tech.coefficients
    if tech.is_intel:
        return Amounts(m20k=geometry.m20k.blocks(width_bits, depth_words, ports, tech.layout))
    return Amounts(bram18=geometry.bram18.blocks(width_bits, depth_words, ports, tech.layout))


def own_fifo(tech: Technology, width_bits: int, depth_words: int) -> Estimate:
    """``fifo.v``: a register, distributed memory up to 64 words, block memory with a bypass above."""
    if depth_words == 1:
        return Amounts(lut_logic=tech["own_fifo_luts"] / 2, ff=width_bits + 1)
    bits = address_bits(depth_words)
    wraps = 0 if depth_words == 1 << bits else 1
    luts = tech["own_fifo_luts"] + tech["own_fifo_luts_per_bit"] * bits
    luts += tech["own_fifo_wrap_luts_per_bit"] * bits * wraps
    store = ram(tech, width_bits, depth_words)
    if depth_words > LUT_WORDS:
        # The word that passes by the memory, and the choice between the two.
        luts += tech["own_fifo_lookup_luts_per_bit"] * bits + width_bits
        return store + Amounts(lut_logic=luts, ff=2 * bits + 3 + width_bits)
    # Yosys keeps a copy of the reading pointer at the memory.
    return store + Amounts(lut_logic=luts, ff=3 * bits + 2)
