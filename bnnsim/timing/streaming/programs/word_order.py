"""What an elastic program's words wait for, once it counts that they move in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Int64s


@dataclass(frozen=True)
class WordOrder:
    """Dependence and release with in-order movement worked in.

    A word waits for all that the words before it wait for, so both indices may grow only.
    ``dependence_runs`` ``(runs, 2)``: an input word, and how many output words in a row wait for it
    last. ``release`` ``(words_in,)``: the output word that must have left before an input word is taken.
    ``taken_ring`` and ``left_ring``: how many of the latest words of either side may still be asked for.
    """

    dependence_runs: Int64s
    release: Int64s
    taken_ring: int
    left_ring: int


def word_order(dependence: Int64s, release: Int64s) -> WordOrder:
    """The order of ``dependence`` ``(words_out,)`` and ``release`` ``(words_in,)``.

    Raises ValueError for words that no frame can pass.
    """
    words_in, words_out = len(release), len(dependence)
    if not words_in or not words_out:
        raise ValueError("an elastic program needs words in and words out")
    if dependence.min() < 0 or dependence.max() >= words_in:
        raise ValueError("an elastic program's words must depend on words of the same frame")
    if release.max() >= words_out:
        raise ValueError("an elastic program must release words by the same frame or an earlier one")
    grown = np.maximum.accumulate(dependence.astype(np.int64))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(grown)) + 1])
    counts = np.diff(np.concatenate([starts, [words_out]]))
    values = grown[starts]
    release = np.maximum.accumulate(release.astype(np.int64))
    release = np.maximum(release, release[-1] - words_out)
    taken_ring = int((_first_bound_by(release, starts + counts, words_out) - values).max())
    # Of the words that left: those from which the last word taken was bound, to those yet to come.
    starts_or_end = np.concatenate([starts, [words_out]])
    next_left = starts_or_end[np.searchsorted(values, np.arange(words_in))]
    bound_before = np.concatenate([[release[-1] - words_out], release[:-1]])
    left_ring = int((next_left - bound_before).max())
    return WordOrder(
        np.stack([values, counts], axis=1), release, taken_ring + 1, max(left_ring, -int(release[0])) + 1
    )


def _first_bound_by(release: Int64s, outputs: Int64s, words_out: int) -> Int64s:
    """For each output word (of frame 0, ascending) the first input word that must wait for it."""
    found = np.full(len(outputs), -1, np.int64)
    frame = 0
    while (found < 0).any():
        place = np.searchsorted(release, outputs - frame * words_out)
        found = np.where((found < 0) & (place < len(release)), frame * len(release) + place, found)
        frame += 1
    return found
