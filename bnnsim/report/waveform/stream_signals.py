"""A stream's handshake in every cycle, rebuilt from its words' times and its ends' states."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from bnnsim.report.streaming.unit_states import State

NEVER = -1


@dataclass
class Handshake:
    """What the wires of a FIFO carry in one cycle; a word passes a side where valid and ready.

    ``level_words`` is the fill at the start of the cycle. ``in_data`` and ``out_data`` mean something
    where their side is valid.
    """

    in_valid: bool
    in_ready: bool
    in_data: int
    out_valid: bool
    out_ready: bool
    out_data: int
    level_words: int


class StreamReplay:
    """Replays one stream cycle by cycle; holds no more words than its FIFO does.

    The writer offers a word (valid) in the cycle in which it passes and before, while it is stalled on
    output and this FIFO is full; the reader is ready when it takes a word and while it is stalled on
    input and this FIFO is empty. (A unit with several ports moves its words together: towards a FIFO
    that is not in its way it waits without valid or ready.)
    """

    def __init__(
        self, depth_words: int, writes: Iterator[tuple[int, int]], reads: Iterator[int]
    ) -> None:
        self._depth = depth_words
        self._writes = writes
        self._reads = reads
        self._next_write, self._next_word = next(writes, (NEVER, 0))
        self._next_read = next(reads, NEVER)
        self._words: deque[int] = deque()

    def next_cycle(self) -> int:
        """The next cycle in which a word passes on either side, ``NEVER`` where none will."""
        if self._next_write == NEVER:
            return self._next_read
        if self._next_read == NEVER:
            return self._next_write
        return min(self._next_write, self._next_read)

    def at(self, cycle: int, writer: State, reader: State) -> tuple[Handshake, bool]:
        """The wires in ``cycle``, and whether a word passed. Call once a cycle, in order."""
        level = len(self._words)
        writes = self._next_write == cycle
        reads = self._next_read == cycle
        writer_stalled = writer is State.STALLED_ON_OUTPUT and level >= self._depth
        reader_stalled = reader is State.STALLED_ON_INPUT and level == 0
        wires = Handshake(
            in_valid=writes or (writer_stalled and self._next_write != NEVER),
            in_ready=level < self._depth,
            in_data=self._next_word,
            out_valid=level > 0,
            out_ready=reads or reader_stalled,
            out_data=self._words[0] if level else 0,
            level_words=level,
        )
        if reads:
            self._words.popleft()
            self._next_read = next(self._reads, NEVER)
        if writes:
            self._words.append(self._next_word)
            self._next_write, self._next_word = next(self._writes, (NEVER, 0))
        return wires, writes or reads
