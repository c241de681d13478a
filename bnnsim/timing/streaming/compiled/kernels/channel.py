"""Channels in the compiled executor: the cycles of their latest words, and what is counted on them.

Compiled into the entry points of :mod:`bnnsim.timing.streaming.compiled.kernels.advance`, which are
what is cached on disk.
"""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.columns import (
    BLOCKED_IN,
    CHANNEL_SNAP,
    DEPTH_WORDS,
    ENDS,
    ENDS_AT,
    ENDS_ON_WRITE,
    IN0,
    IN1,
    LAG,
    LAST_READ,
    LAST_WRITE,
    LOG_READS,
    LOG_READS_END,
    LOG_WRITES,
    LOG_WRITES_END,
    LOGGED_READS,
    LOGGED_WRITES,
    NEVER,
    OUT0,
    OUT1,
    READ,
    READ_MASK,
    READ_RING,
    READS,
    READY_RING,
    SEEN_READS,
    SEEN_WRITES,
    SNAP_READS,
    SNAPSHOT_WORDS,
    SNAPSHOTS,
    SNAPSHOTS_AT,
    STARVED_IN,
    TOP,
    WAIT_IN,
    WAIT_OUT,
    WRITE_MASK,
    WRITE_RING,
    WRITES,
    WRITTEN,
)
from bnnsim.timing.streaming.compiled.kernels.jit import inner


@inner
def words_ready(unit: Int64s, channel: Int64s, plan: Int64s, u: int) -> int:
    """Words on every input whose cycles are known; notes an input that has none."""
    ready = NEVER
    for p in range(unit[u, IN0], unit[u, IN1]):
        c = plan[p]
        known = channel[c, WRITTEN] - channel[c, READ]
        if known <= 0:
            unit[u, WAIT_IN] = c
        ready = min(ready, known)
    return ready


@inner
def places_ready(unit: Int64s, channel: Int64s, plan: Int64s, u: int) -> int:
    """Places on every output whose cycles are known; notes an output that has none."""
    ready = NEVER
    for p in range(unit[u, OUT0], unit[u, OUT1]):
        c = plan[p]
        known = channel[c, READ] + channel[c, DEPTH_WORDS] - channel[c, WRITTEN]
        if known <= 0:
            unit[u, WAIT_OUT] = c
        ready = min(ready, known)
    return ready


@inner
def word_cycle(channel: Int64s, pool: Int64s, c: int) -> int:
    """From which cycle the channel's next word can be read."""
    word = channel[c, READ]
    return pool[channel[c, WRITE_RING] + (word & channel[c, WRITE_MASK])] + channel[c, LAG]


@inner
def place_cycle(channel: Int64s, pool: Int64s, c: int) -> int:
    """From which cycle the channel's next word can be written."""
    word = channel[c, WRITTEN] - channel[c, DEPTH_WORDS]
    return pool[channel[c, READ_RING] + (word & channel[c, READ_MASK])] + 1


@inner
def words_cycle(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int) -> int:
    """From which cycle every input can be read."""
    cycle = 0
    for p in range(unit[u, IN0], unit[u, IN1]):
        cycle = max(cycle, word_cycle(channel, pool, plan[p]))
    return cycle


@inner
def places_cycle(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int) -> int:
    """From which cycle every output can be written, a test bench's opening times aside."""
    cycle = 0
    for p in range(unit[u, OUT0], unit[u, OUT1]):
        cycle = max(cycle, place_cycle(channel, pool, plan[p]))
    return cycle


