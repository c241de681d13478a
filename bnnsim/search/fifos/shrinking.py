"""Many FIFOs made shallower together, as far as the target allows.

FIFOs that are alike (between units of the same kinds) are tried together, those first that save most. A
group that keeps the target is done; one that does not is halved. So a FIFO that may be shallow costs a
share of a timing, and one that must be deep a few.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from bnnsim.design.streaming.units import Add, Concat, Split, StreamingGraph
from bnnsim.search.fifos.trials import DepthTrials

STEP_WORDS = 32
"""A shift register's LUT holds 32 words; from there on, depths that double are the steps that cost."""
PROOF_FRAMES = 128
"""Frames in which a FIFO that is a word shallower has time to show that it keeps the target, at most."""


class Shrinking:
    """Depths on their way down: ``depths`` keep the target, ``too_shallow`` did not, by stream."""

    def __init__(
        self,
        trials: DepthTrials,
        kinds: Mapping[str, tuple[str, ...]],
        depths: Mapping[str, int],
        least_words: int = 1,
    ) -> None:
        self.least_words = least_words
        self.trials = trials
        self.kinds = kinds
        self.depths = dict(depths)
        self.too_shallow = dict.fromkeys(depths, 0)

    def by_steps(self, reserve: int = 0) -> None:
        """To two words or one, or to the fewest of 32, 64, 128, ... words that keep the target."""
        self._rounds(by_words=False, reserve=reserve)

    def by_words(self, reserve: int = 0) -> None:
        """To the very word."""
        self._rounds(by_words=True, reserve=reserve)

    def prove(self) -> bool:
        """Whether no FIFO can lose a word alone: each is tried, as long as there are frames for all."""
        lost = True
        while lost:
            able = [name for name, depth in self.depths.items() if depth > 1]
            frames = min(PROOF_FRAMES, self.trials.frames_left // max(1, len(able)))
            if len(able) > self.trials.left or frames < self.trials.most_frames:
                return False
            lost = False
            for name in able:
                less = {**self.depths, name: self.depths[name] - 1}
                if self.trials.keeps(less, frames):
                    self.depths, lost = less, True
        return True

    def _rounds(self, by_words: bool, reserve: int) -> None:
        while True:
            proposed = {
                name: depth
                for name in self.depths
                if (depth := self._next(name, by_words)) is not None
            }
            if not proposed or not self._round(proposed, reserve):
                return

    def _round(self, proposed: Mapping[str, int], reserve: int) -> bool:
        """Try what is proposed, group by group; False where the timings end."""
        alike: dict[tuple[str, ...], list[str]] = {}
        for name in proposed:
            alike.setdefault(self.kinds[name], []).append(name)
        queue: list[tuple[tuple[int, int], int, Sequence[str]]] = []
        count = 0
        for kind in alike.values():
            heapq.heappush(queue, (self._order(kind, proposed), count, kind))
            count += 1
        while queue:
            if self.trials.left <= reserve:
                return False
            _, _, group = heapq.heappop(queue)
            shallower = {**self.depths, **{name: proposed[name] for name in group}}
            if self.trials.keeps(shallower):
                self.depths = shallower
            elif len(group) == 1:
                self.too_shallow[group[0]] = proposed[group[0]]
            else:
                half = len(group) // 2
                for part in (group[:half], group[half:]):
                    heapq.heappush(queue, (self._order(part, proposed), count, part))
                    count += 1
        return True

    def _order(self, group: Sequence[str], proposed: Mapping[str, int]) -> tuple[int, int]:
        first, second = self.trials.costs.saving(self.depths, {name: proposed[name] for name in group})
        return -first, -second

    def _next(self, name: str, by_words: bool) -> int | None:
        """The next depth to try of a FIFO; None where there is none."""
        low, high = self.too_shallow[name], self.depths[name]
        if high - low <= 1 or high <= self.least_words:
            return None
        if low == 0:
            return 2 if high > 2 else 1
        steps = []
        step = STEP_WORDS
        while step < high:
            steps += [step] if step > low else []
            step *= 2
        if steps:
            return steps[(len(steps) - 1) // 2]
        return (low + high) // 2 if by_words else None


def stream_kinds(graph: StreamingGraph) -> dict[str, tuple[str, ...]]:
    """For each stream the kinds of its writer and reader, and whether branches join or part there."""
    units = graph.unit_by_name
    found: dict[str, tuple[str, ...]] = {}
    for stream in graph.streams:
        writer, reader = units[stream.writer], units[stream.reader]
        ends = (writer.parameters, reader.parameters)
        branch = "branch" if any(isinstance(end, Add | Concat | Split) for end in ends) else ""
        found[stream.name] = (writer.kind, reader.kind, branch)
    return found
