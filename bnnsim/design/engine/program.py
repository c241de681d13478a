"""What an engine does for a frame, resolved to whole numbers: the tree that timing and bits follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Literal

from bnnsim.spec.engine.blocks import Payload

WorkKind = Literal["compute", "stage", "overhead", "host"]


@dataclass(frozen=True)
class ResolvedLoop:
    """``trips`` turns; turn i takes indices i x tile to i x tile + tile of the loop's own scope.

    ``dimension`` is empty for a fixed number of passes. ``extent`` indices are really there; trips
    beyond them work on nothing that is kept.
    """

    dimension: str
    trips: int
    tile: int
    extent: int


@dataclass(frozen=True)
class Work:
    """``cycles`` of one unit (``unit`` is empty for an overhead)."""

    unit: str
    kind: WorkKind
    cycles: int
    loops: tuple[ResolvedLoop, ...] = ()
    interval: int = 1
    """Cycles from one trip of its loops to the next."""


@dataclass(frozen=True)
class DramPace:
    """What the DRAM behind a port takes, in cycles of the engine's clock, with refreshes' share."""

    word_bits: int
    burst_bits: int
    row_bits: int
    burst_cycles: Fraction
    """Of a burst of the DRAM."""
    row_cycles: Fraction
    """To close a row and open another."""
    turn_cycles: Fraction
    """To turn the bus and back, once a transfer."""

    def cycles(self, words: int, is_last: bool) -> int:
        """For ``words`` of the port that follow each other; ``is_last`` of a transfer."""
        bits = words * self.word_bits
        data = -(-bits // self.burst_bits) * self.burst_cycles
        rows = Fraction(bits, self.row_bits) * self.row_cycles
        return ceil(data + rows + (self.turn_cycles if is_last else 0))


@dataclass(frozen=True)
class Transfer:
    """``words`` through ``port``: bursts of ``burst_words``, each paying ``latency_cycles`` once.

    ``dram`` may ask for more cycles than the words take on the port.

    ``double``: it runs beside the arrays, one ahead (load) or behind (store), through ``buffer``.
    """

    payload: Payload
    direction: Literal["load", "store"]
    buffer: str
    port: str
    words: int
    burst_words: int
    latency_cycles: int
    interval: int
    double: bool
    loops: tuple[ResolvedLoop, ...] = ()
    """Its own loops, already counted in ``words``."""
    dram: DramPace | None = None

    @property
    def bursts(self) -> int:
        return -(-self.words // self.burst_words)

    def burst_cycles(self, index: int) -> int:
        """Cycles for which burst ``index`` holds the port."""
        words = min(self.burst_words, self.words - index * self.burst_words)
        return self.latency_cycles + self._moving_cycles(words, index == self.bursts - 1)

    @property
    def cycles(self) -> int:
        """Cycles on a port that nobody else wants."""
        if self.dram is None:
            return self.bursts * self.latency_cycles + self.words * self.interval
        return (self.bursts - 1) * self.burst_cycles(0) + self.burst_cycles(self.bursts - 1)

    def _moving_cycles(self, words: int, is_last: bool) -> int:
        on_port = words * self.interval
        return on_port if self.dram is None else max(on_port, self.dram.cycles(words, is_last))


@dataclass(frozen=True)
class Repeat:
    """``body`` in turn, ``trips`` times over; ``calls`` marks the host's calls."""

    loops: tuple[ResolvedLoop, ...]
    body: tuple[Op, ...]

    @property
    def trips(self) -> int:
        count = 1
        for loop in self.loops:
            count *= loop.trips
        return count


@dataclass(frozen=True)
class Beside:
    """Branches of work that start together; the longest decides."""

    branches: tuple[tuple[Op, ...], ...]


Op = Work | Transfer | Repeat | Beside


@dataclass(frozen=True)
class LayerProgram:
    """One layer's turn. ``layers`` are the network layers done in it, the first one leading."""

    name: str
    layers: tuple[str, ...]
    array: str
    ops: tuple[Op, ...]
    extents: Mapping[str, int]
    calls: int = 0


@dataclass(frozen=True)
class EngineProgram:
    """A frame on an engine: ``parts`` in turn, the frame's own first and last among them."""

    parts: tuple[LayerProgram, ...]
    arrays: tuple[str, ...]
    stages: tuple[str, ...]
    buffers: tuple[str, ...]
    ports: tuple[str, ...]
    host: bool

    @property
    def calls(self) -> int:
        """Host calls a frame."""
        return sum(part.calls for part in self.parts)


def pure_cycles(ops: tuple[Op, ...]) -> int:
    """Cycles of ``ops`` one after the other where every transfer finds its port free."""
    return sum(op_cycles(op) for op in ops)


def op_cycles(op: Op) -> int:
    if isinstance(op, Repeat):
        return op.trips * pure_cycles(op.body)
    if isinstance(op, Beside):
        return max(pure_cycles(branch) for branch in op.branches)
    return op.cycles


def walk(ops: tuple[Op, ...]) -> Iterator[Work | Transfer | Beside]:
    """The frame's operations in the order of time, repeats unrolled."""
    for op in ops:
        if isinstance(op, Repeat):
            for _ in range(op.trips):
                yield from walk(op.body)
        else:
            yield op


def leaves(ops: tuple[Op, ...]) -> Iterator[Work | Transfer]:
    """Every work and transfer once, as written."""
    return (op for op, _ in counted(ops))


def counted(ops: tuple[Op, ...], times: int = 1) -> Iterator[tuple[Work | Transfer, int]]:
    """Every work and transfer once, as written, with how often it happens."""
    for op in ops:
        if isinstance(op, Repeat):
            yield from counted(op.body, times * op.trips)
        elif isinstance(op, Beside):
            for branch in op.branches:
                yield from counted(branch, times)
        else:
            yield op, times
