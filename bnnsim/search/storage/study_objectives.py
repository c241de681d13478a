"""A search's objectives as Optuna's studies know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bnnsim.search.front.objectives import Objective

if TYPE_CHECKING:
    import optuna


def name_objectives(study: optuna.Study, objectives: tuple[Objective, ...]) -> None:
    """Give the objectives their names in the study."""
    import warnings

    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([objective.name for objective in objectives])


def directions(
    objectives: tuple[Objective, ...],
) -> list[Literal["minimize", "maximize"]]:
    """Optuna's names of the objectives' directions."""
    return ["maximize" if objective.maximises else "minimize" for objective in objectives]
