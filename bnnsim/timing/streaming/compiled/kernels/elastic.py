"""Elastic units in the compiled executor: two sides that only share a buffer."""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.kernels.channel import (
    decisive_from,
    keep_reads,
    next_open,
    note_ready,
    note_stalled_reader,
    note_stalled_writer,
    read_words,
    snapshot_place,
    spaces_available,
    spaces_cycle,
    words_available,
    words_cycle,
    write_words,
)
from bnnsim.timing.streaming.compiled.kernels.jit import inner
from bnnsim.timing.streaming.compiled.kernels.records import (
    EXITS_HALTED,
    NEVER,
    SNAP_CYCLE,
    SNAP_LEFT,
    STEPS_HALTED,
    Limits,
    State,
)


@inner
def run_elastic(s: State, u: int, limits: Limits) -> None:
    """Take and give words as far as their cycles can be told."""
    unit = s.unit[u]
    may_be_fast = not unit.sink_words and not limits.general
    takes_fast = may_be_fast and unit.end_input - unit.first_input == 1
    if takes_fast:
        takes_fast = s.channel[s.program_words[unit.first_input]].ready_ring == 0
    gives_fast = may_be_fast and unit.end_output - unit.first_output == 1 and unit.ready_every == 1
    while True:
        taken = unit.reads
        given = unit.writes
        while _take_word(s, u, limits):
            if takes_fast:
                _take_on(s, u, limits)
        if limits.counts:
            book_elastic(s, u)
        while _give_word(s, u, limits):
            if gives_fast:
                _give_on(s, u, limits)
        if limits.counts:
            book_elastic(s, u)
        if taken == unit.reads and given == unit.writes:
            return


@inner
def _wanted_from(s: State, u: int, limits: Limits) -> int:
    """From which cycle the unit has a place for its next word; NEVER where that is not known."""
    unit = s.unit[u]
    if unit.reads >= limits.frame_limit * unit.words_in:
        return NEVER
    freeing = (
        unit.input_frame * unit.words_out + s.program_words[unit.release_start + unit.next_word]
    )
    if freeing >= unit.writes:
        return NEVER
    return max(unit.step_cycle + 1, _space_from(s, u))


@inner
def _space_from(s: State, u: int) -> int:
    """From which cycle the place for the next word is free."""
    unit = s.unit[u]
    freeing = (
        unit.input_frame * unit.words_out + s.program_words[unit.release_start + unit.next_word]
    )
    return s.event_times[unit.left_ring + (freeing & unit.left_mask)] + 1 if freeing >= 0 else 0


@inner
def _due_from(s: State, u: int, limits: Limits) -> int:
    """From which cycle the unit's next word may leave; NEVER where that is not known."""
    unit = s.unit[u]
    if unit.writes >= limits.frame_limit * unit.words_out:
        return NEVER
    needed = unit.output_frame * unit.words_in + s.program_words[unit.dependence]
    if needed >= unit.reads:
        return NEVER
    due = s.event_times[unit.taken_ring + (needed & unit.taken_mask)] + unit.latency
    return max(due, unit.last_write + 1)


@inner
def _take_word(s: State, u: int, limits: Limits) -> bool:
    unit = s.unit[u]
    start = _wanted_from(s, u, limits)
    if start == NEVER or unit.halted & STEPS_HALTED or words_available(s, u) <= 0:
        return False
    word = words_cycle(s, u)
    cycle = max(start, word)
    if cycle >= limits.cycle_limit:
        unit.halted |= STEPS_HALTED
        return False
    since = decisive_from(start, cycle, 1)
    note_stalled_reader(s, u, since, unit.input_frame)
    entry = unit.taken_ring + (unit.reads & unit.taken_mask)
    s.event_times[entry] = cycle
    s.event_times[entry + unit.taken_mask + 1] = start
    note_ready(s, u, start, _space_from(s, u), True)
    unit.step_cycle = cycle
    read_words(s, u, cycle)
    unit.next_word += 1
    if unit.next_word == unit.words_in:
        unit.next_word = 0
        unit.input_frame += 1
        unit.frames_done = min(unit.input_frame, unit.output_frame)
        snapshot = snapshot_place(s, unit.input_frame)
        s.event_times[snapshot + unit.snapshot_place + SNAP_CYCLE] = cycle
        keep_reads(s, u, snapshot)
    return True


