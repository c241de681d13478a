"""Elastic units in the compiled executor: two sides that only share a buffer."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.channel import (
    decisive_from,
    keep_reads,
    next_open,
    note_blocked,
    note_ready,
    note_starved,
    places_cycle,
    places_ready,
    read_words,
    snapshot_place,
    words_cycle,
    words_ready,
    write_words,
)
from bnnsim.timing.streaming.compiled.kernels.columns import (
    AT,
    BLOCKED_IN,
    BOOKED,
    BOOKED_IN,
    BOOKED_OUT,
    BUSY,
    DEPTH_WORDS,
    ENDS,
    EVERY,
    FRAME,
    FREES,
    HALTED,
    IN0,
    IN1,
    IN_FRAME,
    LAG,
    LAST_READ,
    LAST_WRITE,
    LATENCY,
    LEFT,
    LEFT_MASK,
    NEED,
    NEED_LEFT,
    NEEDS,
    NEEDS_END,
    NEVER,
    OUT0,
    OUT1,
    OUT_FRAME,
    PLACE,
    READ,
    READ_MASK,
    READ_RING,
    READS,
    READY_RING,
    SNAP,
    SNAP_AT,
    SNAP_LEFT,
    SNAP_WORDS,
    STALLED_IN,
    STALLED_OUT,
    STARVED_IN,
    TAKEN,
    TAKEN_MASK,
    WORDS_IN,
    WORDS_OUT,
    WRITE_MASK,
    WRITE_RING,
    WRITES,
    WRITTEN,
)
from bnnsim.timing.streaming.compiled.kernels.jit import inner


@inner
def run_elastic(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    horizon: int,
    counts: bool,
) -> None:
    """Take and give words as far as their cycles can be told."""
    takes_fast = unit[u, IN1] - unit[u, IN0] == 1 and not unit[u, ENDS]
    if takes_fast:
        takes_fast = channel[plan[unit[u, IN0]], READY_RING] == 0
    gives_fast = unit[u, OUT1] - unit[u, OUT0] == 1 and not unit[u, ENDS] and unit[u, EVERY] == 1
    while True:
        taken = unit[u, READS]
        given = unit[u, WRITES]
        while _take_word(unit, channel, pool, plan, u, barrier, horizon):
            if takes_fast:
                _take_on(unit, channel, pool, plan, u, horizon)
        if counts:
            book_elastic(unit, pool, u)
        while _give_word(unit, channel, pool, plan, u, barrier, horizon):
            if gives_fast:
                _give_on(unit, channel, pool, plan, u, horizon)
        if counts:
            book_elastic(unit, pool, u)
        if taken == unit[u, READS] and given == unit[u, WRITES]:
            return


@inner
def _wanted_from(unit: Int64s, pool: Int64s, plan: Int64s, u: int, barrier: int) -> int:
    """From which cycle the unit has a place for its next word; NEVER where that is not known."""
    if unit[u, READS] >= barrier * unit[u, WORDS_IN]:
        return NEVER
    freeing = unit[u, IN_FRAME] * unit[u, WORDS_OUT] + plan[unit[u, FREES] + unit[u, PLACE]]
    if freeing >= unit[u, WRITES]:
        return NEVER
    return max(unit[u, AT] + 1, _place_from(unit, pool, plan, u))


@inner
def _place_from(unit: Int64s, pool: Int64s, plan: Int64s, u: int) -> int:
    """From which cycle the place for the next word is free."""
    freeing = unit[u, IN_FRAME] * unit[u, WORDS_OUT] + plan[unit[u, FREES] + unit[u, PLACE]]
    return pool[unit[u, LEFT] + (freeing & unit[u, LEFT_MASK])] + 1 if freeing >= 0 else 0


@inner
def _due_from(unit: Int64s, pool: Int64s, plan: Int64s, u: int, barrier: int) -> int:
    """From which cycle the unit's next word may leave; NEVER where that is not known."""
    if unit[u, WRITES] >= barrier * unit[u, WORDS_OUT]:
        return NEVER
    needed = unit[u, OUT_FRAME] * unit[u, WORDS_IN] + plan[unit[u, NEED]]
    if needed >= unit[u, READS]:
        return NEVER
    due = pool[unit[u, TAKEN] + (needed & unit[u, TAKEN_MASK])] + unit[u, LATENCY]
    return max(due, unit[u, LAST_WRITE] + 1)


