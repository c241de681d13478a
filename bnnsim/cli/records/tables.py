"""What ``validate`` and ``fifos`` say beside the records that they have in the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from bnnsim.validation.bracket import Bracket
from bnnsim.validation.comparison import Comparison, Verdict
from bnnsim.validation.fit import Prediction
from bnnsim.validation.trust import TrustCell


class FitTables(TypedDict):
    """A fit of the cost model's coefficients, and each design left out in turn."""

    quantity: str
    """What is fitted: lut, ff, bram18, dsp (without a coefficient) or power_w."""
    coefficients: Mapping[str, float]
    """The fitted coefficients by name."""
    median_error: float
    """Median error with all designs in the fit."""
    median_left_out_error: float
    """Median error of the predictions without the design."""
    median_family_left_out_error: float
    """Median error of the predictions without all designs of its authors."""
    median_left_out_error_of_other_readings: float
    """`median_left_out_error` with each ambiguous number read the other way."""
    worst_left_out: str
    """The design whose prediction without it is furthest off."""
    worst_left_out_error: float
    """The error of that prediction, with its sign."""
    rows: tuple[Prediction, ...]
    """The prediction of each design, then those against other readings, then those that are capped."""


class ValidationTables(TypedDict):
    """What `validate` says."""

    rows: tuple[Comparison, ...]
    """Every published number beside the simulated one."""
    review: tuple[Comparison, ...]
    """Those of `rows` that are frame rates of the review's systems, slowest first."""
    counts: Mapping[Verdict, int]
    """How many of `rows` there are of each verdict."""
    trust: tuple[TrustCell, ...]
    """Systems x kinds of number: what is met and what is off."""
    brackets: tuple[Bracket, ...]
    """Systems whose structure is not known: which structures what is reported allows."""
    leave_one_out: tuple[FitTables, ...]
    """The fits of the cost model's coefficients, by quantity."""


class SizingCheck(TypedDict):
    """What `fifos` says beside the sizing."""

    checked_frames: int
    """Frames that were simulated with SimPy too: every frame ended in the same cycle; 0 where it
    was interrupted."""
    written: str
    """The file with the new architecture."""
