"""``python -m tests.mutations``: the table of faults, and what ``check`` says of each."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutations.faults import FAULTS
from tests.mutations.networks import NETWORKS
from tests.mutations.trial import checked, figures, tried


def main() -> None:
    table = Table(
        "fault", "network", "verdict", "inputs wrong", "off by at most", "first layer that differs"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for network in NETWORKS:
            table.add_row("none", network, *figures(checked(network, folder)))
        for fault in FAULTS:
            table.add_row(fault.name, fault.network, *figures(tried(fault, folder)))
    console = Console(width=150)
    console.print(table)
    console.print(f"{len(FAULTS)} faults")


main()
