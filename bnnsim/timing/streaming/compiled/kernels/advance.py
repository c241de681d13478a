"""The compiled executor's entry points (numba): visit units until no cycle can be told any more.

Nothing here knows the words' contents, and there is no clock. The cycle of a word follows from the
cycles of others:

* word j of a channel can be read from the cycle after it was written (where the channel falls through,
  from the same);
* its place is free from the cycle after word j - depth was read;
* a unit acts once it has done what it has to do before, and its words and its space are there.

So a unit runs as far as the cycles that it needs are known, however far the others have got. The order
of visits cannot change a cycle, for each is a function of others. Rings keep the cycles of the latest
words; nothing grows with the number of frames. :mod:`bnnsim.timing.streaming.compiled.kernels.records`
describes the tables, :mod:`bnnsim.timing.streaming.reference.actor` is the reference for what units do.

The entry points are compiled as a whole and cached on disk. Numba tells a stale entry by the file that
the entry point stands in, and by the values that it closes over: here the stamp of all files compiled
into it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.bound import run_bound
from bnnsim.timing.streaming.compiled.kernels.channel import count_words, log_reads, log_writes
from bnnsim.timing.streaming.compiled.kernels.elastic import close_elastic, run_elastic
from bnnsim.timing.streaming.compiled.kernels.flushing import close_flushing, run_flushing
from bnnsim.timing.streaming.compiled.kernels.freezing import close_freezing, run_freezing
from bnnsim.timing.streaming.compiled.kernels.jit import entry, inner
from bnnsim.timing.streaming.compiled.kernels.records import (
    BOUND,
    ELASTIC,
    FLUSHING,
    OPEN_END_WORDS,
    Limits,
    State,
)

_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
"""Everything in this folder is compiled into the entry points."""


def _stamp() -> int:
    """A number that changes with any of the sources."""
    stamp = 0
    for source in _SOURCES:
        stamp = zlib.crc32(source.read_bytes(), stamp)
    return stamp


@inner
def visit(s: State, u: int, limits: Limits) -> None:
    """Run one unit as far as it gets."""
    s.unit[u].missing_word = -1
    s.unit[u].missing_space = -1
    kind = s.unit[u].kind
    if kind == ELASTIC:
        run_elastic(s, u, limits)
    elif kind == FLUSHING:
        run_flushing(s, u, limits)
    elif kind == BOUND:
        run_bound(s, u, limits)
    else:
        run_freezing(s, u, limits)


def _advance(stamp: int) -> Callable[..., int]:
    @entry
    def advance(s: State, queue: Int64s, queued: Int64s, limits: Limits) -> int:
        """Tell every cycle that can be told within the limits.

        ``queue`` and ``queued``: int64, a number a unit; what is in them does not matter.
        """
        units = len(s.unit)
        for u in range(units):
            queue[u] = u
            queued[u] = 1
        head, size = 0, units
        while size:
            u = queue[head]
            head = head + 1 if head + 1 < units else 0
            size -= 1
            queued[u] = 0
            unit = s.unit[u]
            reads, writes = unit.reads, unit.writes
            visit(s, u, limits)
            if unit.reads != reads:
                for p in range(unit.first_input, unit.end_input):
                    c = s.program_words[p]
                    channel = s.channel[c]
                    log_reads(channel, s.event_times)
                    other = channel.writer
                    if channel.supplies:
                        channel.written = channel.read + OPEN_END_WORDS
                        wanted = unit.missing_word == c
                        other = u
                    else:
                        wanted = other >= 0 and s.unit[other].missing_space == c
                        if limits.counts:
                            count_words(channel, s.event_times)
                    if wanted and not queued[other]:
                        queued[other] = 1
                        tail = head + size
                        queue[tail if tail < units else tail - units] = other
                        size += 1
            if unit.writes != writes:
                for p in range(unit.first_output, unit.end_output):
                    c = s.program_words[p]
                    channel = s.channel[c]
                    log_writes(channel, s.event_times)
                    other = channel.reader
                    if channel.is_open:
                        channel.read = channel.written
                        wanted = unit.missing_space == c
                        other = u
                    else:
                        wanted = other >= 0 and s.unit[other].missing_word == c
                        if limits.counts:
                            count_words(channel, s.event_times)
                    if wanted and not queued[other]:
                        queued[other] = 1
                        tail = head + size
                        queue[tail if tail < units else tail - units] = other
                        size += 1
        return stamp

    return advance


def _account(stamp: int) -> Callable[..., int]:
    @entry
    def account(s: State, limits: Limits, total: int) -> int:
        """Close the books of a drained run of ``total`` cycles: waits still on, words that stayed.

        Nothing may have happened in or after cycle ``total``.
        """
        for c in range(len(s.channel)):
            channel = s.channel[c]
            if not channel.supplies and not channel.is_open:
                count_words(channel, s.event_times)
                if channel.counted_writes < channel.written:  # nobody will read them
                    held = channel.written - channel.read
                    channel.max_occupancy = max(channel.max_occupancy, held)
        for u in range(len(s.unit)):
            if s.unit[u].kind == ELASTIC:
                close_elastic(s, u, limits, total)
            elif s.unit[u].kind >= FLUSHING:
                close_flushing(s, u, total)
            else:
                close_freezing(s, u, total)
        return stamp

    return account


advance = _advance(_stamp())
account = _account(_stamp())
