"""Units at run time, as SimPy processes that sleep until they can act.

Every unit follows the rules of a clocked pipeline, cycle by cycle: first the word at the exit must find
room (else the unit freezes, stalled on output), then the next step must find its words (else a freezing
unit freezes and a flushing one takes in a bubble, stalled on input), then the step is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Protocol

import simpy

from bnnsim.design.streaming.datapath import Datapath
from bnnsim.timing.streaming.programs.graph import TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.schedule import (
    DOES_STEP,
    READS_WORD,
    WRITES_WORD,
    steps_with_words,
    ticks_with_words,
)
from bnnsim.timing.streaming.reference.fifo import Fifo
from bnnsim.timing.streaming.result import UnitCycles

Process = Generator[simpy.Event, Any, None]
Progress = Callable[[int, int], None]


class Observer(Protocol):
    """Sees everything that happens, in the order of the cycles. Positions are the graph's."""

    def word_written(self, channel: int, cycle: int, word: int) -> None: ...

    def word_read(self, channel: int, cycle: int, word: int) -> None: ...

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None:
        """The unit was stalled on ``input`` or ``output`` in start <= cycle < end."""

    def stepped(self, unit: int, cycle: int) -> None:
        """The unit did a step that reads or writes."""


class Actor:
    """What all units have at run time: ports, datapath, and an account of cycles."""

    def __init__(
        self,
        env: simpy.Environment,
        position: int,
        unit: TimingUnit,
        fifos: list[Fifo],
        datapath: Datapath | None,
        frames: int,
        observer: Observer | None,
    ) -> None:
        self.env = env
        self.position = position
        self.unit = unit
        self.inputs = [fifos[i] for i in unit.inputs]
        self.outputs = [fifos[i] for i in unit.outputs]
        # Most units have one of each, and are asked often.
        self._input = self.inputs[0] if len(self.inputs) == 1 else None
        self._output = self.outputs[0] if len(self.outputs) == 1 else None
        self.datapath = datapath
        self.frames = frames
        self.observer = observer
        self.busy = 0
        self.stalled_on_input = 0
        self.stalled_on_output = 0
        self.waiting_for = ""
        self.waiting_since = 0
        self._passing = 0
        self._on_read: Callable[[], None] | None = None
        self._on_written: Callable[[], None] | None = None

    def process(self) -> Process:
        """The unit's life."""
        raise NotImplementedError

    def read(self) -> None:
        """Take a word from every input in this cycle."""
        if self._input is not None:
            words: tuple[int, ...] = (self._input.pop(),)
        else:
            words = tuple([fifo.pop() for fifo in self.inputs])
        if self.datapath is not None:
            self.datapath.push(words)
        elif words:
            self._passing = words[0]
        if self.observer is not None:
            for channel, word in zip(self.unit.inputs, words, strict=True):
                self.observer.word_read(channel, int(self.env.now), word)
        if self._on_read is not None:
            self._on_read()

    def write(self) -> None:
        """Put the next word on every output in this cycle."""
        word = self.datapath.pop() if self.datapath is not None else self._passing
        for fifo in self.outputs:
            fifo.push(word)
        if self.observer is not None:
            for channel in self.unit.outputs:
                self.observer.word_written(channel, int(self.env.now), word)
        if self._on_written is not None:
            self._on_written()

    def on_every_word(self, callback: Callable[[], None]) -> None:
        """Call back whenever a word has been read, or written where the unit has outputs."""
        if self.outputs:
            self._on_written = callback
        else:
            self._on_read = callback

    def waits_for(self) -> str:
        """What the unit is stalled on just now: ``input``, ``output`` or nothing."""
        return self.waiting_for

    def cycles(self, total: int) -> UnitCycles:
        """The account of a run of ``total`` cycles, a wait that is still on included."""
        if self.waiting_for == "output":
            self.stalled_on_output += total - self.waiting_since
        elif self.waiting_for == "input":
            self.stalled_on_input += total - self.waiting_since
        idle = total - self.busy - self.stalled_on_input - self.stalled_on_output
        return UnitCycles(self.busy, self.stalled_on_input, self.stalled_on_output, idle)

    def step_done(self) -> None:
        self.busy += 1
        if self.observer is not None:
            self.observer.stepped(self.position, int(self.env.now))

    def book_wait(self, side: str, start: int) -> None:
        """A wait that began in cycle ``start`` is over."""
        self.waiting_for = ""
        now = int(self.env.now)
        if now == start:
            return
        if side == "output":
            self.stalled_on_output += now - start
        else:
            self.stalled_on_input += now - start
        if self.observer is not None:
            self.observer.stalled(self.position, side, start, now)

    def wait_for_room(self) -> Process:
        """Sleep until every output has room, and book the cycles."""
        start = int(self.env.now)
        self.waiting_for, self.waiting_since = "output", start
        while self.lacks_room():  # a test bench's output may close again while another fills
            for fifo in self.outputs:
                yield from fifo.wait_for_room()
        self.book_wait("output", start)

    def wait_for_words(self, room_lasts: bool = True) -> Process:
        """Sleep until every input has a word, and book the cycles.

        At most one of them unless ``room_lasts``.
        """
        start = int(self.env.now)
        self.waiting_for, self.waiting_since = "input", start
        if room_lasts:
            for fifo in self.inputs:
                yield from fifo.wait_for_word()
        else:
            yield from self.sleep_for_word(1)
        self.book_wait("input", start)

    def sleep_for_word(self, limit_cycles: int) -> Process:
        """Sleep until a missing word may be there, but no longer than the limit (0: none)."""
        missing = next(fifo for fifo in self.inputs if not fifo.has_word())
        if missing.words:
            yield self.env.timeout(1)
        elif limit_cycles:
            yield missing.word_event() | self.env.timeout(limit_cycles)
        else:
            yield missing.word_event()

    def lacks_room(self) -> bool:
        if self._output is not None:
            return not self._output.has_room()
        return not all(fifo.has_room() for fifo in self.outputs)

    def lacks_words(self) -> bool:
        if self._input is not None:
            return not self._input.has_word()
        return not all(fifo.has_word() for fifo in self.inputs)


