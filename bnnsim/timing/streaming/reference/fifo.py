"""The SimPy executor's FIFO: sample, then commit, so that the order of visits cannot matter."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any

import simpy

from bnnsim.timing.streaming.programs.graph import Channel

_NEVER = -1


class Fifo:
    """One channel at run time.

    ``has_word`` and ``has_room`` judge by the state at the start of the current cycle (a falling-
    through channel also by what was written in it). At most one ``push`` and one ``pop`` a cycle.
    """

    def __init__(self, env: simpy.Environment, channel: Channel) -> None:
        self.env = env
        self.channel = channel
        self.depth = channel.depth_words
        self.words: deque[int] = deque()
        self.written_words = 0
        self.read_words = 0
        self.last_write = _NEVER
        self.last_read = _NEVER
        self.max_occupancy = 0
        self._counted_at = _NEVER
        self._word_event: simpy.Event | None = None
        self._room_event: simpy.Event | None = None

    def has_word(self) -> bool:
        if self.channel.supplies:
            return True
        held = len(self.words)
        if not self.channel.falls_through and self.last_write == self.env.now:
            held -= 1
        return held > 0

    def has_room(self) -> bool:
        now = self.env.now
        if self.channel.ready_every:
            return bool(now % self.channel.ready_every == 0)
        held = len(self.words) + (self.last_read == now) - (self.last_write == now)
        return held < self.depth

    def ends_empty(self) -> bool:
        """Whether no word can be read in any cycle to come, unless another is written."""
        return not self.words and not self.channel.supplies

    def ends_full(self) -> bool:
        """Whether no word can be written in any cycle to come, unless another is read."""
        return len(self.words) >= self.depth and not self.channel.ready_every

    def wait_for_word(self) -> Generator[simpy.Event, Any, None]:
        """Sleep until ``has_word``."""
        while not self.has_word():
            if self.words:
                yield self.env.timeout(1)
            else:
                yield self.word_event()

    def wait_for_room(self) -> Generator[simpy.Event, Any, None]:
        """Sleep until ``has_room``."""
        while not self.has_room():
            if self.channel.ready_every:
                yield self.env.timeout(-int(self.env.now) % self.channel.ready_every or 1)
            elif len(self.words) < self.depth:
                yield self.env.timeout(1)
            else:
                self._room_event = self.env.event()
                yield self._room_event

    def word_event(self) -> simpy.Event:
        """An event that fires in the cycle in which a word is written."""
        if self._word_event is None:
            self._word_event = self.env.event()
        return self._word_event

    def push(self, word: int) -> None:
        now = int(self.env.now)
        self._settle(now)
        self.last_write = now
        self.written_words += 1
        if not self.channel.ready_every:
            self.words.append(word)
        event = self._word_event
        if event is not None:
            self._word_event = None
            event.succeed()

    def pop(self) -> int:
        now = int(self.env.now)
        self._settle(now)
        self.last_read = now
        self.read_words += 1
        word = 0 if self.channel.supplies else self.words.popleft()
        event = self._room_event
        if event is not None:
            self._room_event = None
            event.succeed()
        return word

    def _settle(self, now: int) -> None:
        """Count the occupancy with which the last active cycle ended, once it is over."""
        if now != self._counted_at:
            self._counted_at = now
            if len(self.words) > self.max_occupancy:
                self.max_occupancy = len(self.words)

    def final_occupancy(self) -> int:
        """The highest occupancy at the end of any cycle."""
        return max(self.max_occupancy, len(self.words))
