"""The comparison of designs as a page: two tables that fit it, however many designs there are."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bnnsim.report.comparison.comparison import ComparisonInfo, Quantity
from bnnsim.report.figures.document import document
from bnnsim.report.figures.figure import Figure, csv_text, exact, number


def comparison_html(info: ComparisonInfo) -> str:
    """The comparison as a page."""
    names = " against ".join(info.names[:2])
    more = f" and {len(info.names) - 2} more" if len(info.names) > 2 else ""
    top = (
        f'<section id="answer"><h1>{escape(names + more)}</h1><p class="subtitle">'
        f"{len(info.differences):,} spec entries differ; ratios are against {escape(info.names[0])}."
        "</p></section>"
    )
    figures = [_quantities_figure(info), _differences_figure(info)]
    return document(f"{names}{more} – bnnsim", top, figures)


def _quantities_figure(info: ComparisonInfo) -> Figure:
    rows = []
    for quantity in info.quantities:
        cells = []
        for i, value in enumerate(quantity.values):
            ratio = quantity.ratio(i) if i else None
            sure = quantity.sureness[i] if i and quantity.sureness and quantity.error else None
            chance = "" if sure is None else f", {sure:.0%}"
            against = "" if ratio is None else f' <small class="muted">× {ratio:.4g}{chance}</small>'
            share = quantity.shares[i] if quantity.shares else None
            of = "" if share is None else f' <small class="muted">{share:.0%}</small>'
            tie = "≈ " if quantity.is_tie and i in quantity.leaders else ""
            css = ' class="better"' if i in quantity.best else ""
            cells.append(f"<td{css}>{tie}{exact(value, number(value, 5))}{of}{against}</td>")
        rows.append(f"<tr><td>{_label(quantity)}</td>{''.join(cells)}</tr>")
    limits = "".join(f'<td class="text">{escape(names)}</td>' for names in info.limiting)
    rows.append(f"<tr><td>sets the pace</td>{limits}</tr>")
    fits = "".join(
        f'<td class="text{" worse" if text else ""}">{"no: " + escape(text) if text else "yes"}</td>'
        for text in info.obstacles
    )
    rows.append(f"<tr><td>feasible</td>{fits}</tr>")
    for name, texts in (
        ("remark", info.remarks),
        ("outside", tuple("; ".join(entries) for entries in info.outside)),
    ):
        if any(texts):
            cells = [f'<td class="text">{escape(text)}</td>' for text in texts]
            rows.append(f"<tr><td>{name}</td>{''.join(cells)}</tr>")
    csv = csv_text(
        ("quantity", "unit", "basis", "needed_lead", *info.names),
        [
            (q.name, q.unit, q.basis, q.error, *("" if v is None else v for v in q.values))
            for q in info.quantities
        ]
        + [("feasible", "", "", "", *("no: " + text if text else "yes" for text in info.obstacles))],
    )
    note = (
        "The best of each row is green. ± is by how much a design must be ahead to be better with nine "
        "chances in ten, by published designs that the model had not seen; closer ones tie (≈). Behind "
        "a ratio stands how likely the design is better than the first. Percentages are of the device; a "
        "design that exceeds its budget leads nobody."
    )
    return Figure("numbers", "What it does to each number", note, _table(info, "number", rows), csv)


def _label(quantity: Quantity) -> str:
    basis = f' <small class="muted">{escape(quantity.basis)}</small>' if quantity.basis else ""
    error = f' <small class="muted">± {quantity.error:.1%}</small>' if quantity.error else ""
    return f"{escape(quantity.name)} [{quantity.unit}]{error}{basis}"


def _differences_figure(info: ComparisonInfo) -> Figure:
    rows = []
    for entry in info.parts:
        cells = "".join(
            f'<td class="text{" changed" if i and value != entry.values[0] else ""}">'
            f"{escape(value) if value is not None else '–'}</td>"
            for i, value in enumerate(entry.values)
        )
        key = escape(entry.key).replace(".", ".<wbr>").replace("_", "_<wbr>")
        rows.append(f"<tr><td><code>{key}</code></td>{cells}</tr>")
    csv = csv_text(
        ("entry", *info.names),
        [(e.key, *("" if v is None else v for v in e.values)) for e in info.differences],
    )
    note = "Entries of the specs, defaults filled in, that are not the same in all designs."
    if len(info.parts) < len(info.differences):
        note += " A part that only some designs have is one row; the CSV has its entries."
    return Figure("differences", "What differs in the spec", note, _table(info, "entry", rows), csv)


def _table(info: ComparisonInfo, first: str, rows: Sequence[str]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in (first, *info.names))
    return (
        f'<div class="table pinned" tabindex="0" role="region" aria-label="Table by {first}">'
        f"<table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
