"""Every number of a run, exactly as ``simulate --json`` and ``evaluate --json`` print it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from bnnsim.evaluation import Evaluation
from bnnsim.report.figures.figure import Figure, csv_text, embedded_json


def numbers_figure(evaluation: Evaluation) -> Figure:
    """Tables of all scalars, units and FIFOs.

    The JSON of ``evaluate``, which has all that ``simulate`` says, is inside the page as ``evaluation``.
    """
    whole = evaluation.to_json()
    scalars = _scalars("", whole)
    body = (
        f"<details open><summary>Run</summary>{_table('run', ('name', 'value'), scalars)}</details>"
        f"{_more('Units [cycles]', whole['units'])}"
        f"{_more('FIFOs', whole['fifos'])}{_more('Layers [cycles]', whole['layers'])}"
        f"{embedded_json('evaluation', whole)}"
    )
    tables = [whole[key] for key in ("units", "fifos", "layers") if whole[key]]
    csv = "\n".join([csv_text(("name", "value"), scalars), *map(_records_csv, tables)])
    note = (
        "Exactly what <code>bnnsim simulate --json</code> and <code>evaluate --json</code> print for "
        "this run."
    )
    return Figure("numbers", "Every number", note, body, csv)


def _scalars(prefix: str, plain: dict[str, Any]) -> list[tuple[str, Any]]:
    """Everything but lists, entries of inner tables as ``table.entry``."""
    found: list[tuple[str, Any]] = []
    for key, value in plain.items():
        if key == "schema_version":  # of the JSON, not of the run
            continue
        if isinstance(value, dict):
            found += _scalars(f"{prefix}{key}.", value)
        elif not isinstance(value, list | tuple):
            found.append((prefix + key, value))
    return found


def _more(title: str, records: Sequence[dict[str, Any]]) -> str:
    if not records:
        return ""
    return f"<details><summary>{title}</summary>{_records(title, records)}</details>"


def _records(label: str, records: Sequence[dict[str, Any]]) -> str:
    return _table(label, tuple(records[0]), [tuple(record.values()) for record in records])


def _records_csv(records: Sequence[dict[str, Any]]) -> str:
    return csv_text(tuple(records[0]), [tuple(record.values()) for record in records])


def _table(label: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in header)
    lines = "".join(
        f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows
    )
    return (
        f'<div class="table" tabindex="0" role="region" aria-label="{escape(label)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f'<td class="text">{escape(value)}</td>'
    text = escape(json.dumps(value))
    return f'<td><data value="{text}">{text}</data></td>'
