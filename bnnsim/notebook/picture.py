"""A picture of a result as plain data, drawn by plotly or as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from bnnsim.notebook.number import figure_text

Mark = Literal["stacked", "lines", "points"]
COLOURS = ("#2a78b5", "#d9a441", "#c0504d", "#7f8a94", "#3c8d5a", "#7b5ea7")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 260, 70, 45, 24


@dataclass(frozen=True)
class Series:
    """Points of one name, in order; a ``y`` that is None is a gap."""

    name: str
    x: tuple[str | float, ...]
    y: tuple[float | None, ...]


@dataclass(frozen=True)
class Picture:
    """Series over one axis. Labels have their units; an ``x`` of text is a category."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    mark: Mark


def plotly_figure(picture: Picture) -> Any:
    """The picture as a ``plotly.graph_objects.Figure``."""
    from plotly import graph_objects as go

    figure = go.Figure()
    for place, series in enumerate(picture.series):
        colour = COLOURS[place % len(COLOURS)]
        if picture.mark == "stacked":
            figure.add_bar(name=series.name, x=series.x, y=series.y, marker_color=colour)
        else:
            mode = "lines+markers" if picture.mark == "lines" else "markers"
            figure.add_scatter(
                name=series.name, x=series.x, y=series.y, mode=mode, marker_color=colour
            )
    figure.update_layout(
        title=picture.title,
        xaxis_title=picture.x_label,
        yaxis_title=picture.y_label,
        barmode="stack",
        template="plotly_white",
    )
    return figure


def svg(picture: Picture) -> str:
    """The picture as SVG without scripts, in the colour of the text around it."""
    return _bars(picture) if picture.mark == "stacked" else _points(picture)


def _points(picture: Picture) -> str:
    axis = _Axes(picture)
    parts = [
        f"<line x1='{LEFT}' y1='{TOP}' x2='{LEFT}' y2='{HEIGHT - BOTTOM}' stroke='currentColor'/>",
        f"<line x1='{LEFT}' y1='{HEIGHT - BOTTOM}' x2='{WIDTH}' y2='{HEIGHT - BOTTOM}' "
        "stroke='currentColor'/>",
        _text(LEFT - 4, TOP + 8, figure_text(axis.top), "end"),
        _text(LEFT - 4, HEIGHT - BOTTOM, figure_text(axis.low), "end"),
        _text(4, 12, picture.y_label, "start"),
        _text(WIDTH, HEIGHT - 6, picture.x_label, "end"),
        *axis.ends(),
    ]
    for place, series in enumerate(picture.series):
        colour = COLOURS[place % len(COLOURS)]
        known = [(x, y) for x, y in zip(series.x, series.y, strict=True) if y is not None]
        if picture.mark == "lines" and len(known) > 1:
            line = " ".join(f"{axis.across(x):.1f},{axis.up(y):.1f}" for x, y in known)
            parts.append(f"<polyline points='{line}' fill='none' stroke='{colour}'/>")
        for x, y in known:
            said = f"<title>{escape(f'{series.name} {x}: {figure_text(y, 6)}')}</title>"
            parts.append(
                f"<circle cx='{axis.across(x):.1f}' cy='{axis.up(y):.1f}' r='3' "
                f"fill='{colour}'>{said}</circle>"
            )
        parts.append(_text(LEFT + 10 + 130 * place, HEIGHT - 22, f"● {series.name}", "start", colour))
    return _drawing(picture.title, WIDTH, HEIGHT, parts)


def _bars(picture: Picture) -> str:
    """A bar a category, each as long as the others: shares of what its series add up to."""
    names = picture.series[0].x if picture.series else ()
    height = 18 * len(names) + 22
    parts = []
    for row, name in enumerate(names):
        parts.append(_text(195, 18 * row + 12, str(name), "end"))
        x, whole = 200.0, sum(series.y[row] or 0.0 for series in picture.series)
        for place, series in enumerate(picture.series):
            amount = series.y[row] or 0.0
            width = 400 * amount / whole if whole else 0.0
            said = escape(f"{name} {series.name}: {figure_text(amount, 6)} {picture.y_label}")
            parts.append(
                f"<rect x='{x:.2f}' y='{18 * row + 2}' width='{width:.2f}' height='13' "
                f"fill='{COLOURS[place % len(COLOURS)]}'><title>{said}</title></rect>"
            )
            x += width
    for place, series in enumerate(picture.series):
        left, colour = 200 + 105 * place, COLOURS[place % len(COLOURS)]
        parts.append(f"<rect x='{left}' y='{height - 16}' width='10' height='10' fill='{colour}'/>")
        parts.append(_text(left + 14, height - 7, series.name, "start"))
    return _drawing(picture.title, WIDTH, height, parts)


def _drawing(title: str, width: int, height: int, parts: list[str]) -> str:
    return (
        f"<svg width='{width}' height='{height}' role='img' aria-label='{escape(title)}' "
        f"style='font:11px sans-serif;fill:currentColor'>{''.join(parts)}</svg>"
    )


class _Axes:
    """Where values lie in the drawing."""

    def __init__(self, picture: Picture) -> None:
        self.categories = list(dict.fromkeys(x for series in picture.series for x in series.x))
        heights = [y for series in picture.series for y in series.y if y is not None]
        self.low, self.top = min(0.0, *heights, 0.0), max(0.0, *heights, 0.0)
        self.numbers = [x for x in self.categories if not isinstance(x, str)]
        self.is_numeric = bool(self.categories) and len(self.numbers) == len(self.categories)

    def across(self, x: str | float) -> float:
        """Pixels from the left."""
        span = WIDTH - LEFT - 20
        if self.is_numeric and not isinstance(x, str):
            least, most = min(self.numbers), max(self.numbers)
            return LEFT + 10 + span * ((x - least) / (most - least) if most > least else 0.5)
        return LEFT + 10 + span * (self.categories.index(x) + 0.5) / len(self.categories)

    def up(self, y: float) -> float:
        """Pixels from the top."""
        span = HEIGHT - BOTTOM - TOP
        share = (y - self.low) / (self.top - self.low) if self.top > self.low else 0.0
        return HEIGHT - BOTTOM - span * share

    def ends(self) -> list[str]:
        """The names of the first and the last place."""
        if not self.categories:
            return []
        first, last = self.categories[0], self.categories[-1]
        if self.is_numeric:
            first, last = min(self.numbers), max(self.numbers)
        ends = [(first, "start"), (last, "end")] if first != last else [(first, "middle")]
        at = {"start": LEFT, "end": WIDTH, "middle": (LEFT + WIDTH) // 2}
        return [
            _text(at[end], HEIGHT - BOTTOM + 13, x if isinstance(x, str) else figure_text(x, 6), end)
            for x, end in ends
        ]


def _text(x: float, y: float, text: str, anchor: str, colour: str = "currentColor") -> str:
    return f"<text x='{x}' y='{y}' text-anchor='{anchor}' fill='{colour}'>{escape(text)}</text>"
