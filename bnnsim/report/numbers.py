"""Every number of a simulation, exactly as ``simulate --json`` prints it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from bnnsim.evaluation import Evaluation
from bnnsim.report.figure import Figure, csv_text, embedded_json


def numbers_figure(evaluation: Evaluation) -> Figure:
    """Tables of all scalars, units and FIFOs.

    The JSON of ``simulate`` and ``evaluate`` is inside the page as ``simulation`` and ``evaluation``.
    """
    plain = evaluation.simulation.to_json()
    whole = evaluation.to_json()
    scalars = _scalars("", whole)
    body = (
        f"<details open><summary>Run</summary>{_table(('name', 'value'), scalars)}</details>"
        f"<details><summary>Units [cycles]</summary>{_records(plain['units'])}</details>"
        f"<details><summary>FIFOs</summary>{_records(plain['fifos'])}</details>"
        f"{embedded_json('simulation', plain)}{embedded_json('evaluation', whole)}"
    )
    csv = "\n".join(
        [csv_text(("name", "value"), scalars), _records_csv(plain["units"]), _records_csv(plain["fifos"])]
    )
    note = (
        "Exactly what <code>bnnsim simulate --json</code> and <code>bnnsim evaluate --json</code> print "
        "for this run."
    )
    return Figure("numbers", "Every number", note, body, csv)


def _scalars(prefix: str, plain: dict[str, Any]) -> list[tuple[str, Any]]:
    """Everything but lists, entries of inner tables as ``table.entry``."""
    found: list[tuple[str, Any]] = []
    for key, value in plain.items():
        if isinstance(value, dict):
            found += _scalars(f"{prefix}{key}.", value)
        elif not isinstance(value, list | tuple):
            found.append((prefix + key, value))
    return found


def _records(records: Sequence[dict[str, Any]]) -> str:
    return _table(tuple(records[0]), [tuple(record.values()) for record in records])


def _records_csv(records: Sequence[dict[str, Any]]) -> str:
    return csv_text(tuple(records[0]), [tuple(record.values()) for record in records])


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in header)
    lines = "".join(
        f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows
    )
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f'<td class="text">{escape(value)}</td>'
    text = escape(json.dumps(value))
    return f'<td><data value="{text}">{text}</data></td>'
