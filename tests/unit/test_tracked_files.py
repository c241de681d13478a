"""Under version control: no large files, and nothing that a search leaves behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 1_000_000
SEARCH_RESULTS = {
    *("study.journal", "trials.csv", "pareto.csv", "pareto.html", "importance.json"),
    *("sweep.csv", "sweep.html"),
}
FOUND = "found by bnnsim explore"  # the first line of a found design
WRITTEN = {".yaml", ".csv", ".html", ".json", ".npz", ".vcd"}  # kinds of files that commands write
PAGES = PurePath("bnnsim/report/assets")  # the pages before a search fills them


def unwanted(root: Path, names: Iterable[str]) -> Iterator[str]:
    """Files below ``root`` that do not belong in a repository, each with the reason."""
    for name in names:
        path = root / name
        size = path.stat().st_size if path.is_file() else 0
        if size > MOST_BYTES:
            yield f"{name}: {size:,} bytes"
        if path.name in SEARCH_RESULTS and PurePath(name).parent != PAGES:
            yield f"{name}: left by a search"
        elif path.suffix == ".yaml" and FOUND in path.read_text(encoding="utf-8").partition("\n")[0]:
            yield f"{name}: a design that a search found"
        elif path.suffix in WRITTEN and PurePath(name).name == name and not name.startswith("."):
            yield f"{name}: written by a command that was run here"


def test_what_is_tracked_is_small_and_no_result_of_a_search() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if name]
    assert "README.md" in names
    assert list(unwanted(ROOT, names)) == []


def test_large_files_and_results_of_a_search_are_found(tmp_path: Path) -> None:
    planted = {
        "cx/study.journal": 9,
        "cx/designs/cnv-00001.yaml": 9,
        "cx/pareto.html": 9,
        "bnnsim/report/assets/pareto.html": 9,
        "arch_specs/pynq-cnv.yaml": 9,
        "data/large.npz": MOST_BYTES + 1,
        "data/small.npz": MOST_BYTES,
        "small-arch-fifos.yaml": 9,
        ".pre-commit-config.yaml": 9,
    }
    for name, size in planted.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    found = "# cnv-00001: found by bnnsim explore, trial 1 of a search.\nname: cnv-00001\n"
    (tmp_path / "cx/designs/cnv-00001.yaml").write_text(found)
    assert list(unwanted(tmp_path, planted)) == [
        "cx/study.journal: left by a search",
        "cx/designs/cnv-00001.yaml: a design that a search found",
        "cx/pareto.html: left by a search",
        "data/large.npz: 1,000,001 bytes",
        "small-arch-fifos.yaml: written by a command that was run here",
    ]
