"""From which cycle on readers behind a bound lacked nothing but the word; see ``bound``."""

from __future__ import annotations

from bnnsim.timing.streaming.solver.kernels.bound import unfrozen
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.lockstep import load_cursor, moved
from bnnsim.timing.streaming.solver.kernels.ports import Ports
from bnnsim.timing.streaming.solver.kernels.records import (
    BOUND,
    ELASTIC,
    FLUSHING,
    LONG_AGO,
    READS,
    WRITES,
    Limits,
    State,
)


@inner
def note_ready(s: State, u: int, limits: Limits, ports: Ports, reads: int, writes: int) -> int:
    """Note it for the window's reads of a unit that was just evaluated; what differs from before."""
    unit = s.unit[u]
    change = 0
    for p in range(unit.first_input, unit.end_input):
        if s.channel[s.program_words[p]].ready_at:
            if unit.kind == FLUSHING:
                change |= _as_read(s, u, p, reads)
            elif unit.kind == ELASTIC:
                change |= _of_elastic(s, u, p, reads)
            else:
                change |= _of_lockstep(s, u, p, limits, ports, reads, writes)
    return change


@inner
def _as_read(s: State, u: int, p: int, reads: int) -> int:
    channel = s.channel[s.program_words[p]]
    at = channel.reads_at + channel.old_reads
    change = 0
    for n in range(reads):
        change |= s.cycles[at + n + channel.ready_at] ^ s.cycles[at + n]
        s.cycles[at + n + channel.ready_at] = s.cycles[at + n]
    return change


@inner
def _of_elastic(s: State, u: int, p: int, reads: int) -> int:
    unit, start = s.unit[u], s.start[u]
    channel = s.channel[s.program_words[p]]
    output = s.channel[s.program_words[unit.first_output]]
    ready = channel.reads_at + channel.old_reads + channel.ready_at
    given = output.writes_at + output.old_writes + output.held - start.writes
    word, frame, change = start.next_word, start.input_frame, 0
    for n in range(reads):
        freeing = frame * unit.words_out + s.program_words[unit.release_start + word]
        cycle = s.cycles[ready + n - 1] + 1
        if freeing >= 0:
            cycle = max(cycle, s.cycles[given + freeing] + 1)
        change |= s.cycles[ready + n] ^ cycle
        s.cycles[ready + n] = cycle
        word += 1
        if word == unit.words_in:
            word, frame = 0, frame + 1
    return change


@inner
def _of_lockstep(
    s: State, u: int, p: int, limits: Limits, ports: Ports, reads: int, writes: int
) -> int:
    """Of a freezing unit, whose ticks are one behind the other, or of a bound."""
    unit, start = s.unit[u], s.start[u]
    is_bound = unit.kind == BOUND
    channel = s.channel[s.program_words[p]]
    ready = channel.reads_at + channel.old_reads + channel.ready_at
    steps_at = unit.pipe + 5 * (unit.pipe_mask + 1)
    at = load_cursor(s.start[u])
    last = start.cycle
    gap = start.local_tick - start.cycle if is_bound else 0
    free, behind, is_apart = start.free, start.behind, start.is_apart != 0
    read, written, change, entered = 0, 0, 0, start.entered
    passed = start.writes  # of a bound: words whose room counts by now
    while read < reads:
        sides, each = s.program_words[at.stride + 1], s.program_words[at.stride + 2]
        idle = -at.idled
        for _ in range(at.left):
            if read == reads:
                break
            idle += each
            if is_bound:
                gap += idle
            else:
                last, gap = last + idle - 1, 1
            idle = 0
            cycle = last + gap
            if sides & READS:
                others = LONG_AGO
                if is_bound:
                    while passed < entered:
                        free = _free(s, u, passed - start.writes)
                        passed += 1
                    others = unfrozen(free, gap, behind, is_apart, unit.stages, 1)
                elif sides & WRITES and written < writes:
                    others = s.cycles[ports.room + written] + 1
                wanted = cycle
                cycle = s.cycles[ports.taken + read]
                if gap == 1 and s.cycles[ports.taken + read - 1] == last:
                    wanted = s.cycles[ready + read - 1] + 1
                wanted = max(wanted, others)
                for q in range(unit.first_input, unit.end_input):
                    if q != p:
                        other = s.channel[s.program_words[q]]
                        word = other.writes_at + other.old_writes + read
                        wanted = max(wanted, s.cycles[word] + other.lag)
                change |= s.cycles[ready + read] ^ wanted
                s.cycles[ready + read] = wanted
                read += 1
            elif sides & WRITES:
                if is_bound:
                    cycle = s.pipes[steps_at + (entered & unit.pipe_mask)]
                else:
                    cycle = s.cycles[ports.given + written]
            if sides & WRITES:
                written += 1
                entered += is_bound
            if sides or not is_bound:
                behind += gap
                last, gap = cycle, 0
            if sides & WRITES:
                is_apart, behind = behind >= unit.stages, 0
        at = moved(s.program_words, at, at.left, unit.frame_lap, unit.frame_end)
    return change


@inner
def _free(s: State, u: int, written: int) -> int:
    unit = s.unit[u]
    cycle = LONG_AGO
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.program_words[p]]
        if channel.is_bounded:
            freed_by = channel.reads_at + channel.old_reads - channel.depth + channel.held + written
            cycle = max(cycle, s.cycles[freed_by + channel.ready_at] + 1)
    return cycle
