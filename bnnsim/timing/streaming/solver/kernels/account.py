"""What is counted once a window's cycles are known: waits, occupancies, and what a run's end cuts off."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.freezing import stalled_on_input
from bnnsim.timing.streaming.solver.kernels.jit import entry, inner, part
from bnnsim.timing.streaming.solver.kernels.lockstep import coming
from bnnsim.timing.streaming.solver.kernels.records import (
    ELASTIC,
    FLUSHING,
    LONG_AGO,
    NEVER,
    READS,
    WAITED_FOR_ROOM,
    WAITED_FOR_WORD,
    WRITES,
    Limits,
    State,
)


@inner
def note_window(s: State, window: int) -> int:
    """Note for which channels units waited in the window that was solved; its last event, or -1."""
    last = -1
    for c in range(len(s.channel)):
        channel = s.channel[c]
        writes = channel.writes_at + channel.old_writes + channel.held
        reads = channel.reads_at + channel.old_reads
        if channel.writer >= 0:
            if channel.written:
                last = max(last, s.cycles[writes + channel.written - 1])
            if s.end[channel.writer].waited & WAITED_FOR_ROOM and _lacked_room(s, c):
                channel.writer_waited = window
        if channel.reader >= 0:
            if channel.read:
                last = max(last, s.cycles[reads + channel.read - 1])
            if s.end[channel.reader].waited & WAITED_FOR_WORD and _lacked_word(s, c):
                channel.reader_waited = window
    return last


@part
def _lacked_room(s: State, c: int) -> bool:
    """Whether a writer that waited for room may have waited for this channel's."""
    channel = s.channel[c]
    unit = s.unit[channel.writer]
    if unit.end_output - unit.first_output == 1 or unit.ready_every > 1:
        return True
    if not channel.is_bounded:
        return False
    writes = channel.writes_at + channel.old_writes + channel.held
    room = channel.reads_at + channel.old_reads - channel.depth + channel.held
    for n in range(channel.written):
        waited = s.cycles[writes + n] - s.cycles[room + n] - 1
        if waited == 0:
            return True
    return False


@part
def _lacked_word(s: State, c: int) -> bool:
    """Whether a reader that waited for a word may have waited for this channel's.

    Its word came later than the reader's last one allowed. One with a flushing pipeline may have been
    held up otherwise once it was there, and on a test bench one may have missed an open cycle for it.
    """
    channel = s.channel[c]
    unit = s.unit[channel.reader]
    if unit.end_input - unit.first_input == 1:
        return True
    may_go_on_later = unit.kind == FLUSHING or unit.ready_every > 1
    words = channel.writes_at + channel.old_writes
    reads = channel.reads_at + channel.old_reads
    last = s.start[channel.reader].cycle
    for n in range(channel.read):
        came, cycle = s.cycles[words + n] + channel.lag, s.cycles[reads + n]
        if came > last + 1 and (came == cycle or may_go_on_later):
            return True
        last = cycle
    return False


@inner
def count_occupancy(s: State, is_over: bool) -> None:
    """The highest occupancy of every channel at the end of a cycle, as far as both ends are known.

    It is highest after a write: that word, and those before it that were not read by then. ``is_over``:
    no word moves any more.
    """
    for c in range(len(s.channel)):
        channel = s.channel[c]
        if channel.writer < 0 or channel.reader < 0:
            continue
        top = channel.max_occupancy
        writes = channel.writes_at + channel.old_writes
        reads = channel.reads_at + channel.old_reads
        # Words count from the first that was not read before the window.
        w, r = channel.held - channel.writes_to_count, -channel.reads_to_count
        end = channel.held + channel.written
        read = channel.read if channel.read < NEVER else 0
        while w < end:
            cycle = s.cycles[writes + w]
            while r < read and s.cycles[reads + r] <= cycle:
                r += 1
            if r == read and r <= w and not is_over:
                break  # the next read may still turn out to be that early
            w += 1
            top = max(top, w - r)
        channel.writes_to_count, channel.reads_to_count = end - w, read - r
        channel.max_occupancy = top


@entry
def book_end(s: State, limits: Limits, cycles: int) -> None:
    """Account for what is still in channels when a run of so many ``cycles`` ends, and for the waits of
    lockstep units that are on."""
    count_occupancy(s, True)
    for u in range(len(s.unit)):
        if s.unit[u].kind == FLUSHING:
            _book_flushing(s, u, limits, cycles)
        elif s.unit[u].kind != ELASTIC:
            _book_freezing(s, u, limits, cycles)


@entry
def idle_ticks(s: State, limits: Limits, ticks: Int64s) -> None:
    """Note for each lockstep unit the ticks to come before the next that touches a word."""
    for u in range(len(s.unit)):
        if s.unit[u].kind != ELASTIC:
            ticks[u] = coming(s, u, limits).idle


@entry
def wanted_sides(s: State, limits: Limits, sides: Int64s) -> None:
    """Note for each unit of a run that ends what it lacks where nothing moves any more."""
    for u in range(len(s.unit)):
        unit, at = s.unit[u], s.end[u]
        if unit.kind == ELASTIC:
            needed = at.output_frame * unit.words_in + s.program_words[at.dependence]
            freeing = at.input_frame * unit.words_out
            freeing += s.program_words[unit.release_start + at.next_word]
            gives = at.writes < limits.frames * unit.words_out and needed < at.reads
            takes = at.reads < limits.frames * unit.words_in and freeing < at.writes
        else:
            next_step = coming(s, u, limits)
            takes = next_step.sides & READS > 0
            gives = next_step.sides & WRITES > 0
            if unit.kind == FLUSHING:
                gives = at.writes < at.entered
        sides[u] = WAITED_FOR_ROOM * gives + WAITED_FOR_WORD * takes


@part
def _book_freezing(s: State, u: int, limits: Limits, cycles: int) -> None:
    at, next_tick = s.end[u], coming(s, u, limits)
    due = at.cycle + 1 + next_tick.idle
    if due >= cycles:
        return
    space = _next_room(s, u) if next_tick.sides & WRITES else LONG_AGO
    every = s.unit[u].ready_every if next_tick.sides & WRITES else 1
    on_input = stalled_on_input(due, space, every, cycles) if next_tick.sides & READS else 0
    at.stalled_on_input += on_input
    at.stalled_on_output += cycles - due - on_input


@part
def _next_room(s: State, u: int) -> int:
    """From which cycle on the unit's next word has room, or NEVER as far as is known."""
    unit, written = s.unit[u], s.end[u].writes - s.start[u].writes
    room = LONG_AGO
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.program_words[p]]
        if channel.is_bounded:
            free = channel.depth - channel.held
            if written >= free + channel.read:
                return NEVER
            room = max(room, s.cycles[channel.reads_at + channel.old_reads - free + written] + 1)
    return room


@part
def _book_flushing(s: State, u: int, limits: Limits, cycles: int) -> None:
    unit, at, next_step = s.unit[u], s.end[u], coming(s, u, limits)
    local_end = cycles - at.exit_frozen  # the local ticks before it are over
    if at.writes < at.entered:
        leaving = s.pipes[unit.pipe + 3 * (unit.pipe_mask + 1) + (at.writes & unit.pipe_mask)]
        if leaving + at.exit_frozen < cycles:
            at.stalled_on_output += cycles - leaving - at.exit_frozen
            local_end = leaving
    at.stalled_on_input += max(0, local_end - (at.local_tick + 1 + next_step.idle))
