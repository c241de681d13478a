"""A PostgreSQL server that is stopped for a minute under a search on several machines' processes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.benchmarks.row import Row
from tests.designs import SMALL_SPACE
from tests.unit.search.study.outage import search_through_outage
from tests.unit.search.study.postgres import postgres_server

SECONDS = 60.0
WORKERS = 3
TRIALS = 200


def measure() -> list[Row]:
    """How many designs there are at the end, each once, and who ended with exit code 0."""
    with tempfile.TemporaryDirectory() as name, postgres_server() as server:
        space = Path(name) / "small.yaml"
        space.write_text(SMALL_SPACE)
        started = time.monotonic()
        found = search_through_outage(server, space, Path(name), WORKERS, TRIALS, SECONDS)
        seconds = time.monotonic() - started
    note = f"{TRIALS} asked for; {found.designs} counted, {seconds:.0f} s in all"
    return [
        Row("different designs", found.different, "designs", note=note),
        Row("processes that ended by themselves, complete", found.codes.count(0), f"of {WORKERS + 1}"),
        Row("sentences on an attempt, main process", found.said[0].count("tried again"), "lines"),
    ]
