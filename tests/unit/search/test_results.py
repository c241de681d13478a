"""What a search leaves behind: tables, designs that give the same figures again, all files or none."""

from __future__ import annotations

import csv
import errno
import os
import shlex
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.design.build import build_design
from bnnsim.evaluation import figures_of
from bnnsim.exploration.explore import explore
from bnnsim.exploration.report import ExplorationReport
from bnnsim.files.folder import prepare_folder, write_files
from bnnsim.report.figures.plot_page import library_name
from bnnsim.report.search.pareto import pareto_info
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.storage.results import design_name, number_text, verilog_options, write_results
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.validation.certainty import leads_clearly, needed_lead, ties

SPACE = """\
name: small
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: {choose: [100, 143]}
defaults: {memory: {choose: [per_layer, per_pe]}}
layers:
  conv0: {pe: divisors, simd: divisors, out_fifo_words: {choose: [16, 64]}}
  conv1: {pe: divisors, simd: divisors, out_fifo_words: 16}
  fc0: {pe: divisors, simd: divisors, out_fifo_words: 64}
  fc1: {pe: divisors, simd: divisors}
explore: {workload: digits, objectives: [throughput_fps, lut], constraints: ["bram18<=40"]}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> ExplorationReport:
    folder = tmp_path_factory.mktemp("found")
    (folder / "small.yaml").write_text(SPACE)
    return explore(
        folder / "small.yaml", trials=40, jobs=1, baseline=10, out=folder / "out", verify_words=20_000
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_front_design_gives_the_same_figures_again(found: ExplorationReport) -> None:
    assert found.out is not None
    front = found.exploration.front
    assert len(front) >= 3
    workload = load_workload("digits")
    for trial in front:
        path = found.out / "designs" / f"{design_name(found.exploration, trial)}.yaml"
        again = figures_of(build_design(load_architecture(path), workload))
        assert dict(again.figures) == dict(trial.result.figures)
        head = path.read_text().splitlines()
        said = dict(line[4:].split(" ") for line in head if line.startswith("#   "))
        assert {name: float(text) for name, text in said.items()} == dict(again.figures)


def test_every_front_design_names_the_commands_for_its_page_and_its_verilog(
    found: ExplorationReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found.out is not None
    trial = found.exploration.front[0]
    path = found.out / "designs" / f"{design_name(found.exploration, trial)}.yaml"
    name = path.stem
    commands = pareto_info(found.exploration).commands[""]
    for what, text in commands.items():  # the page tells what the header does, from its own folder
        told = text.replace("designs/DESIGN", name).replace("DESIGN", name)
        assert f"# {what[0].upper()}{what[1:]}: {told}\n" in path.read_text() or what == "figures"
    assert set(commands) == {"figures", "report", "as Verilog"}
    monkeypatch.chdir(path.parent)  # where its header names it
    written = _told(path, "As Verilog")
    assert written[:3] == ["rtl", path.name, "digits"]
    written[-1] = str(tmp_path / "out")
    assert run([*written, "--frames", "1", "--no-check"]) == 0
    assert (tmp_path / "out" / "rtl" / "top.v").is_file()
    drawn = _told(path, "Report")
    drawn[-1] = str(tmp_path / "page.html")
    assert run([*drawn, "--timing-only"]) == 0


def _told(path: Path, what: str) -> list[str]:
    """The arguments of a command that a design's header tells."""
    head = f"# {what}: bnnsim "
    (line,) = [line for line in path.read_text().splitlines() if line.startswith(head)]
    return shlex.split(line.removeprefix(head))


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({}, " --weights-seed 1"),
        ({"weights": "w.npz"}, " --images FILE"),
        ({"weights": "w.npz", "images": "i.npz"}, ""),
    ],
)
def test_the_command_for_verilog_brings_the_bits_that_a_network_lacks(
    given: dict[str, str], options: str
) -> None:
    bare = load_workload("tfc").spec.model_copy(update={"weights": None, "images": None})
    assert verilog_options(bare.model_copy(update=given)) == options


