"""Parts of engine accelerators, each from plain parameters: an engine's cost is the sum of named parts.

An engine specification feeds these with its own numbers; nothing here knows any published design.
Memories are described by :class:`Bank`. A design that needs more blocks than there are does not fit;
tools then build ROMs from LUTs, which :func:`move_constants` tells apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import (
    adder_luts,
    adder_tree_luts,
    comparator_luts,
    control,
    counter,
    datapath,
    fixed_point_multiplier,
    hls_tree_luts,
    multiplexer,
    state_machine,
    xnor_popcount,
)
from bnnsim.cost.blocks.memories import Ports
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import lut_rom, memory, register_file
from bnnsim.cost.blocks.technology import Technology
from bnnsim.spec.accelerator import WeightMemory
from bnnsim.spec.engine.circuits import PopcountForm


@dataclass(frozen=True)
class Bank:
    """``count`` equal memories, each with the multiplexers of those who share it.

    ``writers`` and ``readers`` are how many units write to and read from it in turn; ``is_rom`` marks
    constants, which synthesis may build from LUTs.
    """

    name: str
    width_bits: int
    depth_words: int
    count: int = 1
    style: WeightMemory = "bram"
    ports: Ports = "simple_dual"
    writers: int = 1
    readers: int = 1
    is_rom: bool = False

    @property
    def bits(self) -> int:
        return self.width_bits * self.depth_words * self.count


def bank_part(tech: Technology, bank: Bank) -> Part:
    """The memories of a bank and their address and data multiplexers."""
    address_bits = max(1, (bank.depth_words - 1).bit_length())
    shared = multiplexer(tech, bank.writers, address_bits + bank.width_bits)
    shared = shared + multiplexer(tech, bank.readers, address_bits)
    return Part(bank.name, (_store(tech, bank) + shared) * bank.count)


def _store(tech: Technology, bank: Bank) -> Estimate:
    return memory(tech, bank.width_bits, bank.depth_words, bank.style, bank.ports, "hls", "buffer")


def move_constants(tech: Technology, banks: Sequence[Bank], blocks: float) -> Estimate:
    """What changes where constants give up ``blocks`` block memories and become LUTs, as tools do it.

    ROMs move, of the last bank first, whole memories; RAMs never do. Fewer blocks come free than asked
    for where there are not as many ROMs.
    """
    changed: Estimate = Amounts()
    for bank in reversed(banks):
        store = _store(tech, bank)
        each = store.bram18 + store.m20k
        freed = -changed.bram18 - changed.m20k
        if not bank.is_rom or not each or freed >= blocks:
            continue
        moved = min(bank.count, math.ceil((blocks - freed) / each))
        constants = lut_rom(tech, bank.width_bits, bank.depth_words)
        changed = changed + constants * moved + store * -moved
    return changed


def popcount_array(
    tech: Technology, name: str, words: int, bits: int, form: PopcountForm = "tree"
) -> Part:
    """``words`` XNOR-popcounts of ``bits`` bits each."""
    return Part(name, xnor_popcount(tech, bits, form=form) * words)


def tap_sums(
    tech: Technology,
    name: str,
    outputs: int,
    taps: int,
    term_bits: int,
    sum_bits: int,
    offsets: bool = True,
    masked: bool = True,
) -> Part:
    """Sums of ``taps`` terms for each of ``outputs`` outputs, added to a partial sum of ``sum_bits``.

    ``offsets``: each popcount p becomes 2p - K first (an adder). ``masked``: a border tap is forced to
    zero (an AND a bit).
    """
    luts = adder_tree_luts(tech, taps, term_bits) + adder_luts(tech, sum_bits)
    if offsets:
        luts += taps * adder_luts(tech, term_bits)
    gates = taps * term_bits / 2 if masked else 0
    cost = datapath(tech, outputs * luts, outputs * sum_bits) + control(tech, outputs * gates)
    return Part(name, cost)


def ternary_convolvers(
    tech: Technology,
    name: str,
    convolvers: int,
    columns: int,
    taps: int,
    line_bits: int,
    sources: int,
) -> Part:
    """Convolvers that form ``columns`` sums of ``taps`` terms in {-1, 0, +1} from registers each cycle.

    A term is two bits; the weight's sign is applied in half a LUT a tap. ``line_bits`` bits of line
    buffer in registers take one of ``sources`` values each cycle.
    """
    sums = columns * (taps / 2 + hls_tree_luts(tech, taps, 2))
    window = multiplexer(tech, sources, line_bits) + control(tech, 0, line_bits)
    return Part(name, (datapath(tech, sums) + window) * convolvers)


def accumulators(
    tech: Technology, name: str, columns: int, terms: int, term_bits: int, sum_bits: int
) -> Part:
    """``columns`` accumulators that add ``terms`` results a cycle and compare with a threshold."""
    luts = adder_tree_luts(tech, terms, term_bits) + adder_luts(tech, sum_bits)
    luts += comparator_luts(tech, sum_bits)
    return Part(name, datapath(tech, columns * luts, columns * sum_bits))


def signed_window(
    tech: Technology, name: str, taps: int, bits: int, sum_bits: int, outputs: int = 1
) -> Part:
    """Fixed-point convolution with +/-1 weights: negate each tap, add all up, compare."""
    luts = taps * adder_luts(tech, bits) + adder_tree_luts(tech, taps, bits)
    luts += comparator_luts(tech, sum_bits)
    return Part(name, datapath(tech, outputs * luts, outputs * taps * bits))


def line_registers(
    tech: Technology,
    name: str,
    rows: int,
    row_words: int,
    word_bits: int,
    window_words: int = 9,
    reads: int | None = None,
    writers: int = 1,
) -> Part:
    """Line buffers and window in registers.

    ``reads`` read multiplexers over a row (default: one a row); ``writers`` values that a word can take.
    """
    row = register_file(tech, word_bits, row_words, reads=0)
    select = multiplexer(tech, row_words, word_bits) * (rows if reads is None else reads)
    chosen = multiplexer(tech, writers, rows * row_words * word_bits)
    return Part(name, row * rows + select + chosen + control(tech, 0, window_words * word_bits))


def bit_assembly(tech: Technology, name: str, words: int, word_bits: int, ports: int = 1) -> Part:
    """Words in registers that are filled bit by bit: read, one bit replaced, written back.

    ``ports`` read multiplexers (one for the insertion, more for who takes the words).
    """
    store = register_file(tech, word_bits, words, reads=ports)
    return Part(name, store + control(tech, word_bits))


def scaling_unit(
    tech: Technology,
    name: str,
    channels: int,
    multipliers: int,
    adders: int,
    bits: int,
    factor_bits: int,
    selects: int = 0,
) -> Part:
    """Fixed-point scaling, bias and activation of ``channels`` channels at once.

    ``multipliers`` products of ``bits`` x ``factor_bits`` in DSPs, ``adders`` additions and ``selects``
    two-way selections of ``bits`` bits a channel (batch-norm, PReLU, shortcut).
    """
    each = fixed_point_multiplier(tech, bits, factor_bits) * multipliers
    each = each + datapath(tech, adders * adder_luts(tech, bits), (adders + multipliers) * bits)
    each = each + multiplexer(tech, 2, bits) * selects
    return Part(name, each * channels)


def quantizer(
    tech: Technology, name: str, channels: int, bits: int, planes: int, packed_bits: int
) -> Part:
    """Scale and saturate ``channels`` values to ``planes`` bits and insert them into packed words."""
    each = datapath(tech, adder_luts(tech, bits) + comparator_luts(tech, bits), planes)
    return Part(name, each * channels + control(tech, planes * packed_bits))


def average_pool(tech: Technology, name: str, channels: int, bits: int, sum_bits: int) -> Part:
    """Running sums of ``channels`` channels."""
    luts = channels * adder_luts(tech, sum_bits)
    return Part(name, datapath(tech, luts, channels * (bits + sum_bits)))


def multiply_accumulate(
    tech: Technology, name: str, lanes: int, a_bits: int, b_bits: int, sum_bits: int
) -> Part:
    """``lanes`` fixed-point multiply-accumulates in DSPs."""
    each = fixed_point_multiplier(tech, a_bits, b_bits)
    each = each + datapath(tech, adder_luts(tech, sum_bits), sum_bits)
    return Part(name, each * lanes)


def address_unit(tech: Technology, name: str, counters: int, bits: int, products: int = 0) -> Part:
    """Loop counters and addresses; ``products`` address multiplications in DSPs."""
    loops = counter(tech, bits) * counters
    return Part(name, loops + fixed_point_multiplier(tech, bits, bits) * products)


def sequencer(tech: Technology, name: str, states: int) -> Part:
    """The top-level state machine."""
    return Part(name, state_machine(tech, states))


def parameter_registers(
    tech: Technology, name: str, vectors: int, entries: int, bits: int, sources: int = 1
) -> Part:
    """Vectors of parameters in registers, loaded from memory; ``sources`` sets to select from."""
    words = vectors * entries * bits
    return Part(name, control(tech, 0, words * sources) + multiplexer(tech, sources, words))


def data_movers(tech: Technology, name: str, movers: int) -> Part:
    """SDSoC data movers (simple AXI DMA, stream adapter and their share of the interconnect)."""
    each = Amounts(
        lut_logic=tech["data_mover_luts"],
        ff=tech["data_mover_luts"],
        bram18=tech["data_mover_bram18"],
    )
    return Part(name, each * movers)
