"""Searches killed at random moments and resumed, against the undisturbed one: ``python -m
tests.benchmarks kills``. Every trial, figure and front design has to be the same."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[2]
KILLS = 30
SEARCH = ("digits-7z020", "--trials", "250", "--baseline", "60", "--seed", "11", "--verify", "none")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


def _start(out: Path, jobs: int, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, ROOT / "explore.py", *SEARCH, "--jobs", str(jobs), "--out", out, *options]
    return subprocess.Popen(
        command, env=_environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _results(out: Path) -> list[list[list[str]]]:
    """The rows of all trials and of the front, and the knobs and figures of each front design."""
    tables = [list(csv.reader((out / name).open(newline=""))) for name in ("trials.csv", "pareto.csv")]
    designs = sorted((out / "designs").glob("*.yaml"))
    return [*tables, [[path.name, path.read_text()] for path in designs]]


def measure() -> list[Row]:
    """How many of the kills ended a running search, and how many searches came out the same."""
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        started = time.monotonic()
        assert _start(whole, 2).wait() == 0
        seconds = time.monotonic() - started
        right = _results(whole)
        kills = same = searches = 0
        while kills < KILLS:
            out = Path(folder) / f"killed-{searches}"
            for _ in range(draw.randint(1, 4)):
                resume = ("--resume",) if (out / "study.journal").exists() else ()
                process = _start(out, draw.choice((1, 2)), *resume)
                time.sleep(draw.uniform(0.05, 0.9) * seconds)
                kills += process.poll() is None
                os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
                process.wait()
            resume = ("--resume",) if (out / "study.journal").exists() else ()
            assert _start(out, draw.choice((1, 2)), *resume).wait() == 0
            same += _results(out) == right
            searches += 1
    note = f"of {searches} searches killed {kills} times in all"
    return [Row("equal to the undisturbed search", same, "searches", note=note)]
