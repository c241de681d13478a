"""Searching over engines: points are engines, what cannot be built is told apart, results hold again."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_engine_design
from bnnsim.evaluation import figures_of
from bnnsim.exploration.explore import explore
from bnnsim.exploration.plan import plan_of
from bnnsim.exploration.report import ExplorationReport
from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.points.encoding import Parameters
from bnnsim.search.points.knob_seeds import knob_seeds
from bnnsim.search.points.target_encoding import TargetEncoding
from bnnsim.search.space.space_reader import load_space
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.results import design_name
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.pool import Pool
from bnnsim.search.study.proposer import FrontProposer
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_architecture, load_workload

SPACE = """\
name: tiny
source: "made for this test"
style: engine
device: xc7z020
clock_mhz: {choose: [100, 143]}
arrays:
  pes: {supported_ops: [linear], spatial_unrolling: {out_channels: {knob: outputs}, in_channels: {knob: inputs}}}
buffers:
  weights: {holds: weights, banks: {knob: outputs}, words: {knob: bits, over: inputs}, width_bits: {knob: inputs}, residency: network, source: "made up"}
  fmap: {holds: activations, words: 1024, width_bits: 8, copies: 2, style: {choose: [bram, lutram]}}
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
explore:
  workload: tfc
  objectives: [throughput_fps, lut]
  knobs:
    outputs: {choose: [1, 2, 4, 8]}
    inputs: {choose: [16, 32, 64]}
    bits: {choose: [16384, 32768, 65536]}
