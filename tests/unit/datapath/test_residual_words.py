"""Words of residual activations through a converter and a pool, by hand."""

from __future__ import annotations

from bnnsim.datapath.streaming.residual import ResidualPoolDatapath
from bnnsim.datapath.streaming.units import ConverterDatapath
from bnnsim.design.streaming.units import Converter, Pool, Unit
from bnnsim.spec.value_type import ValueType
from bnnsim.timing.streaming.programs.steps import step_flags
from bnnsim.timing.streaming.programs.unit_programs import unit_program

TWO_LEVELS = ValueType("residual", 2)


def program_of(converter: Converter) -> tuple[str, str]:
    """Which steps of a frame read and which write."""
    unit = Unit("c", "c", converter, "hls", False, ("a",), ("b",))
    flags = step_flags(unit_program(unit).blocks)  # type: ignore[union-attr]
    reads, writes = ("".join("x" if flag else "." for flag in side) for side in flags)
    return reads, writes


def test_widening_gathers_each_level_in_a_word_of_its_own() -> None:
    converter = Converter(2, 4, 4, 2, levels=2)
    datapath = ConverterDatapath(converter, 1)
    for word in (0b01, 0b10, 0b11, 0b00):  # levels 0 and 1 of channels 0-1, then of channels 2-3
        datapath.push((word,))
    assert [datapath.pop(), datapath.pop()] == [0b1101, 0b0010]
    assert program_of(converter) == ("xxxx", "..xx")


def test_narrowing_gives_the_levels_of_the_lowest_channels_first() -> None:
    converter = Converter(4, 2, 2, 4, levels=2)
    datapath = ConverterDatapath(converter, 1)
    given = []
    for word in (0b1101, 0b0010):
        datapath.push((word,))
        given.append(datapath.pop())  # both leave in the step that reads
    given += [datapath.pop(), datapath.pop()]
    assert given == [0b01, 0b10, 0b11, 0b00]
    assert program_of(converter) == ("xx..", "xxxx")


def test_one_level_converts_as_ever() -> None:
    assert program_of(Converter(4, 2, 2, 4)) == ("x.x.", "xxxx")
    assert program_of(Converter(2, 4, 4, 2)) == ("xxxx", ".x.x")


def test_pool_compares_the_first_level_before_the_next() -> None:
    pool = Pool("max", 2, 2, 2, (2, 2), TWO_LEVELS, levels=2)
    datapath = ResidualPoolDatapath(pool)
    # Pixels as (level 0, level 1) words of 2 channels. Channel 0: 10, 01, 00, 01 (first level left);
    # channel 1: 00, 01, 01, 00.
    for word in (0b01, 0b00, 0b00, 0b11, 0b00, 0b10, 0b00, 0b01):
        datapath.push((word,))
    assert [datapath.pop(), datapath.pop()] == [0b01, 0b10]
