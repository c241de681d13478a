"""What shells offer: commands with their sentences, options, and names of what is shipped."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bnnsim.cli.app import COMMANDS, GROUPS, run
from bnnsim.spec.library import shipped_names


def _offered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str, line: str
) -> list[str]:
    """Lines that the command answers a shell with, asked for the last word of a line."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)} if shell == "bash" else {}
    if shell == "fish":
        asked["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    asked |= {"_TYPER_COMPLETE_ARGS": line, "_BNNSIM_COMPLETE": f"complete_{shell}"}
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    assert run([]) == 0
    return capsys.readouterr().out.split("\n")[:-1]


def test_bash_is_offered_commands_options_and_shipped_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offered(line: str) -> list[str]:
        return _offered(monkeypatch, capsys, "bash", line)

    assert sorted(offered("bnnsim ")) == sorted([*COMMANDS, *GROUPS])
    assert offered("bnnsim ev") == ["evaluate"]
    assert offered("bnnsim evaluate finn-") == ["finn-cnv-max", "finn-lfc-max", "finn-sfc-max"]
    assert offered("bnnsim simulate digits-7z020 dig") == ["digits"]
    assert offered("bnnsim fold tfc --device xc7z") == [
        name for name in shipped_names("device") if name.startswith("xc7z")
    ]
    assert offered("bnnsim new engine tfc --device xczu3") == ["xczu3eg"]
    assert offered("bnnsim explore digits") == ["digits-7z020"]
    assert offered("bnnsim evaluate pynq-tfc tfc --timing") == ["--timing-only"]
    assert offered("bnnsim evaluate ./my") == [""]  # the shell lists files then


def test_zsh_and_fish_show_whole_sentences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "Evaluate a design{} timing, bits, resources and power in one record."
    assert _offered(monkeypatch, capsys, "fish", "bnnsim ev") == [f"evaluate\t{sentence.format(':')}"]
    (line,) = _offered(monkeypatch, capsys, "zsh", "bnnsim ev")
    assert f'"evaluate":"{sentence.format(chr(92) * 2 + ":")}"' in line


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_completes_with_the_script_that_is_shown(tmp_path: Path) -> None:
    """The script of ``--show-completion``, sourced and called as bash does on Tab."""
    command = tmp_path / "bnnsim"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m bnnsim "$@"\n')
    command.chmod(0o755)
    shown = tmp_path / "completion.bash"
    walk = f"""
        PATH={tmp_path}:$PATH
        _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION=1 bnnsim --show-completion bash > {shown}
        . {shown}
        complete -p bnnsim
        COMP_WORDS=(bnnsim list d); COMP_CWORD=2
        _bnnsim_completion bnnsim
        echo "offered: ${{COMPREPLY[*]}}"
    """
    done = subprocess.run(["bash", "-c", walk], capture_output=True, text=True, check=True)
    assert "-o default -F _bnnsim_completion bnnsim" in done.stdout
    assert done.stdout.endswith("offered: devices\n")