class FreezingActor(Actor):
    """All that a tick needs must be there in one cycle; until then nothing in the unit moves.

    Also serves units without pipeline stages, where freezing and flushing are the same.
    """

    def process(self) -> Process:
        program = self.unit.program
        assert isinstance(program, Lockstep)
        env = self.env
        passes_through = program.pipeline_depth == 0
        room_lasts = all(fifo.channel.ready_every <= 1 for fifo in self.outputs)
        tick = 0
        for at, flags in ticks_with_words(program, self.frames):
            if at > tick:
                yield env.timeout(at - tick)
                tick = at
            while True:
                if flags & WRITES_WORD and self.lacks_room():
                    yield from self.wait_for_room()
                if not flags & READS_WORD or not self.lacks_words():
                    break
                yield from self.wait_for_words(room_lasts or not flags & WRITES_WORD)
            if passes_through:
                if flags & READS_WORD:
                    self.read()
                if flags & WRITES_WORD:
                    self.write()
            else:  # the leaving word is older than the step
                if flags & WRITES_WORD:
                    self.write()
                if flags & READS_WORD:
                    self.read()
            if flags & DOES_STEP:
                self.step_done()


class FlushingActor(Actor):
    """Steps enter where they can; words in the pipeline move on unless the exit is blocked."""

    def process(self) -> Process:
        program = self.unit.program
        assert isinstance(program, Lockstep)
        env = self.env
        leaving: deque[int] = deque()  # ticks at which words in the pipeline leave
        tick = 0  # cycles in which the pipeline was not frozen
        enters = 0  # tick at which the pending step may enter
        steps = steps_with_words(program, self.frames)
        pending = next(steps, None)
        if pending is not None:
            enters = pending[0]
        while pending is not None or leaving:
            target = enters if pending is not None else leaving[0]
            if leaving and leaving[0] < target:
                target = leaving[0]
            if target > tick:
                yield env.timeout(target - tick)
                tick = target
            if leaving and leaving[0] == tick:
                if self.lacks_room():
                    yield from self.wait_for_room()
                self.write()
                leaving.popleft()
            if pending is None or enters > tick:
                continue
            step, flags = pending
            if flags & READS_WORD:
                if self.lacks_words():
                    start = int(env.now)
                    self.waiting_for, self.waiting_since = "input", start
                    yield from self.sleep_for_word(leaving[0] - tick if leaving else 0)
                    self.book_wait("input", start)
                    tick += int(env.now) - start
                    enters = tick
                    continue
                self.read()
            if flags & WRITES_WORD:
                leaving.append(tick + program.pipeline_depth)
            self.step_done()
            pending = next(steps, None)
            if pending is not None:
                enters = tick + pending[0] - step
