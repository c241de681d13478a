"""Which knob moved what: the share of an objective's variance among designs that goes with each knob.

Epsilon squared (T. L. Kelley, "An unbiased correlation ratio measure", PNAS 21, 1935): eta squared, the
share of the variance that is between a knob's values, less what as many values would seem to explain by
chance. Main effects only. Designs of a search are no random sample, and knobs that it moved together
share what they explain: shares need not add up to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.search.storage.record import Exploration


@dataclass(frozen=True)
class KnobImportance:
    """A knob, and for each objective the share of its variance that goes with it, 0 to 1."""

    knob: str
    shares: tuple[float, ...]


def knob_importance(exploration: Exploration) -> tuple[KnobImportance, ...]:
    """All knobs with more than one value among the designs that have figures, the most important first.

    The random baseline's designs count too: its draws are independent. Objectives that are positive in
    all designs are compared by their logarithms, so that a factor counts the same everywhere.
    """
    objectives = [objective.name for objective in exploration.objectives]
    judged = [
        trial
        for trial in (*exploration.trials, *exploration.baseline)
        if all(name in trial.result.figures for name in objectives)
    ]
    if len(judged) < 2:
        return ()
    figures = np.array([[float(t.result.figures[n]) for n in objectives] for t in judged])
    is_positive = (figures > 0).all(axis=0)
    figures[:, is_positive] = np.log(figures[:, is_positive])
    found = []
    for knob in exploration.space.knob_names:
        values = [trial.knobs.get(knob) for trial in judged]
        if len(set(values)) > 1:
            found.append(KnobImportance(knob, tuple(epsilon_squared(values, figures).tolist())))
    return tuple(sorted(found, key=lambda one: (-max(one.shares), one.knob)))


def epsilon_squared(values: Sequence[Any], figures: Floats) -> Floats:
    """The share of the variance of each column of ``figures`` ``(designs, figures)`` that is between
    different ``values`` ``(designs,)``, without what chance explains; 0 where nothing varies."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    groups = np.array([places[value] for value in values])
    whole = ((figures - figures.mean(axis=0)) ** 2).sum(axis=0)
    counts = np.bincount(groups)
    sums = np.zeros((len(places), figures.shape[1]))
    np.add.at(sums, groups, figures)
    within = ((figures - (sums / counts[:, None])[groups]) ** 2).sum(axis=0)
    free = len(figures) - len(places)
    if not free:
        return np.zeros(figures.shape[1])
    chance = (len(places) - 1) * within / free
    explained = whole - within - chance
    rounding = 1e-12 * (1 + (figures**2).sum(axis=0))
    shares: Floats = np.where(whole > rounding, explained / np.where(whole > 0, whole, 1), 0)
    return shares.clip(0, 1)