@inner
def _take_word(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    horizon: int,
) -> bool:
    start = _wanted_from(unit, pool, plan, u, barrier)
    if start == NEVER or unit[u, HALTED] & 1 or words_ready(unit, channel, plan, u) <= 0:
        return False
    word = words_cycle(unit, channel, pool, plan, u)
    cycle = max(start, word)
    if cycle >= horizon:
        unit[u, HALTED] |= 1
        return False
    since = decisive_from(start, cycle, 1)
    note_starved(unit, channel, pool, plan, u, since, unit[u, IN_FRAME])
    entry = unit[u, TAKEN] + (unit[u, READS] & unit[u, TAKEN_MASK])
    pool[entry] = cycle
    pool[entry + unit[u, TAKEN_MASK] + 1] = start
    note_ready(unit, channel, pool, plan, u, start, _place_from(unit, pool, plan, u), True)
    unit[u, AT] = cycle
    read_words(unit, channel, pool, plan, u, cycle)
    unit[u, PLACE] += 1
    if unit[u, PLACE] == unit[u, WORDS_IN]:
        unit[u, PLACE] = 0
        unit[u, IN_FRAME] += 1
        unit[u, FRAME] = min(unit[u, IN_FRAME], unit[u, OUT_FRAME])
        snapshot = snapshot_place(plan, unit[u, IN_FRAME])
        pool[snapshot + unit[u, SNAP] + SNAP_AT] = cycle
        keep_reads(unit, channel, pool, plan, u, snapshot)
    return True


@inner
def _take_on(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, horizon: int) -> None:
    """Further words of the frame but the last, from the only input: the same, faster."""
    c = plan[unit[u, IN0]]
    place = unit[u, FREES] + unit[u, PLACE]
    most = min(unit[u, WORDS_IN] - unit[u, PLACE] - 1, channel[c, WRITTEN] - channel[c, READ])
    base = unit[u, IN_FRAME] * unit[u, WORDS_OUT]
    given = unit[u, WRITES]
    left_ring, left_mask = unit[u, LEFT], unit[u, LEFT_MASK]
    come_ring, come_mask, lag = channel[c, WRITE_RING], channel[c, WRITE_MASK], channel[c, LAG]
    read_ring, read_mask = channel[c, READ_RING], channel[c, READ_MASK]
    taken_ring, taken_mask = unit[u, TAKEN], unit[u, TAKEN_MASK]
    taken, number = channel[c, READ], unit[u, READS]
    at = unit[u, AT]
    done = 0
    while done < most:
        freeing = base + plan[place]
        if freeing >= given:
            break
        start = at + 1
        if freeing >= 0:
            start = max(start, pool[left_ring + (freeing & left_mask)] + 1)
        cycle = max(start, pool[come_ring + (taken & come_mask)] + lag)
        if cycle >= horizon:
            break
        if cycle > start:
            channel[c, STARVED_IN] = unit[u, IN_FRAME]
        entry = taken_ring + (number & taken_mask)
        pool[entry] = cycle
        pool[entry + taken_mask + 1] = start
        pool[read_ring + (taken & read_mask)] = cycle
        at = cycle
        taken += 1
        number += 1
        place += 1
        done += 1
    if done:
        channel[c, READ] = taken
        unit[u, READS] = number
        unit[u, PLACE] += done
        unit[u, AT] = at
        unit[u, LAST_READ] = at


@inner
def _give_on(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, horizon: int) -> None:
    """Further words that wait for no other word taken, to the only output: the same, faster."""
    needed = unit[u, OUT_FRAME] * unit[u, WORDS_IN] + plan[unit[u, NEED]]
    if needed >= unit[u, READS]:
        return
    c = plan[unit[u, OUT0]]
    depth = channel[c, DEPTH_WORDS]
    most = min(unit[u, NEED_LEFT] - 1, channel[c, READ] + depth - channel[c, WRITTEN])
    due = pool[unit[u, TAKEN] + (needed & unit[u, TAKEN_MASK])] + unit[u, LATENCY]
    free_ring, free_mask = channel[c, READ_RING], channel[c, READ_MASK]
    write_ring, write_mask = channel[c, WRITE_RING], channel[c, WRITE_MASK]
    left_ring, left_mask = unit[u, LEFT], unit[u, LEFT_MASK]
    given, number = channel[c, WRITTEN], unit[u, WRITES]
    at = unit[u, LAST_WRITE]
    done = 0
    while done < most:
        start = max(due, at + 1)
        cycle = max(start, pool[free_ring + ((given - depth) & free_mask)] + 1)
        if cycle >= horizon:
            break
        if cycle > start:
            channel[c, BLOCKED_IN] = unit[u, OUT_FRAME]
        entry = left_ring + (number & left_mask)
        pool[entry] = cycle
        pool[entry + left_mask + 1] = start
        pool[write_ring + (given & write_mask)] = cycle
        at = cycle
        given += 1
        number += 1
        done += 1
    if done:
        channel[c, WRITTEN] = given
        unit[u, WRITES] = number
        unit[u, NEED_LEFT] -= done
        unit[u, LAST_WRITE] = at