"""  # noqa: E501
PUBLISHED = {
    "convolvers": 8, "weight_words": 4688, "phase_words": 32, "first_maps": 1, "prefetch": False,
    "dma_ports": 1, "clock_mhz": 142.857,
}  # fmt: skip


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPACE)
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> ExplorationReport:
    folder = tmp_path_factory.mktemp("found")
    (folder / "tiny.yaml").write_text(SPACE)
    return explore(folder / "tiny.yaml", trials=60, jobs=1, baseline=10, out=folder / "out")


def test_engines_that_cannot_be_built_are_told_with_the_reason(found: ExplorationReport) -> None:
    trials = found.exploration.trials
    assert len(trials) == 60
    assert not any(t.result.infeasible_reason for t in trials)  # they cost nothing
    drawn = found.exploration.baseline
    assert any(t.result.infeasible_reason for t in drawn)
    for trial in (*trials, *drawn):
        # 59,008 weights in all; the memory holds as many banks of ``bits`` bits as there are outputs.
        holds = int(trial.knobs["outputs"]) * int(trial.knobs["bits"]) >= 64 * (784 + 64 + 64) + 10 * 64
        assert holds == (not trial.result.infeasible_reason)
        if not holds:
            assert "buffers.weights.words: expected at least" in trial.result.infeasible_reason


def test_front_of_engines_is_bit_exact_and_evaluates_to_the_same_figures(
    found: ExplorationReport,
) -> None:
    assert found.out is not None
    front = found.exploration.front
    assert len(front) >= 4
    assert [v.is_exact for v in found.verifications] == [True] * len(front)
    workload = load_workload("tfc")
    for trial in front:
        path = found.out / "designs" / f"{design_name(found.exploration, trial)}.yaml"
        again = figures_of(build_engine_design(load_architecture(path), workload))
        assert dict(again.figures) == dict(trial.result.figures)


def test_tables_and_page_name_the_knobs_not_every_field(found: ExplorationReport) -> None:
    assert found.out is not None
    with (found.out / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[-5:] == ["outputs", "inputs", "bits", "clock_mhz", "buffers.fmap.style"]
    assert {row["buffers.fmap.style"] for row in rows} == {"bram", "lutram"}
    assert '"outputs"' in (found.out / "pareto.html").read_text()


def test_search_of_an_engine_comes_near_its_front_by_what_it_learnt() -> None:
    plan = plan_of("binarynet-engine", None, 60, None, (), "front", 0)
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    draw = np.random.default_rng(1)
    sizes = plan.encoding.sizes.items()
    points = [{name: int(draw.integers(size)) for name, size in sizes} for _ in range(120)]
    named = [plan.encoding.describe(point) for point in points]
    drawn = plan.outcome([TrialRecord(n, {}, knobs, evaluator(knobs)) for n, knobs in enumerate(named)])
    found, _ = search(plan, Pool(None), evaluate=evaluator)
    both = plan.outcome([*found.trials, *drawn.trials])
    assert sum(trial.result.is_feasible for trial in found.trials) >= 50
    assert both.hypervolume_of(found.trials) > both.hypervolume_of(drawn.trials)  # with half as many


def test_first_designs_of_an_engine_tell_the_effect_of_each_knob(space: Path) -> None:
    encoding = TargetEncoding(load_space(space))
    middle, *arms = encoding.first()
    changed = [[name for name in middle if arm[name] != middle[name]] for arm in arms]
    assert all(len(names) == 1 for names in changed)
    assert len(arms) == sum(size - 1 for size in encoding.sizes.values())


def test_space_whose_middle_cannot_be_built_is_searched_all_the_same(space: Path) -> None:
    space.write_text(SPACE.replace("choose: [16384, 32768, 65536]", "choose: [64, 128, 524288]"))
    run = explore(space, trials=20, jobs=1, baseline=0, verify_words=0)
    assert len(run.exploration.trials) == 20


def test_other_seeds_of_an_engine_go_from_the_smallest_to_the_largest(space: Path) -> None:
    encoding = TargetEncoding(load_space(space))
    seeds = [encoding.describe(seed) for seed in knob_seeds(encoding.space, 40)]
    diagonal = [(k["outputs"], k["inputs"], k["bits"], k["clock_mhz"]) for k in seeds[:4]]
    assert (diagonal[0], diagonal[-1]) == ((1, 16, 16384, 100), (8, 64, 65536, 143))
    assert diagonal == sorted(diagonal)
    assert {k["buffers.fmap.style"] for k in seeds} == {"bram", "lutram"}
    assert len({tuple(k.items()) for k in seeds}) == len(seeds) <= 40
    assert knob_seeds(encoding.space, 3) == knob_seeds(encoding.space, 40)[:3]


def test_same_seed_gives_the_same_engines_whatever_the_jobs(space: Path) -> None:
    def knobs(jobs: int) -> list[dict[str, object]]:
        run = explore(space, trials=30, jobs=jobs, baseline=0, verify_words=0, seed=3)
        return [dict(t.knobs) for t in run.exploration.trials]

    assert knobs(1) == knobs(2)


def test_resumed_search_of_engines_evaluates_nothing_twice(space: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = explore(space, trials=20, jobs=1, baseline=0, verify_words=0, out=out).exploration
    more = explore(space, trials=35, jobs=1, baseline=0, verify_words=0, out=out, resume=True)
    trials = more.exploration.trials
    assert [t.knobs for t in trials[:20]] == [t.knobs for t in first.trials]
    assert len({tuple(sorted(t.knobs.items())) for t in trials}) == len(trials) == 35


def test_search_ends_once_it_has_evaluated_every_design_there_is(
    space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.write_text(SPACE.replace("outputs: {choose: [1, 2, 4, 8]}", "outputs: {choose: [8]}"))
    proposed = []
    ask = FrontProposer.ask

    def counted(self: FrontProposer, count: int) -> list[Parameters]:
        proposed.append(count)
        return ask(self, count)

    monkeypatch.setattr(FrontProposer, "ask", counted)
    run = explore(space, trials=500, jobs=1, baseline=0, verify_words=0)
    assert len(run.exploration.trials) == 3 * 3 * 2 * 2
    assert sum(proposed) < 3_000  # without that end: 10,000


@pytest.mark.parametrize("sampler", ["front", "random"])
def test_every_sampler_proposes_engines(space: Path, sampler: str) -> None:
    run = explore(space, trials=12, jobs=1, baseline=0, verify_words=0, sampler=sampler)  # type: ignore[arg-type]
    assert len(run.exploration.trials) == 12


def test_exact_sampler_evaluates_every_design_of_a_small_space(space: Path) -> None:
    run = explore(space, sampler="exact", trials=5, jobs=1, baseline=0, verify_words=0)
    searched = explore(space, trials=500, jobs=1, baseline=0, verify_words=0)
    assert len(run.exploration.trials) == math.prod(len(k.values) for k in load_space(space).knobs)
    found, front = (r.exploration.losses(r.exploration.front) for r in (run, searched))
    assert found.tolist() == front.tolist()


def test_space_without_a_buildable_engine_says_why(space: Path) -> None:
    space.write_text(SPACE.replace("words: 1024", "words: 12"))
    with pytest.raises(SpecError, match=r"tiny.yaml:10: buffers.fmap.words: expected at least 98 "):
        explore(space, trials=5)


def test_plain_engine_has_nothing_to_search() -> None:
    with pytest.raises(SpecError, match=r"acce-bnn.yaml: expected free fields to search .* got none"):
        plan_of("acce-bnn", "binarynet", 5, None, (), "front", 0)


def test_published_point_has_the_figures_of_the_published_accelerator() -> None:
    space = load_space("binarynet-engine")
    own = Evaluator(space, (), ())(PUBLISHED)
    design = build_engine_design(load_architecture("acce-bnn"), load_workload("binarynet"))
    assert dict(own.figures) == dict(figures_of(design).figures)
    assert own.figures["initiation_interval_cycles"] == 827_776
    built = estimate_resources(Evaluator(space, (), ()).design(PUBLISHED))
    assert [(u.name, u.amounts) for u in built.units] == [
        (u.name, u.amounts) for u in estimate_resources(design).units
    ]
