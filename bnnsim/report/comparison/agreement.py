"""Errors of the simulated numbers, in percent, by kind of number, as a page of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bnnsim.report.figures.plot_page import plot_page
from bnnsim.validation.comparison import Validation
from bnnsim.validation.trust import GROUPS

MEANINGS = {
    "blind": "blind",
    "family": "shares its authors with a fit",
    "fitted": "used to fit",
}
"""What of a number no fit had seen, in the order of the legend."""


@dataclass(frozen=True)
class AgreementPoint:
    """One number that was reported and simulated, both in ``unit``; ``low`` and ``high`` end its bar."""

    system: str
    what: str
    unit: str
    group: str
    evidence: str
    reported: float
    simulated: float
    low: float
    high: float
    error: float
    structure: str
    verdict: str
    why: str


@dataclass(frozen=True)
class AgreementInfo:
    """What the figure shows; ``left_out`` numbers have nothing to be compared with, or are zero."""

    points: tuple[AgreementPoint, ...]
    left_out: int


def agreement_info(validation: Validation) -> AgreementInfo:
    """Every comparison with an error, except those that simulate nothing of a resource.

    By kind of number, the surest first; within one by system.
    """
    points = [
        AgreementPoint(
            c.system,
            c.what,
            c.unit,
            c.group,
            c.evidence,
            c.reported,
            c.simulated,
            c.simulated if c.low is None else c.low,
            c.simulated if c.high is None else c.high,
            c.error,
            c.structure,
            c.verdict,
            c.why,
        )
        for c in validation.comparisons
        if c.error is not None and c.simulated and c.group in GROUPS
    ]
    points.sort(key=lambda point: [str(group) for group in GROUPS].index(point.group))
    return AgreementInfo(tuple(points), len(validation.comparisons) - len(points))


def agreement_page(info: AgreementInfo, is_single_file: bool = True) -> str:
    """The page as HTML; :func:`~bnnsim.report.figures.plot_page.library` says what lies beside it.

    Full markers are of complete structures, open ones of inferred ones. A bar is the interval in which
    four of five such designs lie, around the simulated number; it should hold zero.
    """
    held = {
        "groups": [group for group in GROUPS if any(p.group == group for p in info.points)],
        "meanings": MEANINGS,
        "left_out": info.left_out,
        "points": [asdict(point) for point in info.points],
    }
    title = "bnnsim validate: errors in percent"
    return plot_page("validate", title, "agreement.html", ("agreement.js",), held, is_single_file)
