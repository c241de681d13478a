"""``python -m tests.benchmarks [NAME …] [--json FILE]``: figures are ratios measured in one run."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

NAMES = tuple(
    sorted(p.stem for p in Path(__file__).parent.glob("[a-z]*.py") if "\ndef measure(" in p.read_text())
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=list(NAMES))
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"))
    options = parser.parse_args()
    console = Console()
    results = {}
    for name in options.names or NAMES:
        console.print(f"[bold]{name}[/bold]")
        rows = import_module(f"tests.benchmarks.{name}").measure()
        results[name] = [asdict(row) for row in rows]
        table = Table(box=None)
        for column in ("what", "value", "unit", "ratio", "against", "note"):
            table.add_column(column, justify="right" if column in ("value", "ratio") else "left")
        for row in rows:
            ratio = "" if row.ratio is None else f"{row.ratio:,.2f} x"
            value = "" if row.value is None else f"{row.value:,.4g}"
            table.add_row(row.name, value, row.unit, ratio, row.against, row.note)
        console.print(table)
    record = {"machine": platform.processor() or platform.machine(), "results": results}
    options.json.write_text(json.dumps(record, indent=2) + "\n")
    console.print(f"written to {options.json}")


main()
