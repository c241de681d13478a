"""Whether what a unit did of late can matter to its neighbours.

A unit that waited for no room does the same again as long as there is room for each word before the
cycle in which it wrote it; and so for words. To see that takes a quarter of the time of doing it again.
Where it might count its waits otherwise, it is done again.
"""

from __future__ import annotations

from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.records import (
    BOUND,
    FLUSHING,
    FREEZING,
    NEVER,
    WAITED_FOR_ROOM,
    WAITED_FOR_WORD,
    Limits,
    Place,
    State,
)


@inner
def matters_to_writer(s: State, c: int, reads: int, limits: Limits) -> bool:
    """Whether a channel's writer might do something else, now that so many words were read in the
    window, and in other cycles than before."""
    channel = s.channel[c]
    u = channel.writer
    unit = s.unit[u]
    is_counted = unit.kind == FREEZING and limits.has_counts
    if is_counted or s.end[u].waited & WAITED_FOR_ROOM or not _is_plain(s, u, limits):
        return True
    free = channel.depth - channel.held
    if reads > channel.read or free + reads < channel.written:
        return True
    room = channel.reads_at + channel.old_reads - free
    given = channel.writes_at + channel.old_writes + channel.held
    spare = 0
    for n in range(max(0, free), channel.written):
        spare |= s.cycles[Place(given + n)] - s.cycles[Place(room + n)] - 2
    return spare < 0


@inner
def matters_to_reader(s: State, c: int, writes: int, limits: Limits) -> bool:
    """Whether a channel's reader might do something else, now that so many words were written in the
    window, and in other cycles than before."""
    channel = s.channel[c]
    u = channel.reader
    has_frozen = s.unit[u].kind == FLUSHING and s.end[u].frozen != s.start[u].frozen
    if has_frozen or s.end[u].waited & WAITED_FOR_WORD or not _is_plain(s, u, limits):
        return True
    if channel.read == NEVER or writes > channel.written or channel.held + writes < channel.read:
        return True
    words = channel.writes_at + channel.old_writes
    taken = channel.reads_at + channel.old_reads
    spare = 0
    for n in range(channel.held, channel.read):
        spare |= s.cycles[Place(taken + n)] - s.cycles[Place(words + n)] - channel.lag - 1
    return spare < 0


@inner
def _is_plain(s: State, u: int, limits: Limits) -> bool:
    """Whether a unit does again what it did, with the same words and the same room."""
    unit = s.unit[u]
    is_plain: bool = unit.kind != BOUND and not unit.is_behind_bound and unit.ready_every == 1
    return is_plain and not limits.is_careful and limits.cycle_limit == NEVER
