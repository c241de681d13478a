"""Any file or folder of a trained network: what it is, and the one way that it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnsim.importers.bnn_pynq.network import import_bnn_pynq, told_topology
from bnnsim.importers.dabnn.network import dab_to_onnx
from bnnsim.importers.draft.write import ImportedNetwork
from bnnsim.importers.finn.build import finn_to_onnx, is_finn_build, onnx_or_finn
from bnnsim.importers.foreign.formats import (
    BNN_PYNQ,
    DABNN,
    FINN,
    FOLDER,
    KERAS,
    KERAS_JSON,
    MXNET,
    MXNET_PARAMETERS,
    ONNX,
    TFLITE,
    Format,
    check_readable,
    format_beside,
    format_of,
)
from bnnsim.importers.foreign.pairs import structure_beside, weights_beside
from bnnsim.importers.keras.file import holds_weights_alone
from bnnsim.importers.keras.network import keras_to_onnx
from bnnsim.importers.mxnet.network import mxnet_to_onnx
from bnnsim.importers.onnx.lowering import SignOfZero
from bnnsim.importers.onnx.network import (
    DEFAULT_FIXED,
    ImageRange,
    import_options,
    write_model,
)
from bnnsim.importers.tflite.network import tflite_to_onnx
from bnnsim.spec.faults import InputError

_READERS: dict[Format, Callable[..., Any]] = {
    ONNX: onnx_or_finn,
    KERAS: keras_to_onnx,
    FINN: finn_to_onnx,
    TFLITE: tflite_to_onnx,
    DABNN: dab_to_onnx,
    KERAS_JSON: keras_to_onnx,
    MXNET: mxnet_to_onnx,
}
"""Who reads a network's file; of formats that leave the input's shape open, with the file of the weights
and the shape that the user says."""
_SHAPED = (KERAS, KERAS_JSON, MXNET)
_WITH_WEIGHTS = (KERAS_JSON, MXNET)
"""Formats of structures whose weights are in another file."""
_ALONE = tuple(one for one in _READERS if one not in _WITH_WEIGHTS)
"""Formats whose files are a network by themselves."""


@dataclass(frozen=True)
class Found:
    """A model's file and its format; ``weights``: the file of those, where they lie apart."""

    file: Path
    format: Format
    weights: Path | None = None

    def __str__(self) -> str:
        if self.weights is None:
            return f"{self.file}: {self.format.name}"
        return f"{self.file}: {self.format.name}, which are in {self.weights}"

    def model(self, input_shape: Sequence[int] | None = None) -> Any:
        """The ``onnx.ModelProto`` that the importer reads from it. Raises :class:`InputError`.

        ``input_shape``: what the user says where the file leaves sizes open.
        """
        if self.format not in _READERS:
            raise InputError(str(self.file), "a model that can be read", self.format.name)
        if self.format in _SHAPED:
            return _READERS[self.format](self.file, self.weights, input_shape)
        return _READERS[self.format](self.file)


def import_model(
    path: str | Path,
    out_dir: str | Path,
    name: str | None = None,
    *,
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: ImageRange | None = None,
    sign_of_zero: SignOfZero = "exact",
    output: str | None = None,
    real_layers: str | None = None,
    input_shape: Sequence[int] | None = None,
    force: bool = False,
) -> ImportedNetwork:
    """Find out by its content what ``path`` is, import it, and write ``<name>.yaml`` and ``<name>.npz``.

    Args:
        path: a model's file, or a folder that holds one model.
        out_dir: where workload and weights go.
        name: the workload's name; default: the file's.
        fixed: the type of layers that stay in fixed point, or ``auto``.
        input_type: the type of an image's elements, for models that take raw pixels.
        image_range: the numbers that pixels 0 and 255 stand for, or such a pair for each channel.
        sign_of_zero: ``exact`` as the model's operators, ``plus`` where +1 may stand for it.
        output: the only output to keep of several; default: all.
        real_layers: the type (int4 .. int16) to which real-valued weights are rounded; default:
            they are refused.
        input_shape: of one input, without the batch, as the model takes it; where its file leaves
            sizes open.
        force: replace files of that name that hold something else.

    Returns:
        The workload, the files, and what the user should know about them.

    Raises:
        InputError: the file is of no format that is read (with what to do), cannot be read, or holds
            what has no place in a binary network; nothing is written then.

    Example:
        >>> from bnnsim import import_model
        >>> import_model("tfc.onnx", "networks").workload.name
        'tfc'
    """
    options = import_options(
        fixed, input_type, image_range, sign_of_zero, output, real_layers, input_shape
    )
    found = found_model(path)
    if found.format is BNN_PYNQ:
        return import_bnn_pynq(found.file, told_topology(found.file), out_dir, name, force=force)
    shape = options.input_shape
    return write_model(lambda _: found.model(shape), found.file, out_dir, name, options, force)


def found_model(path: str | Path) -> Found:
    """What a file, or a folder with one model in it, is.

    Raises :class:`InputError` where it is none that is read, or a folder holds none or several.
    """
    place = Path(path)
    check_readable(place, "a model's file or folder")
    found = format_of(place)
    if found is FOLDER and is_finn_build(place):
        return Found(place, FINN)
    if found is FOLDER:
        return _only_model(place)
    if found is None:
        known = ", ".join(one.name for one in (*_ALONE, BNN_PYNQ))
        raise InputError(str(path), f"a model ({known})", "a file of no known format")
    model = _as_model(place, found)
    if model is None:
        raise InputError(str(path), "a model that can be read", f"{found.name}: {found.way}")
    return model


def _as_model(file: Path, found: Format) -> Found | None:
    """A file as a model, with the file that belongs to it; None where its format is not read."""
    if found in _WITH_WEIGHTS:
        return Found(file, found, weights_beside(file, found))
    if found is MXNET_PARAMETERS:
        return Found(structure_beside(file, found), MXNET, file)
    if found is KERAS and holds_weights_alone(file):
        return Found(structure_beside(file, found), KERAS_JSON, file)
    return Found(file, found) if found in (*_ALONE, BNN_PYNQ) else None


def _only_model(folder: Path) -> Found:
    formats = {one: format_beside(one) for one in sorted(folder.iterdir()) if one.is_file()}
    structures = [one for one, found in formats.items() if found in _WITH_WEIGHTS]
    models = [one for one, found in formats.items() if found in _ALONE]
    if structures:
        models = structures + [one for one in models if formats[one] is not KERAS]
    if len(models) != 1:
        got = ", ".join(one.name for one in models) or "none"
        raise InputError(str(folder), "a folder with one model in it", got)
    return found_model(models[0])
