"""Reported against simulated, on logarithmic axes, as a page of its own."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.validation.comparison import Validation

COLOURS = {
    "speed": "#0072b2",
    "cycles": "#56b4e9",
    "logic": "#d55e00",
    "memory": "#009e73",
    "DSP": "#cc79a7",
    "power": "#8a6d00",
}
"""Colours of the kinds of quantity, told apart without red and green."""
_KINDS = {
    "throughput_fps": "speed",
    "throughput_gops": "speed",
    "latency_us": "speed",
    "lut": "logic",
    "lut_logic": "logic",
    "lutram": "logic",
    "ff": "logic",
    "alm": "logic",
    "bram18": "memory",
    "m20k": "memory",
    "dsp": "DSP",
    "power_w": "power",
}
BAND = 0.1
"""Half width of the band around equality."""


@dataclass(frozen=True)
class AgreementPoint:
    """One number that was reported and simulated, both in ``unit``."""

    system: str
    what: str
    unit: str
    kind: str
    reported: float
    simulated: float
    error: float
    structure: str
    role: str
    why: str


@dataclass(frozen=True)
class AgreementInfo:
    """What the figure shows; ``left_out`` numbers have nothing to be compared with, or are zero."""

    points: tuple[AgreementPoint, ...]
    left_out: int


def agreement_info(validation: Validation) -> AgreementInfo:
    """Every comparison with an error, except those that simulate nothing of a resource."""
    points = tuple(
        AgreementPoint(
            c.system,
            c.what,
            c.unit,
            _KINDS.get(c.quantity, "cycles"),
            c.reported,
            c.simulated,
            c.error,
            c.structure,
            c.role,
            c.why,
        )
        for c in validation.comparisons
        if c.error is not None and c.simulated
    )
    return AgreementInfo(points, len(validation.comparisons) - len(points))


def agreement_page(info: AgreementInfo) -> str:
    """The figure as HTML that needs no network.

    Full markers are of complete structures, open ones of inferred ones; squares took part in a fit.
    """
    import plotly.graph_objects as go

    values = [v for p in info.points for v in (p.reported, p.simulated)]
    low, high = (min(values) / 2, max(values) * 2) if values else (1.0, 10.0)
    figure = go.Figure()
    figure.add_scatter(
        x=[low, high, high, low],
        y=[low * (1 - BAND), high * (1 - BAND), high * (1 + BAND), low * (1 + BAND)],
        fill="toself",
        fillcolor="rgba(128,128,128,0.18)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name=f"within {BAND:.0%}",
    )
    for kind, colour in COLOURS.items():
        chosen = [p for p in info.points if p.kind == kind]
        if chosen:
            figure.add_scatter(**_trace(kind, colour, chosen))
    axes = {"type": "log", "exponentformat": "power", "gridcolor": "#e3e3e3", "zeroline": False}
    figure.update_layout(
        title={"text": f"Reported and simulated: {len(info.points)} published numbers"},
        xaxis={**axes, "title": {"text": "reported [unit of the quantity, see each point]"}},
        yaxis={**axes, "title": {"text": "simulated [same unit]"}},
        plot_bgcolor="white",
        legend={"title": {"text": "quantity"}},
        annotations=[
            {
                "text": (
                    "filled: structure known; open: partly inferred; squares took part in a fit; "
                    f"{info.left_out} numbers without a counterpart are not shown"
                ),
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 1.04,
                "showarrow": False,
                "font": {"size": 12},
            }
        ],
    )
    page: str = figure.to_html(
        include_plotlyjs=True, full_html=True, div_id="agreement", default_height="94vh"
    )
    return page.replace("<head>", "<head><title>bnnsim: reported and simulated</title>", 1)


def _trace(kind: str, colour: str, points: list[AgreementPoint]) -> dict[str, object]:
    shapes = [
        ("square" if p.role == "calibration" else "circle")
        + ("" if p.structure == "complete" else "-open")
        for p in points
    ]
    return {
        "x": [p.reported for p in points],
        "y": [p.simulated for p in points],
        "mode": "markers",
        "name": kind,
        "marker": {"color": colour, "size": 10, "symbol": shapes, "line": {"width": 1.5}},
        "customdata": [
            [p.system, p.what, p.unit, f"{p.error:+.2%}", p.structure, p.role, p.why] for p in points
        ],
        "hovertemplate": (
            "<b>%{customdata[0]}</b> %{customdata[1]}<br>reported %{x:,.6~g} %{customdata[2]}, "
            "simulated %{y:,.6~g}, %{customdata[3]}<br>%{customdata[4]} structure, "
            "%{customdata[5]}<br>%{customdata[6]}<extra></extra>"
        ),
    }
