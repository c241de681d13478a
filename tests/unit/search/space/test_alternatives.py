"""One search over several spaces: which one a design is of, and that none is evaluated twice."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bnnsim.evaluation import evaluate
from bnnsim.exploration.explore import explore
from bnnsim.exploration.plan import plan_of
from bnnsim.exploration.report import ExplorationReport
from bnnsim.report.search.pareto import pareto_info
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.alternative_encoding import AlternativeEncoding
from bnnsim.search.points.encoding import point_key
from bnnsim.search.points.fold_choices import TARGET
from bnnsim.search.space.alternatives import Alternatives, load_search_space
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.results import design_name
from bnnsim.search.study.plan import PLAN_ATTRIBUTE, plan_data, stored_plan
from bnnsim.spec.faults import SpecError

ENGINE = """\
name: tiny
source: "made for this test"
style: engine
device: xc7z020
clock_mhz: {choose: [100, 143]}
arrays:
  pes: {supported_ops: [linear], spatial_unrolling: {out_channels: {knob: outputs}, in_channels: 64}}
buffers:
  weights: {holds: weights, banks: {knob: outputs}, words: 1024, width_bits: 64, residency: network, source: "made up"}
  fmap: {holds: activations, words: 1024, width_bits: 8, copies: 2}
outside:
  - {payload: image, source: "not what this test is about"}
  - {payload: weights, source: "not what this test is about"}
  - {payload: activations, source: "not what this test is about"}
  - {payload: results, source: "not what this test is about"}
programs:
  dense:
    array: pes
    buffers: [weights, fmap]
    steps:
      - {op: compute, loops: [{dimension: out_channels}, {dimension: in_channels}], depth: 4, source: "made up"}
layers:
  fc0: {program: dense}
  fc1: {program: dense}
  fc2: {program: dense}
  fc3: {program: dense}
