"""The three jobs of docs/jobs.md, in the commands that stand there and no more."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.cli.console import output

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "jobs.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
NETWORK, POWER, LUT = SECTIONS
MOST = {NETWORK: 2, POWER: 2, LUT: 2}
Do = Callable[[str], str]


def _commands(job: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", SECTIONS[job], re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Do:
    """Runs one of the page's commands beside its files, at 80 columns; DESIGN is the first one found."""
    for name, text in re.findall(r"^`(\S+\.yaml)`:\n\n```yaml\n(.*?)^```$", PAGE, re.M | re.S):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output, "width", 80)
    found: list[str] = []

    def run_it(command: str) -> str:
        program, *arguments = shlex.split(command.replace("DESIGN", found[-1] if found else "DESIGN"))
        assert program == "bnnsim"
        if arguments[0] == "explore":
            arguments += ["--jobs", "1", *([] if "--at" in arguments else ["--baseline", "0"])]
        if arguments[0] == "rtl":
            arguments.append("--no-check")
        assert run(arguments) == 0, command
        printed = capsys.readouterr().out
        found.extend(re.findall(r"^best +(\S+) \(", printed, re.M))
        return printed

    return run_it


def _evaluated(design: Path, folder: Path) -> dict[str, float]:
    target = folder / "again.json"
    asked = ["evaluate", str(design), "mine.yaml", "--timing-only", "--json", str(target)]
    assert run(asked) == 0
    data = json.loads(target.read_text())
    return {**data["resources"], **{name: data[name] for name in ("throughput_fps", "power_w")}}


def _kept(folder: str) -> list[dict[str, str]]:
    with (Path(folder) / "trials.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["feasible"] == "yes"]


@pytest.mark.parametrize("job", SECTIONS)
def test_a_job_takes_no_more_commands_than_the_page_names(job: str) -> None:
    assert 1 <= len(_commands(job)) <= MOST[job]


def test_a_space_for_my_own_network_ends_in_a_report_of_a_front_design(do: Do) -> None:
    explore, report = _commands(NETWORK)
    printed = do(explore)
    for text in ("Designs that nothing beats", "a cycle", "MHz", "knobs ", "PE x SIMD ", "report "):
        assert text in printed
    assert re.search(r"^knobs +device xc\w+, clock_mhz \d+", printed, re.M)
    do(report)
    assert "mine-space-" in Path("report.html").read_text()
    assert "front/pareto.html" in printed
    assert Path("front/pareto.html").is_file()


def test_the_part_and_the_folding_with_the_least_power_keep_the_rate(do: Do, tmp_path: Path) -> None:
    explore, fold = _commands(POWER)
    printed = do(explore)
    (name,) = re.findall(r"^best +(\S+) \(least power_w\)", printed, re.M)
    figures = _evaluated(Path("part/designs") / f"{name}.yaml", tmp_path)
    assert figures["throughput_fps"] >= 50_000
    assert figures["power_w"] == pytest.approx(min(float(row["power_w"]) for row in _kept("part")))
    assert re.search(r"^knobs +device xc\w+, clock_mhz \d+", printed, re.M)
    printed = do(fold)
    assert re.search(r"^least power +\S+$", printed, re.M)
    assert _evaluated(Path("smallest.yaml"), tmp_path)["throughput_fps"] >= 50_000


def test_the_least_logic_at_a_rate_is_one_design_with_its_error_bar(do: Do, tmp_path: Path) -> None:
    explore, rtl = _commands(LUT)
    printed = " ".join(do(explore).split())
    assert "Designs that nothing beats" not in printed
    (found,) = re.findall(r"best (\S+) \(least lut\): ([\d,]+) LUT \(([\d,]+) to ([\d,]+)\)", printed)
    name, lut, low, high = found[0], *(int(text.replace(",", "")) for text in found[1:])
    assert low < lut < high
    figures = _evaluated(Path("least/designs") / f"{name}.yaml", tmp_path)
    assert figures["lut"] == lut == min(int(row["lut"]) for row in _kept("least"))
    assert figures["throughput_fps"] >= 100_000
    do(rtl)
    assert Path("hardware/rtl/top.v").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--at", "lut<=4"], "--at: expected --minimise or --maximise with it, got neither"),
        (["--at", "lut<4", "--minimise", "lut"], "--at: expected a bound such as lut<=40000, got 'lut"),
        (["--minimise", "lutt"], r"--minimise: got 'lutt' \(nearest: lut, lutram\), expected one of"),
        (["--minimise", "lut:maximise"], "--minimise: expected a figure's name, got 'lut:maximise'"),
        (["--minimise", "lut", "--maximise", "ff"], "--minimise: expected one figure, here or in --max"),
        (["--maximise", "ff", "--objectives", "lut"], "--objectives: expected none beside --maximise"),
    ],
)
def test_an_aim_that_is_none_is_refused_before_the_search(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explore", "digits-7z020", *options]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_bound_that_nothing_keeps_says_what_comes_nearest(
    do: Do, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--at", "throughput_fps>=1e9", "--minimise", "lut", "--trials", "5", "--jobs", "1"]
    assert run(["explore", "space.yaml", *asked, "--out", "none"]) == 2
    said = capsys.readouterr()
    assert re.search(r"got none among \d+; the nearest misses throughput_fps>=1000000000 by", said.err)
    assert "best" not in said.out
