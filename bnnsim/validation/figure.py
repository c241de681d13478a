"""Errors of the simulated numbers, in percent, by kind of number, as a page of its own."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.validation.comparison import Validation
from bnnsim.validation.trust import GROUPS

LOOKS = {
    "blind": ("#0072b2", "circle"),
    "family": ("#d55e00", "diamond"),
    "fitted": ("#8a8a8a", "square"),
}
"""Colour and shape of what a fit had not seen, what shares authors with a fit, and what was fitted."""
MEANINGS = {
    "blind": "blind",
    "family": "shares its authors with a fit",
    "fitted": "used to fit",
}
MOST = 1.0
"""Errors beyond this are drawn at the edge, so that one does not flatten all others."""


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
            c.why,
        )
        for c in validation.comparisons
        if c.error is not None and c.simulated and c.group in GROUPS
    ]
    points.sort(key=lambda point: [str(group) for group in GROUPS].index(point.group))
    return AgreementInfo(tuple(points), len(validation.comparisons) - len(points))


def agreement_page(info: AgreementInfo) -> str:
    """The figure as HTML that needs no network.

    Full markers are of complete structures, open ones of inferred ones. A bar is the interval in which
    four of five such designs lie, around the simulated number; it should hold zero.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    places: list[str] = [group for group in GROUPS if any(p.group == group for p in info.points)]
    offsets = _offsets(info, places)
    for evidence, (colour, shape) in LOOKS.items():
        chosen = [(p, x) for p, x in zip(info.points, offsets, strict=True) if p.evidence == evidence]
        if chosen:
            figure.add_scatter(**_trace(evidence, colour, shape, chosen))
    for place in range(1, len(places)):
        figure.add_vline(x=place, line={"color": "#9a9a9a", "width": 1})
    figure.add_hline(y=0, line={"color": "#5a5a5a", "width": 1})
    figure.update_layout(
        title={"text": f"Errors of {len(info.points)} published numbers"},
        xaxis={
            "tickvals": [place + 0.5 for place in range(len(places))],
            "ticktext": places,
            "range": [0, len(places)],
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "title": {"text": "simulated against reported [%]"},
            "ticksuffix": " %",
            "range": [-110 * MOST, 110 * MOST],
            "gridcolor": "rgba(128,128,128,0.25)",
            "zeroline": False,
        },
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 60, "r": 10},
        legend={"orientation": "h", "y": -0.08},
    )
    page: str = figure.to_html(
        include_plotlyjs=True,
        full_html=True,
        div_id="agreement",
        default_height="88vh",
        config={"responsive": True},
        post_script=_THEME,
    )
    note = (
        f"Filled: structure known; open: partly guessed. Bars: four of five such designs lie within. "
        f"Beyond {MOST:.0%} at the edge. {info.left_out} numbers without a counterpart are not shown."
    )
    style = "<style>body{font:14px sans-serif;background:Canvas;color:CanvasText;margin:8px}</style>"
    head = (
        '<head><title>bnnsim: errors</title><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark">{style}'
    )
    return page.replace("<head>", head, 1).replace("</body>", f"<p>{note}</p></body>", 1)


_THEME = """
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => Plotly.relayout("agreement", {"font.color": dark.matches ? "#e7edf3" : "#17212b"});
dark.addEventListener("change", paint); paint();
"""


def _offsets(info: AgreementInfo, places: list[str]) -> list[float]:
    """Where each point stands: evenly within its kind's column."""
    counts = {group: sum(p.group == group for p in info.points) for group in places}
    seen = dict.fromkeys(places, 0)
    offsets = []
    for point in info.points:
        seen[point.group] += 1
        offsets.append(places.index(point.group) + seen[point.group] / (counts[point.group] + 1))
    return offsets


def _trace(
    evidence: str, colour: str, shape: str, chosen: list[tuple[AgreementPoint, float]]
) -> dict[str, object]:
    points = [point for point, _ in chosen]
    errors = [100 * max(-MOST, min(MOST, p.error)) for p in points]
    return {
        "x": [x for _, x in chosen],
        "y": errors,
        "mode": "markers",
        "name": MEANINGS[evidence],
        "marker": {
            "color": colour,
            "size": 8,
            "symbol": [shape + ("" if p.structure == "complete" else "-open") for p in points],
            "line": {"width": 1.5},
        },
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [100 * (p.high - p.simulated) / p.reported for p in points],
            "arrayminus": [100 * (p.simulated - p.low) / p.reported for p in points],
            "thickness": 1,
            "width": 2,
        },
        "customdata": [
            [p.system, p.what, p.unit, f"{p.error:+.2%}", p.structure, p.reported, p.simulated, p.why]
            for p in points
        ],
        "hovertemplate": (
            "<b>%{customdata[0]}</b> %{customdata[1]}<br>reported %{customdata[5]:,.6~g} "
            "%{customdata[2]}, simulated %{customdata[6]:,.6~g}, %{customdata[3]}<br>"
            "%{customdata[4]} structure<br>%{customdata[7]}<extra></extra>"
        ),
    }
