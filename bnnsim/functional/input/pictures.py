"""Pictures from files: .npz, .npy, and whatever pillow opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Network
from bnnsim.files.archive import read_array, read_arrays
from bnnsim.files.boundary import reason_of, unremarked
from bnnsim.spec.bounds import MAX_PIXELS
from bnnsim.spec.faults import InputError, SpecError, near_names

IMAGES = "images_u8"
LABELS = "labels"
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP", "TGA")
"""Pillow's names for the files that it reads itself (for others it starts programs)."""
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
"""Pillow's names for pictures of 8 bits a channel or less."""


def load_images(
    network: Network, paths: Sequence[str | Path]
) -> tuple[Integers, NDArray[np.int64] | None]:
    """Images of all files in order, and their labels int64 ``(n,)`` where every file has some.

    An .npz holds ``images_u8`` ``(n, ...)`` and perhaps ``labels`` ``(n,)``; an .npy pixels uint8 or
    frames of another integer type, several or a single one; any other file is a picture, which must
    have the input's size: nothing is resized. Raises :class:`InputError`.
    """
    if not paths:
        raise InputError("images", "at least one file", "none")
    images: list[Integers] = []
    labels: list[NDArray[np.int64] | None] = []
    for path in map(Path, paths):
        image, label = _load(network, path)
        first = images[0] if images else image
        if image.shape[1:] != first.shape[1:] or image.dtype != first.dtype:
            expected = f"images as in {paths[0]}, {first.dtype} {list(first.shape[1:])}"
            raise InputError(str(path), expected, f"{image.dtype} {list(image.shape[1:])}")
        if not len(image):
            raise InputError(str(path), "at least one image", "none")
        images.append(image)
        labels.append(label)
    known = [label for label in labels if label is not None]
    all_labels = np.concatenate(known) if len(known) == len(labels) else None
    return np.concatenate(images), all_labels


def _load(network: Network, path: Path) -> tuple[Integers, NDArray[np.int64] | None]:
    kind = path.suffix.lower()
    if kind == ".npz":
        return _from_archive(path)
    if kind == ".npy":
        array = read_array(path)
        _check_integers(array, str(path))
        if array.ndim == 0:
            raise InputError(str(path), "an array of images (n, ...)", "a single number")
        return (array[np.newaxis] if _is_single(network, array) else array), None
    return _from_picture(network, path)[np.newaxis], None


def _from_archive(path: Path) -> tuple[Integers, NDArray[np.int64] | None]:
    arrays = read_arrays(path)
    if IMAGES not in arrays:
        near = near_names(IMAGES, arrays)
        raise InputError(str(path), f"the key {IMAGES}", ", ".join(arrays) or "no array", near)
    images = arrays[IMAGES]
    place = f"{path}: {IMAGES}"
    if images.dtype != np.uint8:
        raise InputError(place, "uint8 pixels", f"{images.dtype}")
    if images.ndim < 2:
        raise InputError(place, "an array (n, ...)", f"shape {list(images.shape)}")
    if LABELS not in arrays:
        return images, None
    labels = arrays[LABELS]
    _check_integers(labels, f"{path}: {LABELS}")
    if labels.shape != (len(images),):
        raise InputError(f"{path}: {LABELS}", f"shape [{len(images)}]", f"{list(labels.shape)}")
    if labels.size and int(labels.max()) > np.iinfo(np.int64).max:
        raise InputError(f"{path}: {LABELS}", "classes", str(labels.max()))
    return images, labels.astype(np.int64)


def _check_integers(array: Integers, place: str) -> None:
    if array.dtype.kind not in "iu":
        raise InputError(place, "integers", f"{array.dtype}")


def _is_single(network: Network, array: Integers) -> bool:
    """Whether an array is one picture without an axis for many."""
    shape = tuple(network.workload.input.shape)
    if len(shape) == 1:
        return array.ndim == 1
    channels, height, width = shape
    singles = {shape, (height, width, channels)}
    if channels == 1:
        singles.add((height, width))
    return array.shape in singles


def _from_picture(network: Network, path: Path) -> Integers:
    """A picture's pixels uint8, channels first, or ``(height, width)`` for an input of features."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        expected = ".npz or .npy, or pillow to open pictures (pip install pillow)"
        raise InputError(str(path), expected, path.suffix or "a file without suffix") from None
    shape = tuple(network.workload.input.shape)
    try:
        # What pillow only warns of, already when it opens a picture, is bounded here.
        with unremarked(), Image.open(path, formats=_FORMATS) as picture:
            if picture.mode not in _MODES:
                raise InputError(str(path), "8 bits a channel", f"mode {picture.mode}")
            _check_size(shape, picture.size, path)
            has_colour = len(shape) == 3 and shape[0] == 3
            pixels = np.asarray(picture.convert("RGB" if has_colour else "L"))
    except FileNotFoundError:
        raise InputError(str(path), "a picture", "no such file") from None
    except IsADirectoryError:
        raise InputError(str(path), "a picture, .npz or .npy", "a folder") from None
    except UnidentifiedImageError:
        raise InputError(str(path), "a picture, .npz or .npy", "a file of another kind") from None
    except SpecError:
        raise
    except Exception as error:  # of pillow's many readers, which have no common class
        raise InputError(str(path), "a picture", f"a damaged file ({reason_of(error)})") from None
    if len(shape) == 1:
        return pixels
    return pixels.transpose(2, 0, 1) if has_colour else pixels[np.newaxis]


def _check_size(shape: tuple[int, ...], size: tuple[int, int], path: Path) -> None:
    """Compare a picture's (width, height) with the input's shape."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(str(path), f"a picture of at most {MAX_PIXELS:,} pixels", f"{width} x {height}")
    got = f"{width} x {height}"
    if len(shape) == 1:
        if width * height != shape[0]:
            raise InputError(str(path), f"a picture of {shape[0]} pixels", got)
        return
    if shape[0] not in (1, 3):
        raise InputError(str(path), f".npz or .npy with {shape[0]} channels", "a picture")
    if (height, width) != shape[1:]:
        raise InputError(str(path), f"a picture of {shape[2]} x {shape[1]} pixels", got)
