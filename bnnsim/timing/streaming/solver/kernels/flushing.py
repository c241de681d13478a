"""Units with flushing pipelines over a window, with all that the others do given.

A step enters in the first cycle in which its words are there and the pipeline is not frozen; its word
leaves ``stages`` ticks later, once it has room; until then everything behind it stands still. Ticks are
cycles in which the pipeline is not frozen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.lockstep import (
    load_cursor,
    moved,
    next_open,
    store_cursor,
    ticks_to_do,
    words_to_read,
    words_to_write,
)
from bnnsim.timing.streaming.solver.kernels.ports import Ports
from bnnsim.timing.streaming.solver.kernels.records import (
    READS,
    WAITED_FOR_ROOM,
    WAITED_FOR_WORD,
    WRITES,
    Limits,
    State,
)


class Exits(NamedTuple):
    """The words that left the pipeline, so far."""

    written: int
    """Words, in this window."""
    frozen: int
    """Cycles that the pipeline was frozen before the last of them."""
    change: int
    """What differs in their cycles from before."""
    by_room: int
    """Negative where one waited."""


@inner
def run_flushing(s: State, u: int, limits: Limits, ports: Ports) -> Any:
    """Steps of the window, and the words that they let leave; as ``run_freezing`` says it."""
    unit, start, end, cycles, pipes = s.unit[u], s.start[u], s.end[u], s.cycles, s.pipes
    mask, limit, lag = unit.pipe_mask, limits.cycle_limit, ports.lag
    size = mask + 1
    pipe = unit.pipe + 3 * size
    origin = end
    if not limits.is_careful:
        origin = start
        for i in range(3 * size):
            pipes[pipe + i] = pipes[unit.pipe + i]
    ticks = ticks_to_do(s, u, limits)
    words_left = words_to_read(s, u, limits)
    places_left = words_to_write(s, u, limits) + start.writes - start.entered
    at = load_cursor(origin)
    cycle, done, local = origin.cycle, origin.step - start.step, origin.local_tick
    frozen, passed, entered = origin.frozen, origin.passed, origin.entered
    read, read_change, entries = ports.read, 0, entered - start.entered
    busy, on_input, by_word = 0, 0, 0
    exits = _let_leave(s, u, limits, ports, entered, Exits(ports.written, origin.exit_frozen, 0, 0))
    is_known = True
    while is_known and (read < words_left or entries < places_left):
        sides = s.program_words[at.stretch + 1]
        n = min(at.left, ticks - done)
        if sides & READS:
            if read == words_left and limits.is_ending:
                sides &= WRITES
            else:
                n = min(n, words_left - read, ports.reads - read)
        if sides & WRITES:
            if entries == places_left and limits.is_ending:
                sides &= READS
            else:
                n = min(n, places_left - entries)
        if n <= 0:
            break
        if sides == 0:
            local += n
        else:
            words, taken = ports.words + read, ports.taken + read
            for i in range(n):
                wanted = local + 1
                due = wanted + frozen
                word = cycles[words + i] + lag if sides & READS else 0
                came = max(due, word)
                tick, froze, past = wanted, frozen, passed
                while past < entered:
                    leaving = pipes[pipe + (past & mask)]
                    if leaving + froze > came:
                        break
                    if past == start.writes + exits.written:
                        is_known = False
                        break
                    froze += pipes[pipe + size + (past & mask)]
                    past += 1
                    tick = max(tick, leaving)
                    came = max(tick + froze, word)
                if not is_known or came >= limit:
                    is_known = False
                    n = i
                    break
                by_word |= due - max(due, word)
                frozen, passed, cycle = froze, past, came
                local = came - froze
                on_input += local - wanted
                if sides & READS:
                    read_change |= cycles[taken + i] ^ cycle
                    cycles[taken + i] = cycle
                if sides & WRITES:
                    pipes[pipe + (entered & mask)] = local + unit.stages
                    pipes[pipe + 2 * size + (entered & mask)] = cycle
                    entered += 1
                    exits = _let_leave(s, u, limits, ports, entered, exits)
            busy += n
            if sides & READS:
                read += n
            if sides & WRITES:
                entries += n
        done += n
        if n:
            at = moved(s.program_words, at, n, unit.frame_lap, unit.frame_end)
    store_cursor(s, u, at)
    end.cycle, end.step, end.local_tick = cycle, start.step + done, local
    end.frozen, end.exit_frozen, end.passed, end.entered = frozen, exits.frozen, passed, entered
    end.reads, end.writes = start.reads + read, start.writes + exits.written
    end.busy = origin.busy + busy
    waited = WAITED_FOR_WORD * (by_word < 0) | WAITED_FOR_ROOM * (exits.by_room < 0)
    end.waited = origin.waited | waited
    end.stalled_on_output = start.stalled_on_output + exits.frozen - start.exit_frozen
    end.stalled_on_input = origin.stalled_on_input + on_input
    return read, exits.written, read_change, exits.change


@inner
def _let_leave(s: State, u: int, limits: Limits, ports: Ports, entered: int, exits: Exits) -> Exits:
    """Words in the pipeline whose room is known; when they leave does not depend on what enters later."""
    unit = s.unit[u]
    mask = unit.pipe_mask
    pipe = unit.pipe + 3 * (mask + 1)
    written, frozen, change, by_room = exits.written, exits.frozen, exits.change, exits.by_room
    first = s.start[u].writes
    while first + written < entered and written < ports.writes:
        word = (first + written) & mask
        arrival = s.pipes[pipe + word] + frozen
        leave = max(arrival, s.cycles[ports.room + written] + 1)
        leave = next_open(leave, unit.ready_every)
        if leave >= limits.cycle_limit:
            break
        s.pipes[pipe + mask + 1 + word] = leave - arrival
        by_room |= arrival - leave
        frozen += leave - arrival
        change |= s.cycles[ports.given + written] ^ leave
        s.cycles[ports.given + written] = leave
        written += 1
    return Exits(written, frozen, change, by_room)
