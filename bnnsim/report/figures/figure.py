"""A figure of the report page: HTML that reads without scripts, data for what scripts draw, and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bnnsim.notebook.number import figure_text
from bnnsim.report.figures.packing import LEAST_PACKED_CHARACTERS, pack


@dataclass(frozen=True)
class Figure:
    """One section of a page.

    ``body`` is HTML; ``data`` what the script named ``script`` draws from (None where HTML is all);
    ``csv`` the data behind the figure (empty where the script makes it from ``data``); ``note`` says in
    a sentence what is shown, as HTML.
    """

    id: str
    title: str
    note: str
    body: str
    csv: str = ""
    data: Any = None
    script: str = ""

    @property
    def has_csv(self) -> bool:
        return bool(self.csv) or bool(self.script)

    def html(self, is_packed: bool = False) -> str:
        """The whole section; with ``is_packed`` its long parts wait for the page's script."""
        button = (
            f'<button type="button" class="csv" data-figure="{self.id}">Copy as CSV</button>'
            if self.has_csv
            else ""
        )
        note = f'<p class="note">{self.note}</p>' if self.note else ""
        script = f' data-script="{self.script}"' if self.script else ""
        parts = [
            f'<section class="figure" id="{self.id}" aria-labelledby="{self.id}-title"{script}>',
            f'<header><h2 id="{self.id}-title">{escape(self.title)}</h2>{button}</header>',
            note,
            _packed_body(self.body) if is_packed else f'<div class="body">{self.body}</div>',
        ]
        if self.csv:
            parts.append(embedded(f"{self.id}-csv", "text/csv", self.csv, is_packed))
        if self.data is not None:
            parts.append(embedded_json(f"{self.id}-data", self.data, is_packed))
        parts.append("</section>")
        return "\n".join(part for part in parts if part)


def _packed_body(body: str) -> str:
    if len(body) < LEAST_PACKED_CHARACTERS:
        return f'<div class="body">{body}</div>'
    unread = "<noscript>This figure is long, and packed: a browser that runs scripts shows it.</noscript>"
    return f'<div class="body" data-packed="{pack(body)}">{unread}</div>'


def embedded(element: str, kind: str, text: str, is_packed: bool = False) -> str:
    """Text that a script reads, with ``&`` and ``<`` as entities: it cannot end its own element."""
    return _element(element, kind, text.replace("&", "&amp;").replace("<", "&lt;"), is_packed)


def embedded_json(element: str, data: Any, is_packed: bool = False) -> str:
    """Data as JSON inside the page, exact to the digit."""
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return _element(element, "application/json", text, is_packed)


def _element(element: str, kind: str, safe: str, is_packed: bool) -> str:
    """``safe`` for a script to read."""
    if is_packed and len(safe) >= LEAST_PACKED_CHARACTERS:
        return f'<script type="{kind}" id="{element}" data-packed="{pack(safe)}"></script>'
    return f'<script type="{kind}" id="{element}">{safe}</script>'


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Comma separated values; the header's names end in their units."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()


def number(value: float | int | None, digits: int = 4) -> str:
    """A number for reading: integers whole with thousands, others to ``digits`` significant digits."""
    return "–" if value is None else figure_text(value, digits)


def counted(count: int, word: str) -> str:
    """A number of things: ``1 layer``, ``3 layers``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def exact(value: float | int | None, shown: str = "") -> str:
    """A number with its exact value in a ``data`` element."""
    if value is None:
        return "–"
    return f'<data value="{json.dumps(value)}">{escape(shown or number(value))}</data>'
