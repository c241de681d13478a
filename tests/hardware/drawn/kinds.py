"""Random units of every kind, each alone with its streams, its numbers and its words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    Padding,
    Pool,
    Scale,
    Split,
    Threshold,
    Window,
)
from bnnsim.design.streaming.window_rules import window_obstacle
from bnnsim.spec.value_type import BIPOLAR, ValueType, integer_type
from tests.hardware.drawn.gates import label_select, lookup, multiply, repeat
from tests.hardware.drawn.mvaus import (
    codebook_mvau,
    level_mvau,
    mvau,
    residual_mvau,
    streamed_mvau,
    weight_buffer,
)
from tests.hardware.drawn.unit import Port, SingleUnit, divisor, drawn_numbers, drawn_type, single_unit


def converter(random: Random) -> SingleUnit:
    levels = random.choice([1, 1, 2, 3])
    kind = ValueType("residual", levels) if levels > 1 else drawn_type(random)
    narrow, ratio = random.choice([1, 2, 3, 5]), random.choice([1, 2, 3, 4, 7])
    if levels > 1:
        ratio = max(2, ratio)
    wide, words = narrow * ratio, levels * random.randint(1, 6)
    lanes, counts = (narrow, wide), (words * ratio, words)
    if random.random() < 0.5:
        lanes, counts = lanes[::-1], counts[::-1]
    bits = 1 if levels > 1 else kind.bits
    parameters = Converter(lanes[0], lanes[1], counts[0], counts[1], levels)
    ports = [[(n, bits, kind)] for n in lanes]
    return single_unit(random, parameters, ports[0], ports[1], random.choice(["hls", "rtl"]))


def padding(random: Random) -> SingleUnit:
    channels = random.choice([1, 2, 4])
    lanes = divisor(random, channels)
    kind = drawn_type(random)
    widens = kind.is_bipolar and random.random() < 0.4
    border = tuple(random.randint(0, 2) for _ in range(4))
    value = 0 if widens else random.choice([kind.minimum, kind.maximum])
    height, width = random.randint(1, 4), random.randint(1, 4)
    parameters = Padding(channels, height, width, border, value, lanes, widens)  # type: ignore[arg-type]
    out: Port = (lanes, 2, ValueType("int", 2)) if widens else (lanes, kind.bits, kind)
    return single_unit(random, parameters, [(lanes, kind.bits, kind)], [out], "rtl", False)


def window(random: Random, style: Any) -> SingleUnit:
    while True:
        channels = random.choice([1, 2, 4, 6])
        whole = style in ("parallel", "line_buffer")
        groups = 1 if whole or random.random() < 0.7 else divisor(random, channels)
        kernel = random.randint(1, 4), random.randint(1, 4)
        stride = random.randint(1, 3), random.randint(1, 3)
        wide = random.choice([1, 1, 1, 2, 3])
        dense = style == "row_buffer" or random.random() < 0.6
        dilation = (1, 1) if dense else (random.randint(1, 2), wide)
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        height, width = (r + random.randint(0, 4) for r in reach)
        lanes = divisor(random, channels // groups)
        parameters = Window(style, channels, height, width, kernel, stride, dilation, groups, lanes)
        if window_obstacle(parameters) is None and parameters.words_out < 600:
            break
    kind = drawn_type(random)
    library = "rtl" if style in ("rtl", "parallel", "line_buffer") else "hls"
    out = (parameters.out_lanes, kind.bits, kind)
    return single_unit(random, parameters, [(lanes, kind.bits, kind)], [out], library)


def pool(random: Random) -> SingleUnit:
    levels = random.choice([1, 1, 1, 1, 2, 3])
    kind = ValueType("residual", levels) if levels > 1 else drawn_type(random)
    functions = ["max", "majority"] if kind.is_bipolar else ["max"]
    functions += ["sum", "mean", "rounded_mean"] if levels == 1 else []
    function: Any = random.choice(functions)
    kernel = random.randint(1, 3), random.randint(1, 3)
    height, width = (k * random.randint(1, 3) + random.choice([0, 0, k - 1]) for k in kernel)
    style: Any = random.choice(["line_buffered", "streaming"])
    compare: Any = random.choice([">", ">="])
    channels = random.randint(1, 6)
    pe = random.choice([None, divisor(random, channels)])
    parameters = Pool(function, channels, height, width, kernel, kind, compare, style, levels, pe)
    made = kind
    if parameters.is_mean:
        made = random.choice([ValueType("fixed", 16, 7), ValueType("int", 4), ValueType("uint", 3)])
    elif parameters.adds:
        taps = parameters.taps
        made = replace(integer_type(taps * kind.minimum, taps * kind.maximum), fraction_bits=0)
    parameters = replace(parameters, made_type=made if parameters.adds else None)
    ports: list[Port] = [(parameters.lanes, 1 if levels > 1 else one.bits, one) for one in (kind, made)]
    return single_unit(random, parameters, ports[:1], ports[1:])


def scale(random: Random) -> SingleUnit:
    function: Any = random.choice(["affine", "affine", "prelu"])
    given = random.choice([drawn_type(random), ValueType("int", 12), ValueType("fixed", 16, 7)])
    out = random.choice([ValueType("fixed", 16, 7), ValueType("int", 4), ValueType("uint", 8), given])
    out = ValueType("fixed", 8, 3) if out.is_bipolar else out
    multiplier = random.choice([ValueType("fixed", 12, 8), ValueType("int", 4), ValueType("uint", 5)])
    bias, shift = (multiplier if function == "affine" else None), None
    if function == "affine" and random.random() < 0.5:
        shift = random.randint(0, 14)
        multiplier, bias = ValueType("fixed", 10, shift), ValueType("fixed", 9, out.fraction_bits)
    channels = random.choice([1, 2, 4, 6])
    pe = divisor(random, channels)
    words = channels // pe * random.randint(1, 5)
    parameters = Scale(function, pe, channels, words, given, given.bits, out, multiplier, bias, shift)
    named = {"scale" if function == "affine" else "slope": drawn_numbers(random, channels, multiplier)}
    if bias:
        named["bias"] = drawn_numbers(random, channels, bias)
    ports: list[Port] = [(pe, given.bits, given), (pe, out.bits, out)]
    return single_unit(random, parameters, ports[:1], ports[1:], "rtl", False, named=named)


def split(random: Random) -> SingleUnit:
    outputs = random.randint(2, 4)
    kind, lanes = drawn_type(random), random.randint(1, 5)
    port = (lanes, kind.bits, kind)
    return single_unit(random, Split(random.randint(1, 9), outputs), [port], [port] * outputs)


def add(random: Random) -> SingleUnit:
    kinds = [drawn_type(random) for _ in range(random.randint(2, 4))]
    bits = [k.bits + (0 if k.is_bipolar else random.choice([0, 0, 2])) for k in kinds]
    kinds = [replace(k, bits=b) for k, b in zip(kinds, bits, strict=True)]
    out = integer_type(sum(k.minimum for k in kinds), sum(k.maximum for k in kinds))
    lanes = random.randint(1, 4)
    output_bits = out.bits + random.choice([0, 0, 3])
    parameters = Add(lanes, random.randint(1, 9), tuple(kinds), tuple(bits), out, output_bits)
    ports = [(lanes, b, k) for b, k in zip(bits, kinds, strict=True)]
    return single_unit(random, parameters, ports, [(lanes, output_bits, out)])


def concat(random: Random) -> SingleUnit:
    kind = drawn_type(random)
    kinds = [replace(kind, bits=kind.bits + random.choice([0, 1])) for _ in range(random.randint(2, 4))]
    kinds = [kind] * len(kinds) if kind.is_bipolar else kinds
    unit = random.choice([1, 2])
    channels = [unit * random.randint(1, 4) for _ in kinds]
    bits = max(k.bits for k in kinds)
    signs = tuple(k.is_signed for k in kinds)
    widths = tuple(k.bits for k in kinds)
    pe = random.choice([None, divisor(random, math.gcd(*channels))])
    pixels = random.randint(1, 9)
    words = pixels * (1 if pe is None else sum(channels) // pe)
    parameters = Concat(words, tuple(channels), widths, signs, bits, pe)
    ports = [(pe or n, k.bits, k) for n, k in zip(channels, kinds, strict=True)]
    out = (parameters.lanes, bits, replace(kind, bits=bits))
    given = [pixels * turns for turns in parameters.turns]
    return single_unit(random, parameters, ports, [out], words_in=given)


def threshold(random: Random) -> SingleUnit:
    given = random.choice([ValueType("int", 6), ValueType("uint", 5), ValueType("fixed", 8, 7)])
    count = random.choice([1, 1, 3, 7])
    made = {1: BIPOLAR, 3: ValueType("uint", 2), 7: ValueType("int", 3)}[count]
    channels = random.choice([1, 2, 4, 6])
    pe = divisor(random, channels)
    drawn = [
        sorted(random.randint(given.minimum - 1, given.maximum + 1) for _ in range(count))
        for _ in range(channels)
    ]
    words = channels // pe * random.randint(1, 5)
    compare: Any = random.choice([">", ">="])
    lowest = 0 if made.is_bipolar else made.minimum
    deep = random.random() < 0.5
    parameters = Threshold(pe, channels, words, given, given.bits, made, count, compare, deep, lowest)
    ports: list[Port] = [(pe, given.bits, given), (pe, made.bits, made)]
    numbers = np.array(drawn, np.int64)
    return single_unit(random, parameters, ports[:1], ports[1:], "rtl", False, thresholds=numbers)


KINDS: dict[str, Callable[[Random], SingleUnit]] = {
    "converter": converter,
    "padding": padding,
    "row_buffer": lambda random: window(random, "row_buffer"),
    "no_overlap": lambda random: window(random, "no_overlap"),
    "full_frame_coupled": lambda random: window(random, "full_frame_coupled"),
    "rtl": lambda random: window(random, "rtl"),
    "parallel": lambda random: window(random, "parallel"),
    "line_buffer": lambda random: window(random, "line_buffer"),
    "pool": pool,
    "scale": scale,
    "split": split,
    "add": add,
    "multiply": multiply,
    "lookup": lookup,
    "repeat": repeat,
    "label_select": label_select,
    "concat": concat,
    "codebook_mvau": codebook_mvau,
    "level_mvau": level_mvau,
    "residual_mvau": residual_mvau,
    "streamed_mvau": streamed_mvau,
    "weight_buffer": weight_buffer,
    "mvau": mvau,
    "threshold": threshold,
}
