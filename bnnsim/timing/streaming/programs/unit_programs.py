"""The program of every kind of streaming unit.

Sources: behaviour of the Vivado HLS library of BNN-PYNQ (2016-2017), read off its boards' frame times;
of FINN's RTL library (finn-rtllib), measured module by module with Verilator. Both are collected in the
project's reference measurements (``tests/golden/cycles/rtl_cycles.csv``, the CNV board times). The idle
steps are the HLS loops' fill between frames or rows.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import lru_cache
from typing import assert_never

import numpy as np

from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    LabelSelect,
    Lookup,
    Multiply,
    Mvau,
    Padding,
    Pool,
    Repeat,
    Scale,
    Sink,
    Source,
    Split,
    Threshold,
    Unit,
    UnitParameters,
    WeightBuffer,
    Window,
)
from bnnsim.design.streaming.window_order import window_order
from bnnsim.spec.streaming.hardware import UnitLibrary
from bnnsim.timing.streaming.programs.matrix_programs import (
    loops_of,
    mvau_program,
    runs_of,
    weight_buffer_program,
)
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.programs.steps import Block, Loop, Run

WINDOW_IDLE_STEPS = 8
POOL_IDLE_STEPS = 3
LABEL_SELECT_IDLE_STEPS = 3
"""Between one pixel's positions and the next one's scores. LabelSelect of 27 labels as
Vitis HLS 2024.1 writes it (UCdasec/RadioFINN), in simulation: 31 cycles a frame, 29 from the first score
to the position."""
PARALLEL_GAP_STEPS = 1
ROW_BUFFER_DEPTH = 4
POOL_DEPTH = 2
LABEL_SELECT_DEPTH = 2
SCALE_DEPTH = 4
"""A fully pipelined DSP slice registers operands, product and sum (Xilinx UG479, DSP48E1); one more
register behind rounding and saturation."""
LOOKUP_DEPTH = 5
"""The held integer, the table's word, then product, sum and exit."""
MULTIPLY_DEPTH = 3
"""A fully pipelined DSP slice without its sum's: operands, product, result (Xilinx UG479, DSP48E1)."""
RTL_WINDOW_LATENCY = 2
RTL_WINDOW_EXIT_WORDS = 2
"""Words that have left the RTL window's buffer and sit in its fetch and output registers."""


def unit_program(unit: Unit) -> Program:
    """The program of ``unit``; equal units share one object."""
    return _restarting(unit.parameters, unit.library, unit.freezes, unit.restart_steps)


@lru_cache(maxsize=4096)
def _restarting(p: UnitParameters, library: UnitLibrary, freezes: bool, restart_steps: int) -> Program:
    """A unit's program, and after each frame the steps until its next call begins."""
    program = _program(p, library, freezes)
    if not restart_steps or not isinstance(program, Lockstep):
        return program
    return replace(program, blocks=(*program.blocks, Block(1, (Run(restart_steps),))))


@lru_cache(maxsize=4096)
def _program(p: UnitParameters, library: UnitLibrary, freezes: bool) -> Program:
    match p:
        case Source():
            return _source(p, freezes)
        case Sink():
            return _sink(p)
        case Converter():
            return _converter(p, library, freezes)
        case Padding():
            return _padding(p)
        case Window():
            return _window(p, freezes)
        case Mvau():
            return mvau_program(p, library, freezes)
        case Pool():
            return _pool(p, freezes)
        case Threshold():
            return _threshold(p)
        case Scale():
            return _scale(p)
        case Lookup():
            return Lockstep((Block(p.words, (Run(1, True, True),)),), LOOKUP_DEPTH, False)
        case Split():
            return _split(p, freezes)
        case Add() | Concat() | Multiply():
            return _join(p, freezes)
        case Repeat():
            return _repeat(p, freezes)
        case LabelSelect():
            return _label_select(p, freezes)
        case WeightBuffer():
            return weight_buffer_program(p)
        case _:
            assert_never(p)


def _source(p: Source, freezes: bool) -> Program:
    runs = (Run(p.words, writes=True), Run(p.gap_steps))
    block = Block(1, tuple(run for run in runs if run.steps))
    start = (Block(1, (Run(p.start_steps),)),) if p.start_steps else ()
    return Lockstep((block,), 1, freezes, prologue=start)


def _sink(p: Sink) -> Program:
    word = (Run(1, reads=True), Run(p.steps_a_word - 1))
    words = Block(p.words, word) if p.steps_a_word > 1 else Block(1, (Run(p.words, reads=True),))
    gap = (Block(1, (Run(p.gap_steps),)),) if p.gap_steps else ()
    return Lockstep((words, *gap), 0, True)


