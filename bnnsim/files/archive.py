"""Reading and writing .npz files: no pickle, faults as sentences, the same bytes each time."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnsim.files.whole import no_place, replace_files
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


def npz_bytes(arrays: Arrays) -> bytes:
    """An .npz archive of ``arrays``: in their order, compressed, without times or pickles.

    Equal arrays in equal order give equal bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _EARLIEST_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix everywhere, or the bytes differ between systems
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(entry, content.getvalue())
    return buffer.getvalue()


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write :func:`npz_bytes` to a file that is whole or not there.

    Raises :class:`InputError` where the folder cannot be written.
    """
    try:
        replace_files({path: npz_bytes(arrays)})
    except OSError as error:
        raise no_place(path, error) from None
