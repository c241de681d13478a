"""Units with flushing pipelines over a window, with all that the others do given.

A step enters in the first cycle in which its words are there and the pipeline is not frozen; its word
leaves ``stages`` ticks later, once it has room; until then everything behind it stands still. Ticks are
cycles in which the pipeline is not frozen. Most words freeze nothing; they are done in a loop of their
own, up to the next that does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bnnsim.arrays import Int64s
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
    NEVER,
    READS,
    WAITED_FOR_ROOM,
    WAITED_FOR_WORD,
    WRITES,
    Limits,
    State,
)

MORE_STEPS = 4
"""Steps, besides one a stage, after which it is seen whether freezes are over."""


class Smooth(NamedTuple):
    """Steps done in a row whose words freeze nothing."""

    done: int
    cycle: int
    """Of the last of them."""
    by_word: int
    read_change: int
    write_change: int


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
    is_plain = unit.ready_every == 1 and limit == NEVER
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
            done += n
            at = moved(s.program_words, at, n, unit.frame_lap, unit.frame_end)
            continue
        words, taken = ports.words + read, ports.taken + read
        smooth = Smooth(0, 0, 0, 0, 0)
        if is_plain and exits.frozen == frozen and start.writes + exits.written == entered:
            smooth = _without_freezes(
                cycles, unit.stages, ports, read, exits.written, local + frozen, sides, n
            )
        if smooth.done:
            n = smooth.done
            on_input += smooth.cycle - (local + frozen) - n
            cycle, local = smooth.cycle, smooth.cycle - frozen
            by_word |= smooth.by_word
            read_change |= smooth.read_change
            if sides & WRITES:
                entered += n
                exits = Exits(
                    exits.written + n, frozen, exits.change | smooth.write_change, exits.by_room
                )
                given, last = ports.given + exits.written, min(n, size)
                _note_entries(cycles, given, pipes, pipe, mask, entered, last, unit.stages, frozen)
                passed = max(passed, entered - size)
            while passed < entered and pipes[pipe + (passed & mask)] <= local:
                passed += 1
        else:
            n = min(n, unit.stages + MORE_STEPS)
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
def _without_freezes(
    cycles: Int64s,
    stages: int,
    ports: Ports,
    read: int,
    written: int,
    cycle: int,
    sides: int,
    most: int,
) -> Smooth:
    """At most ``most`` steps behind the one in ``cycle``, before the first whose word would freeze the
    pipeline. No word in it may still do so."""
    lag = ports.lag
    words, taken = ports.words + read, ports.taken + read
    room, given = ports.room + written, ports.given + written
    by_word, read_change, write_change, before = 0, 0, 0, cycle
    if sides == READS:
        for i in range(most):
            cycle = max(cycle + 1, cycles[words + i] + lag)
            read_change |= cycles[taken + i] ^ cycle
            cycles[taken + i] = cycle
        return Smooth(most, cycle, before + most - cycle, read_change, 0)
    most = min(most, ports.writes - written)
    done = most
    for i in range(most):
        due = cycle + 1
        came = max(due, cycles[words + i] + lag) if sides & READS else due
        leaves = came + stages
        if cycles[room + i] >= leaves:
            done = i
            break
        cycle = came
        if sides & READS:
            read_change |= cycles[taken + i] ^ cycle
            cycles[taken + i] = cycle
        write_change |= cycles[given + i] ^ leaves
        cycles[given + i] = leaves
    by_word = before + done - cycle
    return Smooth(done, cycle, by_word, read_change, write_change)


@inner
def _note_entries(
    cycles: Int64s,
    given: int,
    pipes: Int64s,
    pipe: int,
    mask: int,
    entered: int,
    last: int,
    stages: int,
    frozen: int,
) -> None:
    """Keep the ``last`` words that entered as words in the pipeline that freeze nothing; their cycles
    stand before ``given``."""
    for n in range(1, last + 1):
        word, leaves = pipe + ((entered - n) & mask), cycles[given - n]
        pipes[word] = leaves - frozen
        pipes[word + mask + 1] = 0
        pipes[word + 2 * (mask + 1)] = leaves - stages


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
