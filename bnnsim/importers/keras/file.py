"""Keras models (.h5, .keras) read without TensorFlow: the layers' configurations and their weights."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnsim.files.boundary import foreign_file
from bnnsim.files.limited_process import read_limited
from bnnsim.importers.foreign.formats import KERAS, KERAS_JSON, check_format
from bnnsim.importers.keras.structure import Structure, structure_of
from bnnsim.importers.keras.understood import LAYERS
from bnnsim.importers.keras.unrolling import KerasLayer, Unrolled
from bnnsim.importers.keras.weights import (
    ROOTS,
    Owner,
    Weights,
    weights_by_count,
    weights_by_name,
)
from bnnsim.spec.faults import InputError

_MOST_BYTES = 1 << 31
"""A member of a .keras archive that unpacks to more than this is refused."""
_WHOLE = "a whole Keras file"
_Find = Callable[[Sequence[Owner]], Weights]


@dataclass(frozen=True)
class KerasModel:
    """Layers in the order of the file, and the names of those whose outputs are the model's."""

    layers: tuple[KerasLayer, ...]
    outputs: tuple[str, ...]


def read_keras(path: str | Path, weights: Path | None = None) -> KerasModel:
    """The layers of a Sequential or Functional model.

    ``weights``: the file of a model whose structure (``path``, JSON) was saved apart from them. Raises
    :class:`InputError` where h5py is missing, the file is broken, or holds weights without a model, a
    layer or setting that is not understood, or weights that belong to no layer.
    """
    h5py = _h5py(str(path))
    file = Path(path)
    check_format(file, KERAS if weights is None else KERAS_JSON)
    if weights is not None:
        check_format(weights, KERAS)
    with foreign_file(path, _WHOLE):
        return read_limited(lambda: _read(h5py, file, weights), str(path), _WHOLE)


def holds_weights_alone(file: Path) -> bool:
    """Whether a Keras file is an HDF5 file without a model's structure. Raises :class:`InputError`."""
    h5py = _h5py(str(file))

    def has_none() -> bool:
        with foreign_file(file, _WHOLE), h5py.File(file, "r") as content:
            return "model_config" not in content.attrs

    with foreign_file(file, _WHOLE):
        return not zipfile.is_zipfile(file) and read_limited(has_none, str(file), _WHOLE)


def _read(h5py: Any, file: Path, weights: Path | None) -> KerasModel:
    """The model of a file; HDF5's library can turn without end on a damaged one."""
    with foreign_file(file, _WHOLE):
        if weights is not None:
            model = json.loads(file.read_bytes())
            with foreign_file(weights, _WHOLE), h5py.File(weights, "r") as content:
                return _stored_in(model, content, file, weights)
        if zipfile.is_zipfile(file):
            return _from_archive(h5py, file)
        with h5py.File(file, "r") as content:
            config = content.attrs.get("model_config")
            if config is None:
                raise InputError(str(file), "a model saved with its structure", "weights alone")
            return _stored_in(json.loads(config), content, file, file)


def _stored_in(model: Any, content: Any, file: Path, weights: Path) -> KerasModel:
    """A model with the weights of an open HDF5 file: by name, or as an archive counts them."""
    if any(root in content for root in ROOTS) and "layer_names" not in content.attrs:
        return _model(model, lambda owners: weights_by_count(content, owners, "", str(weights)), file)
    store = content.get("model_weights", content)
    return _model(model, lambda owners: weights_by_name(store, owners, str(weights)), file)


def _h5py(place: str) -> Any:
    try:
        import h5py
    except ImportError:
        raise InputError(
            place, "the package h5py (pip install h5py)", "it is not installed"
        ) from None
    return h5py


def _from_archive(h5py: Any, file: Path) -> KerasModel:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.file_size > _MOST_BYTES:
                raise InputError(str(file), "members of at most 2 GB", f"{member.filename}")
        model = json.loads(archive.read("config.json"))
        has_version = "metadata.json" in archive.namelist()
        metadata = json.loads(archive.read("metadata.json")) if has_version else {}
        data = archive.read("model.weights.h5")
    version = str(metadata.get("keras_version", ""))
    with h5py.File(io.BytesIO(data), "r") as content:
        return _model(model, lambda owners: weights_by_count(content, owners, version, str(file)), file)


def _model(model: Any, find: _Find, file: Path) -> KerasModel:
    structure = structure_of(model, str(file))
    weights = find(_owners(structure, ()))
    unrolled = Unrolled(structure, weights, str(file))
    return KerasModel(tuple(unrolled.layers), unrolled.outputs)


def _owners(structure: Structure, path: tuple[str, ...]) -> tuple[Owner, ...]:
    return tuple(
        Owner(
            (*path, entry.name),
            entry.group,
            f"{entry.place} ({entry.kind})",
            LAYERS[entry.kind].weight_names(entry.config) if entry.kind in LAYERS else (),
            () if entry.inner is None else _owners(entry.inner, (*path, entry.name)),
        )
        for entry in structure.entries
    )
