"""FINN's files as the one kind of model that the importer reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bnnsim.importers.finn.build import MODELS, STEPS, read_build
from bnnsim.importers.finn.nodes import is_finn_model
from bnnsim.importers.finn.partitions import partitions, whole_model
from bnnsim.importers.finn.translation import translated
from bnnsim.importers.onnx.file import load_model


def is_finn_build(folder: Path) -> bool:
    """Whether a folder looks like what FINN's build writes."""
    rooms = (folder / MODELS, folder)
    return any((room / f"{step}.onnx").is_file() for room in rooms for step in STEPS)


def onnx_or_finn(path: str | Path) -> Any:
    """The ``onnx.ModelProto`` that the importer reads of an ONNX file, FINN's nodes made plain."""
    model = load_model(path)
    return finn_to_onnx(path) if is_finn_model(model) or partitions(model) else model


def finn_to_onnx(path: str | Path) -> Any:
    """The same of a file or a build's folder that holds FINN's nodes."""
    return translated(read_build(Path(path), None).model, str(path)).model


def as_built(path: str | Path) -> Any:
    """FINN's own nodes: a build's model, a file with its partitions in place, or any other as it is."""
    file = Path(path)
    return read_build(file, None).model if file.is_dir() else whole_model(file)