@inner
def next_open(cycle: int, every: int) -> int:
    """The first cycle from ``cycle`` on in which a test bench's outputs are open."""
    return cycle if every <= 1 else -(-cycle // every) * every


@inner
def decisive_from(arrival: int, cycle: int, every: int) -> int:
    """Of a wait from ``arrival`` to ``cycle``: what came in which cycle or later may have decided it.

    Without a wait nothing did. The last to come did, and where outputs are open only now and then,
    whatever had to be waited for at all.
    """
    return max(arrival + 1, cycle) if every <= 1 else arrival + 1


@inner
def note_starved(
    unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, since: int, frame: int
) -> None:
    """Note that in ``frame`` the unit waited for those inputs whose word came in ``since`` or later."""
    for p in range(unit[u, IN0], unit[u, IN1]):
        c = plan[p]
        if word_cycle(channel, pool, c) >= since:
            channel[c, STARVED_IN] = frame


@inner
def note_blocked(
    unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, since: int, frame: int
) -> None:
    """Note that in ``frame`` the unit waited for those outputs whose room came in ``since`` or later."""
    for p in range(unit[u, OUT0], unit[u, OUT1]):
        c = plan[p]
        if place_cycle(channel, pool, c) >= since:
            channel[c, BLOCKED_IN] = frame


@inner
def read_words(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, cycle: int) -> None:
    """Take a word from every input."""
    for p in range(unit[u, IN0], unit[u, IN1]):
        c = plan[p]
        word = channel[c, READ]
        pool[channel[c, READ_RING] + (word & channel[c, READ_MASK])] = cycle
        channel[c, READ] = word + 1
    unit[u, READS] += 1
    unit[u, LAST_READ] = cycle
    if unit[u, ENDS] and not unit[u, ENDS_ON_WRITE]:
        note_end(unit, pool, plan, u, unit[u, READS], cycle)


@inner
def write_words(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, cycle: int) -> None:
    """Put a word on every output."""
    for p in range(unit[u, OUT0], unit[u, OUT1]):
        c = plan[p]
        word = channel[c, WRITTEN]
        pool[channel[c, WRITE_RING] + (word & channel[c, WRITE_MASK])] = cycle
        channel[c, WRITTEN] = word + 1
    unit[u, WRITES] += 1
    unit[u, LAST_WRITE] = cycle
    if unit[u, ENDS] and unit[u, ENDS_ON_WRITE]:
        note_end(unit, pool, plan, u, unit[u, WRITES], cycle)


@inner
def note_ready(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    arrival: int,
    others: int,
    follows: bool,
) -> None:
    """Before a read behind a late unit: note from when on the reader lacked nothing but that word.

    It got to the read in cycle ``arrival`` and had all else in cycle ``others``. Where the last read was
    in the cycle before (``follows``), waits for words of the same channel until then do not count.
    """
    for p in range(unit[u, IN0], unit[u, IN1]):
        c = plan[p]
        ring = channel[c, READY_RING]
        if ring == 0:
            continue
        ready = max(arrival, others)
        if follows:
            ready = max(pool[ring + ((channel[c, READ] - 1) & channel[c, READ_MASK])] + 1, others)
        for q in range(unit[u, IN0], unit[u, IN1]):
            if q != p:
                ready = max(ready, word_cycle(channel, pool, plan[q]))
        pool[ring + (channel[c, READ] & channel[c, READ_MASK])] = ready


@inner
def ready_cycle(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int) -> int:
    """From which cycle every output can be written as far as that is the readers' own affair."""
    cycle = 0
    for p in range(unit[u, OUT0], unit[u, OUT1]):
        c = plan[p]
        freed_by = (channel[c, WRITTEN] - channel[c, DEPTH_WORDS]) & channel[c, READ_MASK]
        ring = channel[c, READY_RING] if channel[c, READY_RING] else channel[c, READ_RING]
        cycle = max(cycle, pool[ring + freed_by] + 1)
    return cycle


@inner
def note_end(unit: Int64s, pool: Int64s, plan: Int64s, u: int, words: int, cycle: int) -> None:
    """At the sink: keep the cycle of a frame's last word."""
    if words % unit[u, ENDS] == 0:
        pool[plan[ENDS_AT] + words // unit[u, ENDS] - 1] = cycle


@inner
def count_words(channel: Int64s, pool: Int64s, c: int) -> None:
    """Highest occupancy at the end of a cycle, as far as both ends' cycles are known.

    It stands after a write: word w, written in cycle x, and what came before it and was not read by x.
    Visited often enough, this looks back no further than the rings reach: words not counted yet are in
    the channel, and reads not counted yet came after the last write.
    """
    written = channel[c, WRITTEN]
    read = channel[c, READ]
    w = channel[c, SEEN_WRITES]
    r = channel[c, SEEN_READS]
    top = channel[c, TOP]
    write_ring = channel[c, WRITE_RING]
    write_mask = channel[c, WRITE_MASK]
    read_ring = channel[c, READ_RING]
    read_mask = channel[c, READ_MASK]
    while w < written:
        cycle = pool[write_ring + (w & write_mask)]
        while r < read and pool[read_ring + (r & read_mask)] <= cycle:
            r += 1
        if r == read and r <= w:
            break  # the next read may still turn out to be that early
        w += 1
        top = max(top, w - r)
    channel[c, SEEN_WRITES] = w
    channel[c, SEEN_READS] = r
    channel[c, TOP] = top


@inner
def log_reads(channel: Int64s, pool: Int64s, c: int) -> None:
    """Copy the cycles of the latest visit's reads to the log, where there is one."""
    if channel[c, LOG_READS] == channel[c, LOG_READS_END]:
        return
    for word in range(channel[c, LOGGED_READS], channel[c, READ]):
        cycle = pool[channel[c, READ_RING] + (word & channel[c, READ_MASK])]
        pool[channel[c, LOG_READS] + word] = cycle
    channel[c, LOGGED_READS] = channel[c, READ]


@inner
def log_writes(channel: Int64s, pool: Int64s, c: int) -> None:
    """Copy the cycles of the latest visit's writes to the log, where there is one."""
    if channel[c, LOG_WRITES] == channel[c, LOG_WRITES_END]:
        return
    for word in range(channel[c, LOGGED_WRITES], channel[c, WRITTEN]):
        cycle = pool[channel[c, WRITE_RING] + (word & channel[c, WRITE_MASK])]
        pool[channel[c, LOG_WRITES] + word] = cycle
    channel[c, LOGGED_WRITES] = channel[c, WRITTEN]


@inner
def snapshot_place(plan: Int64s, frame: int) -> int:
    """Where in the pool the state after ``frame`` frames is kept."""
    return plan[SNAPSHOTS_AT] + frame % plan[SNAPSHOTS] * plan[SNAPSHOT_WORDS]


@inner
def keep_reads(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, snapshot: int) -> None:
    """Those reads of the unit's inputs that words of later frames may have to wait for."""
    for p in range(unit[u, IN0], unit[u, IN1]):
        c = plan[p]
        place = snapshot + channel[c, CHANNEL_SNAP]
        for word in range(channel[c, READ] - channel[c, SNAP_READS], channel[c, READ]):
            pool[place] = pool[channel[c, READ_RING] + (word & channel[c, READ_MASK])]
            place += 1
