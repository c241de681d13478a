"""The elastic unit at run time: a reading and a writing side that only share a buffer."""

from __future__ import annotations

from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.reference.actor import Actor, Process
from bnnsim.timing.streaming.result import UnitCycles


class ElasticActor(Actor):
    """Two processes; a cycle counts as busy where either side moved a word.

    Else it is stalled on output where a word that is due finds no room, stalled on input where a place
    is free and no word there, idle otherwise (a word is on its way through the unit).
    """

    _booked_until = 0
    _moved_at = -1
    _waits_for_word = False
    _waits_for_room = False

    def process(self) -> Process:
        program = self.unit.program
        assert isinstance(program, Elastic)
        self._program = program
        # By frame, the cycles in which its words were taken; a frame is forgotten once its last word
        # has left, for the next frame may come in while this one is still being shown.
        self._taken_at: dict[int, list[int]] = {}
        self._taken = 0  # words of all frames
        self._left = 0
        self._left_at = -1
        self._dependence = program.dependence.tolist()
        self._release = program.release.tolist()
        self._word_taken = self.env.event()
        self._word_left = self.env.event()
        self.env.process(self._writer())
        yield from self._reader()

    def _reader(self) -> Process:
        env = self.env
        words_out = self._program.words_out
        for frame in range(self.frames):
            taken_at = self._taken_at.setdefault(frame, [])
            for freeing in self._release:
                leave_first = frame * words_out + freeing + 1  # this many words must have left
                while self._left < leave_first:
                    self._word_left = env.event()
                    yield self._word_left
                if self._left == leave_first and self._left_at == int(env.now) and leave_first > 0:
                    yield env.timeout(1)
                if self.lacks_words():
                    self._book(int(env.now))
                    self._waits_for_word = True
                    for fifo in self.inputs:
                        yield from fifo.wait_for_word()
                self._moves()
                self._waits_for_word = False
                self.read()
                taken_at.append(int(env.now))
                self._taken += 1
                if not self._word_taken.triggered:
                    self._word_taken.succeed()
                yield env.timeout(1)

    def _writer(self) -> Process:
        env = self.env
        words_in = self._program.words_in
        latency = self._program.latency
        for frame in range(self.frames):
            for needed in self._dependence:
                while self._taken <= frame * words_in + needed:
                    self._word_taken = env.event()
                    yield self._word_taken
                due = self._taken_at[frame][needed] + latency
                if due > int(env.now):
                    yield env.timeout(due - int(env.now))
                if self.lacks_room():
                    self._book(int(env.now))
                    self._waits_for_room = True
                    while self.lacks_room():
                        for fifo in self.outputs:
                            yield from fifo.wait_for_room()
                self._moves()
                self._waits_for_room = False
                self.write()
                self._left += 1
                self._left_at = int(env.now)
                if not self._word_left.triggered:
                    self._word_left.succeed()
                yield env.timeout(1)
            del self._taken_at[frame]

    def waits_for(self) -> str:
        return "output" if self._waits_for_room else "input" if self._waits_for_word else ""

    def _moves(self) -> None:
        """A word moves in this cycle."""
        now = int(self.env.now)
        self._book(now)
        if self._moved_at != now:
            self._moved_at = now
            self.step_done()

    def _book(self, now: int) -> None:
        """Account for the cycles before ``now`` by what the two sides were waiting for."""
        start = self._booked_until
        if start < now and self._moved_at == start:
            start += 1
        if start < now and (self._waits_for_room or self._waits_for_word):
            side = "output" if self._waits_for_room else "input"
            if self._waits_for_room:
                self.stalled_on_output += now - start
            else:
                self.stalled_on_input += now - start
            if self.observer is not None:
                self.observer.stalled(self.position, side, start, now)
        self._booked_until = max(self._booked_until, now)

    def cycles(self, total: int) -> UnitCycles:
        self._book(total)
        return super().cycles(total)
