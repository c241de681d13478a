"""Reading and writing .npz files: headers first, no pickle, faults as sentences, equal bytes always."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bnnsim.files.boundary import reason_of, unremarked
from bnnsim.files.whole import no_place, replace_files
from bnnsim.spec.bounds import MAX_ARRAY_BYTES, MAX_ARRAYS
from bnnsim.spec.faults import InputError, SpecError

Arrays = Mapping[str, NDArray[Any]]

_EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)
"""The first date a zip entry can carry; a fixed one makes equal content equal bytes."""
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_PICKLED = "pickled Python objects, which are never loaded, or a file of another kind"


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an .npz by name.

    Raises :class:`InputError` where the file is missing, cut short, no .npz, holds pickled objects, or
    would unpack to more than ``MAX_ARRAY_BYTES``, which its headers tell before anything is unpacked.
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
        with path.open("rb") as file, unremarked():
            start = file.read(4)
            file.seek(0)
            if start in _ZIP_STARTS:
                return _members(file, place)
            if not np.lib.format.MAGIC_PREFIX.startswith(start) or not start:
                raise InputError(place, expected, _PICKLED)
            _check_sizes({"": _bytes_of(file)}, place)
            file.seek(0)
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except SpecError:
        raise
    except FileNotFoundError:
        raise InputError(place, expected, "no such file") from None
    except IsADirectoryError:
        raise InputError(place, expected, "a folder") from None
    except PermissionError:
        raise InputError(place, expected, "a file that may not be read") from None
    except (MemoryError, OverflowError):
        raise InputError(place, expected, "an array larger than memory") from None
    except Exception as error:  # of zipfile, its compressors and numpy, which have no common class
        raise InputError(place, expected, _reason(error)) from None


def _members(file: IO[bytes], place: str) -> dict[str, NDArray[Any]]:
    """The arrays of an archive, once every header has told its size."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if len(names) > MAX_ARRAYS:
            raise InputError(place, f"at most {MAX_ARRAYS} arrays", str(len(names)))
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(place, "arrays of different names", f"{twice!r} twice")
        held = [name for name in names if name.endswith(".npy")]
        sizes = {}
        for name in held:
            with archive.open(name) as member:
                sizes[name] = _bytes_of(member)
        _check_sizes(sizes, place)
        # What is no array is there by name, empty, for whoever knows which names there may be.
        others = (name for name in names if name not in held)
        arrays: dict[str, NDArray[Any]] = {name: np.empty(0, np.uint8) for name in others}
        for name in held:
            with archive.open(name) as member:
                found = np.lib.format.read_array(member, allow_pickle=False)
                arrays[name.removesuffix(".npy")] = np.asarray(found)
        return arrays


def _bytes_of(file: IO[bytes]) -> int:
    """How many bytes an array takes, from its header alone."""
    version = np.lib.format.read_magic(file)
    shape, _, dtype = _HEADERS.get(version, np.lib.format.read_array_header_2_0)(file)
    if dtype.hasobject:
        raise ValueError("object arrays")
    if any(not isinstance(size, int) or size < 0 for size in shape):
        raise ValueError(f"shape {shape}")
    return math.prod(shape) * dtype.itemsize


def _check_sizes(sizes: Mapping[str, int], place: str) -> None:
    total = sum(sizes.values())
    if total > MAX_ARRAY_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        got = f"{total:,}"
        if largest:
            got += f" ({largest.removesuffix('.npy')} alone {sizes[largest]:,})"
        raise InputError(place, f"arrays of at most {MAX_ARRAY_BYTES:,} bytes", got)


def _reason(error: Exception) -> str:
    text = reason_of(error)
    if "pickle" in text.lower() or "object arrays" in text.lower():
        return _PICKLED
    return f"a damaged or cut-off file ({text})"


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
