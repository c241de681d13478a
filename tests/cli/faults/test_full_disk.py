"""Disks that are full or may not be written: one sentence, and nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.test_explore import ROOT
from tests.designs import SMALL_SPACE
from tests.terminal import sentences

Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """A file system of its own below the test's folder, mounted with the given options."""
    place = tmp_path / "disk"
    place.mkdir()

    def mounted(options: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        return place

    yield mounted
    subprocess.run(["umount", place], capture_output=True)


def _explore(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "small.yaml").write_text(SMALL_SPACE)
    return subprocess.run(
        [sys.executable, ROOT / "explore.py", "small.yaml", "--jobs", "1", "--baseline", "0", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


def test_full_disk_ends_a_search_with_one_sentence_and_resume_goes_on(
    mount: Mount, tmp_path: Path
) -> None:
    disk = mount("size=48k")
    done = _explore(tmp_path, "--trials", "200", "--verify", "none", "--out", "disk/o")
    assert done.returncode == 2
    assert len(sentences(done.stderr)) == 1
    assert "study.journal: expected a place to write, got No space left" in done.stderr
    assert [path.name for path in (disk / "o").iterdir()] == ["study.journal"]
    text = (disk / "o" / "study.journal").read_text()
    assert text.endswith("\n")
    entries = [json.loads(line) for line in text.splitlines()]
    assert len(entries) > 10
    subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
    more = _explore(tmp_path, "--trials", "60", "--verify", "none", "--out", "disk/o", "--resume")
    assert "judged       60 designs" in more.stdout, more.stderr


def test_disk_too_full_for_the_results_keeps_the_trials_and_no_part_of_the_results(
    mount: Mount, tmp_path: Path
) -> None:
    disk = mount("size=400k")  # the journal fits, the page does not
    done = _explore(tmp_path, "--trials", "60", "--verify", "none", "--out", "disk/o")
    assert done.returncode == 2
    assert len(sentences(done.stderr)) == 1
    assert "expected a place to write, got No space left on device" in done.stderr
    left = {path.name for path in (disk / "o").iterdir()}
    assert "pareto.html" not in left
    assert not [name for name in left if name.startswith(".")]


def test_file_system_that_may_not_be_written_is_refused_before_the_search(
    mount: Mount, tmp_path: Path
) -> None:
    mount("ro")
    done = _explore(tmp_path, "--out", "disk/o")
    assert done.returncode == 2
    assert len(sentences(done.stderr)) == 1
    assert "disk/o: expected a place to write, got Read-only file system" in done.stderr
