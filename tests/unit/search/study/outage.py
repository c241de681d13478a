"""A search on a server that is stopped for a while under the main process and its workers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import optuna

from bnnsim.search.points.encoding import point_key
from bnnsim.search.storage.database import Database, open_storage
from bnnsim.search.study.stored_trials import counted_trials
from tests.unit.search.study.postgres import Server

ROOT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True)
class Outage:
    """What came of it: exit codes and stderr of the main process and the workers, and the designs."""

    codes: list[int]
    said: list[str]
    designs: int
    different: int


def search_through_outage(
    server: Server, space: Path, folder: Path, workers: int, trials: int, seconds: float
) -> Outage:
    """Search with a main process and ``workers`` others, stop the server for ``seconds`` in between.

    It stays away until the main process has said so.
    """
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    where = ["--storage", server.url, "--study", "outage", "--jobs", "1"]
    main = [
        space, *where, "--trials", str(trials), "--baseline", "0", "--verify", "none",
        "--out", folder / "out",
    ]  # fmt: skip
    stderrs = [folder / f"stderr-{place}" for place in range(1 + workers)]
    group = [
        subprocess.Popen(
            [sys.executable, ROOT / "explore.py", *arguments], env=environment, cwd=folder,
            stdout=subprocess.DEVNULL, stderr=stderr.open("w"),
        )
        for arguments, stderr in zip([main, *[["--worker", *where]] * workers], stderrs, strict=True)
    ]  # fmt: skip
    database = Database(server.url, "outage")
    deadline = time.monotonic() + 900  # a busy machine is waited for
    while time.monotonic() < deadline and len(_counted(database)) < 8:
        time.sleep(0.2)
    server.stop()
    time.sleep(seconds)
    while time.monotonic() < deadline and "tried again" not in stderrs[0].read_text():
        time.sleep(0.2)
    server.start()
    for process in group:
        process.wait(timeout=900)
    said = [stderr.read_text() for stderr in stderrs]
    counted = _counted(database)
    keys = {point_key(trial.user_attrs["kept"]["knobs"]) for trial in counted}
    return Outage([process.returncode for process in group], said, len(counted), len(keys))


def _counted(database: Database) -> list[optuna.trial.FrozenTrial]:
    with contextlib.suppress(KeyError):  # no study yet
        study = optuna.load_study(study_name=database.study, storage=open_storage(database))
        return counted_trials(study.get_trials(deepcopy=False))
    return []
