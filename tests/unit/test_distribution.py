"""What travels: the source distribution is all but the tests, the wheel all that the package reads."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

sdist = pytest.importorskip("hatchling.builders.sdist", reason="hatchling is not installed")
wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bnnsim", "arch_specs", "workloads", "tests/validation/published", "tools", "docs")
FILES = {
    "README.md", "DESIGN.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "pyproject.toml",
    "explore.py", ".pre-commit-config.yaml", "mkdocs.yml", "CITATION.cff",
}  # fmt: skip
SHIPPED = {
    "arch_specs": "bnnsim/shipped/arch_specs",
    "workloads": "bnnsim/shipped/workloads",
    "tests/validation/published": "bnnsim/shipped/published",
}


def _files(folder: str) -> set[str]:
    """Files of the project below a folder, without what running it leaves."""
    paths = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if not {"__pycache__", "explorations"} & set(path.parts)}


def test_source_distribution_holds_what_a_wheel_is_built_from_and_the_documents(tmp_path: Path) -> None:
    [built] = sdist.SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    expected = FILES.union(*map(_files, FOLDERS))
    assert names - {"PKG-INFO", ".gitignore"} == expected
    assert Path(built).stat().st_size < 2_000_000


def test_wheel_holds_every_file_that_the_package_reads(tmp_path: Path) -> None:
    [built] = wheel.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
    expected = _files("bnnsim")
    for folder, place in SHIPPED.items():
        expected |= {name.replace(folder, place, 1) for name in _files(folder)}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert "bnnsim/cost/blocks/coefficients.yaml" in names
    assert "bnnsim/report/assets/pareto.html" in names
    assert "bnnsim/shipped/published/umuroglu_fpga_2017.yaml" in names
