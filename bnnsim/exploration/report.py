"""What an exploration found and left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnsim.exploration.found import found_front
from bnnsim.notebook.picture import Picture, Series
from bnnsim.notebook.table import Row, Table
from bnnsim.search.front.verify import Verification
from bnnsim.search.storage.record import Exploration
from bnnsim.validation.certainty import ModelError

PARETO_PAGE, IMPORTANCE = "pareto.html", "importance.json"


@dataclass(frozen=True, repr=False)
class ExplorationReport(Table):
    """What an exploration found and left behind. Rows are the designs that keep every bound.

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

    def __repr__(self) -> str:
        found = self.exploration
        return (
            f"<ExplorationReport {found.space.name}: {len(found.front)} designs on the front "
            f"of {len(found.trials)}>"
        )

    def rows(self) -> list[Row]:
        """One row a design: its number, whether it is on the front, knobs and figures; front first."""
        found = self.exploration
        front = {trial.number for trial in found.front}
        behind = [trial for trial in found.feasible if trial.number not in front]
        chosen = [*found.front, *behind]
        knobs = dict.fromkeys(name for trial in chosen for name in trial.knobs)
        figures = dict.fromkeys(name for trial in chosen for name in trial.result.figures)
        return [
            {"design": trial.id, "on_front": trial.number in front}
            | {name: trial.result.figures.get(name) for name in figures}
            | {name: trial.knobs.get(name) for name in knobs}
            for trial in chosen
        ]

    def picture(self) -> Picture:
        """The first objective over the last, all designs that keep every bound and the front."""
        found = self.exploration
        down, across = found.objectives[0].name, found.objectives[-1].name
        series = tuple(
            Series(
                name,
                tuple(float(trial.result.figures[across]) for trial in trials),
                tuple(float(trial.result.figures[down]) for trial in trials),
            )
            for name, trials in (("judged", found.feasible), ("on the front", found.front))
        )
        return Picture(f"Designs of {found.space.name}", across, down, series, "points")

    def to_json(self) -> dict[str, Any]:
        """What ``explore --json`` writes, under the same names (docs/json.md)."""
        checks = self.verifications
        return found_front(self.exploration, checks, self.out, self.page, self.interrupted).to_json()

    @property
    def page(self) -> Path | None:
        """The page to look at."""
        return None if self.out is None else self.out / PARETO_PAGE

    @property
    def differing(self) -> tuple[Verification, ...]:
        """Front designs whose bits or cycles differ between the executors: errors of the tool."""
        return tuple(v for v in self.verifications if v.is_exact is False)
