"""The notebook runs from its first cell to its last, and every cell gives what it shows."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.documents.following import ROOT, place

NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.ipynb"))


def executed(notebook: Path, folder: Path) -> Any:
    """A notebook after every cell has run in ``folder``. Raises what the first wrong cell raises."""
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    cells = nbformat.read(notebook, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        patch.setenv("PYTHONPATH", paths.rstrip(os.pathsep))
        patch.setenv("IPYTHONDIR", str(folder.parent / "ipython"))
        resources = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(cells, timeout=600, kernel_name="python3", resources=resources).execute()
    return cells


def shown(cell: Any) -> list[str]:
    """What a cell shows, as text; what a kernel says on stderr is not the cell's."""
    texts = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream" and output["name"] == "stdout":
            texts.append(output["text"])
        elif output["output_type"] == "execute_result":
            texts.append(output["data"]["text/plain"])
    return [re.sub(r"\b\d(\.\d+)?e-[12]\d\b", "#", text) for text in texts]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_gives_what_it_shows(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("h5py")
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
    stored = nbformat.read(ROOT / name, as_version=4)
    nbformat.validate(stored)
    done = executed(ROOT / name, place(tmp_path / "reader"))
    said = [shown(cell) for cell in stored.cells if cell.cell_type == "code"]
    assert [shown(cell) for cell in done.cells if cell.cell_type == "code"] == said
    assert sum(map(len, said)) > 5
    assert (tmp_path / "reader" / "larq.html").read_text(encoding="utf-8").startswith("<!")
