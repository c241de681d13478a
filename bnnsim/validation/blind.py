"""What published designs reported against estimates that had not seen them: what error bars rest on."""

from __future__ import annotations

from bnnsim.cost.error_bars import INFERRED, Residual, residual_of, structure_kind
from bnnsim.cost.resources import estimate_resources
from bnnsim.validation.fit import QUANTITIES, family, fit
from bnnsim.validation.published import load_published_rows
from bnnsim.validation.systems import simulated_systems

UNFITTED = ("lutram", "alm", "m20k")
"""Resources without a coefficient of their own: every estimate of them is blind."""


def blind_residuals() -> tuple[Residual, ...]:
    """Every published number against its estimate without anything by the same authors.

    Numbers of structures that are known in full are predicted by a fit that left the family out. Of
    structures that are partly guessed none was ever in a fit. Capacities and other readings of ambiguous
    numbers say nothing of the models. Seconds of work.
    """
    kinds = {name: structure_kind(entry.design) for name, entry in simulated_systems().items()}
    rows = []
    for quantity in QUANTITIES:
        for p in fit(quantity).predictions:
            size = residual_of(quantity, p.reported, p.family_left_out)
            rows.append(_residual(quantity, p.design, kinds[p.design], size))
    seen = {(row.quantity, row.design) for row in rows}
    for published in load_published_rows():
        name, result = published.system.name, published.result
        quantity = result.quantity
        if name not in kinds or result.reading or (quantity, name) in seen:
            continue
        is_guess = kinds[name] == INFERRED and quantity in QUANTITIES and quantity != "power_w"
        if not is_guess and quantity not in UNFITTED:
            continue
        resources = estimate_resources(simulated_systems()[name].design)
        if resources.capped_of(quantity) is None:
            size = residual_of(quantity, result.value, getattr(resources.total, quantity))
            rows.append(_residual(quantity, name, kinds[name], size))
    return tuple(sorted(rows, key=lambda row: (row.quantity, row.family, row.design, row.residual)))


def _residual(quantity: str, design: str, kind: str, size: float) -> Residual:
    return Residual(
        quantity=quantity, design=design, family=family(design), kind=kind, residual=round(size, 3)
    )
