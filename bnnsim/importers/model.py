"""Any file or folder of a trained network: what it is, and the one way that it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bnnsim.importers.bnn_pynq.network import import_bnn_pynq, told_topology
from bnnsim.importers.draft.write import ImportedNetwork
from bnnsim.importers.foreign.formats import (
    BNN_PYNQ,
    FOLDER,
    KERAS,
    ONNX,
    Format,
    check_readable,
    format_of,
)
from bnnsim.importers.keras.network import keras_to_onnx
from bnnsim.importers.onnx.file import load_model
from bnnsim.importers.onnx.lowering import SignOfZero
from bnnsim.importers.onnx.network import DEFAULT_FIXED, import_options, write_model
from bnnsim.spec.faults import InputError

_READERS = {ONNX: load_model, KERAS: keras_to_onnx}
"""Formats whose files are a network by themselves."""


def import_model(
    path: str | Path,
    out_dir: str | Path,
    name: str | None = None,
    *,
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: tuple[float, float] | None = None,
    sign_of_zero: SignOfZero = "exact",
    output: str | None = None,
    real_layers: str | None = None,
    force: bool = False,
) -> ImportedNetwork:
    """Find out by its content what ``path`` is, import it, and write ``<name>.yaml`` and ``<name>.npz``.

    Args:
        path: a model's file, or a folder that holds one model.
        out_dir: where workload and weights go.
        name: the workload's name; default: the file's.
        fixed: the type of layers that stay in fixed point, or ``auto``.
        input_type: the type of an image's elements, for models that take raw pixels.
        image_range: the numbers that pixels 0 and 255 stand for.
        sign_of_zero: ``exact`` as the model's operators, ``plus`` where +1 may stand for it.
        output: the only output to keep of several; default: all.
        real_layers: the type (int4 .. int16) to which real-valued weights are rounded; default:
            they are refused.
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
    options = import_options(fixed, input_type, image_range, sign_of_zero, output, real_layers)
    file, found = found_model(path)
    if found is BNN_PYNQ:
        return import_bnn_pynq(file, told_topology(file), out_dir, name, force=force)
    return write_model(model_of, file, out_dir, name, options, force)


def model_of(path: str | Path) -> Any:
    """The ``onnx.ModelProto`` that the importer reads from a file. Raises :class:`InputError`."""
    file, found = found_model(path)
    if found not in _READERS:
        raise InputError(str(path), "a model that can be read", found.name)
    return _READERS[found](file)


def found_model(path: str | Path) -> tuple[Path, Format]:
    """A model's file (a folder's only one), and its format.

    Raises :class:`InputError` where it is none that is read, or a folder holds none or several.
    """
    place = Path(path)
    check_readable(place, "a model's file or folder")
    found = format_of(place)
    if found is FOLDER:
        return _only_model(place)
    if found is None:
        known = ", ".join(one.name for one in (*_READERS, BNN_PYNQ))
        raise InputError(str(path), f"a model ({known})", "a file of no known format")
    if found not in (*_READERS, BNN_PYNQ):
        raise InputError(str(path), "a model that can be read", f"{found.name}: {found.way}")
    return place, found


def _only_model(folder: Path) -> tuple[Path, Format]:
    formats = {one: format_of(one) for one in sorted(folder.iterdir()) if one.is_file()}
    models = [(one, found) for one, found in formats.items() if found in _READERS]
    if len(models) != 1:
        got = ", ".join(one.name for one, _ in models) or "none"
        raise InputError(str(folder), "a folder with one model in it", got)
    file, found = models[0]
    assert found is not None
    return file, found
