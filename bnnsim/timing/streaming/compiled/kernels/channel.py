"""Channels in the compiled executor: the cycles of their latest words, and what is counted on them.

Compiled into the entry points of :mod:`bnnsim.timing.streaming.compiled.kernels.advance`, which are
what is cached on disk.
"""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.jit import inner
from bnnsim.timing.streaming.compiled.kernels.records import (
    ENDS_AT,
    NEVER,
    SNAPSHOT_WORDS,
    SNAPSHOTS,
    SNAPSHOTS_AT,
    ChannelRecord,
    State,
)


@inner
def words_available(s: State, u: int) -> int:
    """Words on every input whose cycles are known; notes an input that has none."""
    unit = s.unit[u]
    ready = NEVER
    for p in range(unit.first_input, unit.end_input):
        c = s.program_words[p]
        channel = s.channel[c]
        known = channel.written - channel.read
        if known <= 0:
            unit.missing_word = c
        ready = min(ready, known)
    return ready


@inner
def spaces_available(s: State, u: int) -> int:
    """Places on every output whose cycles are known; notes an output that has none."""
    unit = s.unit[u]
    ready = NEVER
    for p in range(unit.first_output, unit.end_output):
        c = s.program_words[p]
        channel = s.channel[c]
        known = channel.read + channel.depth_words - channel.written
        if known <= 0:
            unit.missing_space = c
        ready = min(ready, known)
    return ready


@inner
def word_cycle(s: State, c: int) -> int:
    """From which cycle the channel's next word can be read."""
    channel = s.channel[c]
    word = channel.read
    return s.event_times[channel.write_ring + (word & channel.write_mask)] + channel.lag


@inner
def space_cycle(s: State, c: int) -> int:
    """From which cycle the channel's next word can be written."""
    channel = s.channel[c]
    word = channel.written - channel.depth_words
    return s.event_times[channel.read_ring + (word & channel.read_mask)] + 1


@inner
def words_cycle(s: State, u: int) -> int:
    """From which cycle every input can be read."""
    unit = s.unit[u]
    cycle = 0
    for p in range(unit.first_input, unit.end_input):
        cycle = max(cycle, word_cycle(s, s.program_words[p]))
    return cycle


@inner
def spaces_cycle(s: State, u: int) -> int:
    """From which cycle every output can be written, a test bench's opening times aside."""
    unit = s.unit[u]
    cycle = 0
    for p in range(unit.first_output, unit.end_output):
        cycle = max(cycle, space_cycle(s, s.program_words[p]))
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
def note_stalled_reader(s: State, u: int, since: int, frame: int) -> None:
    """Note that in ``frame`` the unit waited for those inputs whose word came in ``since`` or later."""
    unit = s.unit[u]
    for p in range(unit.first_input, unit.end_input):
        c = s.program_words[p]
        if word_cycle(s, c) >= since:
            s.channel[c].reader_stall_frame = frame


@inner
def note_stalled_writer(s: State, u: int, since: int, frame: int) -> None:
    """Note that in ``frame`` the unit waited for those outputs whose room came in ``since`` or later."""
    unit = s.unit[u]
    for p in range(unit.first_output, unit.end_output):
        c = s.program_words[p]
        if space_cycle(s, c) >= since:
            s.channel[c].writer_stall_frame = frame


@inner
def read_words(s: State, u: int, cycle: int) -> None:
    """Take a word from every input."""
    unit = s.unit[u]
    for p in range(unit.first_input, unit.end_input):
        c = s.program_words[p]
        channel = s.channel[c]
        word = channel.read
        s.event_times[channel.read_ring + (word & channel.read_mask)] = cycle
        channel.read = word + 1
    unit.reads += 1
    unit.last_read = cycle
    if unit.sink_words and not unit.ends_on_write:
        note_end(s, u, unit.reads, cycle)


@inner
def write_words(s: State, u: int, cycle: int) -> None:
    """Put a word on every output."""
    unit = s.unit[u]
    for p in range(unit.first_output, unit.end_output):
        c = s.program_words[p]
        channel = s.channel[c]
        word = channel.written
        s.event_times[channel.write_ring + (word & channel.write_mask)] = cycle
        channel.written = word + 1
    unit.writes += 1
    unit.last_write = cycle
    if unit.sink_words and unit.ends_on_write:
        note_end(s, u, unit.writes, cycle)


