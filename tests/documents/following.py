"""A reader who follows a document in a folder that has the checkout's files."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bnnsim.cli.app import run
from tests.documents.blocks import Step
from tests.terminal import terminal_of

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 100
"""Columns of the terminal whose output the documents show."""


def place(folder: Path) -> Path:
    """A folder that looks like the checkout, in which a reader may write."""
    folder.mkdir()
    for path in ROOT.iterdir():
        if not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    return folder


@contextlib.contextmanager
def terminal(folder: Path) -> Iterator[None]:
    """Commands run in ``folder`` and print for a terminal of ``COLUMNS`` columns."""
    with terminal_of(COLUMNS), contextlib.chdir(folder):
        yield


def printed_by(step: Step) -> str:
    """What a command prints to stdout, in this process where it is bnnsim's.

    Raises:
        AssertionError: it does not end well, with what it says.
    """
    program, *arguments = shlex.split(step.command)
    if program == "bnnsim":
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(arguments)
        said, complaint = out.getvalue(), err.getvalue()
    else:
        command = [
            sys.executable if program.rpartition("/")[2].startswith("python") else program,
            *arguments,
        ]
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        surroundings = {**os.environ, "COLUMNS": str(COLUMNS), "PYTHONPATH": paths}
        done = subprocess.run(
            command, capture_output=True, text=True, env=surroundings, check=False
        )
        code, said, complaint = done.returncode, done.stdout, done.stderr
    wrong = f"line {step.line}: {step.command}: exit code {code}\n{said}{complaint}"
    assert code == 0, wrong
    return said


def follow(steps: list[Step], folder: Path, found: Callable[[Step, str], None]) -> None:
    """Run commands one after the other and hand over what each prints."""
    with terminal(place(folder)):
        for step in steps:
            found(step, printed_by(step))
