"""What may not be written or read: one line that names it, before any work, and nothing left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.faults.small_spec import ARCH, WORKLOAD

ROOT = Path(__file__).parents[3]
AS_OTHERS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
"""Takes from root what others have not: to write and read whatever the file's mode says."""
CHILD = """
import contextlib, io, json, sys
from bnnsim.cli import console
from bnnsim.cli.app import run

ended = []
for arguments in json.load(sys.stdin):
    text = io.StringIO()
    with contextlib.redirect_stderr(text), contextlib.redirect_stdout(io.StringIO()):
        code = run(arguments)
    ended.append((code, text.getvalue()))
print(json.dumps(ended))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a ``shut`` one, which may be read alone, and a file that may not be read."""
    place = tmp_path / "case"
    place.mkdir()
    (place / "a.yaml").write_text(ARCH)
    (place / "w.yaml").write_text(WORKLOAD)
    (place / "secret.yaml").write_text(WORKLOAD)
    (place / "secret.yaml").chmod(0)
    (place / "shut").mkdir(mode=0o555)
    (place / "open").mkdir()
    yield place
    (place / "shut").chmod(0o755)


def _ended(folder: Path, commands: list[list[str]]) -> list[tuple[int, str]]:
    """Exit codes and messages of commands, given in one process that may do no more than others."""
    is_root = os.geteuid() == 0
    if is_root and shutil.which(AS_OTHERS[0]) is None:
        pytest.skip("root may write everywhere, and there is no setpriv")
    done = subprocess.run(
        [*(AS_OTHERS if is_root else ()), sys.executable, "-c", CHILD],
        input=json.dumps(commands),
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, "NUMBA_CACHE_DIR": str(folder / "open")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [(code, text) for code, text in json.loads(done.stdout)]


def test_a_folder_that_may_not_be_written_is_refused_before_any_work(folder: Path) -> None:
    run = ["a.yaml", "w.yaml"]
    lost = ["a.yaml", "no/w.yaml"]  # not there: the target is looked at first
    targets = [
        (["simulate", *lost, "--json", "shut/x.json"], "shut/x.json"),
        (["evaluate", *lost, "--json", "shut/x.json"], "shut/x.json"),
        (["report", *lost, "--out", "shut/x.html"], "shut/x.html"),
        (["trace", *lost, "--vcd", "shut/x.vcd"], "shut/x.vcd"),
        (["vectors", *lost, "--out", "shut/v"], "shut/v"),
        (["fifos", *lost, "--out", "shut/a.yaml"], "shut/a.yaml"),
        (["fold", "no/w.yaml", "--device", "xc7z020", "--out", "shut/a.yaml"], "shut/a.yaml"),
        (["compare", "a.yaml:no/w.yaml", "a.yaml:w.yaml", "--out", "shut/c.html"], "shut/c.html"),
        (["sweep", *lost, "--knob", "clock_mhz=50,100", "--out", "shut/s"], "shut/s"),
        (["explore", *run, "--trials", "1", "--jobs", "1", "--out", "shut/o"], "shut/o"),
        (["explore", *run, "--trials", "1", "--jobs", "1", "--out", "shut"], "shut"),
    ]
    for (arguments, target), (code, text) in zip(
        targets, _ended(folder, [arguments for arguments, _ in targets]), strict=True
    ):
        assert code == 2, arguments
        assert text == f"{target}: expected a place to write, got Permission denied\n", arguments
    assert not list((folder / "shut").iterdir())


def test_a_file_that_may_not_be_read_is_refused_by_its_name(folder: Path) -> None:
    commands = [
        ["simulate", "a.yaml", "secret.yaml"],
        ["simulate", "secret.yaml", "w.yaml"],
        ["simulate", "a.yaml", "w.yaml", "--weights-seed", "1", "--images", "secret.yaml"],
        ["import", "onnx", "secret.yaml", "--out", "open"],
        ["import", "keras", "secret.yaml", "--out", "open"],
        ["explore", "secret.yaml", "--out", "open/o"],
    ]
    for arguments, (code, text) in zip(commands, _ended(folder, commands), strict=True):
        assert code == 2, arguments
        *_, line = text.splitlines()
        if arguments[0] == "import":  # the parser of arguments looks first
            assert line == "Error: Invalid value for 'model': path 'secret.yaml' is not readable."
        else:
            assert line.startswith("secret.yaml: expected "), (arguments, text)
            assert "ermission denied" in line or "may not be read" in line or "picture" in line, line