@inner
def _take_on(s: State, u: int, limits: Limits) -> None:
    """Further words of the frame but the last, from the only input: the same, faster."""
    unit = s.unit[u]
    c = s.program_words[unit.first_input]
    channel = s.channel[c]
    place = unit.release_start + unit.next_word
    most = min(unit.words_in - unit.next_word - 1, channel.written - channel.read)
    base = unit.input_frame * unit.words_out
    given = unit.writes
    left_ring, left_mask = unit.left_ring, unit.left_mask
    come_ring, come_mask, lag = channel.write_ring, channel.write_mask, channel.lag
    read_ring, read_mask = channel.read_ring, channel.read_mask
    taken_ring, taken_mask = unit.taken_ring, unit.taken_mask
    taken, number = channel.read, unit.reads
    at = unit.step_cycle
    done = 0
    while done < most:
        freeing = base + s.program_words[place]
        if freeing >= given:
            break
        start = at + 1
        if freeing >= 0:
            start = max(start, s.event_times[left_ring + (freeing & left_mask)] + 1)
        cycle = max(start, s.event_times[come_ring + (taken & come_mask)] + lag)
        if cycle >= limits.cycle_limit:
            break
        if cycle > start:
            channel.reader_stall_frame = unit.input_frame
        entry = taken_ring + (number & taken_mask)
        s.event_times[entry] = cycle
        s.event_times[entry + taken_mask + 1] = start
        s.event_times[read_ring + (taken & read_mask)] = cycle
        at = cycle
        taken += 1
        number += 1
        place += 1
        done += 1
    if done:
        channel.read = taken
        unit.reads = number
        unit.next_word += done
        unit.step_cycle = at
        unit.last_read = at


@inner
def _give_on(s: State, u: int, limits: Limits) -> None:
    """Further words that wait for no other word taken, to the only output: the same, faster."""
    unit = s.unit[u]
    needed = unit.output_frame * unit.words_in + s.program_words[unit.dependence]
    if needed >= unit.reads:
        return
    c = s.program_words[unit.first_output]
    channel = s.channel[c]
    depth = channel.depth_words
    most = min(unit.dependence_left - 1, channel.read + depth - channel.written)
    due = s.event_times[unit.taken_ring + (needed & unit.taken_mask)] + unit.latency
    free_ring, free_mask = channel.read_ring, channel.read_mask
    write_ring, write_mask = channel.write_ring, channel.write_mask
    left_ring, left_mask = unit.left_ring, unit.left_mask
    given, number = channel.written, unit.writes
    at = unit.last_write
    done = 0
    while done < most:
        start = max(due, at + 1)
        cycle = max(start, s.event_times[free_ring + ((given - depth) & free_mask)] + 1)
        if cycle >= limits.cycle_limit:
            break
        if cycle > start:
            channel.writer_stall_frame = unit.output_frame
        entry = left_ring + (number & left_mask)
        s.event_times[entry] = cycle
        s.event_times[entry + left_mask + 1] = start
        s.event_times[write_ring + (given & write_mask)] = cycle
        at = cycle
        given += 1
        number += 1
        done += 1
    if done:
        channel.written = given
        unit.writes = number
        unit.dependence_left -= done
        unit.last_write = at


