"""An interrupted search is the search: the same trials, whatever kills, jobs and resumes there were."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bnnsim.exploration.explore import explore
from bnnsim.search.storage.record import Exploration
from bnnsim.search.storage.store import JOURNAL
from bnnsim.search.study import coordinator
from bnnsim.search.study.progress import SearchProgress
from bnnsim.spec.faults import InputError
from tests.designs import SMALL_SPACE

ROOT = Path(__file__).resolve().parents[4]
SAMPLERS_HERE = ("front", "random")


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL_SPACE)
    return path


def _explore(space: Path, **options: Any) -> Exploration:
    given: dict[str, Any] = {"trials": 80, "jobs": 1, "baseline": 20, "verify_words": 0, "seed": 3}
    return explore(space, **{**given, **options}).exploration


def _told(found: Exploration) -> list[tuple[Any, ...]]:
    trials = (*found.trials, *found.baseline)
    return [(t.number, dict(t.parameters), dict(t.knobs), dict(t.result.figures)) for t in trials]


def _stop_after(trials: int, stage: str = "search") -> Callable[[str, object], None]:
    def stop(now: str, progress: object) -> None:
        if now == stage and isinstance(progress, SearchProgress) and progress.trials >= trials:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize("sampler", SAMPLERS_HERE)
def test_stopped_and_resumed_search_is_the_undisturbed_one(
    space: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    monkeypatch.setattr(coordinator, "PROGRESS_S", 0)  # after every batch
    monkeypatch.setattr(coordinator, "MOST_PROGRESS_SHARE", float("inf"))
    whole = _explore(space, sampler=sampler, seed=3)
    out = tmp_path / "out"
    _explore(space, sampler=sampler, out=out, progress=_stop_after(20))
    for trials, jobs in ((50, 1), (60, 2)):
        stop = _stop_after(trials)
        _explore(space, sampler=sampler, out=out, resume=True, jobs=jobs, seed=None, progress=stop)
    stop = _stop_after(10, "baseline")
    _explore(space, sampler=sampler, out=out, resume=True, progress=stop)
    assert _told(_explore(space, sampler=sampler, out=out, resume=True)) == _told(whole)
    assert _told(_explore(space, sampler=sampler, out=out, resume=True, jobs=2)) == _told(whole)


def test_any_cut_of_a_journal_goes_on_as_the_undisturbed_search(space: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    whole = _explore(space, trials=40, baseline=6, out=out)
    content = (out / JOURNAL).read_bytes()
    for cut in range(len(content) // 7, len(content), len(content) // 7):
        (out / JOURNAL).write_bytes(content[:cut])
        assert _told(_explore(space, trials=40, baseline=6, out=out, resume=True)) == _told(whole)


KILLED = """\
import sys
from bnnsim.exploration.explore import explore
if __name__ == "__main__":
    explore(sys.argv[1], trials=80, jobs=2, baseline=20, verify_words=0, seed=3, out=sys.argv[2],
            resume=sys.argv[3] == "resume")
"""


@pytest.mark.parametrize("bytes_written", [40_000, 90_000])
def test_killed_search_is_the_undisturbed_one(space: Path, tmp_path: Path, bytes_written: int) -> None:
    out = tmp_path / "out"
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, script, space, out, "begin"]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    deadline = time.monotonic() + 600  # a busy machine is waited for
    journal = out / JOURNAL
    while time.monotonic() < deadline and not (
        journal.exists() and journal.stat().st_size > bytes_written
    ):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    resumed = _explore(space, out=out, resume=True)
    assert _told(resumed) == _told(_explore(space))


def test_search_made_longer_goes_on_as_it_began(space: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    first = _explore(space, trials=25, out=out)
    _explore(space, trials=25, out=other)
    for trials in (33, 60):
        by_steps = _explore(space, trials=trials, out=out, resume=True)
    assert _told(by_steps) == _told(_explore(space, trials=60, out=other, resume=True))
    assert [t.knobs for t in by_steps.trials[:25]] == [t.knobs for t in first.trials]
    kept = _explore(space, trials=10, out=out, resume=True)
    assert len(kept.trials) == 60  # what is there stays


def test_study_keeps_its_seed_and_another_is_refused(space: Path, tmp_path: Path) -> None:
    _explore(space, trials=20, out=tmp_path / "out", seed=7)
    with pytest.raises(InputError, match="expected seed 7, which its study was made with, got 8"):
        _explore(space, trials=30, out=tmp_path / "out", seed=8, resume=True)
    assert _explore(space, trials=30, out=tmp_path / "out", seed=None, resume=True).seed == 7


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30])
def test_seed_that_no_sampler_takes_is_refused(space: Path, seed: int) -> None:
    with pytest.raises(InputError, match=f"--seed: expected a number from 0 to 4294967295, got {seed}"):
        _explore(space, seed=seed)


@pytest.mark.parametrize("sampler", SAMPLERS_HERE)
def test_largest_seed_works(space: Path, sampler: str) -> None:
    found = _explore(space, seed=2**32 - 1, trials=50, baseline=2, sampler=sampler)
    assert len(found.trials) == 50
