"""The compiled executor's entry points (numba): visit units until no cycle can be told any more.

Nothing here knows the words' contents, and there is no clock. The cycle of a word follows from the
cycles of others:

* word j of a channel can be read from the cycle after it was written (where the channel falls through,
  from the same);
* its place is free from the cycle after word j - depth was read;
* a unit acts once it has done what it has to do before, and its words and places are there.

So a unit runs as far as the cycles that it needs are known, however far the others have got. The order
of visits cannot change a cycle, for each is a function of others. Rings keep the cycles of the latest
words; nothing grows with the number of frames. :mod:`bnnsim.timing.streaming.compiled.kernels.columns`
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
from bnnsim.timing.streaming.compiled.kernels.bound import run_late
from bnnsim.timing.streaming.compiled.kernels.channel import count_words, log_reads, log_writes
from bnnsim.timing.streaming.compiled.kernels.columns import (
    ELASTIC,
    FLUSHING,
    IN0,
    IN1,
    IS_OPEN,
    KIND,
    LATE,
    OPEN_END_WORDS,
    OUT0,
    OUT1,
    READ,
    READER,
    READS,
    SEEN_WRITES,
    SUPPLIES,
    TOP,
    WAIT_IN,
    WAIT_OUT,
    WRITER,
    WRITES,
    WRITTEN,
)
from bnnsim.timing.streaming.compiled.kernels.elastic import close_elastic, run_elastic
from bnnsim.timing.streaming.compiled.kernels.flushing import close_flushing, run_flushing
from bnnsim.timing.streaming.compiled.kernels.freezing import close_freezing, run_freezing
from bnnsim.timing.streaming.compiled.kernels.jit import entry, inner

_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
"""Everything in this folder is compiled into the entry points."""


def _stamp() -> int:
    """A number that changes with any of the sources."""
    stamp = 0
    for source in _SOURCES:
        stamp = zlib.crc32(source.read_bytes(), stamp)
    return stamp


@inner
def _visit(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    draining: bool,
    horizon: int,
    counts: bool,
) -> None:
    """Run one unit as far as it gets."""
    unit[u, WAIT_IN] = -1
    unit[u, WAIT_OUT] = -1
    kind = unit[u, KIND]
    if kind == ELASTIC:
        run_elastic(unit, channel, pool, plan, u, barrier, horizon, counts)
    elif kind == FLUSHING:
        run_flushing(unit, channel, pool, plan, u, barrier, draining, horizon, counts)
    elif kind == LATE:
        run_late(unit, channel, pool, plan, u, barrier, draining, horizon, counts)
    else:
        run_freezing(unit, channel, pool, plan, u, barrier, draining, horizon, counts)


def _advance(stamp: int) -> Callable[..., int]:
    @entry
    def advance(
        unit: Int64s,
        channel: Int64s,
        pool: Int64s,
        plan: Int64s,
        queue: Int64s,
        queued: Int64s,
        barrier: int,
        draining: bool,
        horizon: int,
        counts: bool,
    ) -> int:
        """Tell every cycle that can be told within ``barrier`` frames and before cycle ``horizon``.

        Unless ``draining``, units run as if more frames followed and stop before frame ``barrier``;
        draining, frame ``barrier - 1`` is the run's last. ``counts`` asks for occupancies and for the
        accounts of elastic units.
        """
        units = unit.shape[0]
        for u in range(units):
            queue[u] = u
            queued[u] = 1
        head, size = 0, units
        while size:
            u = queue[head]
            head = head + 1 if head + 1 < units else 0
            size -= 1
            queued[u] = 0
            reads, writes = unit[u, READS], unit[u, WRITES]
            _visit(unit, channel, pool, plan, u, barrier, draining, horizon, counts)
            if unit[u, READS] != reads:
                for p in range(unit[u, IN0], unit[u, IN1]):
                    c = plan[p]
                    other = channel[c, WRITER]
                    if channel[c, SUPPLIES]:
                        channel[c, WRITTEN] = channel[c, READ] + OPEN_END_WORDS
                        other = u if unit[u, WAIT_IN] == c else -1
                    elif counts:
                        count_words(channel, pool, c)
                    log_reads(channel, pool, c)
                    wanted = other >= 0 and (unit[other, WAIT_OUT] == c or other == u)
                    if wanted and not queued[other]:
                        queued[other] = 1
                        tail = head + size
                        queue[tail if tail < units else tail - units] = other
                        size += 1
            if unit[u, WRITES] != writes:
                for p in range(unit[u, OUT0], unit[u, OUT1]):
                    c = plan[p]
                    other = channel[c, READER]
                    log_writes(channel, pool, c)
                    if channel[c, IS_OPEN]:
                        channel[c, READ] = channel[c, WRITTEN]
                        other = u if unit[u, WAIT_OUT] == c else -1
                    elif counts:
                        count_words(channel, pool, c)
                    wanted = other >= 0 and (unit[other, WAIT_IN] == c or other == u)
                    if wanted and not queued[other]:
                        queued[other] = 1
                        tail = head + size
                        queue[tail if tail < units else tail - units] = other
                        size += 1
        return stamp

    return advance


def _account(stamp: int) -> Callable[..., int]:
    @entry
    def account(
        unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, barrier: int, total: int
    ) -> int:
        """Close the books of a drained run of ``total`` cycles: waits still on, words that stayed.

        Nothing may have happened in or after cycle ``total``.
        """
        for c in range(channel.shape[0]):
            if not channel[c, SUPPLIES] and not channel[c, IS_OPEN]:
                count_words(channel, pool, c)
                if channel[c, SEEN_WRITES] < channel[c, WRITTEN]:  # nobody will read them
                    held = channel[c, WRITTEN] - channel[c, READ]
                    channel[c, TOP] = max(channel[c, TOP], held)
        for u in range(unit.shape[0]):
            if unit[u, KIND] == ELASTIC:
                close_elastic(unit, pool, plan, u, barrier, total)
            elif unit[u, KIND] >= FLUSHING:
                close_flushing(unit, pool, u, total)
            else:
                close_freezing(unit, channel, pool, plan, u, total)
        return stamp

    return account


advance = _advance(_stamp())
account = _account(_stamp())
