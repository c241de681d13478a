"""``explore`` and ``sweep`` as a user runs them: what they print, their exit codes, what they leave."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.designs import SMALL_SPACE
from tests.terminal import sentences

ROOT = Path(__file__).resolve().parents[2]
ENGINE = """\
name: tiny
source: "made for this test"
style: engine
device: xc7z020
clock_mhz: {choose: [100, 143]}
arrays:
  pes: {supported_ops: [linear], spatial_unrolling: {out_channels: {knob: outputs}, in_channels: {knob: inputs}}}
buffers:
  weights: {holds: weights, banks: {knob: outputs}, words: 16384, width_bits: {knob: inputs}, residency: network}
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
explore:
  workload: tfc
  knobs: {outputs: {choose: [1, 2, 4, 8]}, inputs: {choose: [4, 16, 64]}}
"""  # noqa: E501
BOTH = """\
name: both
source: "made for this test"
explore: {alternatives: [{space: small.yaml}, {space: tiny.yaml, name: one-array}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL_SPACE)
    return tmp_path


@pytest.fixture
def engines(folder: Path) -> Path:
    (folder / "tiny.yaml").write_text(ENGINE)
    (folder / "both.yaml").write_text(BOTH)
    return folder


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(
        [sys.executable, ROOT / "explore.py", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def _command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    code = "from bnnsim.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_explore_prints_the_front_and_leaves_a_page(folder: Path) -> None:
    done = _run(folder, "small.yaml", "--trials", "40", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("compiling kernels, ") for line in sentences(done.stderr))
    assert re.search(r"small-000\d\d +[\d,]+ +[\d,]+ .*(yes|not run)", done.stdout)
    assert re.search(r"judged +40 designs, \d+ keep every bound, \d+ on the front", done.stdout)
    assert re.search(r"bit-exact +\d+ of \d+ front designs", done.stdout)
    page = re.search(r"page +(\S+)", done.stdout)
    assert page is not None
    assert page[1] == "explorations/small-1/pareto.html"
    assert (folder / page[1]).is_file()


def test_second_search_takes_the_next_folder(folder: Path) -> None:
    for number in (1, 2):
        done = _run(folder, "small.yaml", "--trials", "5", "--jobs", "1", "--verify", "none")
        assert f"explorations/small-{number}/pareto.html" in done.stdout


def test_design_found_evaluates_to_the_figures_in_its_header(folder: Path) -> None:
    done = _run(folder, "small.yaml", "--trials", "12", "--jobs", "1", "--out", "o", "--verify", "none")
    assert done.returncode == 0, done.stderr
    path = next(iter(sorted((folder / "o" / "designs").iterdir())))
    said = dict(line[4:].split(" ") for line in path.read_text().splitlines() if line[:4] == "#   ")
    shown = _command(folder, "evaluate", str(path), "tfc", "--timing-only", "--json", "-")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["throughput_fps"] == float(said["throughput_fps"])
    assert found["latency_cycles"] == int(said["latency_cycles"])
    assert found["resources"]["lut"] == int(said["lut"])
    assert found["power_w"] == pytest.approx(float(said["power_w"]), rel=1e-12)


@pytest.mark.parametrize("space", ["tiny", "both"])
def test_engines_and_alternatives_are_searched_and_their_designs_evaluate_again(
    engines: Path, space: str
) -> None:
    done = _run(engines, f"{space}.yaml", "--trials", "24", "--jobs", "2", "--out", "o")
    assert done.returncode == 0, done.stderr
    row = r"tiny-000\d\d +[\d,]+ .*yes"
    if space == "both":
        row = r"000\d\d +(small|one-array) +[\d,]+ .*yes"
    assert re.search(row, done.stdout), done.stdout
    assert re.search(r"bit-exact +(\d+) of \1 front designs\n", done.stdout)
    paths = sorted((engines / "o" / "designs").iterdir())
    engine = next(path for path in paths if "style: engine" in path.read_text())
    said = dict(line[4:].split(" ") for line in engine.read_text().splitlines() if line[:4] == "#   ")
    shown = _command(engines, "evaluate", str(engine), "tfc", "--timing-only", "--json", "-")
    found = json.loads(shown.stdout)
    assert found["throughput_fps"] == float(said["throughput_fps"])
    assert found["resources"]["lut"] == int(said["lut"])
    assert found["power_w"] == pytest.approx(float(said["power_w"]), rel=1e-12)


def test_killed_search_of_alternatives_goes_on_with_every_trial_it_had(engines: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    process = subprocess.Popen(
        [sys.executable, ROOT / "explore.py", "both.yaml", "--trials", "99999", "--out", "o"],
        cwd=engines, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    journal = engines / "o" / "study.journal"
    deadline = time.monotonic() + 600  # a busy machine is waited for
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size > 60_000):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = _trials_in(journal)
    assert kept > 10
    done = _run(
        engines, "both.yaml", "--trials", str(kept + 10), "--jobs", "1", "--baseline", "0", "--out", "o",
        "--resume", "--verify", "none",
    )  # fmt: skip
    assert f"judged       {kept + 10} designs" in done.stdout, done.stderr
    with (engines / "o" / "trials.csv").open(newline="") as file:
        assert len({tuple(row.values())[1:] for row in csv.DictReader(file)}) == kept + 10
    assert _trials_in(journal) == kept + 10  # none of those before was judged again


def _trials_in(journal: Path) -> int:
    """Whole lines that hold a finished trial."""
    whole = journal.read_bytes().rpartition(b"\n")[0]
    return sum(b'"op_code":4' in line for line in whole.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["smal"], "smal: expected a YAML file or a shipped space"),
        (["small.yaml", "cnvv"], r"cnvv: expected a YAML file or a shipped workload.*\(nearest: cnv"),
        (["small.yaml", "--objectives", "lutt"], r"--objectives: got 'lutt' \(nearest: lut"),
        (["small.yaml", "--constraint", "lut<4"], "--constraint: expected a bound such as lut<=40000"),
        (["small.yaml", "--trials", "0"], "--trials: expected a number >= 1, got 0"),
        (["small.yaml", "--resume"], r"--resume: expected the folder to go on in \(--out\), got none"),
        (["--worker", "--json", "a.json"], r"--json: expected none beside --worker"),
        (["--worker"], r"--worker: expected the database of the study \(--storage\), got none"),
        (
            ["small.yaml", "--storage", "postgresql://u@127.0.0.1:1/db"],
            "postgresql://u@127.0.0.1:1/db: expected a database server that answers, got .*refused",
        ),
        (
            ["--worker", "--storage", "sqlite:///a.db"],
            "--storage: expected PostgreSQL for several workers",
        ),
        (["small.yaml", "--out", "small.yaml"], "small.yaml: expected a place to write, got File exists"),
    ],
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(
    folder: Path, arguments: list[str], message: str
) -> None:
    done = _run(folder, *arguments)
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr
    assert len(sentences(done.stderr)) == 1
    assert {path.name for path in folder.iterdir()} <= {"small.yaml"}
    assert (folder / "small.yaml").read_text() == SMALL_SPACE


def test_space_without_a_feasible_design_says_what_stands_in_the_way(folder: Path) -> None:
    done = _run(
        folder, "small.yaml", "--trials", "12", "--jobs", "1", "--baseline", "0",
        "--constraint", "lut<=10", "--out", "o",
    )  # fmt: skip
    assert done.returncode == 2
    assert re.search(
        r"small.yaml: expected a space with a design that keeps every bound, got none among 12; "
        r"the nearest misses lut<=10 by [\d,.]+$",
        done.stderr.strip(),
    ), done.stderr
    with (folder / "o" / "trials.csv").open(newline="") as file:
        assert {row["feasible"] for row in csv.DictReader(file)} == {"no"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder_is_refused_before_the_search(folder: Path) -> None:
    locked = folder / "locked"
    locked.mkdir(mode=0o555)
    done = _run(folder, "small.yaml", "--out", "locked/o")
    assert done.returncode == 2
    assert "expected a place to write, got Permission denied" in done.stderr


def test_progress_on_a_terminal_shows_trials_front_hypervolume_and_speed(folder: Path) -> None:
    here, there = pty.openpty()
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "COLUMNS": "140",
        "TERM": "xterm",
    }
    process = subprocess.Popen(
        [sys.executable, ROOT / "explore.py", "small.yaml", "--trials", "200", "--jobs", "1"],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=there,
    )  # fmt: skip
    os.close(there)
    shown = b""
    try:
        while chunk := os.read(here, 4096):
            shown += chunk
    except OSError:  # the terminal's end, on Linux
        pass
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace"))
    assert re.search(r"searching .*\d+ of 200, front \d+, hypervolume \d+%, \d+ designs/s, \d+ s", text)


def test_sweep_prints_the_grid_and_writes_table_and_page(folder: Path) -> None:
    done = _command(
        folder, "sweep", "pynq-tfc", "tfc", "--knob", "layers.fc0.pe=1,2,3,16",
        "--knob", "clock_mhz=100,200", "--out", "o",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with (folder / "o" / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["layers.fc0.pe"], row["clock_mhz"]) for row in rows] == [
        (pe, clock) for pe in ("1", "2", "3", "16") for clock in ("100", "200")
    ]
    slow, fast = (float(row["throughput_fps"]) for row in rows[:2])
    assert fast == pytest.approx(2 * slow)
    assert "expected a divisor of 64, got 3" in rows[4]["obstacle"]
    assert "default-src 'none'" in (folder / "o" / "sweep.html").read_text()


def test_sweep_of_an_engine_reaches_into_its_steps_and_says_why_there_is_no_design(folder: Path) -> None:
    words = "programs.dense.steps.0.steps.0.words"
    done = _command(folder, "sweep", "acce-bnn", "binarynet", "--knob", f"{words}=4752,9504")
    assert done.returncode == 0, done.stderr
    assert re.search(r"4752 +172\.6 .*\n +9504 +142\.3 ", done.stdout)
    done = _command(folder, "sweep", "acce-bnn", "binarynet", "--knob", "buffers.wt_mem.words=586,1172")
    assert re.search(r"1172 +- .* no design", done.stdout)
    said = re.sub(r"\s+", " ", done.stdout)
    assert re.search(r"no design with 1172: .*expected loads of all weights of ", said)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("programs.dens.steps.0.depth", r"programs.dens: expected a section .*\(nearest: dense"),
        ("programs.dense.steps.3.depth", r"programs.dense.steps.3: expected a section .* got '3'"),
        ("programs.dense.steps.0.steps.9", r".*steps.9: expected one of 2 positions, from 0, got"),
        ("arrays.bin_conv.unrols", r"arrays.bin_conv.unrols: expected one of .*\(nearest: spatial_"),
    ],
)
def test_wrong_path_into_an_engine_is_located(folder: Path, path: str, message: str) -> None:
    done = _command(folder, "sweep", "acce-bnn", "binarynet", "--knob", f"{path}=1,2")
    assert done.returncode == 2
    assert re.search(r"acce-bnn.yaml:\d+: " + message, done.stderr), done.stderr


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        (["layers.fc0.pe=3"], r"pynq-tfc.yaml:\d+: layers.fc0.pe: expected a divisor of 64, got 3"),
        (["layers.fc0.pe=a"], r"pynq-tfc.yaml:\d+: layers.fc0.pe: expected an integer, got the text 'a'"),
        (["layers.fc0.pee=4"], r"layers.fc0.pee: got 'pee' \(nearest: pe\), expected one of the keys "),
        (["layers.fc9.pe=4"], r"layers.fc9: expected a section .* got 'fc9' \(nearest: fc"),
        (["layrs.fc0.pe=4"], r"layrs: expected a section of this architecture, .*\(nearest: layers"),
        (["layers.fc0.pe"], "--knob: expected a field and its values: layers.conv1.pe=1,2,4, got"),
        (["layers.fc0.pe=["], r"layers.fc0.pe: expected an integer, got the text '\['"),
        (["clock_mhz=2020-13-45"], "clock_mhz: expected a number, got the text '2020-13-45'"),
        (["clock_mhz=1,2", "clock_mhz=3"], "--knob: expected each field once"),
        (["clock_mhz=1", "name=a", "device=b"], "--knob: expected one or two fields to vary, got 3"),
    ],
)
def test_wrong_knob_of_a_sweep_is_located(folder: Path, knobs: list[str], message: str) -> None:
    options = [part for knob in knobs for part in ("--knob", knob)]
    done = _command(folder, "sweep", "pynq-tfc", "tfc", *options)
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr
