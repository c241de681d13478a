"""The part lists of published engine accelerators whose structure is known from their source code."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bnnsim.cost.engine_parts import (
    Bank,
    accumulators,
    address_unit,
    average_pool,
    bank_parts,
    bit_assembly,
    data_movers,
    line_registers,
    multiply_accumulate,
    parameter_registers,
    popcount_array,
    quantizer,
    scaling_unit,
    sequencer,
    signed_window,
    tap_sums,
    ternary_convolvers,
)
from bnnsim.cost.parts import Part, total
from bnnsim.cost.platform import platform_parts
from bnnsim.cost.storage import dma_port
from bnnsim.cost.technology import Technology


def acce_bnn_parts(
    tech: Technology, convolvers: int, data_mover_count: int, blocks: int | None = None
) -> tuple[Part, ...]:
    """Acce-BNN (Zhao et al., FPGA 2017) with ``convolvers`` convolvers, from its Accel.cpp.

    64 columns, 3 x 3 taps, words of 64 bits; buffers as in Accel.h. ``data_mover_count`` is 4 in the
    branch ``master`` (input, output, weights, thresholds) and 3 in ``optimized``.
    """
    columns, taps = 64, 9
    weight_words = math.ceil(math.ceil(16 * 4 * 512 / 7) / convolvers)
    map_words = 128 * 32 * 32 // 64 // convolvers
    logic = [
        # 8 banks x 3 rows x 10 columns of two bits, the word and the previous word of 8 x 10; the
        # rows shift by one, two or four banks with the map's width, from either word, or take zero.
        ternary_convolvers(tech, "convolvers", convolvers, columns, taps, 2 * 8 * (3 + 2) * 10, 6),
        accumulators(tech, "accumulators", columns, convolvers, 5, 12),
        # The phases' sums are added up once more before the threshold.
        accumulators(tech, "phase sums", columns, 1, 12, 12),
        signed_window(tech, "first layer", 27, 20, 24),
        # Rows are cleared or shifted; the synthesis report counts nine read multiplexers.
        line_registers(tech, "first layer's lines", 6, 32, 20, 27, reads=9, writers=2),
        bit_assembly(tech, "first layer's output words", 16, 64, ports=2),
        bit_assembly(tech, "dense layer's output word", 1, 64),
        popcount_array(tech, "dense layer", convolvers, 64, "swar"),
        tap_sums(tech, "dense layer's sums", 1, convolvers, 8, 16, masked=False),
        multiply_accumulate(tech, "scores", 1, 16, 16, 20),
        address_unit(tech, "addresses", 27, 16, products=2),
        sequencer(tech, "control", 60),
        data_movers(tech, "data movers", data_mover_count),
    ]
    banks = [
        Bank("feature maps", 64, map_words, 2 * convolvers, ports="true_dual", writers=5, readers=5),
        Bank("weights", 64, weight_words, convolvers, writers=1, readers=3),
        Bank("thresholds", 64, 64, 1, readers=3),
        Bank("partial sums", 12, 32, columns, writers=3, readers=2),
    ]
    return _complete(tech, logic, banks, blocks)


def fracbnn_cifar10_parts(tech: Technology, blocks: int | None = None) -> tuple[Part, ...]:
    """FracBNN for CIFAR-10 (Zhang et al., FPGA 2021), from pgconv.h, layer.h and bnn_tiled.cc.

    16 output channels x 9 taps x 64 bits a cycle, all weights in ROMs, maps of 33 x 33.
    """
    out, taps, word, side = 16, 9, 64, 33
    logic = [
        popcount_array(tech, "binary convolution", out * taps, word, "swar"),
        tap_sums(tech, "tap sums", out, taps, 9, 16),
        scaling_unit(tech, "gate", out, 1, 1, 16, 12),
        line_registers(tech, "lines", 2, side, word, taps),
        # 2/3 MSB + 1/3 LSB, batch-norm, shifts and slope of the RPReLU, shortcut, batch-norm.
        scaling_unit(tech, "batch-norm and RPReLU", out, 5, 6, 16, 12, selects=2),
        scaling_unit(tech, "first batch-norm", out, 1, 1, 16, 12),
        quantizer(tech, "quantizer", out, 17, 2, word),
        average_pool(tech, "shortcut pool", out, 16, 16),
        average_pool(tech, "final pool", out, 32, 32),
        multiply_accumulate(tech, "last layer", 10, 16, 12, 16),
        address_unit(tech, "addresses", 40, 11),
        sequencer(tech, "control", 150),
    ]
    banks = [
        Bank("residual", 16, side * side, 64, writers=4, readers=5),
        Bank("partial sums", 16, side * side, 2 * out, writers=2, readers=3),
        Bank("bit maps", word, side * side, 3, writers=3, readers=1),
        Bank("pool buffer", 16, 256, out),
        Bank("parameters", 7 * 12, 42, out, style="lutram", ports="single", is_rom=True),
        Bank("weights", word, 45, out * taps, ports="single", is_rom=True),
    ]
    ports = [Part("image port", dma_port(tech, 64)), Part("result port", dma_port(tech, 32))]
    return _complete(tech, [*logic, *ports, *platform_parts(tech, 2)], banks, blocks)


def fracbnn_imagenet_parts(tech: Technology, blocks: int | None = None) -> tuple[Part, ...]:
    """FracBNN for ImageNet (Zhang et al., FPGA 2021), from xcel-imagenet/source.

    32 output channels x 9 taps x 32 bits a cycle (1 x 1: one tap), weights through a 512-bit port,
    row tiles of 7, both bit maps of 51,200 words on chip.
    """
    out, taps, word = 32, 9, 32
    logic = [
        popcount_array(tech, "3 x 3 convolution", out * taps, word),
        tap_sums(tech, "3 x 3 sums", out, taps, 7, 10),
        popcount_array(tech, "1 x 1 convolution", out, word),
        tap_sums(tech, "1 x 1 sums", out, 1, 7, 10, masked=False),
        parameter_registers(tech, "3 x 3 weights", 1, out * taps, word),
        parameter_registers(tech, "1 x 1 weights", 1, out, word),
        parameter_registers(tech, "parameters", 8, out, 14, 2),
        # Gate, 2/3 MSB + 1/3 LSB, batch-norm, RPReLU, 2/15 shortcut, batch-norm.
        scaling_unit(tech, "batch-norm and RPReLU", out, 6, 7, 14, 14, selects=2),
        scaling_unit(tech, "first batch-norm", out, 1, 1, 13, 14),
        quantizer(tech, "4-bit quantizer", 2 * out, 13, 4, word),
        quantizer(tech, "2-bit quantizer", 2 * out, 13, 2, word),
        average_pool(tech, "shortcut pool", out, 4, 6),
        address_unit(tech, "addresses", 40, 32),
        sequencer(tech, "control", 150),
    ]
    banks = [
        Bank("bit maps", word, 51200, 2, writers=3, readers=2),
        Bank("partial sums", 10, 9 * 226, out, writers=2, readers=4),
        Bank("shortcut", 4, 8 * 114, out, writers=2, readers=2),
        Bank("transfer words", 512, 228, 1, writers=3, readers=3),
        Bank("transfer pixels", 128, 228, 4, ports="true_dual", writers=2, readers=2),
        Bank("lines", word, 226, 2),
    ]
    ports = [
        Part("image port", dma_port(tech, 32, writes=False)),
        Part("weight port", dma_port(tech, 512, writes=False)),
        Part("shortcut port", dma_port(tech, 512)),
    ]
    return _complete(tech, [*logic, *ports, *platform_parts(tech, 3)], banks, blocks)


def fp_bnn_parts(
    tech: Technology, in_channels: int = 64, out_channels: int = 64, taps: int = 9
) -> tuple[Part, ...]:
    """FP-BNN (Liang et al., Neurocomputing 2018): an inferred structure, of no use for calibration.

    One array of ``in_channels x out_channels x taps`` XNORs that executes all layers; the 14,022,016
    weight bits of BinaryNet stay on chip, two maps of 128 x 32 x 32 bits are double buffered.
    """
    lanes = in_channels * taps
    logic = [
        popcount_array(tech, "array", out_channels, lanes),
        accumulators(tech, "accumulators", out_channels, 1, lanes.bit_length(), 16),
        signed_window(tech, "first layer", 27, 8, 16, out_channels),
        line_registers(tech, "lines", 2, 32, in_channels, taps),
        scaling_unit(tech, "batch-norm", 20, 1, 1, 16, 16),
        address_unit(tech, "addresses", 30, 16),
        sequencer(tech, "control", 60),
    ]
    word = lanes * out_channels
    banks = [
        Bank("weights", word, math.ceil(14_022_016 / word), ports="single"),
        Bank("thresholds", 16 * out_channels, math.ceil(3978 / out_channels), ports="single"),
        Bank("feature maps", in_channels, 128 * 32 * 32 // in_channels, 4, writers=2, readers=2),
    ]
    return _complete(tech, logic, banks, None)


def _complete(
    tech: Technology, logic: Sequence[Part], banks: Sequence[Bank], blocks: int | None
) -> tuple[Part, ...]:
    """Logic and memories; ROMs move to LUTs if the device has fewer than all needed ``blocks``."""
    used = total(logic)
    return (*logic, *bank_parts(tech, banks, used.bram18 + used.m20k, blocks))
