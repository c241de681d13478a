"""Spaces of engines whose loops are left to the tool: chosen for each point, written in full."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES
from bnnsim.evaluation import figures_of
from bnnsim.exploration.explore import explore
from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.evaluator import Evaluator, set_evaluator
from bnnsim.search.front.verify import verify
from bnnsim.search.points.point_design import check_point, idle_design, point_design
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space
from bnnsim.search.space.space_reader import load_space
from bnnsim.search.storage.record import Exploration
from bnnsim.search.storage.results import design_name
from bnnsim.search.study.pool import Pool
from bnnsim.search.study.proposer import proposer_of
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing import mapped
from bnnsim.timing.engine.mapping import choice
from bnnsim.timing.mapped import mapped_design
from tests.unit.timing.test_engine_mapping import ENGINE

NETWORK = """\
name: small
input: {shape: [16, 8, 8]}
layers:
  - {name: conv0, op: conv, out: 16, kernel: 3, pad: 1, activation: bipolar}
  - {name: fc, op: linear, out: 10}
"""


SPACES = ("binarynet-zu3eg-engine", "birealnet-7z020-engine")


@pytest.mark.parametrize("name", SPACES)
def test_no_design_takes_less_than_its_units_without_what_they_do(name: str) -> None:
    """Bounds of points are held against that before loops are chosen for them."""
    space = load_space(name)
    draw = random.Random(0)
    compared = 0
    for _ in range(30):
        knobs = {knob.name: draw.choice(knob.values) for knob in space.knobs}
        idle = idle_design(space, knobs)
        assert idle is not None
        try:
            design = point_design(space, knobs)
        except SpecError:
            continue
        least, total = estimate_resources(idle).total, estimate_resources(design).total
        assert all(getattr(least, of) <= getattr(total, of) for of in RESOURCES)
        assert least.bram18 == total.bram18 and least.dsp == total.dsp
        compared += 1
        if compared == 3:
            break
    assert compared == 3


@pytest.mark.parametrize("name", SPACES)
def test_a_point_is_checked_without_choosing_its_loops(name: str) -> None:
    """What is checked has the same faults as what is built; some points have no loops that fit."""
    space = load_space(name)
    draw = random.Random(1)
    outcomes = []
    while len(set(outcomes)) < 2:
        knobs = {knob.name: draw.choice(knob.values) for knob in space.knobs}
        checked = _faults(check_point, space, knobs)
        assert checked == _faults(point_design, space, knobs)
        outcomes.append(bool(checked))


def _faults(
    build: Callable[[Space, Mapping[str, Value]], object], space: Space, knobs: Mapping[str, Value]
) -> tuple[Fault, ...]:
    try:
        build(space, knobs)
    except SpecError as error:
        return error.faults
    return ()


@pytest.mark.parametrize("name", SPACES)
def test_a_search_chooses_no_loops_before_it_judges_the_first(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two batches of ten are asked for before the first is judged: all processes choose their loops."""

    def chosen(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(choice, "map_layers", chosen)
    monkeypatch.setattr(mapped, "map_layers", chosen)
    plan = plan_of(name, None, 50, None, (), "front", 0)
    proposer = proposer_of(plan, 0)
    asked = [*proposer.ask(10), *proposer.ask(10)]
    assert len(asked) == 20
    for point in asked:
        check_point(plan.space.member({}), plan.encoding.describe(point))


def _hold_that_the_best_are_checked_first(exploration: Exploration) -> None:
    """Engines for one network take as many words each; there is room for two."""
    set_evaluator(Evaluator(exploration.space, exploration.objectives, exploration.constraints))
    every = verify(exploration, Pool(None), weights_seed=0, words=None)
    (words,) = {one.words for one in every}
    some = verify(exploration, Pool(None), weights_seed=0, words=2 * words)
    fastest = max(exploration.front, key=lambda t: t.result.figures["throughput_fps"])
    smallest = min(exploration.front, key=lambda t: t.result.figures["lut"])
    assert {one.id for one in some if one.is_exact} == {fastest.id, smallest.id}


def test_each_point_has_its_own_loops_and_its_file_says_them(tmp_path: Path) -> None:
    """Devices, unrolling, buffers and ports are free."""
    data = copy.deepcopy(ENGINE)
    data["device"] = {"choose": ["xc7z020", "xczu3eg"]}
    data["arrays"]["pes"]["spatial_unrolling"]["out_channels"] = {"knob": "outputs"}
    data["buffers"]["weights"]["words"] = {"choose": [72, 144, 288]}
    data["ports"]["ddr"]["width_bits"] = {"choose": [64, 128]}
    knobs = {"outputs": {"choose": [2, 4, 8]}}
    data["explore"] = {"workload": "small.yaml", "objectives": ["throughput_fps", "lut"], "knobs": knobs}
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    (tmp_path / "small.yaml").write_text(NETWORK, encoding="utf-8")
    found = explore(tmp_path / "space.yaml", trials=20, jobs=1, baseline=0, out=tmp_path / "out")
    front = found.exploration.front
    assert len(front) >= 2
    assert [one.is_exact for one in found.verifications] == [True] * len(front)
    _hold_that_the_best_are_checked_first(found.exploration)
    devices = {str(trial.knobs["device"]) for trial in found.exploration.trials}
    assert devices == {"xc7z020", "xczu3eg"}
    for trial in front:
        path = tmp_path / "out" / "designs" / f"{design_name(found.exploration, trial)}.yaml"
        text = path.read_text(encoding="utf-8")
        assert "mapping: auto" not in text and "loops" in text
        again = mapped_design(load_architecture(path), load_workload(tmp_path / "small.yaml"))
        figures = figures_of(again).figures
        assert figures["throughput_fps"] == pytest.approx(trial.result.figures["throughput_fps"])
        assert figures["lut"] == trial.result.figures["lut"]
