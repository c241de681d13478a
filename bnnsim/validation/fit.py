"""Fitting the few free coefficients on placed designs, and leaving one design out at a time.

The models are linear in each fitted coefficient, so a fit is a non-negative least squares problem on
relative errors: every design counts the same, whatever its size.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.blocks.amounts import Estimate
from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.validation.placed import placed_designs, powered_designs
from bnnsim.validation.published import load_published_rows

REFIT = "refit on placed designs"

FITTED: Mapping[str, tuple[str, ...]] = {
    "lut": ("logic_factor",),
    "ff": ("pipeline_ff_per_lut",),
    "power_w": ("data_lut_pj",),
}
"""For each quantity the coefficients that are fitted on it; memories and DSPs have none."""
QUANTITIES = ("lut", "ff", "bram18", "dsp", "power_w")


@dataclass(frozen=True)
class Row:
    """A reported number and the model that should give it.

    ``is_calibration`` tells whether the row takes part in the fit; the others are only predicted.
    ``reading`` says how an ambiguously printed number was read, where this is not the plain reading.
    """

    design: str
    quantity: str
    reported: float
    model: Callable[[Coefficients], float]
    is_calibration: bool
    reading: str = ""
    is_capped: bool = False
    """Whether the model does not fit the device, which what was placed had to: no prediction of it."""


@dataclass(frozen=True)
class Prediction:
    """A design's number with all designs in the fit, and with this one left out of it.

    Where only one family calibrates a quantity, the others' numbers take its place to predict it.
    """

    design: str
    """The placed design."""
    quantity: str
    """What was reported of it."""
    reported: float
    """The published number."""
    fitted: float
    """The model's, fitted on all designs."""
    left_out: float
    """The model's, fitted without this design."""
    family_left_out: float
    """The model's, fitted without everything by the same authors: the harder question."""
    is_calibration: bool
    """Whether the number takes part in the fit; others are only predicted."""
    reading: str = ""
    """How an ambiguously printed number was read, where not plainly; else empty."""
    is_capped: bool = False
    """Whether the model does not fit the device, which what was placed had to: no predictions of it."""

    @property
    def error(self) -> float:
        """Relative error with the design in the fit."""
        return self.fitted / self.reported - 1

    @property
    def left_out_error(self) -> float:
        """Relative error of the prediction that never saw the design."""
        return self.left_out / self.reported - 1

    @property
    def family_left_out_error(self) -> float:
        """Relative error of the prediction that saw nothing by the same authors."""
        return self.family_left_out / self.reported - 1


@dataclass(frozen=True)
class FitResult:
    """The fitted numbers of one quantity and how well they do.

    ``other_readings`` are predictions against other readings of ambiguously printed numbers, ``capped``
    are of designs that do not fit the device by the model; medians and the worst are those of
    ``predictions``, which hold each other design once.
    """

    quantity: str
    coefficients: Mapping[str, float]
    predictions: tuple[Prediction, ...]
    other_readings: tuple[Prediction, ...] = ()
    capped: tuple[Prediction, ...] = ()

    @property
    def median_error(self) -> float:
        return float(np.median([abs(p.error) for p in self.predictions]))

    @property
    def median_left_out_error(self) -> float:
        return float(np.median([abs(p.left_out_error) for p in self.predictions]))

    @property
    def median_family_left_out_error(self) -> float:
        return float(np.median([abs(p.family_left_out_error) for p in self.predictions]))

    @property
    def median_left_out_error_of_other_readings(self) -> float:
        """The median where each ambiguous number is read the other way."""
        other = {p.design: p for p in self.other_readings}
        chosen = [other.get(p.design, p) for p in self.predictions]
        return float(np.median([abs(p.left_out_error) for p in chosen]))

    @property
    def worst_left_out(self) -> Prediction:
        return max(self.predictions, key=lambda p: abs(p.left_out_error))


def rows_of(quantity: str) -> tuple[Row, ...]:
    """The designs that report ``quantity`` and whose structure, or power basis, is known."""
    if quantity == "power_w":
        return tuple(
            Row(d.name, quantity, d.reported_w, d.power, d.is_calibration) for d in powered_designs()
        )
    models = {d.name: _amount(d.resources, quantity) for d in placed_designs()}
    capped = {d.name for d in placed_designs() if quantity in d.capped}
    rows = []
    for row in load_published_rows():
        model, result = models.get(row.system.name), row.result
        remembered = "remembered" in result.where
        if model is None or result.quantity != quantity or remembered:
            continue
        calibrates = result.role == "calibration"
        reading = result.reading or ""
        name = row.system.name
        is_capped = name in capped
        if is_capped and result.is_of_synthesis:
            continue  # of what was placed there is another number
        calibrates = calibrates and not is_capped
        rows.append(Row(name, quantity, result.value, model, calibrates, reading, is_capped))
    return tuple(rows)


