"""Elastic units over a window, with all that the others do given."""

from __future__ import annotations

from typing import Any

from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.lockstep import next_open
from bnnsim.timing.streaming.solver.kernels.ports import Ports
from bnnsim.timing.streaming.solver.kernels.records import (
    WAITED_FOR_ROOM,
    WAITED_FOR_WORD,
    Limits,
    State,
)


@inner
def run_elastic(s: State, u: int, limits: Limits, ports: Ports) -> Any:
    """Words of the window: whether reads and writes differ from before, and how many they are."""
    unit, start, end, cycles = s.unit[u], s.start[u], s.end[u], s.cycles
    origin = end if limits.is_careful else start
    programs = s.program_words
    words, lag, taken, room, given = ports.words, ports.lag, ports.taken, ports.room, ports.given
    every, latency = unit.ready_every, unit.latency
    most_reads = min(ports.reads, max(1, unit.words_in >> limits.shift), unit.goal - start.reads)
    most_writes = min(
        ports.writes, max(1, unit.words_out >> limits.shift), unit.goal_writes - start.writes
    )
    taken -= start.reads  # so that words count from the run's first
    given -= start.writes
    next_word, input_frame = origin.next_word, origin.input_frame
    dependence, run_left = origin.dependence, origin.dependence_left
    output_frame = origin.output_frame
    reads, writes = origin.reads, origin.writes
    reads_end, writes_end = start.reads + most_reads, start.writes + most_writes
    words -= start.reads
    room -= start.writes
    at, left_at = origin.cycle, origin.last_left
    read_change, write_change, by_word, by_room = 0, 0, 0, 0
    while True:
        progress = False
        while reads < reads_end:
            freeing = input_frame * unit.words_out + programs[unit.release_start + next_word]
            if freeing >= writes:
                break
            wanted = at + 1
            if freeing >= 0:
                wanted = max(wanted, cycles[given + freeing] + 1)
            cycle = max(wanted, cycles[words + reads] + lag)
            if cycle >= limits.cycle_limit:
                break
            by_word |= wanted - cycle
            read_change |= cycles[taken + reads] ^ cycle
            cycles[taken + reads] = cycle
            at = cycle
            reads += 1
            progress = True
            next_word += 1
            if next_word == unit.words_in:
                next_word = 0
                input_frame += 1
        while writes < writes_end:
            needed = output_frame * unit.words_in + programs[dependence]
            if needed >= reads:
                break
            due = cycles[taken + needed] + latency
            n = min(run_left, writes_end - writes)
            for i in range(n):
                start_at = max(left_at + 1, due)
                cycle = next_open(max(start_at, cycles[room + writes + i] + 1), every)
                if cycle >= limits.cycle_limit:
                    n = i
                    break
                by_room |= start_at - cycle
                write_change |= cycles[given + writes + i] ^ cycle
                cycles[given + writes + i] = cycle
                left_at = cycle
            writes += n
            run_left -= n
            if n == 0:
                break
            progress = True
            if run_left == 0:
                dependence += 2
                if dependence == unit.dependence_end:
                    dependence = unit.dependence_start
                    output_frame += 1
                run_left = programs[dependence + 1]
        if not progress:
            break
    end.cycle, end.last_left = at, left_at
    end.next_word, end.input_frame = next_word, input_frame
    end.dependence, end.dependence_left, end.output_frame = dependence, run_left, output_frame
    end.reads, end.writes = reads, writes
    end.waited = origin.waited | WAITED_FOR_WORD * (by_word < 0) | WAITED_FOR_ROOM * (by_room < 0)
    return reads - start.reads, writes - start.writes, read_change, write_change
