"""Pictures to frames: what the network's input says a pixel means.

Frames hold elements ``(n, channels, height, width)``: uint8 bits {0,1} where the input is bipolar (1
is +1), else the type's integers, int32 or int64.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Network
from bnnsim.functional.input.pictures import load_images
from bnnsim.functional.layers.fixed_point import thermometer
from bnnsim.functional.tensors.elements import check_elements, element_dtype, element_limits
from bnnsim.spec.faults import InputError
from bnnsim.spec.workload import InputSpec

__all__ = ["check_frames", "frames_from_images", "load_images", "pixel_table", "random_frames"]



def frames_from_images(network: Network, images: Integers, place: str = "images") -> Integers:
    """Frames of pictures; ``place`` names them in messages.

    ``images``: uint8 pixels, or elements of any other integer type as they are; ``(n, channels,
    height, width)``, ``(n, height, width, channels)`` where only that fits, ``(n, height, width)``
    for one channel, or any shape of as many values for an input of features. Pixels become elements
    as :class:`~bnnsim.spec.workload.InputSpec` says; where an ``image_range`` does, other integers
    are refused, since nothing tells a pixel saved as int64 from an element.
    Raises :class:`InputError` for shapes and values that do not fit.
    """
    spec = network.workload.input
    if images.dtype.kind not in "iu":
        raise InputError(place, "uint8 pixels, or integers as frames", f"{images.dtype}")
    if images.ndim == 0:
        raise InputError(place, "an array of images (n, ...)", "a single number")
    if not len(images):
        raise InputError(place, "at least one image", "none")
    if spec.image_range is not None and images.dtype != np.uint8:
        expected = (
            "pixels as uint8 (the workload's image_range maps them), "
            "or a workload without image_range for elements"
        )
        raise InputError(place, expected, f"{images.dtype}")
    if spec.thermometer and images.dtype == np.uint8:
        channels, height, width = spec.shape
        colours = [channels // spec.thermometer, height, width]
        pixels = _arranged(spec.model_copy(update={"shape": colours}), images, place)
        return (thermometer(pixels, spec.thermometer) > 0).astype(np.uint8)
    arranged = _arranged(spec, images, place)
    if images.dtype == np.uint8:
        elements = pixel_table(spec, arranged, place)[arranged]
    else:
        check_elements(arranged, spec.type, place)
        elements = arranged.astype(element_dtype(spec.type))
    if spec.pad_to is not None:
        padding = (spec.pad_value > 0) if spec.type.is_bipolar else spec.pad_value
        missing = ((0, 0), (0, spec.pad_to - elements.shape[1]))
        elements = np.pad(elements, missing, constant_values=int(padding))
    return np.ascontiguousarray(elements.reshape(-1, *network.input.shape))


def check_frames(network: Network, frames: Integers, place: str = "frames") -> None:
    """Raise :class:`InputError` unless ``frames`` are elements of the network's input."""
    expected = network.input.shape
    if frames.ndim != 4 or frames.shape[1:] != expected:
        raise InputError(place, f"frames of shape {list(expected)}", f"{list(frames.shape)}")
    if frames.dtype.kind not in "iu":
        raise InputError(place, "integers", f"{frames.dtype}")
    check_elements(frames, network.input.type, place)


def random_frames(network: Network, count: int, seed: int) -> Integers:
    """``count`` frames of elements drawn uniformly; the same seed gives the same frames."""
    low, high = element_limits(network.input.type)
    rng = np.random.default_rng(seed)
    shape = (count, *network.input.shape)
    return rng.integers(low, high, shape, element_dtype(network.input.type), endpoint=True)


def pixel_table(spec: InputSpec, pixels: Integers, place: str) -> Integers:
    """What each of the 256 pixel values becomes: int ``(256,)``.

    With ``image_range`` ``[a, b]`` pixel p stands for a + p / 255 (b - a), computed exactly, times
    the type's 2**fraction_bits, rounded half up and clipped; bipolar is +1 iff that is >= 0. Without
    it a pixel is the integer it is; raises :class:`InputError` where one of ``pixels`` does not fit.
    """
    dtype = element_dtype(spec.type)
    if spec.image_range is None:
        if spec.type.is_bipolar:
            raise InputError(place, "an image_range in the workload's input", "pixels for bipolar bits")
        check_elements(pixels, spec.type, place)
        return np.arange(256).astype(dtype)
    # As decimal text: 0.1 in a workload means one tenth, not the nearest binary fraction.
    low, high = (Fraction(str(bound)) for bound in spec.image_range)
    values = [low + Fraction(p, 255) * (high - low) for p in range(256)]
    if spec.type.is_bipolar:
        return np.array([value >= 0 for value in values], dtype)
    scale, half = 1 << spec.type.fraction_bits, Fraction(1, 2)
    rounded = [(value * scale + half).__floor__() for value in values]
    return np.array([min(max(r, spec.type.minimum), spec.type.maximum) for r in rounded], dtype)


def _arranged(spec: InputSpec, images: Integers, place: str) -> Integers:
    """Images as ``(n, *spec.shape)``."""
    shape, given = tuple(spec.shape), images.shape[1:]
    if images.ndim >= 2 and given == shape:
        return images
    if len(shape) == 1:
        if images.ndim >= 2 and int(np.prod(given)) == shape[0]:
            return images.reshape(len(images), -1)
        raise InputError(place, f"pictures of {shape[0]} values", _shown(images))
    channels, height, width = shape
    if channels == 1 and given == (height, width):
        return images[:, np.newaxis]
    if height == 1 and given == (channels, width):  # steps in one dimension
        return images[:, :, np.newaxis]
    if len(given) > 3 and given[-2:] == (height, width) and int(np.prod(given[:-2])) == channels:
        return images.reshape(len(images), *shape)  # volumes, whose depth is among the channels
    if given == (height, width, channels):
        return images.transpose(0, 3, 1, 2)
    expected = f"pictures of shape {list(shape)} or {[height, width, channels]}"
    raise InputError(place, expected, _shown(images))


def _shown(images: Integers) -> str:
    return f"{list(images.shape[1:])} (array {list(images.shape)})"
