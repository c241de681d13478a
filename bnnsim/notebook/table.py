"""Results that are tables: the same rows for pandas, for notebooks and for one's own loops."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from html import escape
from typing import Any

from bnnsim.notebook.number import figure_text
from bnnsim.notebook.picture import Picture, plotly_figure, svg

Row = dict[str, Any]
MOST_ROWS = 20
"""Rows that a notebook shows at most."""


class Table:
    """A result that has rows and a picture."""

    @abstractmethod
    def rows(self) -> list[Row]:
        """One dict a row, with the same keys in each."""

    @abstractmethod
    def picture(self) -> Picture:
        """What :meth:`plot` draws, as plain data."""

    def to_pandas(self) -> Any:
        """:meth:`rows` as a ``pandas.DataFrame``. Raises ``ImportError`` where pandas is not there."""
        return to_pandas(self.rows())

    def plot(self) -> Any:
        """:meth:`picture` as a ``plotly.graph_objects.Figure``."""
        return plotly_figure(self.picture())

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self).strip('<>'))}</p>{table_html(self.rows())}{svg(self.picture())}"


def to_pandas(rows: Sequence[Row]) -> Any:
    """Rows as a ``pandas.DataFrame``. Raises ``ImportError`` where pandas is not there."""
    try:
        import pandas
    except ImportError:
        raise ImportError("to_pandas needs pandas: pip install pandas") from None
    return pandas.DataFrame(list(rows))


def answer_html(answer: Sequence[tuple[str, str]], picture: Picture) -> str:
    """Names and values as a table, and the picture below it, as HTML without scripts."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in answer
    )
    return f"<table>{cells}</table><p>{escape(picture.title)}:</p>{svg(picture)}"


def table_html(rows: Sequence[Row]) -> str:
    """The first rows as HTML."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row.values())}</tr>"
        for row in rows[:MOST_ROWS]
    )
    more = f"<p>… and {len(rows) - MOST_ROWS:,} more rows</p>" if len(rows) > MOST_ROWS else ""
    return f"<table><tr>{head}</tr>{body}</table>{more}"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return figure_text(value, 6)
    return "" if value is None else f"{value:,}" if type(value) is int else str(value)
