"""Own modules that move words: source, converters, borders, windows, splits, joins."""

from __future__ import annotations

from typing import assert_never

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.structure import (
    LUT_WORDS,
    Structure,
    address_bits,
    control,
    ram,
)
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    Padding,
    Source,
    Split,
    WeightBuffer,
    Window,
)

ROW_BUFFER_STAGES, WHOLE_FRAME_STAGES = 4, 4
WINDOW_IDLE_STEPS = 8


def source_structure(unit: Source, width: int) -> Structure:
    """``frame_source``: it always counts frames."""
    steps = Structure(counters=address_bits(unit.words + unit.gap_steps), registers=width)
    return control(1, True) + steps


def converter_structure(unit: Converter, bits: int, freezes: bool, stages: int) -> Structure:
    """``width_converter``: narrowing shifts its word, widening gathers it in the exit."""
    if unit.ratio == 1:
        return Structure()
    wide, narrow = max(unit.in_lanes, unit.out_lanes) * bits, min(unit.in_lanes, unit.out_lanes) * bits
    passes = (unit.words_in if unit.narrows else unit.words_out) // unit.levels
    turn = Structure(counters=address_bits(unit.ratio))
    ends = control(stages, freezes, passes)
    if unit.levels > 1:  # what is left of each level's word sits in distributed memory
        place = address_bits(unit.levels)
        # Narrowing, Yosys keeps a copy of the level at the memory.
        level = Structure(
            counters=place, registers=1 + (place + narrow if unit.narrows else wide)
        )
        return ends + turn + level + Structure(selects=wide)
    if unit.narrows:
        return ends + turn + Structure(selects=wide, registers=wide + (stages - 1) * narrow)
    return ends + turn + Structure(selects=unit.ratio if unit.ratio > 2 else 0, registers=wide)


def padding_structure(unit: Padding, in_bits: int, out_bits: int) -> Structure:
    """``padding``: positions, four comparisons with constants, a word read ahead."""
    rows, words = unit.out_height.bit_length(), (unit.out_width * unit.channel_fold).bit_length()
    positions = Structure(counters=rows + words, compares=rows + words)
    word = Structure(selects=unit.lanes * (in_bits + out_bits), registers=unit.lanes * in_bits + 1)
    return control(0, True) + positions + word


def split_structure(unit: Split, width: int, freezes: bool) -> Structure:
    return control(1, freezes, unit.words) + Structure(registers=width)


def add_structure(unit: Add, freezes: bool) -> Structure:
    sums = unit.lanes * unit.output_bits
    # The last bit of a sum of signs is the same in all sums.
    same = unit.lanes if all(kind.is_bipolar for kind in unit.input_types) else 0
    adders = Structure(adders=sums * (len(unit.input_bits) - 1), registers=sums - same)
    return control(1, freezes, unit.words) + adders


def concat_structure(unit: Concat, freezes: bool) -> Structure:
    width = unit.lanes * unit.element_bits
    ends = control(1, freezes, unit.words)
    if not unit.takes_turns:
        # Of a narrower input's elements the bits above are its sign or zeros, which are kept once.
        pairs = zip(unit.input_channels, unit.input_bits, strict=True)
        return ends + Structure(registers=sum(channels * bits for channels, bits in pairs))
    joined = ends + Structure(registers=width)
    # A queue and two counters an input, and one word out of all of theirs.
    words = [unit.lanes * bits for bits in unit.input_bits]
    turn = address_bits(sum(unit.turns))
    slices = Structure(
        units=len(words),
        counters=2 * turn * len(words),
        compares=2 * turn * len(words),
        selects=sum(words) + width * (len(words) - 1),
        registers=sum(words) + len(words),
    )
    return joined + slices


