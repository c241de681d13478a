"""How sure the cost models are, and what that makes of a lead: the one rule of all comparisons.

The errors are those on published designs that the models were not fitted on. A design leads another in a
figure only if it is ahead with a probability of nine in ten; everything closer is a tie. Designs that
break a budget lead nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bnnsim.cost.error_bars import NORMAL_90, RESTS_ON, deviation, plain_name
from bnnsim.spec.faults import SpecError
from bnnsim.spec.model import SpecModel
from bnnsim.spec.yaml.source import read_source
from bnnsim.spec.yaml.validate import validate
from bnnsim.validation.fit import QUANTITIES, fit

ERRORS_FILE = Path(__file__).resolve().parent / "model_errors.yaml"
"""What the fit gives, written down: every comparison needs it, and it changes with the models only."""

MODELLED = ("lut", "bram18", "power_w")
"""The figures that designs are compared by and that are estimates, not counts."""


@dataclass(frozen=True)
class ModelError:
    """The error of one figure over ``designs`` published designs, each left out of the fit in turn.

    ``median`` and ``worst`` are shares of the published number, without sign.
    """

    quantity: str
    designs: int
    median: float
    worst: float


class _Stated(SpecModel):
    designs: int
    median: float
    worst: float


class _StatedErrors(SpecModel):
    """``model_errors.yaml``: the errors by quantity."""

    errors: dict[str, _Stated]


@lru_cache(maxsize=1)
def _stated() -> Mapping[str, ModelError]:
    found, faults = validate(_StatedErrors, read_source(ERRORS_FILE))
    if found is None or faults:
        raise SpecError(faults)
    return {
        quantity: ModelError(quantity, one.designs, one.median, one.worst)
        for quantity, one in found.errors.items()
    }


def model_errors() -> tuple[ModelError, ...]:
    """The errors of the figures in ``MODELLED``, the same that ``bnnsim validate`` prints."""
    return tuple(_stated()[quantity] for quantity in MODELLED)


ANY_KIND = "one kind"
"""Stands for designs of one kind, whichever it is."""


@lru_cache(maxsize=256)
def needed_lead(figure: str, kind: str = ANY_KIND, other: str = ANY_KIND) -> float:
    """By what share of the larger value a design must be ahead to lead with nine chances in ten.

    0 for a figure that is exact. Default: of two designs of one kind of structure.
    """
    return 1 - math.exp(-NORMAL_90 * deviation(figure, kind, other))


def needed_leads() -> Mapping[str, float]:
    """:func:`needed_lead` of every figure that is an estimate, for two designs of one kind."""
    return {name: needed_lead(name) for name in RESTS_ON}


def probability_ahead(
    figure: str, value: float, other: float, maximises: bool, kinds: tuple[str, str] = (ANY_KIND,) * 2
) -> float:
    """How likely a design with ``value`` is better than one with ``other``, by the models' errors.

    >>> probability_ahead("throughput_fps", 2, 1, True), probability_ahead("lut", 5, 5, False)
    (1.0, 0.5)
    """
    if value == other:
        return 0.5
    is_better = value > other if maximises else value < other
    size = deviation(figure, *kinds)
    if not size or min(value, other) <= 0:
        return 1.0 if is_better else 0.0
    ahead = abs(math.log(value / other)) / size
    chance = (1 + math.erf(ahead / math.sqrt(2))) / 2
    return chance if is_better else 1 - chance


def fitted_errors() -> tuple[ModelError, ...]:
    """What :func:`model_errors` goes by, fitted anew: seconds of work."""
    errors = []
    for quantity in sorted(QUANTITIES):
        result = fit(quantity)
        worst = abs(result.worst_left_out.left_out_error)
        designs = len(result.predictions)
        errors.append(ModelError(quantity, designs, result.median_left_out_error, worst))
    return tuple(errors)


def is_ahead(value: float, other: float, maximises: bool, error: float) -> bool:
    """Whether ``value`` is better than ``other`` by more than the share ``error`` of the larger one.

    >>> is_ahead(95, 100, maximises=False, error=0.10), is_ahead(80, 100, maximises=False, error=0.10)
    (False, True)
    """
    better, worse = (value, other) if maximises else (other, value)
    return better > worse and worse < better * (1 - error)


def leaders(
    values: Sequence[float | None], maximises: bool, error: float, may_lead: Sequence[bool]
) -> frozenset[int]:
    """Positions of the best value and of all that tie with it; empty where all are equal.

    Only values that ``may_lead`` are looked at: not those of designs that break a budget.
    One alone leads nobody.

    >>> sorted(leaders([100, 97, 50, 900], True, 0.05, [True, True, True, False]))
    [0, 1]
    """
    known = {i: v for i, v in enumerate(values) if v is not None and may_lead[i]}
    if len(set(known.values())) < 2:
        return frozenset()
    best = max(known.values()) if maximises else min(known.values())
    return frozenset(i for i, v in known.items() if not is_ahead(best, v, maximises, error))


def leads_clearly(
    figures: Mapping[str, float], other: Mapping[str, float], maximises: Mapping[str, bool]
) -> bool:
    """Whether one design leads another in one objective at least, with nine chances in ten.

    ``maximises`` says of each objective whether more of it is better.
    """
    return _leads(figures, other, _needed(maximises))


def _needed(maximises: Mapping[str, bool]) -> list[tuple[str, bool, float]]:
    """Each objective, whether more of it is better, and the lead that it takes."""
    return [(name, upwards, needed_lead(plain_name(name))) for name, upwards in maximises.items()]


def _leads(
    figures: Mapping[str, float],
    other: Mapping[str, float],
    needed: Sequence[tuple[str, bool, float]],
) -> bool:
    return any(is_ahead(figures[name], other[name], up, lead) for name, up, lead in needed)


def ties(designs: Sequence[Mapping[str, float]], maximises: Mapping[str, bool]) -> tuple[int | None, ...]:
    """For each design of a front the first other that it leads in no objective.

    None where it has a clear lead over every other.
    """
    needed = _needed(maximises)
    return tuple(
        next(
            (k for k, other in enumerate(designs) if k != i and not _leads(design, other, needed)),
            None,
        )
        for i, design in enumerate(designs)
    )
