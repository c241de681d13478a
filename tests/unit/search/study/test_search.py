"""The search: reproducible, resumable, and nothing lost whatever happens to it."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from bnnsim.exploration import run
from bnnsim.exploration.explore import explore
from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.evaluator import Evaluator, set_evaluator
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.front.verify import verify
from bnnsim.search.points.encoding import point_key
from bnnsim.search.points.target_encoding import TargetEncoding
from bnnsim.search.space.aims import ReferenceDesign
from bnnsim.search.space.space_reader import load_space
from bnnsim.search.storage.journal import Journal
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.store import BASELINE, JOURNAL, STUDY, TrialLines, open_journal
from bnnsim.search.storage.study_objectives import directions
from bnnsim.search.study import coordinator
from bnnsim.search.study.pool import Pool, open_pool
from bnnsim.search.study.progress import SearchProgress
from bnnsim.search.study.samplers import SAMPLERS
from bnnsim.spec.faults import InputError, SpecError
from tests.designs import SMALL_SPACE

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL_SPACE)
    return path


def _explore(space: Path, **options: Any):  # type: ignore[no-untyped-def]
    given = {"trials": 30, "jobs": 1, "baseline": 0, "verify_words": 0}
    return explore(space, **{**given, **options})


def _knobs(trials: tuple[TrialRecord, ...]) -> list[tuple[tuple[str, Any], ...]]:
    return [point_key(trial.knobs) for trial in trials]


def test_same_seed_gives_the_same_trials_whatever_the_number_of_jobs(space: Path) -> None:
    alone = _explore(space, seed=3, trials=60).exploration
    again = _explore(space, seed=3, trials=60, jobs=3).exploration
    assert _knobs(alone.trials) == _knobs(again.trials)
    assert [t.result for t in alone.trials] == [t.result for t in again.trials]
    assert _knobs(alone.trials) != _knobs(_explore(space, seed=4, trials=60).exploration.trials)


@pytest.mark.parametrize("sampler", [s for s in SAMPLERS if s != "exact"])
def test_every_sampler_evaluates_as_many_different_designs_as_asked_for(
    space: Path, sampler: str
) -> None:
    found = _explore(space, sampler=sampler, trials=40).exploration
    assert len(found.trials) == len(set(_knobs(found.trials))) == 40


def test_every_device_has_its_own_seeds_as_fast_as_its_room_allows(tmp_path: Path) -> None:
    path = tmp_path / "devices.yaml"
    text = SMALL_SPACE.replace("device: xc7z020", "device: {choose: [xc7z020, xc7z045]}")
    path.write_text(text.replace("workload: tfc", "workload: mlp-1024"))
    space = load_space(path)
    encoding = TargetEncoding(space)
    fastest = {"xc7z020": 0, "xc7z045": 0}
    for seed in encoding.seeds(20):
        device = str(encoding.describe(seed)["device"])
        fastest[device] = max(fastest[device], seed["target_interval"])
    assert 0 < fastest["xc7z020"] < fastest["xc7z045"]


@pytest.mark.parametrize("figure", ["initiation_interval_cycles", "latency_cycles"])
def test_a_figure_that_a_simulation_does_not_bear_out_is_an_error(space: Path, figure: str) -> None:
    report = _explore(space, trials=3)
    plan, trial = report.exploration, report.exploration.front[0]
    wrong = {**trial.result.figures, figure: trial.result.figures[figure] + 1}
    other = replace(trial, result=replace(trial.result, figures=wrong))
    set_evaluator(Evaluator(plan.space, plan.objectives, plan.constraints))
    found = verify(replace(plan, trials=(other,)), Pool(None), weights_seed=0)
    assert [check.is_exact for check in found] == [False]
    assert re.search("cycles .* compiled|cycles a frame in a simulation", found[0].note)


def test_what_beats_a_published_design_at_its_own_clock_comes_first(space: Path) -> None:
    found = _explore(space, trials=3).exploration
    figures = {"throughput_fps": 10, "lut": 100, "clock_mhz": 100}
    reference = ReferenceDesign(name="m", source="s", figures=figures)

    def trial(number: int, fps: float, clock: float) -> TrialRecord:
        figures = {"throughput_fps": fps, "lut": 90.0, "clock_mhz": clock, "power_w": 1.0}
        return TrialRecord(number, {}, {"clock_mhz": clock}, PointResult(figures, {}))

    trials = [trial(0, 30, 143), trial(1, 20, 100), trial(2, 15, 100)]
    assert sorted(trials, key=lambda t: found.rank(t, reference))[0].number == 1


def test_search_of_a_space_with_fewer_points_than_trials_ends(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SMALL_SPACE.replace("{pe: divisors, simd: divisors}", "{pe: 16, simd: 8}"))
    found = _explore(path, trials=20).exploration
    assert len(found.trials) == 2  # the two clocks


def test_resumed_search_keeps_what_there_is_and_adds_what_is_missing(space: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = _explore(space, trials=20, out=out, baseline=10).exploration
    with pytest.raises(
        InputError, match=r"study.journal: expected a folder without a study \(or --resume"
    ):
        _explore(space, trials=40, out=out)
    longer = _explore(space, trials=40, out=out, baseline=10, resume=True).exploration
    assert _knobs(longer.trials)[:20] == _knobs(first.trials)
    assert [t.result for t in longer.trials[:20]] == [t.result for t in first.trials]
    assert len(set(_knobs(longer.trials))) == 40
    assert _knobs(longer.baseline) == _knobs(first.baseline)


def test_study_of_another_aim_is_not_resumed(space: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _explore(space, trials=5, out=out)
    with pytest.raises(InputError, match="objectives throughput_fps:maximise, lut:minimise, which its"):
        _explore(space, trials=9, out=out, resume=True, objectives=["latency_us", "lut"])
    with pytest.raises(
        InputError, match="constraints none, which its study was made with, got lut<=9000"
    ):
        _explore(space, trials=9, out=out, resume=True, constraints=["lut<=9000"])
    space.write_text(SMALL_SPACE.replace("[100, 143]", "[100]"))
    with pytest.raises(InputError, match="space the same, which its study was made with, got another"):
        _explore(space, trials=9, out=out, resume=True)
    with pytest.raises(InputError, match="expected the study to go on with, got no file"):
        _explore(space, trials=9, out=tmp_path / "new", resume=True)


def test_interrupt_keeps_every_finished_batch(
    space: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "PROGRESS_S", 0)  # after every batch
    monkeypatch.setattr(coordinator, "MOST_PROGRESS_SHARE", float("inf"))
    calls = []

    def interrupt(stage: str, progress: object) -> None:
        calls.append(stage)
        if len(calls) == 2:
            raise KeyboardInterrupt

    report = _explore(space, out=tmp_path / "out", progress=interrupt)
    assert report.interrupted
    assert len(report.exploration.trials) == 20
    assert (tmp_path / "out" / "pareto.html").is_file()
    on = _explore(space, out=tmp_path / "out", resume=True)
    assert len(on.exploration.trials) == 30


KILLED = """\
import sys
from bnnsim.exploration import run
from bnnsim.exploration.explore import explore
explore(sys.argv[1], trials=100000, jobs=1, baseline=0, verify_words=0, out=sys.argv[2])
"""


def test_killed_search_loses_at_most_the_batch_in_flight(space: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", KILLED, space, out], cwd=ROOT)
    journal = out / JOURNAL
    deadline = time.monotonic() + 600  # a busy machine is waited for
    while time.monotonic() < deadline and not (journal.exists() and _lines(journal) > 40):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    plan = plan_of(space, None, 100000, None, (), "front", 0)
    with open_journal(out, {STUDY: plan}, resume=True) as stores:
        kept = stores[STUDY].records()
    assert len(kept) >= 30

    def stop(stage: str, progress: object) -> None:
        assert isinstance(progress, SearchProgress)
        if progress.trials >= len(kept):
            raise KeyboardInterrupt

    undisturbed = _explore(space, trials=100000, progress=stop).exploration.trials
    assert [t.knobs for t in undisturbed][: len(kept)] == [t.knobs for t in kept]
    assert [t.result for t in undisturbed][: len(kept)] == [t.result for t in kept]


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def test_line_that_a_kill_left_unfinished_is_cut_off(space: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _explore(space, trials=10, out=out)
    whole = (out / JOURNAL).read_bytes()
    (out / JOURNAL).write_bytes(whole + b'{"op_code": 4, "wor')
    assert len(_explore(space, trials=10, out=out, resume=True).exploration.trials) == 10
    assert (out / JOURNAL).read_bytes()[: len(whole)] == whole


def test_names_in_a_journal_are_a_file_format_that_stays(space: Path, tmp_path: Path) -> None:
    _explore(space, trials=5, out=tmp_path / "out")
    entries = [json.loads(line) for line in (tmp_path / "out" / JOURNAL).read_text().splitlines()]
    plans = [e["user_attr"] for e in entries if e["op_code"] == 2]
    assert {"bnnsim plan"} == {name for plan in plans for name in plan}
    trials = [e for e in entries if e["op_code"] == 4]
    for trial in trials:
        assert set(trial["user_attrs"]) == {"figures", "violations", "obstacle", "knobs", "number"}
        assert {name.split(":")[0] for name in trial["system_attrs"]} == {"constraints"}


def test_journal_is_one_that_optuna_opens(space: Path, tmp_path: Path) -> None:
    found = _explore(space, trials=12, out=tmp_path / "out").exploration
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "out" / JOURNAL))
    study = optuna.load_study(study_name=STUDY, storage=optuna.storages.JournalStorage(backend))
    assert len(study.trials) == 12
    assert study.metric_names == ["throughput_fps", "lut"]
    assert len(study.best_trials) >= len(found.front)


def test_one_process_loads_the_solver_before_the_search_where_a_pipeline_is_to_be_judged(
    space: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real = run.search
    monkeypatch.setattr(run, "load_solver", lambda: steps.append("load"))
    monkeypatch.setattr(run, "search", lambda *given: steps.append("search") or real(*given))
    _explore(space, trials=5, out=tmp_path / "out")
    assert steps == ["load", "search"]
    _explore(space, trials=5, out=tmp_path / "out", resume=True)  # nothing is left to judge
    explore("cnv-engine", trials=3, jobs=1, baseline=0, verify_words=0)
    assert steps == ["load", "search"] + ["search"] * 2


@pytest.mark.parametrize("wanted", [("throughput_fps",), ("throughput_fps", "lut")])
@pytest.mark.parametrize("obstacle", ["", "deadlocks"])
def test_lines_of_trials_are_those_that_optuna_writes(
    space: Path, tmp_path: Path, wanted: tuple[str, ...], obstacle: str
) -> None:
    plan = plan_of(space, None, 5, wanted, ("lut<=9000",), "front", 0)
    kinds = plan.encoding.distributions()
    figures, violations = {"throughput_fps": 12.5, "lut": 9100}, {"lut<=9000": 100}
    result = PointResult({} if obstacle else figures, {} if obstacle else violations, obstacle)
    point = dict.fromkeys(kinds, 0)
    record = TrialRecord(7, point, {"clock_mhz": 100}, result)
    path = tmp_path / "journal"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    study = optuna.create_study(storage=storage, directions=directions(plan.objectives))
    values = None if obstacle else [figures[name] for name in wanted]
    state = optuna.trial.TrialState.FAIL if obstacle else optuna.trial.TrialState.COMPLETE
    kept = {"figures": dict(result.figures), "violations": dict(result.violations)}
    study.add_trial(
        optuna.create_trial(
            state=state,
            values=values,
            params=point,
            distributions=kinds,
            user_attrs={**kept, "obstacle": obstacle, "knobs": {"clock_mhz": 100}, "number": 7},
            system_attrs={} if obstacle else {"constraints:lut<=9000": 100 / 9000},
        )
    )
    right = json.loads(path.read_text().splitlines()[-1])
    ours = json.loads(TrialLines(study._study_id, plan.objectives, kinds).of(record))
    for own in ("worker_id", "datetime_start", "datetime_complete"):
        assert isinstance(ours.pop(own), type(right.pop(own)))
    assert ours == right


def test_folder_in_use_by_another_search_is_refused(space: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _explore(space, trials=5, out=out)
    journal = Journal(out / JOURNAL)
    with pytest.raises(InputError, match="expected a folder that no other search is writing to"):
        _explore(space, trials=9, out=out, resume=True)
    journal.close()


def test_full_disk_is_one_sentence_and_leaves_the_journal_whole(
    space: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    real = os.fsync
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr("bnnsim.search.storage.journal.os.fsync", full)
    with pytest.raises(
        InputError, match=r"expected a place to write, got No space left"
    ):
        _explore(space, trials=60, out=out)
    lines = (out / JOURNAL).read_text().splitlines()
    assert all(json.loads(line) for line in lines)
    assert not (out / "pareto.csv").exists()
    monkeypatch.undo()
    assert len(_explore(space, trials=60, out=out, resume=True).exploration.trials) == 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 0}, "--trials: expected a number >= 1, got 0"),
        ({"jobs": 0}, "--jobs: expected a number >= 1, got 0"),
        ({"baseline": -4}, "--baseline: expected a number >= 0, got -4"),
        ({"objectives": [""]}, "--objectives: .*got '', expected one of throughput_fps"),
        ({"sampler": "fronts"}, r"--sampler: expected one of front.*got 'fronts' \(nearest: front"),
        ({"objectives": ["lutt"]}, r"got 'lutt' \(nearest: lut"),
        ({"constraints": ["lut=4"]}, "expected a bound such as lut<=40000, got 'lut=4'"),
        (
            {"sampler": "exact"},
            "small: expected a space in which only PE and SIMD are free, or at most 10,000.*got 1",
        ),
        ({"workload": "cnv"}, "small.yaml.*layers.fc3: expected a layer of workload cnv"),
    ],
)
def test_wrong_options_are_named(space: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        _explore(space, **options)


def test_baseline_lives_beside_the_search_in_one_journal(space: Path, tmp_path: Path) -> None:
    found = _explore(space, out=tmp_path / "out", trials=10, baseline=15).exploration
    assert len(found.baseline) == 15
    plan = plan_of(space, None, 10, None, (), "front", 0)
    plans = {STUDY: plan, BASELINE: replace(plan, sampler="random")}
    with open_journal(tmp_path / "out", plans, resume=True) as stores:
        assert [r.knobs for r in stores[BASELINE].records()] == [t.knobs for t in found.baseline]


def test_pool_gives_results_in_the_order_of_the_items(space: Path) -> None:
    plan = plan_of(space, None, 10, None, (), "front", 0)
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    seeds = [plan.encoding.describe(seed) for seed in plan.encoding.seeds(6)]
    with open_pool(2, set_evaluator, evaluator) as pool:
        pool.rehearse(evaluator, seeds[-1])  # of which nothing is seen
        assert list(pool.map(coordinator.evaluate_here, seeds)) == [evaluator(seed) for seed in seeds]
    done: list[int] = []
    Pool(None).rehearse(done.append, 1)  # there is no other process
    assert not done
    here: Callable[[int], int] = abs
    assert list(Pool(None).map(here, [-1, 2])) == [1, 2]
