"""Figures that will be printed, judged once more: a stored figure is believed when it comes out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

from bnnsim.search.front.evaluator import evaluate_here
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.study.pool import Pool
from bnnsim.spec.faults import Fault, SpecError

SAMPLED = 100
"""Stored trials that are judged again though they are not shown: seconds."""


def doubted_trials(found: Exploration, stored: Set[int]) -> list[TrialRecord]:
    """Which of a search's ``stored`` trials to judge again: all that are shown, and some of the others.

    Of the others as many as ``SAMPLED``, evenly spread: a trial that is shown nowhere by its own can hide
    a better one, and stands in tables.
    """
    shown = [trial for trial in found.shown if trial.number in stored]
    unshown = stored - {trial.number for trial in shown}
    others = [trial for trial in found.trials if trial.number in unshown]
    return [*shown, *others[:: 1 + len(others) // SAMPLED]]


def judge_again(
    trials: Sequence[TrialRecord],
    pool: Pool,
    place: str,
    evaluate: Callable[[Knobs], PointResult] = evaluate_here,
) -> None:
    """Judge ``trials`` again and hold every figure against the one that they have.

    ``pool`` is one prepared with :func:`~bnnsim.search.front.evaluator.set_evaluator`; ``evaluate`` is
    what judged them. Raises :class:`SpecError` with each trial that has other figures, bounds or another
    obstacle than its design; ``place`` is where the trials were kept.
    """
    results = pool.map(evaluate, [trial.knobs for trial in trials])
    faults = []
    for trial, judged in zip(trials, results, strict=True):
        difference = _difference(trial.result, judged)
        if difference is not None:
            expected, got = difference
            what = f"design {trial.id} with the figures that it has when it is judged again ({expected})"
            faults.append(Fault(place, 0, "", what, got))
    if faults:
        raise SpecError(faults)


def _difference(stored: PointResult, judged: PointResult) -> tuple[str, str] | None:
    """What the design has and what its trial says, of the first figure in which they differ."""
    pairs = (
        *((name, judged.figures.get(name), stored.figures.get(name)) for name in _names(stored, judged)),
        ("obstacle", judged.infeasible_reason or None, stored.infeasible_reason or None),
        ("violations", dict(judged.violations), dict(stored.violations)),
    )
    for name, right, kept in pairs:
        if right != kept:
            return f"{name} {_text(right)}", f"{name} {_text(kept)}"
    return None


def _names(stored: PointResult, judged: PointResult) -> list[str]:
    return list(dict.fromkeys([*judged.figures, *stored.figures]))


def _text(value: object) -> str:
    return "none" if value is None else f"{value:,.15g}" if isinstance(value, float) else str(value)
