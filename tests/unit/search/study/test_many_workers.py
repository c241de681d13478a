"""Many processes at one study on a PostgreSQL server, stopped and started at will."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import optuna
import pytest

from bnnsim.exploration.explore import explore
from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs, point_key
from bnnsim.search.storage.database import (
    Database,
    check_storage,
    create_study,
    open_storage,
    wait_for_plan,
)
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.stored_trials import counted_trials, stored_exploration
from bnnsim.search.study.worker import work
from bnnsim.spec.faults import InputError
from tests.unit.search.study.postgres import postgres

SPACE = """\
name: small
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
layers:
  fc0: {pe: divisors, simd: divisors}
  fc1: {pe: divisors, simd: divisors}
  fc2: {pe: divisors, simd: divisors}
  fc3: {pe: divisors, simd: divisors}
explore: {workload: tfc, objectives: [throughput_fps, lut]}
"""
WORKERS = 10
ENQUEUED = 20
TRIALS = 120  # of the 131 designs that the space has
KILLS = 15
BEFORE_KILLS = 3
"""Designs that a worker judges before all kills are done: of 25 workers fewer than there are trials."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SPACE)
    return path


def _plan(space: Path, trials: int) -> SearchPlan:
    return plan_of(space, None, trials, None, (), "front", 0)


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bnnsim.search.study.worker", "optuna", "sqlalchemy", "psycopg"])
    return context


def _slow_work(database: Database, plan: SearchPlan, worker: int, held: Path) -> None:
    """A worker that takes a while over each design, so that it is killed in the middle of some, and that
    stays in the middle of one while the file ``held`` is there: the study outlives the kills."""
    evaluate = Evaluator.__call__
    judged = 0

    def slow_evaluation(self: Evaluator, knobs: Knobs) -> PointResult:
        nonlocal judged
        judged += 1
        time.sleep(0.5)
        while judged > BEFORE_KILLS and held.exists():
            time.sleep(0.1)
        return evaluate(self, knobs)

    Evaluator.__call__ = slow_evaluation  # type: ignore[method-assign]
    work(database, plan, worker)


def _start(database: Database, plan: SearchPlan, worker: int, held: Path) -> ForkServerProcess:
    process = _context().Process(target=_slow_work, args=(database, plan, worker, held), daemon=True)
    process.start()
    return process


def _trials(database: Database) -> list[optuna.trial.FrozenTrial]:
    study = optuna.load_study(study_name=database.study, storage=open_storage(database))
    return study.get_trials(deepcopy=False)


