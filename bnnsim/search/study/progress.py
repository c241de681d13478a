"""How far a search is, as it tells whoever waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.search.storage.record import Exploration


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is: so many of the ``wanted`` trials, so many feasible, so many on the front.

    ``hypervolume`` is the front's normalised hypervolume (see
    :meth:`~bnnsim.search.storage.record.Exploration.normalised_hypervolume`), in [0, 1].
    """

    trials: int
    wanted: int
    feasible: int
    front: int
    hypervolume: float
    designs_per_s: float


def search_progress(found: Exploration, wanted: int, earlier: int, seconds: float) -> SearchProgress:
    """How far a search is that began ``seconds`` ago with ``earlier`` trials."""
    trials = len(found.trials)
    return SearchProgress(
        trials,
        wanted,
        len(found.feasible),
        len(found.front),
        found.normalised_hypervolume(found.front),
        (trials - earlier) / seconds if seconds > 0 else 0.0,
    )
