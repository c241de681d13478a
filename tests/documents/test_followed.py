"""Whoever follows a document in a fresh clone sees what it shows."""

from __future__ import annotations

import contextlib
import doctest
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from bnnsim.cli.app import build_app
from tests.documents.blocks import documents, is_as_said, loose_commands, shortened_like, steps
from tests.documents.following import ROOT, follow

TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in documents(ROOT)}
QUICK = [name for name, text in TEXTS.items() if any(not step.is_long for step in steps(text))]
LONG = [name for name, text in TEXTS.items() if any(step.is_long for step in steps(text))]
INLINE = re.compile(r"`bnnsim ([^`]+)`")
NEEDED = {"docs/import.md": "onnx", "docs/tutorials/birealnet.md": "onnx"}
"""Packages of an extra that a document's commands need."""


def _differences(name: str, folder: Path, is_long: bool) -> list[str]:
    """Commands that print something else than their document says."""
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    wrong = []

    def compare(step: Any, printed: str) -> None:
        if not is_as_said(step.printed, printed):
            wrong.append(
                f"line {step.line}: $ {step.command}\n{shortened_like(step.printed, printed)}"
            )

    follow(
        [step for step in steps(TEXTS[name]) if is_long or not step.is_long],
        folder / "reader",
        compare,
    )
    return wrong


@pytest.mark.parametrize("name", QUICK)
def test_a_document_s_commands_print_what_it_says(name: str, tmp_path: Path) -> None:
    assert _differences(name, tmp_path, is_long=False) == []


@pytest.mark.long
@pytest.mark.parametrize("name", LONG)
def test_so_do_those_that_take_long(name: str, tmp_path: Path) -> None:
    assert _differences(name, tmp_path, is_long=True) == []


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if "\n>>> " in text])
def test_a_document_s_python_gives_what_it_says(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = doctest.DocTestParser().get_doctest(TEXTS[name], {}, name, name, 0)
    with contextlib.chdir(tmp_path):
        result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert result.failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", TEXTS)
def test_no_command_escapes_its_test_without_a_reason(name: str) -> None:
    assert loose_commands(TEXTS[name]) == []


def unknown_words(text: str) -> list[str]:
    """Commands and options in a text that the command line does not have."""
    whole = typer.main.get_command(build_app(None))
    found = []
    for code in INLINE.findall(text):
        command: Any = whole
        for word in shlex.split(code.replace("\\|", "|")):
            commands = getattr(command, "commands", {})
            if word.startswith("--"):
                which = [command, *getattr(command, "commands", {}).values()]  # meant, if unsaid
                known = {name for one in which for option in one.params for name in option.opts}
                if word.partition("=")[0] not in known | {"--help", "--version"}:
                    found.append(f"bnnsim {code}: no {word}")
            elif word in commands:
                command = commands[word]
            elif command is whole:
                found.append(f"bnnsim {code}: no command {word}")
                break
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_a_command_that_a_sentence_names_exists_with_its_options(name: str) -> None:
    assert unknown_words(TEXTS[name]) == []


def test_a_document_that_tells_wrong_is_found() -> None:
    text = """
Run `bnnsim simulat a b` or `bnnsim simulate a b --tming-only`, not `bnnsim list archs\\|units`.
```
bnnsim simulate digits-7z020 digits
```
<!-- not run: no network -->
```
pip install bnnsim
```
```console
$ bnnsim list \\
  archs
one
…
four 0.5 s
$ bnnsim schema arch
```
"""
    first, second = steps(text)
    assert (first.command.split(), first.printed) == (
        ["bnnsim", "list", "archs"],
        "one\n…\nfour 0.5 s\n",
    )
    assert (second.command, second.printed, second.line) == ("bnnsim schema arch", "", 16)
    assert text[first.start : first.end] == first.printed
    assert loose_commands(text) == ["bnnsim simulate digits-7z020 digits"]
    assert [wrong.rpartition(": ")[2] for wrong in unknown_words(text)] == [
        "no command simulat",
        "no --tming-only",
    ]
    assert is_as_said(first.printed, "one\ntwo\nthree\nfour 17.2 s\n\n")
    assert is_as_said(first.printed, "one\nfour 1 s\n")
    assert not is_as_said(first.printed, "one\ntwo\nfive 1 s\n")
    assert not is_as_said(second.printed, "one\n")
    assert shortened_like(first.printed, "one\n2\n3\n4\n") == "one\n…\n4\n"
    assert shortened_like("…\nb\n", "a\nb\nc\n") == "…\nc\n"
    between = "first 1\n…\npower 1.5 W\nenergy 3 uJ\n…\nlast 9\n"
    printed = "first 2\nclock 5\npower 2.5 W\nin all 4\nenergy 8 uJ\nextra\nlast 7\n"
    assert shortened_like(between, printed) == (
        "first 2\n…\npower 2.5 W\nin all 4\nenergy 8 uJ\n…\nlast 7\n"
    )
