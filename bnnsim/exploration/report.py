"""What an exploration found and left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bnnsim.search.front.verify import Verification
from bnnsim.search.storage.record import Exploration
from bnnsim.validation.certainty import ModelError

PARETO_PAGE, IMPORTANCE = "pareto.html", "importance.json"


@dataclass(frozen=True)
class ExplorationReport:
    """What an exploration found and left behind.

    Attributes:
        exploration: the trials, their front, and the random baseline.
        verifications: one entry for each design worth keeping (``exploration.shown``), in its order.
        out: the folder with the results; None where nothing was written.
        model_errors: how far the estimates among the figures may be off.
        interrupted: whether Ctrl-C ended the search.
        seconds: of search, baseline and verification together, with everything written.
        search_seconds: of the search alone.

    Example:
        >>> from bnnsim import explore
        >>> report = explore("digits-7z020", trials=10, baseline=0, jobs=1, verify_words=0)
        >>> len(report.verifications) == len(report.exploration.shown) > 0
        True
        >>> report.interrupted, report.page  # nothing was written
        (False, None)
    """

    exploration: Exploration
    verifications: tuple[Verification, ...]
    out: Path | None
    model_errors: tuple[ModelError, ...]
    interrupted: bool
    seconds: float
    search_seconds: float

    @property
    def page(self) -> Path | None:
        """The page to look at."""
        return None if self.out is None else self.out / PARETO_PAGE

    @property
    def differing(self) -> tuple[Verification, ...]:
        """Front designs whose bits or cycles differ between the executors: errors of the tool."""
        return tuple(v for v in self.verifications if v.is_exact is False)
