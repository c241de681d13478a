"""The command itself: version, help in sections, lists of what there is."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import get_args

import pytest

from bnnsim.cli import main
from bnnsim.cli.app import COMMANDS, GROUPS, SECTIONS
from bnnsim.cli.look.list import Kind
from bnnsim.spec.library import shipped_names
from bnnsim.version import __version__
from tests.terminal import terminal_of


def _output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    return capsys.readouterr().out


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert _output(capsys, "--version") == f"bnnsim {__version__}\n"


def test_it_runs_as_a_module() -> None:
    run = [sys.executable, "-m", "bnnsim", "--version"]
    done = subprocess.run(run, check=True, capture_output=True, text=True)
    assert done.stdout == f"bnnsim {__version__}\n"


def test_every_command_stands_in_one_section_of_the_help_with_its_whole_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    placed = [name for names in SECTIONS.values() for name in names]
    assert sorted(placed) == sorted([*COMMANDS, *GROUPS])
    text = _output(capsys, "--help")
    assert "..." not in text.replace("[ARGS]...", "")
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.index("\nSimulate:") < text.index("\nExplore:") < text.index("\nHand over:")


@pytest.mark.parametrize("group", GROUPS)
def test_the_help_of_a_group_cuts_no_sentence(
    capsys: pytest.CaptureFixture[str], group: str
) -> None:
    text = _output(capsys, group, "--help")
    assert "..." not in text.replace("[ARGS]...", "")
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("kind", "shipped"),
    [
        ("archs", "architecture"),
        ("workloads", "workload"),
        ("devices", "device"),
        ("spaces", "space"),
    ],
)
def test_a_list_has_a_line_for_everything_shipped(
    capsys: pytest.CaptureFixture[str], kind: str, shipped: str
) -> None:
    lines = _output(capsys, "list", kind).splitlines()
    assert [line.split()[0] for line in lines] == shipped_names(shipped)
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_line_of_a_list_has_room_in_80_columns(
    capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    (found,) = json.loads(_output(capsys, "list", kind, "--json", "-"))["listings"]
    with terminal_of(80):
        lines = _output(capsys, "list", kind).splitlines()
    assert [line.split()[0] for line in lines] == [entry["name"] for entry in found["entries"]]
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_narrow_list_leaves_out_boards_and_no_figure(
    capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    with terminal_of(columns):
        text = " ".join(_output(capsys, "list", "devices").split())
    assert "xcu250 1,728,000 LUT, 5,376 BRAM18, 1,280 URAM, 12,288 DSP" in text
    assert "xc7z020 53,200 LUT, 280 BRAM18, 220 DSP" in text
    assert text.count("…") > 3
    with terminal_of(200):
        text = _output(capsys, "list", "devices")
    assert "220 DSP; PYNQ-Z1; PYNQ-Z2; ZedBoard; ZC702; zynq-7000" in text


def test_a_list_in_json_has_the_kinds_of_layers_and_units(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = json.loads(_output(capsys, "list", "--json", "-"))["listings"]
    names = {one["kind"]: [entry["name"] for entry in one["entries"]] for one in found}
    assert {"conv", "max_pool", "concat"} <= set(names["layers"])
    assert {"mvau", "sliding_window"} <= set(names["units"])
    assert list(names) == ["archs", "workloads", "devices", "spaces", "layers", "units"]


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["list", "devises"])
    assert end.value.code == 2
    assert "devices" in capsys.readouterr().err