def window_parts(tech: Technology, unit: Window, bits: int, freezes: bool) -> tuple[Part, ...]:
    """A sliding window of any style: its program, its walk through the buffer, the buffer."""
    width = unit.lanes * bits
    match unit.style:
        case "row_buffer":
            words = row_buffer_depth(unit)
            program = control(ROW_BUFFER_STAGES, freezes) + _laps(unit) + _walk(unit, words)
            return _buffered(tech, program, width, words)
        case "no_overlap" | "full_frame_coupled":
            words = unit.words_in * (2 if unit.style == "full_frame_coupled" else 1)
            program = control(WHOLE_FRAME_STAGES, freezes) + _walk(unit, words) + _frames(unit)
            stages = Structure(registers=2 * width + address_bits(words))
            return _buffered(tech, program + stages, width, words)
        case "rtl":
            words = min(elastic_words(unit), unit.words_in)
            return _buffered(tech, _elastic(unit, words), width, words)
        case "parallel" | "line_buffer":
            return _whole_windows(tech, unit, width)
        case _:
            assert_never(unit.style)


def _buffered(tech: Technology, program: Structure, width: int, words: int) -> tuple[Part, ...]:
    """``window_buffer``: the place that is written next, and the word that is read."""
    place = Structure(counters=address_bits(words), registers=width if words <= LUT_WORDS else 0)
    control_amounts = (program + place).amounts(tech)
    return Part("control", control_amounts), Part("buffer", ram(tech, width, words))


def row_buffer_depth(unit: Window) -> int:
    """Words of a row buffer: kernel and stride rows hold all that a step may ask for.

    Up to 512 words the modules take the next power of two.
    """
    rows = unit.kernel[0] + unit.stride[0]
    words = min(rows * unit.width * unit.channel_fold, unit.words_in)
    power = 1 << address_bits(words)
    return power if power <= 512 else words


def elastic_words(unit: Window) -> int:
    """Words that the elastic window holds: one window's reach, more at strides, two at its exit."""
    extra = max(0, unit.stride[1] - 1 - unit.window_pixels) * unit.channel_fold
    extra += max(0, (unit.stride[0] - 1) * unit.width - unit.window_pixels) * unit.channel_fold
    return unit.buffer_words + extra + 2


def _frames(unit: Window) -> Structure:
    """What of a frame has been read and written: one flag, or a flag each with the half that it is in."""
    if unit.style == "no_overlap":
        return Structure(counters=address_bits(unit.words_in), registers=1)
    rows = min(unit.height, (unit.kernel[0] - 1) * unit.dilation[0] + 2)
    ahead = rows * unit.width * unit.channel_fold
    steps = max(unit.words_in - ahead, unit.words_out)
    return Structure(
        counters=sum(address_bits(count) for count in (ahead, unit.words_in, steps)), registers=4
    )


def _laps(unit: Window) -> Structure:
    """The nested counters of the row buffer's program."""
    fold = unit.channel_fold
    written_row = unit.out_width * unit.window_pixels * fold
    read_row = unit.stride[0] * unit.width * fold
    lap = max(written_row, read_row) - 1
    fill = unit.kernel[0] * unit.width * fold
    steps = fill + unit.out_height * (lap + 1) + WINDOW_IDLE_STEPS
    to_read, to_write = unit.words_in - fill, unit.out_height * written_row
    position = address_bits(steps)
    counters = position + address_bits(lap + 1) + max(1, to_read.bit_length()) + to_write.bit_length()
    return Structure(counters=counters, compares=2 * position)


def _walk(unit: Window, words: int) -> Structure:
    """``window_walk``: counters of the window's order, and an address that moves by their wraps."""
    address = address_bits(words)
    wraps = 0 if words == 1 << address else address
    return _order_counters(unit) + Structure(
        adders=address + wraps, selects=3 * address, registers=address
    )


def _order_counters(unit: Window) -> Structure:
    counts = (
        unit.channel_fold // unit.groups,
        *unit.kernel,
        unit.groups,
        unit.out_width,
        unit.out_height,
    )
    return Structure(counters=sum(address_bits(count) for count in counts))