@inner
def _give_word(s: State, u: int, limits: Limits) -> bool:
    unit = s.unit[u]
    start = _due_from(s, u, limits)
    if start == NEVER or unit.halted & EXITS_HALTED or spaces_available(s, u) <= 0:
        return False
    place = spaces_cycle(s, u)
    cycle = next_open(max(start, place), unit.ready_every)
    if cycle >= limits.cycle_limit:
        unit.halted |= EXITS_HALTED
        return False
    since = decisive_from(start, cycle, unit.ready_every)
    note_stalled_writer(s, u, since, unit.output_frame)
    entry = unit.left_ring + (unit.writes & unit.left_mask)
    s.event_times[entry] = cycle
    s.event_times[entry + unit.left_mask + 1] = start
    write_words(s, u, cycle)
    unit.dependence_left -= 1
    if unit.dependence_left > 0:
        return True
    unit.dependence += 2
    if unit.dependence == unit.dependence_end:
        unit.dependence = unit.dependence_start
        unit.output_frame += 1
        unit.frames_done = min(unit.input_frame, unit.output_frame)
        _keep_left(s, u)
    unit.dependence_left = s.program_words[unit.dependence + 1]
    return True


@inner
def _keep_left(s: State, u: int) -> None:
    """The words of a frame have left: keep the latest cycles, for places of later frames."""
    unit = s.unit[u]
    place = snapshot_place(s, unit.output_frame) + unit.snapshot_place + SNAP_LEFT
    for word in range(unit.writes - unit.snapshot_words, unit.writes):
        s.event_times[place] = s.event_times[unit.left_ring + (word & unit.left_mask)]
        place += 1


@inner
def book_elastic(s: State, u: int) -> None:
    """Account for the unit's cycles as far as the next words of both sides are known."""
    unit = s.unit[u]
    while unit.booked_reads < unit.reads and unit.booked_writes < unit.writes:
        taken = unit.taken_ring + (unit.booked_reads & unit.taken_mask)
        left = unit.left_ring + (unit.booked_writes & unit.left_mask)
        wanted = s.event_times[taken + unit.taken_mask + 1]
        due = s.event_times[left + unit.left_mask + 1]
        _book_until(s, u, s.event_times[taken], s.event_times[left], wanted, due)


@inner
def _book_until(s: State, u: int, taken: int, left: int, wanted: int, due: int) -> None:
    """Up to and with the next cycle in which a word moves: ``taken``, ``left`` or both at once."""
    unit = s.unit[u]
    cycle = min(taken, left)
    _book_wait(s, u, cycle, wanted, due)
    unit.busy += 1
    unit.booked_cycles = cycle + 1
    unit.booked_reads += taken == cycle
    unit.booked_writes += left == cycle


@inner
def _book_wait(s: State, u: int, until: int, wanted: int, due: int) -> None:
    """Cycles before ``until`` in which no word moves: stalled on input up to ``due``, else on output."""
    unit = s.unit[u]
    start = unit.booked_cycles
    stalled_on_output_from = min(max(due, start), until)
    unit.stalled_on_output += until - stalled_on_output_from
    unit.stalled_on_input += max(0, stalled_on_output_from - max(wanted, start))


@inner
def close_elastic(s: State, u: int, limits: Limits, total: int) -> None:
    """Account for what is left of a run of ``total`` cycles."""
    unit = s.unit[u]
    book_elastic(s, u)
    while unit.booked_reads < unit.reads or unit.booked_writes < unit.writes:
        taken, left = NEVER, NEVER
        wanted = _wanted_from(s, u, limits)
        due = _due_from(s, u, limits)
        if unit.booked_reads < unit.reads:
            entry = unit.taken_ring + (unit.booked_reads & unit.taken_mask)
            taken = s.event_times[entry]
            wanted = s.event_times[entry + unit.taken_mask + 1]
        if unit.booked_writes < unit.writes:
            entry = unit.left_ring + (unit.booked_writes & unit.left_mask)
            left = s.event_times[entry]
            due = s.event_times[entry + unit.left_mask + 1]
        _book_until(s, u, taken, left, wanted, due)
    wanted = _wanted_from(s, u, limits)
    due = _due_from(s, u, limits)
    _book_wait(s, u, total, wanted, due)