def test_folder_holds_the_front_and_nothing_else(found: ExplorationReport) -> None:
    assert found.out is not None
    names = {f"{design_name(found.exploration, t)}.yaml" for t in found.exploration.front}
    assert {path.name for path in (found.out / "designs").iterdir()} == names
    left = {"trials.csv", "pareto.csv", "pareto.html", "importance.json", "designs", "study.journal"}
    assert {path.name for path in found.out.iterdir()} == left | {library_name()}


def test_tables_hold_every_trial_with_figures_margins_and_knobs(found: ExplorationReport) -> None:
    assert found.out is not None
    rows = _rows(found.out / "trials.csv")
    trials = found.exploration.trials
    assert [row["id"] for row in rows] == [trial.id for trial in trials]
    for row, trial in zip(rows, trials, strict=True):
        assert (row["feasible"] == "yes") == trial.result.is_feasible
        assert float(row["throughput_fps"]) == trial.result.figures["throughput_fps"]
        assert float(row["over bram18<=40"]) == trial.result.figures["bram18"] - 40
        assert row["layers.conv0.pe"] == str(trial.knobs["layers.conv0.pe"])
    front = _rows(found.out / "pareto.csv")
    assert [row["id"] for row in front] == [trial.id for trial in found.exploration.front]
    assert all("bit-exact" in row["verification"] or "not" in row["verification"] for row in front)


def test_front_is_verified_bit_by_bit_smallest_first_up_to_the_words_allowed(
    found: ExplorationReport,
) -> None:
    assert all(v.is_exact is not False for v in found.verifications)
    checked = [v for v in found.verifications if v.is_exact]
    left_out = [v for v in found.verifications if v.is_exact is None]
    assert checked
    assert sum(v.words for v in checked) <= 20_000
    assert all("not re-simulated" in v.note for v in left_out)
    assert max(v.words for v in checked) <= min((v.words for v in left_out), default=1 << 60)


def test_resumed_search_removes_designs_that_left_the_front(
    found: ExplorationReport, tmp_path: Path
) -> None:
    write_results(found.exploration, tmp_path)
    gone = next(t for t in found.exploration.trials if t not in found.exploration.front)
    stale = tmp_path / "designs" / f"{design_name(found.exploration, gone)}.yaml"
    stale.write_text("old")
    own = tmp_path / "designs" / "mine.yaml"
    own.write_text("the user's")
    write_results(found.exploration, tmp_path)
    assert not stale.exists()
    assert own.read_text() == "the user's"


def test_full_disk_changes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"a.csv": "old"})
    real = os.fsync
    synced = []

    def full(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr("bnnsim.files.whole.os.fsync", full)
    with pytest.raises(InputError, match=r"b.csv: expected a place to write, got No space left on"):
        write_files(tmp_path, {"a.csv": "new", "b.csv": "new"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"


def test_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"file: expected a place to write, got File exists"):
        prepare_folder(tmp_path / "file")
    with pytest.raises(InputError, match=r"deeper: expected a place to write, got Not a directory"):
        prepare_folder(tmp_path / "file" / "deeper")


def test_numbers_read_back_as_they_were() -> None:
    for value in (0.1, 1 / 3, 12345.0, 3050.000001, 1e-9):
        assert float(number_text(value)) == value
    assert number_text(26072.0) == "26072"
    assert number_text(None) == ""


def test_a_lead_within_the_models_error_is_none() -> None:
    """A front by throughput (counted) and LUT (an estimate)."""
    upwards = {"throughput_fps": True, "lut": False}
    assert 0.05 < needed_lead("lut") < 0.4
    slow, fast = {"throughput_fps": 100.0, "lut": 1000.0}, {"throughput_fps": 110.0, "lut": 1010.0}
    small = {"throughput_fps": 90.0, "lut": 500.0}
    assert not leads_clearly(slow, fast, upwards)
    assert leads_clearly(fast, slow, upwards)
    assert leads_clearly(small, fast, upwards)
    assert ties([fast, slow, small], upwards) == (None, 0, None)


def test_shares_are_of_what_the_budget_allows() -> None:
    result = PointResult({"lut": 300.0, "power_w": 2.0}, {"budget lut": 200.0, "power_w<=3": -1.0})
    assert result.shares == {"lut": 3.0}
