"""``explore`` stopped, killed, and robbed of its journal: what it says, and what it leaves."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_explore import ROOT, _run
from tests.designs import SMALL_SPACE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL_SPACE)
    return tmp_path


def test_interrupt_ends_with_the_results_of_what_is_there_and_resume_goes_on(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [
        sys.executable, ROOT / "explore.py", "small.yaml", "--trials", "100000", "--jobs", "2",
        "--out", "o",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journal = folder / "o" / "study.journal"
    deadline = time.monotonic() + 600  # a busy machine is waited for
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size > 40_000):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "interrupted; --out o with --resume goes on"
    assert "stopped by Ctrl-C, --resume goes on" in " ".join(stdout.split())
    kept = int(re.search(r"judged +(\d+) designs", stdout)[1])  # type: ignore[index]
    assert (folder / "o" / "pareto.html").is_file()
    more = str(kept + 10)
    done = _run(
        folder, "small.yaml", "--trials", more, "--jobs", "1", "--baseline", "0", "--out", "o",
        "--resume", "--verify", "none",
    )  # fmt: skip
    assert f"judged       {more} designs" in done.stdout


@pytest.mark.parametrize("loss", ["folder", "journal", "replaced", "renamed"])
def test_journal_that_is_lost_while_searching_is_noticed_and_nothing_is_claimed(
    folder: Path, loss: str
) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    process = subprocess.Popen(
        [sys.executable, ROOT / "explore.py", "small.yaml", "--trials", "100000", "--jobs", "1",
         "--out", "o"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal = folder / "o" / "study.journal"
    deadline = time.monotonic() + 600  # a busy machine is waited for
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size > 40_000):
        time.sleep(0.02)
    if loss == "folder":
        shutil.rmtree(folder / "o")
    elif loss == "renamed":
        (folder / "o").rename(folder / "p")
    else:
        journal.unlink()
    if loss == "replaced":
        journal.write_text("another\n")
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 2
    got = "another file in its place" if loss == "replaced" else "none: it was deleted or moved"
    last = stderr.splitlines()[-1]
    said = "o/study.journal: expected the journal that this search writes, as it left it, got "
    assert last.startswith(said + got)
    assert stdout == ""
    assert not (folder / "o" / "pareto.csv").exists()
    if loss == "renamed":
        assert not (folder / "o").exists()
        kept = (folder / "p" / "study.journal").read_text().count("\n")
        done = _run(
            folder, "small.yaml", "--trials", "20", "--jobs", "1", "--baseline", "0", "--out", "p",
            "--resume", "--verify", "none",
        )  # fmt: skip
        assert kept > 20 and "judged       " in done.stdout


def _processes_in(folder: Path) -> set[str]:
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and Path(entry / "cwd").resolve() == folder.resolve():
                found.add(entry.name)
    return found


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="processes are looked up in /proc")
def test_killed_search_leaves_no_processes_behind(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    process = subprocess.Popen(
        [sys.executable, ROOT / "explore.py", "small.yaml", "--trials", "100000", "--jobs", "2",
         "--out", "o"],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    journal = folder / "o" / "study.journal"
    deadline = time.monotonic() + 600  # a busy machine is waited for
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size > 40_000):
        time.sleep(0.02)
    running = _processes_in(folder)
    process.kill()
    process.wait()
    assert len(running) >= 3  # coordinator, server, judges
    while time.monotonic() < deadline and _processes_in(folder):
        time.sleep(0.05)
    assert not _processes_in(folder)