def _elastic(unit: Window, words: int) -> Structure:
    """``window_elastic``: what was taken and what may be shown, and where each counter's turn begins."""
    count, slot = unit.words_in.bit_length(), address_bits(words)
    # Where the kernel's row, the group, the window and the row of windows begin, if there are several.
    starts = 1 + sum(many > 1 for many in (unit.kernel[0], unit.groups, unit.out_width))
    # A pixel of one word that is the whole row of a kernel begins where it is.
    same = count if unit.kernel[0] > 1 and unit.kernel[1] * unit.channel_fold == unit.groups else 0
    order = _order_counters(unit) + Structure(
        adders=3 * count + 2 * slot,
        selects=4 * count + 5 * slot,
        registers=(starts + 1) * (count + slot) - same,
    )
    taken = Structure(counters=count, adders=2 * count, compares=3 * count, registers=count + 1)
    return Structure(units=1) + order + taken


def _whole_windows(tech: Technology, unit: Window, width: int) -> tuple[Part, ...]:
    """``window_parallel``: a delay between any two kernel positions, and the whole window at the exit."""
    rows, columns = unit.kernel
    fold = unit.channel_fold
    gap = Structure(registers=1) if unit.style == "parallel" else Structure()
    steps = zip(unit.kernel, unit.dilation, unit.stride, strict=True)
    most = [max((taps - 1) * dilation, stride - 1) for taps, dilation, stride in steps]
    to_go = sum(address_bits(count + 2) for count in most if count)
    strides = Structure(counters=to_go, selects=to_go)
    # Rows are counted for what comes with the last one: the gap, or the next window's first.
    counts_rows = unit.style == "parallel" or most[0] > 0
    turns = (fold, unit.width, unit.height if counts_rows else 1)
    positions = Structure(counters=sum(address_bits(count) for count in turns))
    position_compares = Structure(compares=positions.counters)
    short = unit.dilation[1] * fold
    long = (unit.dilation[0] * unit.width - (columns - 1) * unit.dilation[1]) * fold
    delays = {short: rows * (columns - 1), long: rows - 1}
    if short == long:
        delays = {short: rows * columns - 1}
    store: Estimate = Amounts()
    pointers, registers = 0, rows * columns * width
    for words, count in delays.items():
        if not count:
            continue
        registers += count * width * min(words, 2 if words <= 2 else 1)
        if words > 2:
            pointers += address_bits(words - 1) * count
            store = store + ram(tech, width, words - 1, "single") * count
            registers -= count * width if words - 1 > LUT_WORDS else 0
    program = control(1, False) + gap + positions + position_compares + strides
    program = program + Structure(counters=pointers, registers=registers)
    return Part("control", program.amounts(tech)), Part("buffer", store)


def weight_buffer_parts(tech: Technology, unit: WeightBuffer, bits: int) -> tuple[Part, ...]:
    """``weight_buffer``: places on both sides, a memory a part, the word that waits to leave."""
    width, words = unit.in_lanes * bits, unit.frames * unit.depth_words
    sf, nf, groups = unit.synapse_fold, unit.neuron_fold, unit.groups
    inner, folds = (sf, nf) if unit.by_rows else (groups * nf, sf)
    places = address_bits(words) if unit.depth_words > 1 else 0
    outer = groups if unit.by_rows else 1
    turns = sum(address_bits(count) for count in (inner, outer, folds, unit.pixels))
    several = unit.parts if unit.parts > 1 else 0
    # Of each frame whether it is there; whose words are written, read and held.
    flags = unit.frames + 2 + (3 if unit.frames > 1 else 0)
    # Where a fold begins is kept where there are several, of more words than one.
    begins = places if folds > 1 and inner * outer > 1 else 0
    # Of two frames where the other begins is chosen, and the end of each is one of a round.
    two = places if unit.frames > 1 else 0
    program = Structure(
        units=2,
        counters=turns + places,
        adders=places + begins,
        compares=two,
        selects=places + two + flags + several,
        registers=places + begins + several + flags,
    )
    store = ram(tech, width, words) * unit.parts
    if words <= LUT_WORDS:
        store = store + Structure(registers=unit.parts * width).amounts(tech)
    return Part("control", program.amounts(tech)), Part("weight memory", store)