def fit(quantity: str, coefficients: Coefficients | None = None) -> FitResult:
    """Fit the coefficients of ``quantity``, and refit them with each design left out in turn."""
    start = coefficients or default_coefficients()
    rows = rows_of(quantity)
    names = FITTED.get(quantity, ())
    linear = _Linear(rows, names, start)
    chosen = [i for i, row in enumerate(rows) if row.is_calibration]
    values = linear.solve(chosen)
    predictions = []
    for i, row in enumerate(rows):
        others = linear.solve([j for j in chosen if rows[j].design != row.design])
        strangers = linear.refit(_strangers(rows, chosen, row))
        predictions.append(
            Prediction(
                row.design,
                quantity,
                row.reported,
                linear.predict(i, values),
                linear.predict(i, others),
                linear.predict(i, strangers),
                row.is_calibration,
                row.reading,
                row.is_capped,
            )
        )
    return FitResult(
        quantity,
        dict(zip(names, values.tolist(), strict=True)),
        tuple(p for p in predictions if not p.reading and not p.is_capped),
        tuple(p for p in predictions if p.reading and not p.is_capped),
        tuple(p for p in predictions if p.is_capped),
    )


def _strangers(rows: Sequence[Row], chosen: Sequence[int], row: Row) -> list[int]:
    """The calibration rows of other families; where there are none, all rows of other families."""
    others = [j for j in range(len(rows)) if family(rows[j].design) != family(row.design)]
    return [j for j in others if j in chosen] or others


def family(design: str) -> str:
    """Who made the design: the first word of its name (``pynq``, ``acce``, ``fracbnn``, ``finn``)."""
    return design.split("-")[0]


def fit_all(coefficients: Coefficients | None = None) -> tuple[FitResult, ...]:
    """The fits of all quantities, each with the shipped values of the coefficients of the others."""
    return tuple(fit(quantity, coefficients) for quantity in QUANTITIES)


class _Linear:
    """The models of some rows as constant + features x coefficients."""

    def __init__(self, rows: Sequence[Row], names: Sequence[str], coefficients: Coefficients) -> None:
        zero = coefficients.replaced(dict.fromkeys(names, 0.0), REFIT)
        self.names = tuple(names)
        self.shipped: Floats = np.array([coefficients[name] for name in names], dtype=np.float64)
        self.reported: Floats = np.array([row.reported for row in rows], dtype=np.float64)
        self.constant: Floats = np.array([row.model(zero) for row in rows], dtype=np.float64)
        self.features: Floats = np.zeros((len(rows), len(names)))
        for k, name in enumerate(names):
            # A large value keeps the rounding to whole resources out of the slope.
            scale = 1e4
            one = zero.replaced({name: scale}, REFIT)
            values = np.array([row.model(one) for row in rows], dtype=np.float64)
            self.features[:, k] = (values - self.constant) / scale

    def solve(self, chosen: Sequence[int]) -> Floats:
        """Coefficients that minimise the squared relative errors of the chosen rows."""
        if not self.names:
            return np.zeros(0)
        index = list(chosen)
        features = self.features[index] / self.reported[index, None]
        target = 1 - self.constant[index] / self.reported[index]
        return non_negative_least_squares(features, target)

    def refit(self, chosen: Sequence[int]) -> Floats:
        """As :meth:`solve`; of fewer rows than coefficients, one factor on all shipped values."""
        if len(chosen) >= len(self.names):
            return self.solve(chosen)
        index = list(chosen)
        features = (self.features[index] @ self.shipped) / self.reported[index]
        target = 1 - self.constant[index] / self.reported[index]
        return self.shipped * non_negative_least_squares(features[:, None], target)

    def predict(self, row: int, values: Floats) -> float:
        return float(self.constant[row] + self.features[row] @ values)


def non_negative_least_squares(features: Floats, target: Floats) -> Floats:
    """The x >= 0 that minimises |features x - target|, by trying every set of positive entries.

    Exact and deterministic; meant for a handful of columns (2**columns small solutions).
    """
    columns = features.shape[1]
    best = np.zeros(columns)
    best_error = float(target @ target)
    for size in range(1, columns + 1):
        for chosen in itertools.combinations(range(columns), size):
            some, *_ = np.linalg.lstsq(features[:, chosen], target, rcond=None)
            if (some < 0).any():
                continue
            candidate = np.zeros(columns)
            candidate[list(chosen)] = some
            residual = features @ candidate - target
            error = float(residual @ residual)
            if error < best_error - 1e-12:
                best, best_error = candidate, error
    return best


def _amount(model: Callable[[Coefficients], Estimate], quantity: str) -> Callable[[Coefficients], float]:
    def amount(coefficients: Coefficients) -> float:
        cost = model(coefficients)
        return cost.lut_logic + cost.lutram if quantity == "lut" else float(getattr(cost, quantity))

    return amount
