"""Random units that multiply streams, look functions up, repeat maps and choose labels."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from bnnsim.design.streaming.units import LabelSelect, Lookup, Multiply, Repeat
from bnnsim.spec.value_type import ValueType, integer_type
from tests.hardware.drawn.unit import Port, SingleUnit, divisor, drawn_numbers, drawn_type, single_unit


def multiply(random: Random) -> SingleUnit:
    kinds = [drawn_type(random) for _ in range(2)]
    bits = [k.bits + (0 if k.is_bipolar else random.choice([0, 0, 2])) for k in kinds]
    kinds = [replace(k, bits=b) for k, b in zip(kinds, bits, strict=True)]
    one, other = ((k.minimum, k.maximum) for k in kinds)
    ends = [a * b for a in one for b in other]
    out = integer_type(min(ends), max(ends))
    lanes, output_bits = random.randint(1, 4), out.bits + random.choice([0, 0, 3])
    types, widths = (kinds[0], kinds[1]), (bits[0], bits[1])
    parameters = Multiply(lanes, random.randint(1, 9), types, widths, out, output_bits)
    ports = [(lanes, b, k) for b, k in zip(bits, kinds, strict=True)]
    return single_unit(random, parameters, ports, [(lanes, output_bits, out)])


def lookup(random: Random) -> SingleUnit:
    given = random.choice([drawn_type(random), ValueType("int", 12), ValueType("fixed", 16, 7)])
    out = random.choice([ValueType("fixed", 16, 7), ValueType("int", 4), ValueType("uint", 8)])
    pe, segments = random.choice([1, 2, 3]), random.choice([1, 2, 5, 16, 65])
    shift = random.randint(0, 6)
    low = random.randint(given.minimum - 3, given.maximum)
    parameters = Lookup(pe, random.randint(1, 9), given, given.bits, out, low, shift, segments)
    named = {"values": drawn_numbers(random, segments + 1, out)}
    ports: list[Port] = [(pe, given.bits, given), (pe, out.bits, out)]
    return single_unit(random, parameters, ports[:1], ports[1:], "rtl", False, named=named)


def repeat(random: Random) -> SingleUnit:
    kind, zeros = drawn_type(random), random.random() < 0.3
    times = random.choice([1, 1, 2, 6])
    channels = 1 if times > 1 else random.choice([1, 2, 6])
    lanes = divisor(random, channels * times)

    def counts() -> tuple[int, ...]:
        size, count = random.randint(1, 4), random.randint(1, 3)
        return tuple(random.randint(1, 3) if random.random() < 0.3 else count for _ in range(size))

    widens = kind.is_bipolar and (zeros or random.random() < 0.3)
    parameters = Repeat(channels, times, counts(), counts(), lanes, zeros, widens)
    out: Port = (lanes, 2, ValueType("int", 2)) if widens else (lanes, kind.bits, kind)
    return single_unit(random, parameters, [(parameters.in_lanes, kind.bits, kind)], [out])


def label_select(random: Random) -> SingleUnit:
    given = random.choice([drawn_type(random), ValueType("int", 5), ValueType("fixed", 16, 7)])
    labels = random.choice([1, 2, 3, 6, 10])
    pe, top = divisor(random, labels), random.randint(1, min(labels, 4))
    made = ValueType("uint", max(1, (labels - 1).bit_length()))
    parameters = LabelSelect(pe, labels, top, random.randint(1, 4), given, given.bits, made)
    ports: list[Port] = [(pe, given.bits, given), (1, made.bits, made)]
    return single_unit(random, parameters, ports[:1], ports[1:])
