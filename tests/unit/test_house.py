"""The house stays one with rooms: no circles, no halls, no long files, nothing loose at its door."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.imported_modules import circles, imports

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bnnsim", "tests", "tools")
MOST_FILES = 14
MOST_LINES = 400
LOOSE = {"__init__.py", "__main__.py", "version.py"}  # beside py.typed, which is no Python file


IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in ("bnnsim", "tests", "tools"):
            print(name, "imports", error.name)
"""


def crowded_folders(folder: Path) -> Iterator[str]:
    """Folders with too many Python files to see at a glance."""
    for room in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        files = len(list(room.glob("*.py")))
        if files > MOST_FILES:
            yield f"{room.relative_to(folder.parent)}: {files} files"


def long_files(folder: Path) -> Iterator[str]:
    """Files of code, the pages' scripts too, that hold more than one idea."""
    for path in sorted((*folder.rglob("*.py"), *folder.rglob("*.js"))):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            yield str(path.relative_to(folder.parent))


def prefixed_modules(folder: Path) -> Iterator[str]:
    """Modules that a prefix sorts where a folder should."""
    for path in folder.rglob("engine_*.py"):
        yield str(path.relative_to(folder.parent))


def loose_modules(package: Path) -> set[str]:
    """Modules at a package's root that belong in a room."""
    return {path.name for path in package.glob("*.py")} - LOOSE


def _hand_tools() -> list[str]:
    """Modules that no test runs: benchmarks and tools, which people start."""
    folders = (ROOT / "tests" / "benchmarks", ROOT / "tools")
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]


def test_what_only_people_start_can_be_imported() -> None:
    """In a process of its own: some of them change what others see of numpy."""
    modules = [name for name in _hand_tools() if not name.endswith("__")]
    run = [sys.executable, "-c", IMPORT_ALL, *modules]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = imports(ROOT, "bnnsim")
    assert circles(graph) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_can_be_seen_at_a_glance(folder: str) -> None:
    assert list(crowded_folders(ROOT / folder)) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_long(folder: str) -> None:
    assert list(long_files(ROOT / folder)) == []


def test_no_module_is_sorted_by_a_prefix() -> None:
    assert list(prefixed_modules(ROOT / "bnnsim")) == []


def test_nothing_stands_loose_at_the_package_root() -> None:
    assert loose_modules(ROOT / "bnnsim") == set()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {
                "one.py": "from p.two import f\n",
                "two.py": "def f() -> None:\n    from p import one\n",
                "three.py": "import p.one\n",
            },
            [{"p.one", "p.two"}],
        ),
        (
            {
                "one.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import p.two\n",
                "two.py": "from p.three import g\n",
                "three.py": "import p.one\n",
            },
            [{"p.one", "p.two", "p.three"}],
        ),
        (  # through a package's lazy names
            {"__init__.py": '_HOMES = {"f": "p.one"}\n', "one.py": "from p import __version__\n"},
            [{"p", "p.one"}],
        ),
        (  # by a name that is written out
            {
                "one.py": "import importlib\ndef f() -> None:\n    importlib.import_module('p.two')\n",
                "two.py": "import p.one\n",
            },
            [{"p.one", "p.two"}],
        ),
        (  # a front page that names again what stands inside is no circle
            {
                "room/__init__.py": "from p.room.one import f\n",
                "room/one.py": "from p.room.two import g\n",
                "room/two.py": "",
                "three.py": "from p.room import f\n",
            },
            [],
        ),
    ],
    ids=["in a function", "for the type checker", "lazy names", "import_module", "front page"],
)
def test_circles_are_found_however_they_are_imported(
    tmp_path: Path, files: dict[str, str], expected: list[set[str]]
) -> None:
    _write(tmp_path / "p", {"__init__.py": "", **files})
    assert circles(imports(tmp_path, "p")) == expected


def test_relative_imports_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "p", {"one.py": "from . import two\n", "two.py": ""})
    with pytest.raises(ValueError, match=r"one\.py:1: relative import"):
        imports(tmp_path, "p")


def test_a_hall_a_long_file_a_prefix_and_a_loose_module_are_found(tmp_path: Path) -> None:
    package = tmp_path / "p"
    _write(package, {f"hall/m{number}.py": "" for number in range(MOST_FILES + 1)})
    _write(package, {f"room/m{number}.py": "" for number in range(MOST_FILES)})
    _write(package, {"room/m0.py": "\n" * MOST_LINES, "room/m1.py": "\n" * (MOST_LINES + 1)})
    _write(package, {"room/page.js": "\n" * (MOST_LINES + 1)})
    _write(package, {"hall/engine_fit.py": "", "hall/engine.py": "", "costs.py": "", "__init__.py": ""})
    assert list(crowded_folders(package)) == ["p/hall: 17 files"]
    assert list(long_files(package)) == ["p/room/m1.py", "p/room/page.js"]
    assert list(prefixed_modules(package)) == ["p/hall/engine_fit.py"]
    assert loose_modules(package) == {"costs.py"}


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
