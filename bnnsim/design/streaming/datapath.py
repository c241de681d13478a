"""What timing and bits agree on: words go into a unit and words come out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


class Datapath(Protocol):
    """What a unit does with the bits of its words.

    A word is a non-negative integer that holds a stream's elements side by side, the first in the lowest
    bits (:class:`~bnnsim.design.streaming.units.Stream`).
    """

    def push(self, words: tuple[int, ...]) -> None:
        """Receive one word from every input port."""

    def pop(self) -> int:
        """The next word that leaves (on every output port)."""


@runtime_checkable
class ManyWords(Datapath, Protocol):
    """A datapath that takes many words sooner together than one by one."""

    def push_all(self, words: Sequence[tuple[int, ...]]) -> None:
        """Receive some words from every input port, in order."""


def push_words(datapath: Datapath, words: Sequence[tuple[int, ...]]) -> None:
    """Give a datapath some words of every input port, together where it takes many."""
    if isinstance(datapath, ManyWords):
        datapath.push_all(words)
    else:
        for word in words:
            datapath.push(word)
