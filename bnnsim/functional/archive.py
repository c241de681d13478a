"""Reading and writing .npz files: no pickle, faults as sentences, the same bytes each time."""

from __future__ import annotations

import io
import os
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnsim.spec.faults import InputError

Arrays = Mapping[str, NDArray[Any]]

_EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)
"""The first date a zip entry can carry; a fixed one makes equal content equal bytes."""

_DAMAGED = (
    ValueError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    KeyError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,
    NotImplementedError,
    RuntimeError,
)
"""What numpy and zipfile raise for headers and bytes that no writer of theirs makes."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an .npz by name.

    Raises :class:`InputError` where the file is missing, cut short, no .npz, or holds pickled
    objects.
    """
    loaded = _read(path, "an .npz file")
    if isinstance(loaded, dict):
        return loaded
    raise InputError(str(path), "an .npz file", "a single array (.npy)")


def read_array(path: Path) -> NDArray[Any]:
    """The array of an .npy. Raises :class:`InputError` as :func:`read_arrays` does."""
    loaded = _read(path, "an .npy file")
    if isinstance(loaded, dict):
        raise InputError(str(path), "an .npy file", "an .npz archive")
    return loaded


def _read(path: Path, expected: str) -> NDArray[Any] | dict[str, NDArray[Any]]:
    place = str(path)
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return np.asarray(loaded)
        with loaded:
            return {name: np.asarray(loaded[name]) for name in loaded.files}
    except FileNotFoundError:
        raise InputError(place, expected, "no such file") from None
    except IsADirectoryError:
        raise InputError(place, expected, "a folder") from None
    except PermissionError:
        raise InputError(place, expected, "a file that may not be read") from None
    except (MemoryError, OverflowError):
        raise InputError(place, expected, "an array larger than memory") from None
    except _DAMAGED as error:
        raise InputError(place, expected, _reason(error)) from None


def _reason(error: Exception) -> str:
    text = str(error)
    if "pickle" in text.lower() or "object arrays" in text.lower():
        return "pickled Python objects, which are never loaded, or a file of another kind"
    return f"a damaged or cut-off file ({text or type(error).__name__})"


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write a compressed .npz beside ``path`` and rename it into place.

    Equal arrays in equal order give equal bytes. Raises :class:`InputError` where the folder cannot
    be written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _EARLIEST_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix everywhere, or the bytes differ between systems
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(entry, content.getvalue())
    try:
        _replace(path, buffer.getvalue())
    except OSError as error:
        raise InputError(str(path), "a place to write", error.strerror or str(error)) from None


def _replace(path: Path, content: bytes) -> None:
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(beside, 0o666 & ~mask)  # mkstemp's own mode is for its owner alone
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
