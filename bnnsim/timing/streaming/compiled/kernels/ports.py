"""The only input and the only output of a unit, in local variables of the kernels that are fast."""

from __future__ import annotations

from typing import NamedTuple

from bnnsim.timing.streaming.compiled.kernels.jit import inner
from bnnsim.timing.streaming.compiled.kernels.records import State


class Source(NamedTuple):
    """A unit's only input: what does not change while the unit is visited."""

    channel: int
    """-1 where the unit has none."""
    write_ring: int
    write_mask: int
    lag: int
    read_ring: int
    read_mask: int
    ready_ring: int


class Target(NamedTuple):
    """A unit's only output: what does not change while the unit is visited."""

    channel: int
    """-1 where the unit has none."""
    read_ring: int
    read_mask: int
    depth: int
    write_ring: int
    write_mask: int
    ready_ring: int
    """The ring that says since when the reader was ready: that of its reads where none is kept."""


@inner
def only_input(s: State, u: int) -> Source:
    """The input of a unit with one or none."""
    unit = s.unit[u]
    if unit.first_input == unit.end_input:
        return Source(-1, 0, 0, 0, 0, 0, 0)
    c = s.program_words[unit.first_input]
    channel = s.channel[c]
    return Source(
        c,
        channel.write_ring,
        channel.write_mask,
        channel.lag,
        channel.read_ring,
        channel.read_mask,
        channel.ready_ring,
    )


@inner
def only_output(s: State, u: int) -> Target:
    """The output of a unit with one or none."""
    unit = s.unit[u]
    if unit.first_output == unit.end_output:
        return Target(-1, 0, 0, 0, 0, 0, 0)
    c = s.program_words[unit.first_output]
    channel = s.channel[c]
    return Target(
        c,
        channel.read_ring,
        channel.read_mask,
        channel.depth_words,
        channel.write_ring,
        channel.write_mask,
        channel.ready_ring if channel.ready_ring else channel.read_ring,
    )