def _kill_at_random(database: Database, plan: SearchPlan, held: Path) -> list[ForkServerProcess]:
    """Ten workers; time and again one of the older half is killed and another one started."""
    dice = random.Random(0)
    held.touch()
    group = [_start(database, plan, n, held) for n in range(WORKERS)]
    while len(_trials(database)) < ENQUEUED + WORKERS:  # all are at work
        time.sleep(0.2)
    for kill in range(KILLS):
        time.sleep(dice.uniform(0.05, 0.3))
        victim = group.pop(dice.randrange(WORKERS // 2))
        assert victim.is_alive() and victim.pid is not None, "the study was over before the kills"
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        group.append(_start(database, plan, 100 + kill, held))
    held.unlink()
    return group


def test_a_study_that_asks_for_more_designs_than_there_are_ends_with_all_of_them(
    server: str, space: Path
) -> None:
    space.write_text(SPACE.replace("fc3: {pe: divisors, simd: divisors}", "fc3: {pe: 10, simd: 8}"))
    plan = _plan(space, 400)
    encoding = plan.encoding
    every = {point_key(encoding.describe(point)) for point in encoding.every()}
    assert len(every) < plan.trials < encoding.points  # several points are one design
    database = Database(server, "exhausted")
    create_study(database, plan, resume=False)
    process = _context().Process(target=work, args=(database, plan, 0), daemon=True)
    process.start()
    process.join(timeout=300)
    assert not process.is_alive()
    keys = [point_key(trial.knobs) for trial in stored_exploration(database, plan).trials]
    assert sorted(map(str, keys)) == sorted(map(str, every))


def test_no_trial_is_lost_or_counted_twice_when_ten_workers_are_killed_at_random(
    server: str, space: Path
) -> None:
    plan = _plan(space, TRIALS)
    database = Database(server, "killed", heartbeat_s=1, grace_s=2)
    create_study(database, plan, resume=False)
    study = optuna.load_study(study_name="killed", storage=open_storage(database))
    for seed in plan.seeds()[:ENQUEUED]:
        study.enqueue_trial(dict(seed))
    group = _kill_at_random(database, plan, space.with_name("held"))
    for process in group:
        process.join(timeout=600)
    assert not any(process.is_alive() for process in group)
    found = stored_exploration(database, plan)
    # Complete: as many designs as asked for, each once, none of the enqueued seeds missing.
    keys = [point_key(trial.knobs) for trial in found.trials]
    assert len(keys) == len(set(keys)) == TRIALS
    every = {point_key(t.user_attrs["kept"]["knobs"]) for t in counted_trials(_trials(database))}
    assert every >= {point_key(plan.encoding.describe(s)) for s in plan.seeds()[:ENQUEUED]}
    # Lost: a trial that died with a point and that nobody evaluated afterwards.
    died = [
        {**t.system_attrs.get("fixed_params", {}), **t.params}
        for t in _trials(database)
        if t.state == optuna.trial.TrialState.FAIL and t not in counted_trials([t])
    ]
    assert died, "no worker died in a trial: the test would show nothing"
    complete = [p for p in died if set(p) == set(plan.encoding.sizes)]
    assert all(point_key(plan.encoding.describe(p)) in every for p in complete)
    # Right: what was stored is what the evaluator says.
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    for trial in found.trials[::10]:
        assert dict(evaluator(trial.knobs).figures) == dict(trial.result.figures)


def test_trial_whose_worker_died_before_its_first_heartbeat_is_run_again(
    server: str, space: Path
) -> None:
    plan = _plan(space, 3)
    database = Database(server, "silent", heartbeat_s=1, grace_s=1)
    create_study(database, plan, resume=False)
    study = optuna.load_study(study_name="silent", storage=open_storage(database))
    silent = study.ask()  # taken, and never a sign of life
    work(database, plan, 0)
    states = {t.number: t.state for t in _trials(database)}
    assert states[silent.number] == optuna.trial.TrialState.FAIL
    assert len(stored_exploration(database, plan).trials) == 3


def test_failed_trial_that_nobody_put_back_is_put_back(server: str, space: Path) -> None:
    plan = _plan(space, 4)
    database = Database(server, "dropped", heartbeat_s=1, grace_s=2)
    create_study(database, plan, resume=False)
    study = optuna.load_study(study_name="dropped", storage=open_storage(database))
    study.enqueue_trial(dict(plan.seeds()[0]))
    dropped = study.get_trials()[study.ask().number]
    study.tell(dropped.number, state=optuna.trial.TrialState.FAIL)  # and then its worker died too
    work(database, plan, 0)
    wanted = point_key(plan.encoding.describe(dropped.system_attrs["fixed_params"]))
    assert wanted in {point_key(t.knobs) for t in stored_exploration(database, plan).trials}


def test_worker_waits_for_a_study_that_is_just_being_made(server: str, space: Path) -> None:
    plan = _plan(space, 2)
    database = Database(server, "begun")
    optuna.create_study(
        storage=open_storage(database), study_name="begun", directions=["maximize", "minimize"]
    )
    with pytest.raises(InputError, match=r"study begun: expected a study on postgresql://.*, got none"):
        wait_for_plan(database, patience_s=0)
    create_study(database, plan, resume=True)
    assert wait_for_plan(database, patience_s=0).trials == 2


def test_explore_on_a_server_leaves_the_same_results_as_alone(
    server: str, space: Path, tmp_path: Path
) -> None:
    report = explore(
        space, trials=12, jobs=2, baseline=5, verify_words=0, out=tmp_path / "out", storage=server
    )
    assert len(report.exploration.trials) == 12
    assert (tmp_path / "out" / "pareto.html").is_file()
    with pytest.raises(InputError, match="study bnnsim-small: expected a name not used yet"):
        explore(space, trials=12, jobs=1, storage=server)
    longer = explore(space, trials=15, jobs=1, baseline=0, verify_words=0, storage=server, resume=True)
    first = [dict(t.knobs) for t in report.exploration.trials]
    assert [dict(t.knobs) for t in longer.exploration.trials][:12] == first
    assert len(longer.exploration.trials) == 15


def test_sqlite_serves_one_worker_and_refuses_two(space: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with pytest.raises(InputError, match=r"expected PostgreSQL for several workers .*got SQLite with 2"):
        explore(space, storage=url, jobs=2)
    report = explore(space, trials=3, baseline=0, verify_words=0, storage=url, jobs=1)
    assert len(report.exploration.trials) == 3


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "postgresql://nobody@127.0.0.1:1/none",
            "expected a database server that answers, got .*refused",
        ),
        ("postgresql://a:secret@127.0.0.1:1/b", r"^postgresql://a@127.0.0.1:1/b: expected a database"),
        ("oracle://a/b", "--storage: expected an address like postgresql://user@host/database"),
        ("postgresql", "--storage: expected an address like"),
    ],
)
def test_unreachable_server_is_one_sentence_without_the_password(
    space: Path, url: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        explore(space, storage=url, jobs=1)


def test_database_that_several_workers_cannot_share_is_named() -> None:
    with pytest.raises(InputError, match="SQLite locks the whole file"):
        check_storage(Database("sqlite:///a.db", "s"), 2)
    check_storage(Database("sqlite:///a.db", "s"), 1)
    check_storage(Database("postgresql://h/d", "s"), 10)


def test_ctrl_c_ends_the_workers_on_a_server_with_what_is_there(
    server: str, space: Path, tmp_path: Path
) -> None:
    root = Path(__file__).resolve().parents[4]
    process = subprocess.Popen(
        [
            sys.executable, root / "explore.py", space, "--storage", server, "--study", "stopped",
            "--trials", "100000", "--jobs", "2", "--baseline", "0", "--verify", "none",
            "--out", tmp_path / "out",
        ],
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    database = Database(server, "stopped")
    deadline = time.monotonic() + 600  # a busy machine is waited for
    done = 0
    while time.monotonic() < deadline and done < 5:
        time.sleep(0.3)
        with contextlib.suppress(KeyError):  # no study yet
            done = len(counted_trials(_trials(database)))
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "interrupted; the same --storage with --resume goes on"
    assert "stopped by Ctrl-C, --resume goes on" in " ".join(stdout.split())
    assert "Traceback" not in stderr
    assert (tmp_path / "out" / "pareto.html").is_file()
