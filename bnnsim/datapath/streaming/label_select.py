"""The bits of a label select: each score is held against the largest so far."""

from __future__ import annotations

from collections import deque

from bnnsim.datapath.words import element_values, unpack_word
from bnnsim.design.streaming.units import LabelSelect


class LabelSelectDatapath:
    """Keeps the largest scores with their positions, in order; a score moves those below it down."""

    def __init__(self, select: LabelSelect) -> None:
        self._select = select
        self._best: list[tuple[int, int]] = []
        self._seen = 0
        self._out: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        unit = self._select
        is_signed = unit.input_type.is_signed
        elements = unpack_word(words[0], unit.pe, unit.input_bits, is_signed)
        for score in element_values(elements, unit.input_type).tolist():
            place = sum(other >= score for other, _ in self._best)
            self._best.insert(place, (score, self._seen))
            del self._best[unit.top :]
            self._seen += 1
        if self._seen == unit.labels:
            self._out.extend(label for _, label in self._best)
            self._best, self._seen = [], 0

    def pop(self) -> int:
        return self._out.popleft()
