"""Random matrix-vector-activation units of every kind of weights and activations."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.network.tensor import RESIDUAL_SUM
from bnnsim.design.streaming.units import Mvau, WeightBuffer
from bnnsim.spec.value_type import BIPOLAR, ValueType, integer_type
from tests.hardware.drawn.unit import Port, SingleUnit, divisor, drawn_numbers, drawn_type, single_unit


def residual_mvau(random: Random) -> SingleUnit:
    levels_in, levels_out = random.randint(1, 4), random.randint(1, 4)
    given = ValueType("residual", levels_in)
    if random.random() < 0.3:
        given, levels_in = drawn_type(random), 1
    has_activation = not given.is_residual or random.random() < 0.8
    made = ValueType("residual", levels_out) if has_activation else RESIDUAL_SUM
    levels_out = levels_out if has_activation else 1
    shape = _matrix(random)
    bits = 1 if given.is_residual else given.bits
    output_bits = 1 if has_activation else random.choice([24, 26])
    parameters = _mvau(shape, BIPOLAR, given, RESIDUAL_SUM, made, output_bits, "dot")
    parameters = replace(parameters, levels_in=levels_in, levels_out=levels_out, compare=">=")
    channels = shape["groups"] * shape["matrix_height"]
    named = {"weights": _weights(random, shape, BIPOLAR)}
    if given.is_residual:
        named["in_means"] = drawn_numbers(random, levels_in, ValueType("int", 12))
    if has_activation:
        named["alpha"] = drawn_numbers(
            random, channels, random.choice([ValueType("int", 12), RESIDUAL_SUM])
        )
        named["bias"] = drawn_numbers(
            random, channels, random.choice([ValueType("int", 12), RESIDUAL_SUM])
        )
        named["out_means"] = drawn_numbers(random, levels_out, ValueType("int", 12))
    ports: list[Port] = [(parameters.simd, bits, given), (parameters.pe, output_bits, made)]
    return single_unit(random, parameters, ports[:1], ports[1:], named=named)


def level_mvau(random: Random) -> SingleUnit:
    """Levels worth integers on one side or both; a border of zeros makes them two bits wide."""
    levels_in, levels_out = random.randint(1, 4), random.randint(1, 4)
    given = ValueType("residual", levels_in, mean_bits=random.choice([1, 4, 11]))
    weight, is_plain = BIPOLAR, random.random() < 0.3
    if is_plain:
        given, levels_in = drawn_type(random), 1
        weight, bits = random.choice([BIPOLAR, ValueType("int", 4), ValueType("uint", 2)]), given.bits
    shape = _matrix(random)
    if is_plain:
        low, high = _sum_range(shape["matrix_width"], weight, given, "dot")
    else:
        bits = random.choice([1, 1, 2])
        high = bits * shape["matrix_width"] * levels_in * given.mean_type.maximum  # -2 among the words
        low = -high
    made, count = ValueType("residual", levels_out, mean_bits=7), (1 << levels_out) - 1
    if not is_plain and random.random() < 0.5:
        levels_out = 1
        plain = [(integer_type(low, high), 0), (BIPOLAR, 1), (ValueType("uint", 2), 3)]
        made, count = random.choice(plain)
    output_bits = 1 if made.is_residual else made.bits
    parameters = _mvau(shape, weight, given, integer_type(low, high), made, output_bits, "dot")
    compare: Any = random.choice([">", ">="]) if count else ""
    parameters = replace(
        parameters,
        levels_in=levels_in,
        levels_out=levels_out,
        thresholds=count,
        compare=compare,
        memory_layout=random.choice(["per_pe", "per_layer"]),
    )
    channels = shape["groups"] * shape["matrix_height"]
    thresholds = np.array(
        [sorted(random.randint(low - 1, high + 1) for _ in range(count)) for _ in range(channels)],
        np.int64,
    )
    weights, named = _weights(random, shape, weight), {}
    if not is_plain:
        named = {"weights": weights, "in_means": drawn_numbers(random, levels_in, given.mean_type)}
    ports: list[Port] = [(parameters.simd, bits, given), (parameters.pe, output_bits, made)]
    return single_unit(
        random,
        parameters,
        ports[:1],
        ports[1:],
        weights=weights if is_plain else None,
        thresholds=thresholds if count else None,
        named=named,
    )


def codebook_mvau(random: Random) -> SingleUnit:
    """Kernels out of a codebook, whole channels or blocks of them one behind the other."""
    shape, taps = _matrix(random), random.choice([2, 4, 9])
    lanes, blocks = shape["simd"], random.choice([1, 2])
    block = lanes * random.randint(1, 3)
    shape["matrix_width"] = block * blocks * taps
    given = random.choice([BIPOLAR, ValueType("uint", 2), ValueType("int", 2)])
    low, high = _sum_range(shape["matrix_width"], BIPOLAR, given, "dot")
    made = integer_type(low, high)
    count = random.randint(2, 6)
    parameters = _mvau(shape, BIPOLAR, given, made, made, made.bits, "dot")
    layout: Any = random.choice(["per_pe", "per_layer"])
    parameters = replace(
        parameters, codebook=count, taps=taps, channel_block=block, memory_layout=layout
    )
    book = [[random.randint(0, 1) for _ in range(taps)] for _ in range(count)]
    pairs = shape["groups"] * shape["matrix_height"] * block * blocks
    weights = np.array([random.choice(book) for _ in range(pairs)], np.int64)
    weights = weights.reshape(-1, block * blocks, 1, taps)
    ports: list[Port] = [(parameters.simd, given.bits, given), (parameters.pe, made.bits, made)]
    library = "hls" if parameters.is_binary else random.choice(["hls", "rtl"])
    return single_unit(random, parameters, ports[:1], ports[1:], library, weights=weights)


def mvau(random: Random) -> SingleUnit:
    given = drawn_type(random)
    weight = random.choice([BIPOLAR, BIPOLAR, ValueType("int", 2), ValueType("int", 4)])
    shape = _matrix(random)
    lanes = random.choice([1, 1, 2, 3])
    if lanes > 1:
        shape["pe"] = shape["matrix_height"] = lanes * random.randint(1, 2)
    accumulator: Any = "popcount" if weight == given == BIPOLAR and random.random() < 0.5 else "dot"
    low, high = _sum_range(shape["matrix_width"], weight, given, accumulator)
    sums = integer_type(low, high)
    count = random.choice([0, 1, 1, 3])
    made = {0: sums, 1: BIPOLAR, 3: ValueType("uint", 2)}[count]
    output_bits = made.bits + (random.choice([0, 0, 4]) if not count else 0)
    parameters = _mvau(shape, weight, given, sums, made, output_bits, accumulator)
    parameters = replace(
        parameters,
        thresholds=count,
        compare=random.choice([">", ">="]) if count else "",
        memory_layout=random.choice(["per_pe", "per_layer"]),
        group_lanes=lanes,
        channel_block=divisor(random, shape["simd"]) if lanes > 1 else shape["matrix_width"],
    )
    thresholds = None
    if count:
        drawn = [
            sorted(random.randint(low - 1, high + 1) for _ in range(count))
            for _ in range(shape["groups"] * shape["matrix_height"])
        ]
        thresholds = np.array(drawn, np.int64)
    ports: list[Port] = [(parameters.in_lanes, given.bits, given), (parameters.pe, output_bits, made)]
    library = "hls" if parameters.is_binary or lanes > 1 else random.choice(["hls", "rtl"])
    weights = _weights(random, shape, weight)
    return single_unit(
        random, parameters, ports[:1], ports[1:], library, weights=weights, thresholds=thresholds
    )


def _matrix(random: Random) -> dict[str, int]:
    groups = random.choice([1, 1, 1, 2])
    height, width = random.choice([1, 2, 4, 6]), random.choice([1, 2, 6, 8, 12])
    return {
        "pe": divisor(random, height),
        "simd": divisor(random, width),
        "matrix_height": height,
        "matrix_width": width,
        "vectors": groups * random.randint(1, 4),
        "groups": groups,
    }


def _mvau(
    shape: dict[str, int],
    weight: ValueType,
    given: ValueType,
    sums: ValueType,
    made: ValueType,
    output_bits: int,
    accumulator: Any,
) -> Mvau:
    return Mvau(
        **shape,
        channel_block=shape["matrix_width"],
        weight_type=weight,
        input_type=given,
        sum_type=sums,
        accumulator=accumulator,
        output_type=made,
        output_bits=output_bits,
        thresholds=0,
        compare="",
        weight_memory="auto",
        memory_layout="per_layer",
    )


def _weights(random: Random, shape: dict[str, int], kind: ValueType) -> Integers:
    rows = shape["groups"] * shape["matrix_height"]
    low, high = (0, 1) if kind.is_bipolar else (kind.minimum, kind.maximum)
    drawn = [[random.randint(low, high) for _ in range(shape["matrix_width"])] for _ in range(rows)]
    return np.array(drawn, np.int64)


def _sum_range(columns: int, weight: ValueType, given: ValueType, accumulator: str) -> tuple[int, int]:
    if accumulator == "popcount":
        return 0, columns
    ends = [w * x for w in (weight.minimum, weight.maximum) for x in (given.minimum, given.maximum)]
    return columns * min(*ends, 0), columns * max(*ends, 0)


def streamed_mvau(random: Random) -> SingleUnit:
    """Vectors and, as often as they are used, weights that come beside them."""
    weight, given = drawn_type(random), drawn_type(random)
    weight = replace(weight, fraction_bits=0) if weight.kind == "fixed" else weight
    shape = _matrix(random)
    sums = integer_type(*_sum_range(shape["matrix_width"], weight, given, "dot"))
    output_bits = sums.bits + random.choice([0, 0, 2])
    parameters = _mvau(shape, weight, given, sums, sums, output_bits, "dot")
    parameters = replace(parameters, weights_stream=True)
    lanes = parameters.pe * parameters.simd
    ports: list[Port] = [(parameters.simd, given.bits, given), (lanes, weight.bits, weight)]
    words = [parameters.words_in, parameters.vectors * parameters.fold]
    out: Port = (parameters.pe, output_bits, sums)
    return single_unit(random, parameters, ports, [out], random.choice(["hls", "rtl"]), words_in=words)


def weight_buffer(random: Random) -> SingleUnit:
    kind, by_rows = drawn_type(random), random.random() < 0.5
    height, width = random.choice([1, 2, 3, 4, 6]), random.choice([1, 2, 3, 4, 6])
    pe, simd = divisor(random, height), divisor(random, width)
    groups, pixels, frames = random.randint(1, 3), random.randint(1, 4), random.randint(1, 2)
    parameters = WeightBuffer(by_rows, pe, simd, height, width, groups, pixels, frames, "auto")
    given: Port = (parameters.in_lanes, kind.bits, kind)
    return single_unit(random, parameters, [given], [(pe * simd, kind.bits, kind)], "rtl", False)
