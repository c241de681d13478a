"""What a front is measured against: the best known, all designs, or a bound; never itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.storage.best_known import BestKnown, best_known, scale_of
from bnnsim.search.storage.record import Exploration, TrialRecord, reference_corner
from bnnsim.spec.faults import SpecError
from tests.designs import SMALL_SPACE
from tools.best_known import DATA, store


def _found(name: str | Path, rows: list[tuple[float, ...]], bounds: tuple[str, ...] = ()) -> Exploration:
    plan = plan_of(name, None, 10, None, bounds, "front", 0)
    names = [objective.name for objective in plan.objectives]
    trials = [
        TrialRecord(n, {}, {"clock_mhz": n}, PointResult(dict(zip(names, row, strict=True)), {}))
        for n, row in enumerate(rows)
    ]
    return plan.outcome(trials)


def test_every_entry_is_of_a_shipped_space_with_its_own_aims() -> None:
    for known in best_known():
        assert known.is_of(_found(known.space, []))
    assert len({known.space for known in best_known()}) == len(best_known()) >= 2


def test_share_is_of_the_best_front_known_and_may_be_more() -> None:
    found = _found("cnv-7z020", [(1300.0, 2.0, 33_200.0)])
    known = next(known for known in best_known() if known.space == "cnv-7z020")
    scale = scale_of(found)
    assert scale is not None and known.origin in scale.text
    assert scale.share(found, found.trials) == pytest.approx(1000 * 2 * 20_000 / known.hypervolume)
    better = _found("cnv-7z020", [(1e6, 1.0, 1.0)])
    assert scale.share(better, better.trials) > 1
    assert scale.curve(found, found.trials)[-1] == (1, scale.share(found, found.trials))


def test_other_aims_than_the_best_known_s_are_not_measured_by_it() -> None:
    found = _found("cnv-7z020", [(1300.0, 2.0, 33_200.0)], ("lut<=40000",))
    scale = scale_of(found)
    assert scale is not None and "no best front is known" in scale.text


def test_space_without_entry_is_measured_by_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL_SPACE)
    found = _found(path, [(100.0, 10.0), (200.0, 30.0), (50.0, 110.0)])
    scale = scale_of(found)
    assert scale is not None and "best in every objective at once" in scale.text
    # The corner is a hundredth of the span beyond the worst: 48.5 FPS and 111 LUT.
    dominated = (200 - 48.5) * (111 - 30) + (100 - 48.5) * (30 - 10)
    assert scale.share(found, found.trials) == pytest.approx(dominated / (151.5 * 101))


def test_corner_is_a_hundredth_beyond_the_worst_but_at_no_rate_below_zero() -> None:
    """Losses of frames a second and of watts: -100 + 2,999 would be a rate of -2,899."""
    worst, best = np.array([-100.0, 5.0]), np.array([-300_000.0, 1.0])
    assert reference_corner(worst, best).tolist() == [0.0, pytest.approx(5.04)]
    assert reference_corner(worst, worst).tolist() == [pytest.approx(-98.99), pytest.approx(5.06)]


def test_all_designs_judged_is_said(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SMALL_SPACE.replace("{pe: divisors, simd: divisors}", "{pe: 16, simd: 8}"))
    found = _found(path, [(100.0, 10.0), (200.0, 30.0)])
    scale = scale_of(found)
    assert scale is not None and "all designs judged" in scale.text
    assert scale.share(found, found.trials) == 1
    part = replace(found, trials=found.trials[:1])
    other = scale_of(part)
    assert other is not None and "no best front is known" in other.text


def test_without_a_feasible_design_there_is_nothing_to_measure() -> None:
    assert scale_of(_found("cnv-7z020", [])) is None


TRIALS = """\
id,feasible,throughput_fps,lut
00000,yes,100,10
00001,yes,200,30
00002,no,900,5
00003,yes,50,110
"""


@pytest.fixture
def searched(tmp_path: Path) -> Path:
    """A folder with the trials of a space of one's own, and a file of entries without it."""
    (tmp_path / "small.yaml").write_text(SMALL_SPACE)
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "trials.csv").write_text(TRIALS)
    (tmp_path / "best.yaml").write_text("# Entries.\n")
    return tmp_path


def test_a_space_without_an_entry_gets_one_and_is_held_against_it_then(
    searched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space, data = str(searched / "small.yaml"), searched / "best.yaml"
    assert store(space, [searched / "found"], "a test", data)
    text = data.read_text()
    assert text.startswith("# Entries.\n")
    (entry,) = yaml.safe_load(text)
    # As above: from 48.5 FPS and 111 LUT.
    assert entry["corner"] == pytest.approx([48.5, 111])
    assert entry["hypervolume"] == pytest.approx((200 - 48.5) * (111 - 30) + (100 - 48.5) * (30 - 10))
    assert BestKnown.model_validate(entry).is_of(_found(space, []))
    assert not store(space, [searched / "found"], "again", data)
    assert data.read_text() == text
    assert "100.00% of the best known" in capsys.readouterr().out


def test_an_entry_that_dominates_nothing_is_replaced_without_a_division(searched: Path) -> None:
    space, data = str(searched / "small.yaml"), searched / "best.yaml"
    assert store(space, [searched / "found"], "a test", data)
    (entry,) = yaml.safe_load(data.read_text())
    data.write_text(yaml.safe_dump([{**entry, "hypervolume": 0}]))
    assert store(space, [searched / "found"], "a test", data)
    assert len(yaml.safe_load(data.read_text())) == 1


@pytest.mark.parametrize(
    ("trials", "message"),
    [
        (TRIALS.replace("yes", "no"), "expected designs that keep every bound, got none"),
        (TRIALS.replace("lut", "ff"), "expected trials with every objective, got none for lut"),
        (None, "trials.csv: expected a table that explore wrote, got No such file"),
    ],
)
def test_trials_that_tell_nothing_leave_the_entries_alone(
    searched: Path, trials: str | None, message: str
) -> None:
    table = searched / "found" / "trials.csv"
    table.unlink()
    if trials is not None:
        table.write_text(trials)
    with pytest.raises(SpecError, match=message):
        store(str(searched / "small.yaml"), [searched / "found"], "a test", searched / "best.yaml")
    assert (searched / "best.yaml").read_text() == "# Entries.\n"


def test_the_tool_writes_where_it_stands_not_where_the_package_is() -> None:
    checkout = Path(__file__).resolve().parents[3]
    assert checkout / "bnnsim" / "search" / "storage" / "best_known.yaml" == DATA
