"""Units with flushing pipelines over a window, with all that the others do given.

A step enters in the first cycle in which its words are there and the pipeline is not frozen; its word
leaves ``stages`` ticks later, once it has room; until then everything behind it stands still. Ticks are
cycles in which the pipeline is not frozen. Most words freeze nothing; they are done in a loop of their
own, up to the next that does (``smooth.py``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.lockstep import (
    idled,
    load_cursor,
    moved,
    next_open,
    store_cursor,
    ticks_to_do,
    whole_strides,
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
from bnnsim.timing.streaming.solver.kernels.smooth import Lap, run_smooth

MORE_STEPS = 4
"""Steps, besides one a stage, after which it is seen whether freezes are over."""


class Exit(NamedTuple):
    """Where words leave: from which places their room and their own cycles stand, the window's ``first``
    of the run and the ``most`` whose room is known, and in which cycles."""

    room: int
    given: int
    first: int
    most: int
    ready_every: int
    cycle_limit: int


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
    exit_ = Exit(ports.room, ports.given, start.writes, ports.writes, unit.ready_every, limit)
    exits = Exits(ports.written, origin.exit_frozen, 0, 0)
    exits = _let_leave(cycles, pipes, pipe, mask, exit_, entered, exits)
    is_plain = unit.ready_every == 1 and limit == NEVER
    is_known = True
    while is_known and (read < words_left or entries < places_left):
        if is_plain and exits.frozen == frozen and start.writes + exits.written == entered:
            smooth = run_smooth(
                cycles,
                s.program_words,
                at,
                Lap(unit.frame_lap, unit.frame_end, unit.stages),
                Ports(
                    words=ports.words + read,
                    lag=lag,
                    taken=ports.taken + read,
                    reads=ports.reads - read,
                    room=ports.room + exits.written,
                    given=ports.given + exits.written,
                    writes=ports.writes - exits.written,
                    read=words_left - read,
                    written=places_left - entries,
                ),
                ticks - done,
                local + frozen,
            )
            if smooth.ticks:
                at = smooth.at
                frozen += smooth.froze
                waited = smooth.due - (local + frozen) - smooth.ticks
                local = smooth.due - frozen
                on_input += waited
                by_word |= smooth.by_word - waited
                if smooth.busy:
                    cycle = smooth.cycle
                done += smooth.ticks
                busy += smooth.busy
                read += smooth.reads
                entries += smooth.writes
                entered += smooth.writes
                read_change |= smooth.read_change
                exits = Exits(
                    exits.written + smooth.writes,
                    frozen,
                    exits.change | smooth.write_change,
                    exits.by_room | -smooth.froze,
                )
                frozen -= smooth.held
                given, last = ports.given + exits.written, min(smooth.writes, size)
                _note_entries(
                    cycles, given, pipes, pipe, mask, entered, last, unit.stages, frozen, smooth.held
                )
                passed = max(passed, entered - size)
                while passed < entered and pipes[pipe + (passed & mask)] <= cycle - frozen:
                    passed += 1
                continue
        sides, each = s.program_words[at.stride + 1], s.program_words[at.stride + 2]
        n = whole_strides(s.program_words, at, ticks - done)
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
            n = 0
        elif sides == 0:
            local += n * each - at.idled
        else:
            n = min(n, unit.stages + MORE_STEPS)
            words, taken = ports.words + read, ports.taken + read
            for i in range(n):
                wanted = local + each - (0 if i else at.idled)
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
                    exits = _let_leave(cycles, pipes, pipe, mask, exit_, entered, exits)
            busy += n
            if sides & READS:
                read += n
            if sides & WRITES:
                entries += n
        if n:
            done += n * each - at.idled
            at = moved(s.program_words, at, n, unit.frame_lap, unit.frame_end)
        if n == 0 or not is_known:
            past = at.idled
            at = idled(s.program_words, at, ticks - done)
            local += at.idled - past
            done += at.idled - past
            is_known &= at.idled != past
    store_cursor(s, u, at)
    end.cycle, end.step, end.local_tick = cycle, start.step + done, local
    end.frozen, end.exit_frozen, end.passed, end.entered = frozen, exits.frozen, passed, entered
    end.reads, end.writes = start.reads + read, start.writes + exits.written
    end.busy = origin.busy + busy
    end.waited = (
        origin.waited | WAITED_FOR_WORD * (by_word < 0) | WAITED_FOR_ROOM * (exits.by_room < 0)
    )
    end.stalled_on_output = start.stalled_on_output + exits.frozen - start.exit_frozen
    end.stalled_on_input = origin.stalled_on_input + on_input
    return read, exits.written, read_change, exits.change


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
    held: int,
) -> None:
    """Keep the ``last`` words that entered as words in the pipeline of which the last freezes it for
    ``held`` cycles, the others not at all; their cycles stand before ``given``. Of one stage the others
    are out of it."""
    for n in range(1, last + 1):
        word, leaves = pipe + ((entered - n) & mask), cycles[given - n] - held
        pipes[word] = leaves - frozen
        pipes[word + mask + 1] = held
        held = 0
        pipes[word + 2 * (mask + 1)] = leaves - stages


@inner
def _let_leave(
    cycles: Int64s, pipes: Int64s, pipe: int, mask: int, at: Exit, entered: int, exits: Exits
) -> Exits:
    """Words in the pipeline whose room is known; when they leave does not depend on what enters later."""
    written, frozen, change, by_room = exits.written, exits.frozen, exits.change, exits.by_room
    while at.first + written < entered and written < at.most:
        word = (at.first + written) & mask
        arrival = pipes[pipe + word] + frozen
        leave = next_open(max(arrival, cycles[at.room + written] + 1), at.ready_every)
        if leave >= at.cycle_limit:
            break
        pipes[pipe + mask + 1 + word] = leave - arrival
        by_room |= arrival - leave
        frozen += leave - arrival
        change |= cycles[at.given + written] ^ leave
        cycles[at.given + written] = leave
        written += 1
    return Exits(written, frozen, change, by_room)
