"""A space and its network in folders with spaces in their names, behind links, and nowhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bnnsim.cli.app import run

NETWORK = """\
name: heard
input: {shape: [3, 12, 12], type: uint8}
layers:
  - {name: c0, op: conv, out: 16, kernel: [3, 3], activation: bipolar}
  - {name: p0, op: max_pool, kernel: [2, 2]}
  - {name: f0, op: linear, out: 5}
"""
SPACE = """\
name: heard-space
style: streaming
device: {choose: [xc7z010, xczu3eg]}
clock_mhz: 100
layers:
  c0: {pe: divisors, simd: divisors}
  f0: {pe: divisors, simd: divisors}
explore: {workload: nets/my net.yaml, objectives: [throughput_fps, lut]}
"""
FEW = ["--trials", "4", "--baseline", "0", "--jobs", "1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sub dir" / "nets").mkdir(parents=True)
    (tmp_path / "sub dir" / "nets" / "my net.yaml").write_text(NETWORK)
    (tmp_path / "sub dir" / "space one.yaml").write_text(SPACE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _explored(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """The commands printed below the table, by what they are for."""
    assert run(["explore", *arguments, *FEW]) == 0
    printed = capsys.readouterr().out
    return dict(re.findall(r"^(report|as Verilog|which part) +(bnnsim .*)$", printed, re.M))


def _done(command: str, *more: str) -> None:
    assert run([*shlex.split(command)[1:], *more]) == 0, command


def test_printed_commands_run_where_names_have_spaces(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = _explored(capsys, "sub dir/space one.yaml", "--out", "front of it")
    _done(commands["report"], "--timing-only")
    _done(commands["as Verilog"], "--no-check")
    _done(commands["which part"], "--out", "part.yaml")
    assert {"part.yaml", "front of it"} < {path.name for path in folder.iterdir()}


def test_a_network_beside_the_space_is_found_from_any_folder_and_through_a_link(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "else where").mkdir()
    (folder / "else where" / "link.yaml").symlink_to("../sub dir/space one.yaml")
    monkeypatch.chdir(folder / "else where")
    _done(_explored(capsys, "link.yaml", "--out", "a")["report"], "--timing-only")
    _done(_explored(capsys, "../sub dir/space one.yaml", "--out", "b")["report"], "--timing-only")


def test_a_network_beside_a_link_comes_before_the_one_beside_the_space(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "nets").mkdir()
    (folder / "nets" / "my net.yaml").write_text(NETWORK)
    (folder / "link.yaml").symlink_to("sub dir/space one.yaml")
    assert " 'nets/my net.yaml' " in _explored(capsys, "link.yaml", "--out", "a")["report"]


def test_a_network_that_is_nowhere_is_a_fault_of_the_space_beside_all_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SPACE.replace("my net", "other").replace("clock_mhz: 100", "clock_mhz: -5\nfrob: 3")
    text = text.replace("xczu3eg", "xczzz").replace("simd: div", "simdd: div", 1)
    (folder / "bad.yaml").write_text(text)
    assert run(["explore", "bad.yaml", *FEW, "--out", "a"]) == 2
    keys = re.findall(r"^bad\.yaml:\d+: (\S+): ", capsys.readouterr().err, re.M)
    wanted = {"device", "clock_mhz", "frob", "layers.c0.simdd", "explore.workload"}
    assert wanted == set(keys)
    assert not (folder / "a").exists()


@pytest.mark.parametrize("path", [True, False])
def test_a_space_without_a_network_takes_the_command_lines(
    folder: Path, capsys: pytest.CaptureFixture[str], path: bool
) -> None:
    (folder / "bare.yaml").write_text(SPACE.replace("workload: nets/my net.yaml, ", ""))
    assert run(["explore", "bare.yaml", *FEW, "--out", "a"]) == 2
    assert "bare.yaml:8: explore.workload: expected a network: this key" in capsys.readouterr().err
    if path:
        _done(_explored(capsys, "bare.yaml", "sub dir/nets/my net.yaml", "--out", "a")["report"])
    else:
        assert run(["explore", "bare.yaml", "sub dir/nets/none.yaml", *FEW, "--out", "a"]) == 2
        assert "sub dir/nets/none.yaml: expected a file" in capsys.readouterr().err
