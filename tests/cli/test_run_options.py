"""The options of a run are the same in every command that runs a design, and are looked at in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.cli.app import run

RUN = ("--images", "--frames", "--timing-only", "--weights-seed", "--executor")
OFFERED = {
    "simulate": RUN,
    "evaluate": RUN,
    "report": RUN[:4],
    "trace": RUN[:4],
    "vectors": ("--images", "--frames", "--weights-seed"),
}


@pytest.mark.parametrize("command", OFFERED)
def test_a_command_offers_its_options_of_a_run_in_one_order(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--help"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert tuple(words[0] for words in lines if words and words[0] in RUN) == OFFERED[command]


@pytest.mark.parametrize("command", ["simulate", "evaluate"])
def test_a_target_that_cannot_be_written_is_told_before_an_option_and_this_before_a_design(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [command, "no-such-design", "cnv"]
    nowhere = ["--json", str(tmp_path / "gone" / "out.json")]
    assert run([*arguments, "--frames", "0", *nowhere]) == 2
    said = capsys.readouterr().err
    assert "gone" in said and "--frames" not in said
    assert run([*arguments, "--frames", "0"]) == 2
    assert capsys.readouterr().err == "--frames: expected a number >= 1, got 0\n"
    assert run(arguments) == 2
    assert "no-such-design" in capsys.readouterr().err


def test_the_spec_is_printed_without_a_look_at_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "pynq-tfc", "tfc", "--frames", "0", "--print-spec"]) == 0
    editor, first, *_ = capsys.readouterr().out.splitlines()
    assert editor.startswith("# yaml-language-server: ") and first == "name: pynq-tfc"