@inner
def _give_word(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    horizon: int,
) -> bool:
    start = _due_from(unit, pool, plan, u, barrier)
    if start == NEVER or unit[u, HALTED] & 2 or places_ready(unit, channel, plan, u) <= 0:
        return False
    place = places_cycle(unit, channel, pool, plan, u)
    cycle = next_open(max(start, place), unit[u, EVERY])
    if cycle >= horizon:
        unit[u, HALTED] |= 2
        return False
    since = decisive_from(start, cycle, unit[u, EVERY])
    note_blocked(unit, channel, pool, plan, u, since, unit[u, OUT_FRAME])
    entry = unit[u, LEFT] + (unit[u, WRITES] & unit[u, LEFT_MASK])
    pool[entry] = cycle
    pool[entry + unit[u, LEFT_MASK] + 1] = start
    write_words(unit, channel, pool, plan, u, cycle)
    unit[u, NEED_LEFT] -= 1
    if unit[u, NEED_LEFT] > 0:
        return True
    unit[u, NEED] += 2
    if unit[u, NEED] == unit[u, NEEDS_END]:
        unit[u, NEED] = unit[u, NEEDS]
        unit[u, OUT_FRAME] += 1
        unit[u, FRAME] = min(unit[u, IN_FRAME], unit[u, OUT_FRAME])
        _keep_left(unit, pool, plan, u)
    unit[u, NEED_LEFT] = plan[unit[u, NEED] + 1]
    return True


@inner
def _keep_left(unit: Int64s, pool: Int64s, plan: Int64s, u: int) -> None:
    """The words of a frame have left: keep the latest cycles, for places of later frames."""
    place = snapshot_place(plan, unit[u, OUT_FRAME]) + unit[u, SNAP] + SNAP_LEFT
    for word in range(unit[u, WRITES] - unit[u, SNAP_WORDS], unit[u, WRITES]):
        pool[place] = pool[unit[u, LEFT] + (word & unit[u, LEFT_MASK])]
        place += 1


@inner
def book_elastic(unit: Int64s, pool: Int64s, u: int) -> None:
    """Account for the unit's cycles as far as the next words of both sides are known."""
    while unit[u, BOOKED_IN] < unit[u, READS] and unit[u, BOOKED_OUT] < unit[u, WRITES]:
        taken = unit[u, TAKEN] + (unit[u, BOOKED_IN] & unit[u, TAKEN_MASK])
        left = unit[u, LEFT] + (unit[u, BOOKED_OUT] & unit[u, LEFT_MASK])
        wanted = pool[taken + unit[u, TAKEN_MASK] + 1]
        due = pool[left + unit[u, LEFT_MASK] + 1]
        _book_until(unit, u, pool[taken], pool[left], wanted, due)


@inner
def _book_until(unit: Int64s, u: int, taken: int, left: int, wanted: int, due: int) -> None:
    """Up to and with the next cycle in which a word moves: ``taken``, ``left`` or both at once."""
    cycle = min(taken, left)
    _book_wait(unit, u, cycle, wanted, due)
    unit[u, BUSY] += 1
    unit[u, BOOKED] = cycle + 1
    unit[u, BOOKED_IN] += taken == cycle
    unit[u, BOOKED_OUT] += left == cycle


@inner
def _book_wait(unit: Int64s, u: int, until: int, wanted: int, due: int) -> None:
    """Cycles before ``until`` in which no word moves: stalled on a due word, else on a free place."""
    start = unit[u, BOOKED]
    blocked = min(max(due, start), until)
    unit[u, STALLED_OUT] += until - blocked
    unit[u, STALLED_IN] += max(0, blocked - max(wanted, start))


@inner
def close_elastic(unit: Int64s, pool: Int64s, plan: Int64s, u: int, barrier: int, total: int) -> None:
    """Account for what is left of a run of ``total`` cycles."""
    book_elastic(unit, pool, u)
    while unit[u, BOOKED_IN] < unit[u, READS] or unit[u, BOOKED_OUT] < unit[u, WRITES]:
        taken, left = NEVER, NEVER
        wanted = _wanted_from(unit, pool, plan, u, barrier)
        due = _due_from(unit, pool, plan, u, barrier)
        if unit[u, BOOKED_IN] < unit[u, READS]:
            entry = unit[u, TAKEN] + (unit[u, BOOKED_IN] & unit[u, TAKEN_MASK])
            taken = pool[entry]
            wanted = pool[entry + unit[u, TAKEN_MASK] + 1]
        if unit[u, BOOKED_OUT] < unit[u, WRITES]:
            entry = unit[u, LEFT] + (unit[u, BOOKED_OUT] & unit[u, LEFT_MASK])
            left = pool[entry]
            due = pool[entry + unit[u, LEFT_MASK] + 1]
        _book_until(unit, u, taken, left, wanted, due)
    wanted = _wanted_from(unit, pool, plan, u, barrier)
    due = _due_from(unit, pool, plan, u, barrier)
    _book_wait(unit, u, total, wanted, due)