@inner
def note_ready(s: State, u: int, arrival: int, others: int, follows: bool) -> None:
    """Before a read behind a bound: note from when on the reader lacked nothing but that word.

    It got to the read in cycle ``arrival`` and had all else in cycle ``others``. Where the last read was
    in the cycle before (``follows``), waits for words of the same channel until then do not count.
    """
    unit = s.unit[u]
    for p in range(unit.first_input, unit.end_input):
        c = s.program_words[p]
        channel = s.channel[c]
        ring = channel.ready_ring
        if ring == 0:
            continue
        ready = max(arrival, others)
        if follows:
            ready = max(s.event_times[ring + ((channel.read - 1) & channel.read_mask)] + 1, others)
        for q in range(unit.first_input, unit.end_input):
            if q != p:
                ready = max(ready, word_cycle(s, s.program_words[q]))
        s.event_times[ring + (channel.read & channel.read_mask)] = ready


@inner
def ready_cycle(s: State, u: int) -> int:
    """From which cycle every output can be written as far as that is the readers' own affair."""
    unit = s.unit[u]
    cycle = 0
    for p in range(unit.first_output, unit.end_output):
        c = s.program_words[p]
        channel = s.channel[c]
        freed_by = (channel.written - channel.depth_words) & channel.read_mask
        ring = channel.ready_ring if channel.ready_ring else channel.read_ring
        cycle = max(cycle, s.event_times[ring + freed_by] + 1)
    return cycle


@inner
def note_end(s: State, u: int, words: int, cycle: int) -> None:
    """At a sink: keep the cycle of a frame's last word, unless another sink got its own later."""
    unit = s.unit[u]
    if words % unit.sink_words == 0:
        place = s.program_words[ENDS_AT] + words // unit.sink_words - 1
        s.event_times[place] = max(s.event_times[place], cycle)


@inner
def count_words(channel: ChannelRecord, times: Int64s) -> None:
    """Highest occupancy at the end of a cycle, as far as both ends' cycles are known.

    It stands after a write: word w, written in cycle x, and what came before it and was not read by x.
    Visited often enough, this looks back no further than the rings reach: words not counted yet are in
    the channel, and reads not counted yet came after the last write.
    """
    written = channel.written
    read = channel.read
    w = channel.counted_writes
    r = channel.counted_reads
    top = channel.max_occupancy
    write_ring = channel.write_ring
    write_mask = channel.write_mask
    read_ring = channel.read_ring
    read_mask = channel.read_mask
    while w < written:
        cycle = times[write_ring + (w & write_mask)]
        while r < read and times[read_ring + (r & read_mask)] <= cycle:
            r += 1
        if r == read and r <= w:
            break  # the next read may still turn out to be that early
        w += 1
        top = max(top, w - r)
    channel.counted_writes = w
    channel.counted_reads = r
    channel.max_occupancy = top


@inner
def log_reads(channel: ChannelRecord, times: Int64s) -> None:
    """Copy the cycles of the latest visit's reads to the log, where there is one."""
    if channel.read_log == channel.read_log_end:
        return
    for word in range(channel.logged_reads, channel.read):
        cycle = times[channel.read_ring + (word & channel.read_mask)]
        times[channel.read_log + word] = cycle
    channel.logged_reads = channel.read


@inner
def log_writes(channel: ChannelRecord, times: Int64s) -> None:
    """Copy the cycles of the latest visit's writes to the log, where there is one."""
    if channel.write_log == channel.write_log_end:
        return
    for word in range(channel.logged_writes, channel.written):
        cycle = times[channel.write_ring + (word & channel.write_mask)]
        times[channel.write_log + word] = cycle
    channel.logged_writes = channel.written


@inner
def snapshot_place(s: State, frame: int) -> int:
    """Where in the event times the state after ``frame`` frames is kept."""
    return (
        s.program_words[SNAPSHOTS_AT]
        + frame % s.program_words[SNAPSHOTS] * s.program_words[SNAPSHOT_WORDS]
    )


@inner
def keep_reads(s: State, u: int, snapshot: int) -> None:
    """Those reads of the unit's inputs that words of later frames may have to wait for."""
    unit = s.unit[u]
    for p in range(unit.first_input, unit.end_input):
        c = s.program_words[p]
        channel = s.channel[c]
        place = snapshot + channel.snapshot_place
        for word in range(channel.read - channel.snapshot_reads, channel.read):
            s.event_times[place] = s.event_times[channel.read_ring + (word & channel.read_mask)]
            place += 1
