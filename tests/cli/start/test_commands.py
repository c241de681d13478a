"""The command itself: version, help in sections, lists of what there is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bnnsim.cli import main
from bnnsim.cli.app import COMMANDS, GROUPS, SECTIONS
from bnnsim.spec.library import shipped_names
from bnnsim.version import __version__


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