def _converter(p: Converter, library: UnitLibrary, freezes: bool) -> Program:
    if p.ratio == 1:
        return Lockstep((Block(p.words_in, (Run(1, True, True),)),), 0, True)
    # a word of every level, then what is left of them; or all but the last, then the last
    both, rest = p.levels, (p.ratio - 1) * p.levels
    if p.narrows:
        runs = (Run(both, True, True), Run(rest, writes=True))
        block = Block(p.words_in // p.levels, runs)
        return Lockstep((block,), 2 if library == "rtl" else 1, freezes)
    runs = (Run(rest, reads=True), Run(both, True, True))
    return Lockstep((Block(p.words_out // p.levels, runs),), 1, freezes)


def _padding(p: Padding) -> Program:
    fold = p.channel_fold
    top, left, bottom, right = p.border
    border_row = p.out_width * fold
    row = (
        Run(left * fold, writes=True),
        Run(p.width * fold, True, True),
        Run(right * fold, writes=True),
    )
    blocks = (
        Block(1, (Run(top * border_row, writes=True),)),
        Block(p.height, tuple(run for run in row if run.steps)),
        Block(1, (Run(bottom * border_row, writes=True),)),
    )
    return Lockstep(tuple(b for b in blocks if b.steps), 0, True)


def _window(p: Window, freezes: bool) -> Program:
    match p.style:
        case "row_buffer":
            return _row_buffer(p, freezes)
        case "no_overlap":
            return _no_overlap(p, freezes)
        case "full_frame_coupled":
            return _full_frame_coupled(p, freezes)
        case "parallel" | "line_buffer":
            return _parallel(p)
        case "rtl":
            return _rtl_window(p)
        case _:
            assert_never(p.style)


def _row_buffer(p: Window, freezes: bool) -> Program:
    """Fill K rows, then laps of a counter that wraps one early; see the module's sources."""
    written_row = p.out_width * p.window_pixels * p.channel_fold
    read_row = p.stride[0] * p.width * p.channel_fold
    lap = max(written_row, read_row) - 1
    prologue = p.kernel[0] * p.width * p.channel_fold
    steps = p.out_height * (lap + 1)
    to_read, to_write = p.words_in - prologue, p.words_out
    runs = [Run(prologue, reads=True)]
    for start in range(0, steps, lap):
        length = min(lap, steps - start)
        reads = min(read_row - 1, to_read, length)
        writes = min(written_row - 1, to_write, length)
        to_read, to_write = to_read - reads, to_write - writes
        both, either = min(reads, writes), max(reads, writes)
        parts = (
            Run(both, True, True),
            Run(either - both, reads > writes, writes > reads),
            Run(length - either),
        )
        runs += [run for run in parts if run.steps]
    return Lockstep((Block(1, (*runs, Run(WINDOW_IDLE_STEPS))),), ROW_BUFFER_DEPTH, freezes)


def _no_overlap(p: Window, freezes: bool) -> Program:
    runs = (Run(p.words_in, reads=True), Run(p.words_out, writes=True))
    return Lockstep((Block(1, runs),), ROW_BUFFER_DEPTH, freezes)


def _full_frame_coupled(p: Window, freezes: bool) -> Program:
    """Fill one row more than the kernel reaches, then read the rest of the frame beside its windows.

    The next frame begins after the last write (slidingwindow.h of BNN-PYNQ in early 2017).
    """
    ahead = p.coupled_prologue_words
    rest = p.words_in - ahead
    both, either = min(rest, p.words_out), max(rest, p.words_out)
    runs = (
        Run(ahead, reads=True),
        Run(both, True, True),
        Run(either - both, rest > both, p.words_out > both),
    )
    return Lockstep((Block(1, tuple(run for run in runs if run.steps)),), ROW_BUFFER_DEPTH, freezes)


def _parallel(p: Window) -> Program:
    """A step a word in; the window leaves with the word that completes it; one empty step a frame."""
    last = window_order(p).max(axis=1)
    writes = np.zeros(p.words_in, bool)
    writes[last] = True
    runs = runs_of(np.ones(p.words_in, bool), writes)
    gap = () if p.style == "line_buffer" else (Run(PARALLEL_GAP_STEPS),)
    return Lockstep((Block(1, (*runs, *gap)),), 1, False)


def rtl_window_words(p: Window) -> int:
    """Words that the RTL window holds: one window's reach and more.

    FINN extends the buffer at strides above 1 so that rows can be loaded early (``get_buffer_depth`` of
    its ConvolutionInputGenerator_rtl); the two words in the exit registers come on top.
    """
    pixels, fold = p.window_pixels, p.channel_fold
    extra = max(0, p.stride[1] - 1 - pixels) * fold
    extra += max(0, (p.stride[0] - 1) * p.width - pixels) * fold
    return p.buffer_words + extra + RTL_WINDOW_EXIT_WORDS


def _rtl_window(p: Window) -> Program:
    """An elastic buffer; a word's place is free once the last window word that shows it has left."""
    dependence = window_order(p)
    buffer_words = rtl_window_words(p)
    last_use = np.full(p.words_in, -1, np.int64)
    last_use[dependence] = np.arange(p.words_out)  # later uses overwrite earlier ones
    last_use = np.maximum.accumulate(last_use)
    release = np.full(p.words_in, -1, np.int64)
    if buffer_words < p.words_in:
        release[buffer_words:] = last_use[: p.words_in - buffer_words]
    return Elastic(dependence, release, RTL_WINDOW_LATENCY)


def _pool(p: Pool, freezes: bool) -> Program:
    if p.style == "streaming":
        return _flowing_pool(p)
    row = (Run(p.width * p.pixel_words, reads=True), Run(POOL_IDLE_STEPS))
    out = (Run(p.columns * p.pixel_words, writes=True), Run(POOL_IDLE_STEPS))
    block = Block(p.height // p.kernel[0], (*loops_of(p.kernel[0], row), *out))
    dropped = Block(p.height % p.kernel[0], row)
    return Lockstep((block, dropped) if dropped.steps else (block,), pool_depth(p), freezes)


def pool_depth(p: Pool) -> int:
    """Stages of a pool: a mean whose window is no power of two multiplies by its reciprocal."""
    divides = p.is_mean and p.taps & (p.taps - 1) != 0
    return POOL_DEPTH + (SCALE_DEPTH if divides else 0)


def _flowing_pool(p: Pool) -> Program:
    """A step a word in; a pooled pixel leaves with the pixel that completes its window."""
    pixel = p.pixel_words
    rows = Run((p.kernel[0] - 1) * p.width * pixel, reads=True)
    window = (Run((p.kernel[1] - 1) * pixel, reads=True), Run(pixel, True, True))
    rest = Run(p.width % p.kernel[1] * pixel, reads=True)
    row: tuple[Run | Loop, ...] = (rows, *loops_of(p.columns, window), rest)
    block = Block(p.height // p.kernel[0], tuple(run for run in row if run.steps))
    dropped = Block(1, (Run(p.words_in - p.words_pooled, reads=True),))
    return Lockstep((block, dropped) if dropped.steps else (block,), pool_depth(p), False)


def _threshold(p: Threshold) -> Program:
    bits = p.output_type.bits
    depth = 2 * bits + 2 if p.deep_pipeline else bits + 2
    return Lockstep((Block(p.words, (Run(1, True, True),)),), depth, False)


def _scale(p: Scale) -> Program:
    return Lockstep((Block(p.words, (Run(1, True, True),)),), SCALE_DEPTH, False)


def _split(p: Split, freezes: bool) -> Program:
    return Lockstep((Block(p.words, (Run(1, True, True),)),), 1, freezes)


def _join(p: Add | Concat | Multiply, freezes: bool) -> Program:
    depth = MULTIPLY_DEPTH if isinstance(p, Multiply) and p.is_of_numbers else 1
    return Lockstep((Block(p.words, (Run(1, True, True),)),), depth, freezes)


def _repeat(p: Repeat, freezes: bool) -> Program:
    """A row leaves while it is read, each pixel as often as it stands in it; then again from the buffer.

    Where zeros stand between, they do instead.
    """
    row_words = sum(p.column_counts) * p.pixel_words_out
    row: list[Run | Loop] = []
    for count, same in itertools.groupby(p.column_counts):
        pixel = (
            Run(p.pixel_words_in, True, True),
            Run(count * p.pixel_words_out - p.pixel_words_in, writes=True),
        )
        row += loops_of(len(list(same)), pixel)
    blocks = []
    for count, rows in itertools.groupby(p.row_counts):
        again = Run((count - 1) * row_words, writes=True)
        runs = (*row, again) if again.steps else tuple(row)
        blocks.append(Block(len(list(rows)), runs))
    return Lockstep(tuple(blocks), 1, freezes)


def _label_select(p: LabelSelect, freezes: bool) -> Program:
    """Read a pixel's scores, then write the positions."""
    runs = (Run(p.fold, reads=True), Run(p.top, writes=True), Run(LABEL_SELECT_IDLE_STEPS))
    return Lockstep((Block(p.pixels, runs),), LABEL_SELECT_DEPTH, freezes)
