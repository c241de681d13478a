"""Keras models (.h5, .keras) read without TensorFlow: the layers' configurations and their weights."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bnnsim.files.boundary import foreign_file
from bnnsim.files.limited_process import read_limited
from bnnsim.importers.foreign.formats import KERAS, check_format
from bnnsim.importers.foreign.settings import check_settings
from bnnsim.importers.keras.structure import called_on, output_layers, plain_kind
from bnnsim.importers.keras.understood import LAYERS, MODEL
from bnnsim.importers.keras.weights import Owner, weights_by_count, weights_by_name
from bnnsim.importers.onnx.graph import Array
from bnnsim.spec.faults import InputError, near_names

_MOST_BYTES = 1 << 31
"""A member of a .keras archive that unpacks to more than this is refused."""
_WHOLE = "a whole Keras file"
_Find = Callable[[Sequence[Owner]], list[dict[str, Array]]]


@dataclass(frozen=True)
class KerasLayer:
    """One layer: what Keras wrote about it. ``kind`` is its class without a package prefix."""

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: Mapping[str, Array]
    place: str

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this layer."""
        return InputError(f"{self.place} ({self.kind})", expected, str(got))

    def weight(self, name: str, shape: Sequence[int]) -> Array:
        """A weight, which must have this shape. Raises :class:`InputError`."""
        found = self.weights[name]
        if found.shape != tuple(shape):
            expected = f"a {name} of shape {[int(size) for size in shape]}"
            raise self.fault(expected, list(found.shape))
        return found


@dataclass(frozen=True)
class KerasModel:
    """Layers in the order of the file, and the names of those whose outputs are the model's."""

    layers: tuple[KerasLayer, ...]
    outputs: tuple[str, ...]


def read_keras(path: str | Path) -> KerasModel:
    """The layers of a Sequential or Functional model.

    Raises :class:`InputError` where h5py is missing, the file is broken, or holds weights without a
    model, a layer or setting that is not understood, or weights that belong to no layer.
    """
    h5py = _h5py(str(path))
    file = Path(path)
    check_format(file, KERAS)
    with foreign_file(path, _WHOLE):
        return read_limited(lambda: _read(h5py, file), str(path), _WHOLE)


def _read(h5py: Any, file: Path) -> KerasModel:
    """The model of a file; HDF5's library can turn without end on a damaged one."""
    with foreign_file(file, _WHOLE):
        if zipfile.is_zipfile(file):
            return _from_archive(h5py, file)
        with h5py.File(file, "r") as content:
            config = content.attrs.get("model_config")
            if config is None:
                raise InputError(str(file), "a model saved with its structure", "weights alone")
            store = content.get("model_weights", content)

            def find(owners: Sequence[Owner]) -> list[dict[str, Array]]:
                return weights_by_name(store, owners, str(file))

            return _model(json.loads(config), find, file)


def _h5py(place: str) -> Any:
    try:
        import h5py
    except ImportError:
        raise InputError(
            place, "the package h5py (pip install 'bnnsim[onnx]')", "it is not installed"
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
    config = model.get("config", {})
    entries = config if isinstance(config, list) else config.get("layers", [])
    if model.get("class_name") not in ("Sequential", "Functional", "Model"):
        expected = "a Sequential or Functional model"
        raise InputError(str(file), expected, str(model.get("class_name")))
    if isinstance(config, dict):
        check_settings(lambda expected, got: InputError(str(file), expected, str(got)), MODEL, config)
    layers: list[KerasLayer] = []
    for entry in entries:
        layers.append(_layer(entry, layers[-1].name if layers else "", file))
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{file}: {name}", "layers of different names", "two of one name")
    owners = [
        Owner(layer.name, layer.kind, f"{layer.place} ({layer.kind})", _names(layer)) for layer in layers
    ]
    weights = find(owners)
    filled = tuple(replace(one, weights=found) for one, found in zip(layers, weights, strict=True))
    return KerasModel(filled, _outputs(config, layers, file))


def _names(layer: KerasLayer) -> tuple[str, ...]:
    return LAYERS[layer.kind].weight_names(layer.config)


def _layer(entry: Any, previous: str, file: Path) -> KerasLayer:
    settings = entry["config"]
    name = str(settings.get("name", entry.get("name", entry["class_name"])))
    kind = plain_kind(entry)
    layer = KerasLayer(name, kind, settings, (), {}, f"{file}: {name}")
    if kind not in LAYERS:
        near = near_names(kind, LAYERS)
        expected = f"a layer that can be imported ({', '.join(sorted(LAYERS))})"
        raise InputError(layer.place, expected, kind, near)
    check_settings(layer.fault, LAYERS[kind].settings, settings)
    if "inbound_nodes" in entry:
        return replace(layer, inputs=called_on(layer.fault, entry["inbound_nodes"]))
    return replace(layer, inputs=(previous,) if previous else ())


def _outputs(config: Any, layers: Sequence[KerasLayer], file: Path) -> tuple[str, ...]:
    """The layers that the model names as its outputs; else those that no other layer reads."""
    said = config.get("output_layers") if isinstance(config, dict) else None
    if said:
        return output_layers(str(file), said)
    read = {name for layer in layers for name in layer.inputs}
    return tuple(layer.name for layer in layers if layer.name not in read)
