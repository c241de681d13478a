"""One figure of a benchmark, and peers timed in turn, so that a busy machine slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ROUNDS = 7


@dataclass(frozen=True)
class Row:
    """``value`` in ``unit``, and ``ratio`` times as fast as ``against``, measured in the same run on as
    many cores. ``ratio`` is None where a figure stands alone."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    note: str = ""


def best_seconds(peers: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """The shortest of ``rounds`` runs of each peer, after one run that does not count."""
    for run in peers.values():
        run()
    best = dict.fromkeys(peers, float("inf"))
    for _ in range(rounds):
        for name, run in peers.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best
