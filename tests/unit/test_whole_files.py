"""Files are whole or not there."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bnnsim.files.folder import prepare_folder, write_files
from bnnsim.files.part import SUFFIX, new_part
from bnnsim.files.whole import whole_file, whole_text

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_appears_once_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with whole_text(target) as file:
        file.write("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with whole_text(target) as file:
            file.write("new")
            raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


DYING = """\
import os, signal, sys
from pathlib import Path
from bnnsim.files.part import new_part
from bnnsim.files.whole import whole_text
with whole_text(Path(sys.argv[1])) as file, new_part(Path(sys.argv[1]), is_folder=True):
    file.write("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("next_run", ["file", "files", "folder"])
def test_parts_of_a_killed_run_are_removed_by_the_next_and_those_of_a_living_one_stay(
    tmp_path: Path, next_run: str
) -> None:
    target = tmp_path / "a.txt"
    other = tmp_path / ".mine.txt.swp"
    other.write_text("no part")
    done = subprocess.run(
        [sys.executable, "-c", DYING, target], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(f"*{SUFFIX}"))) == 2
    with new_part(tmp_path / "b.txt") as living:
        if next_run == "file":
            with whole_text(target) as file:
                file.write("whole")
        elif next_run == "files":
            write_files(tmp_path, {"a.txt": "whole"})
        else:
            prepare_folder(tmp_path)
        assert list(tmp_path.glob(f".*{SUFFIX}")) == [living.path]
    assert {path.name for path in tmp_path.iterdir()} <= {"a.txt", other.name}


def test_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "link.html"
    link.symlink_to(Path("far") / "page.html")  # to nothing yet
    for text in ("first", "second"):
        with whole_text(link) as file:
            file.write(text)
        assert link.is_symlink()
        assert (tmp_path / "far" / "page.html").read_text() == text
    write_files(tmp_path, {"link.html": "third"})
    assert link.is_symlink()
    assert (tmp_path / "far" / "page.html").read_text() == "third"
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    with pytest.raises(OSError, match="symbolic links"), whole_file(circle):
        pass


def test_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with whole_file(pipe) as file:
        file.write(b"through")
    reader.join()
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
