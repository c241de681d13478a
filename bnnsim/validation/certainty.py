"""How sure the cost models are: their errors on published designs that they were not fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bnnsim.validation.fit import fit

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


@lru_cache(maxsize=1)
def model_errors() -> tuple[ModelError, ...]:
    """The errors of the figures in ``MODELLED``, the same that ``bnnsim validate`` prints."""
    errors = []
    for quantity in MODELLED:
        result = fit(quantity)
        worst = abs(result.worst_left_out.left_out_error)
        errors.append(
            ModelError(quantity, len(result.predictions), result.median_left_out_error, worst)
        )
    return tuple(errors)