explore: {workload: tfc, knobs: {outputs: {choose: [1, 2, 4, 8]}}}
"""  # noqa: E501
BOTH = """\
name: both
source: "made for this test"
explore:
  alternatives:
    - {space: tiny.yaml, name: engine}
    - {space: pynq-tfc, workload: tfc, name: streaming, accuracy_percent: 90, accuracy_source: "made up"}
  objectives: [throughput_fps, lut]
  constraints: ["lut<=40000"]
  landmarks: [{name: old, source: a paper, alternative: engine, figures: {throughput_fps: 1, lut: 60000}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(ENGINE)
    (tmp_path / "both.yaml").write_text(BOTH)
    return tmp_path


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> ExplorationReport:
    folder = tmp_path_factory.mktemp("found")
    (folder / "tiny.yaml").write_text(ENGINE)
    (folder / "both.yaml").write_text(BOTH)
    return explore(folder / "both.yaml", trials=40, jobs=1, baseline=10, out=folder / "out")


def test_search_goes_over_all_alternatives(found: ExplorationReport) -> None:
    trials = found.exploration.trials
    assert {t.knobs["alternative"] for t in trials} == {"engine", "streaming"}
    assert {t.knobs["alternative"] for t in found.exploration.baseline} == {"engine", "streaming"}
    for trial in trials:
        names = set(trial.knobs) - {"alternative"}
        if trial.knobs["alternative"] == "engine":
            assert names == {"outputs", "clock_mhz"}
        else:
            assert names == {f"layers.fc{i}.{side}" for i in range(4) for side in ("pe", "simd")}


def test_no_design_is_evaluated_twice_whatever_the_others_parameters(found: ExplorationReport) -> None:
    keys = [point_key(t.knobs) for t in found.exploration.trials]
    assert len(set(keys)) == len(keys)
    engines = [t for t in found.exploration.trials if t.knobs["alternative"] == "engine"]
    assert len(engines) <= 8  # 4 numbers of outputs at 2 clocks are all there are


def test_parameters_of_another_alternative_change_nothing(folder: Path) -> None:
    encoding = plan_of(folder / "both.yaml", None, 10, None, (), "front", 0).encoding
    assert isinstance(encoding, AlternativeEncoding)
    first = dict.fromkeys(encoding.sizes, 0)
    assert encoding.describe(first) == {"alternative": "engine", "outputs": 1, "clock_mhz": 100}
    assert encoding.describe({**first, f"streaming/{TARGET}": 3}) == encoding.describe(first)
    assert encoding.describe({**first, "engine/outputs": 3})["outputs"] == 8
    assert encoding.describe({**first, "alternative": 1})["alternative"] == "streaming"


def test_seeds_take_the_alternatives_in_turn(folder: Path) -> None:
    encoding = plan_of(folder / "both.yaml", None, 10, None, (), "front", 0).encoding
    seeds = [encoding.describe(seed)["alternative"] for seed in encoding.seeds(6)]
    assert seeds == ["engine", "streaming"] * 3


def test_every_front_design_evaluates_to_the_same_figures(found: ExplorationReport) -> None:
    assert found.out is not None
    front = found.exploration.front
    assert {t.knobs["alternative"] for t in front} == {"engine", "streaming"}
    for trial in front:
        path = found.out / "designs" / f"{design_name(found.exploration, trial)}.yaml"
        again = evaluate(path, "tfc", timing_only=True)
        figures = trial.result.figures
        assert again.simulation.throughput_fps == figures["throughput_fps"]
        assert again.simulation.latency_cycles == figures["latency_cycles"]
        assert again.resources.total.lut == figures["lut"]
        assert again.power_w == pytest.approx(figures["power_w"], rel=1e-12)


def test_front_is_verified_in_each_alternatives_own_way(found: ExplorationReport) -> None:
    notes = {v.id: v.note for v in found.verifications if v.is_exact}
    for trial in found.exploration.front:
        assert "one frame bit-exact in SimPy" in notes[trial.id]


def test_given_accuracy_is_a_figure_that_no_model_claims(found: ExplorationReport) -> None:
    assert found.out is not None
    for trial in found.exploration.front:
        given = trial.result.figures.get("accuracy_percent")
        assert given == (90 if trial.knobs["alternative"] == "streaming" else None)
        path = found.out / "designs" / f"{design_name(found.exploration, trial)}.yaml"
        head = [line for line in path.read_text().splitlines() if line.startswith("#")]
        said = "# Published, not modelled: accuracy_percent 90." in head
        assert said == (given is not None)
        assert not any(line.startswith("#   accuracy_percent") for line in head)


def test_objective_that_an_alternative_does_not_give_bars_its_designs(folder: Path) -> None:
    run = explore(
        folder / "both.yaml", trials=12, jobs=1, baseline=0, verify_words=0,
        objectives=["throughput_fps", "accuracy_percent"],
    )  # fmt: skip
    for trial in run.exploration.trials:
        barred = "no accuracy_percent for this design" in trial.result.infeasible_reason
        assert barred == (trial.knobs["alternative"] == "engine")


def test_accuracy_that_no_alternative_gives_is_refused(folder: Path) -> None:
    message = "expected alternatives that give accuracy_percent, which nothing here predicts, got none"
    with pytest.raises(SpecError, match=f"tiny: {message}"):
        plan_of(folder / "tiny.yaml", None, 5, ["lut", "accuracy_percent"], (), "front", 0)
    text = BOTH.replace(', accuracy_percent: 90, accuracy_source: "made up"', "")
    (folder / "both.yaml").write_text(text)
    with pytest.raises(SpecError, match=f"both: {message}"):
        plan_of(folder / "both.yaml", None, 5, None, ["accuracy_percent>=80"], "front", 0)


def test_tables_have_a_column_for_every_alternatives_knobs(found: ExplorationReport) -> None:
    assert found.out is not None
    with (found.out / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        is_engine = row["alternative"] == "engine"
        assert bool(row["outputs"]) == is_engine
        assert bool(row["layers.fc0.pe"]) != is_engine


def test_page_names_networks_devices_and_alternatives(found: ExplorationReport) -> None:
    info = pareto_info(found.exploration)
    assert (info.workload, info.device) == ("tfc", "xc7z020")
    assert info.knobs[:3] == ("alternative", "outputs", "clock_mhz")
    engine = next(p for p in info.points if p.knobs[0] == "engine")
    assert engine.knobs[info.knobs.index("layers.fc0.pe")] is None
    landmarks = [(one.name, one.alternative) for one in info.landmarks]
    assert landmarks == [("old", "engine"), ("pynq-tfc as given", "streaming")]


def test_reference_design_is_compared_with_its_own_alternative_only(folder: Path) -> None:
    plan = plan_of(folder / "both.yaml", None, 10, None, (), "front", 0)
    figures = {"throughput_fps": 9.0, "lut": 50.0}
    trials = [
        TrialRecord(n, {}, {"alternative": name}, PointResult(figures, {}))
        for n, name in enumerate(("engine", "streaming"))
    ]
    found = plan.outcome(trials)
    (reference,) = found.space.reference_designs
    assert [found.beats(trial, reference) for trial in trials] == [True, False]
    untied = reference.model_copy(update={"alternative": None})
    assert [found.beats(trial, untied) for trial in trials] == [False, False]


def test_resumed_search_goes_on_and_another_set_of_alternatives_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    def run(trials: int, resume: bool) -> ExplorationReport:
        out = tmp_path / "out"
        return explore(
            folder / "both.yaml",
            trials=trials,
            jobs=1,
            baseline=0,
            verify_words=0,
            out=out,
            resume=resume,
        )

    first = run(12, False).exploration.trials
    more = run(20, True).exploration.trials
    assert [t.knobs for t in more[:12]] == [t.knobs for t in first]
    assert len(more) == 20
    (folder / "tiny.yaml").write_text(ENGINE.replace("choose: [1, 2, 4, 8]", "choose: [1, 2, 4]"))
    with pytest.raises(SpecError, match=r"expected members the same, which its study was made with"):
        run(30, True)


def test_plan_travels_with_all_its_alternatives(folder: Path) -> None:
    class Study:
        study_name = "s"
        user_attrs: dict[str, str] = {}

    plan = plan_of(folder / "both.yaml", None, 10, None, (), "front", 0)
    study = Study()
    study.user_attrs[PLAN_ATTRIBUTE] = json.dumps(plan_data(plan))
    for name in ("both.yaml", "tiny.yaml"):
        (folder / name).unlink()  # a worker on another machine has no files
    again = stored_plan(study)  # type: ignore[arg-type]
    assert again is not None
    assert plan_data(again) == plan_data(plan)
    assert again.encoding.sizes == plan.encoding.sizes
    assert isinstance(again.space, Alternatives)
    assert again.space.given({"alternative": "streaming"}) == {"accuracy_percent": 90}


def test_same_seed_gives_the_same_designs_whatever_the_jobs(folder: Path) -> None:
    def knobs(jobs: int) -> list[dict[str, object]]:
        run = explore(folder / "both.yaml", trials=25, jobs=jobs, baseline=0, verify_words=0, seed=5)
        return [dict(t.knobs) for t in run.exploration.trials]

    assert knobs(1) == knobs(2)


def test_exact_front_of_alternatives_is_refused(folder: Path) -> None:
    with pytest.raises(
        SpecError,
        match=r"both: expected a space in which .* or at most 10,000 designs in all, got 2 alternatives",
    ):
        explore(folder / "both.yaml", sampler="exact", out=folder / "out")
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "space: pynq-tfc", "space: pynq-tfcc",
            r"both.yaml:6: explore.alternatives.streaming.space: expected a YAML file or a shipped space "
            r"or architecture, got 'pynq-tfcc' \(nearest: pynq-tfc",
        ),
        (
            "space: tiny.yaml", "space: other.yaml",
            r"yaml:5: explore.alternatives.engine.space: expected a file, got nothing at .*/other.yaml",
        ),
        ("workload: tfc", "workload: tfd", r"streaming.workload: expected a YAML file or a sh"),
        ("workload: tfc, ", "", r"streaming.workload: expected a workload beside the architecture "),
        ("name: streaming", "name: engine", r"expected a name of its own .*'engine' again"),
        ("space: tiny.yaml", "space: both.yaml", r"yaml:5: .*space: expected a space without alt"),
        (', accuracy_source: "made up"', "", r"expected accuracy_percent and accuracy_source together"),
        ("alternative: engine", "alternative: engin", r"landmarks.old.alternative: .*\(nearest: engin"),
        ("objectives:", "objctives:", r"explore.objctives: expected one of the keys"),
        ('source: "made for this test"', "device: xc7z020", r"both.yaml:2: device: expected one of the"),
        ("    - {space: tiny.yaml, name: engine}\n", "", r"explore.alternatives: expected at least 2"),
    ],
)  # fmt: skip
def test_wrong_alternatives_are_located(folder: Path, old: str, new: str, message: str) -> None:
    assert BOTH.count(old) == 1
    (folder / "both.yaml").write_text(BOTH.replace(old, new))
    with pytest.raises(SpecError, match=message):
        load_search_space(folder / "both.yaml")


def test_faults_of_all_alternatives_are_told_at_once(folder: Path) -> None:
    (folder / "tiny.yaml").write_text(ENGINE.replace("depth: 4", "dept: 4"))
    (folder / "both.yaml").write_text(BOTH.replace("workload: tfc", "workload: cnv"))
    with pytest.raises(SpecError) as caught:
        plan_of(folder / "both.yaml", None, 5, None, (), "front", 0)
    assert "steps[0].dept: expected one of the keys" in str(caught.value)
    (folder / "tiny.yaml").write_text(ENGINE)
    with pytest.raises(SpecError, match=r"pynq-tfc.yaml:\d+: layers.fc3: expected a layer of workload"):
        plan_of(folder / "both.yaml", None, 5, None, (), "front", 0)


def test_workload_beside_alternatives_is_refused(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"expected no workload beside a space of alternatives.*got cnv"):
        load_search_space(folder / "both.yaml", "cnv")


def test_published_accuracy_alone_does_not_change_another_space(folder: Path) -> None:
    plan = plan_of(folder / "tiny.yaml", None, 10, None, (), "front", 0)
    assert plan.space.given({"outputs": 1}) == {}
    assert replace(plan, seed=1).encoding.sizes == plan.encoding.sizes
