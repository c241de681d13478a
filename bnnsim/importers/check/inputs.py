"""What a check runs on: the workload's frames and the same inputs as the model takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import INPUT, Network
from bnnsim.files.archive import read_array, read_arrays
from bnnsim.functional.input.frames import frames_from_images, pixel_table, random_frames
from bnnsim.functional.input.pictures import IMAGES, load_images
from bnnsim.functional.tensors.elements import element_dtype, element_limits
from bnnsim.importers.check.claims import values_of
from bnnsim.importers.exact.channel_function import Affine, evaluate
from bnnsim.importers.onnx.lowering import FrameRule
from bnnsim.importers.onnx.network import LoweredModel
from bnnsim.reference.graph import ReferenceGraph
from bnnsim.spec.faults import InputError

Array = npt.NDArray[Any]
_STEPS = " in 255 steps"
_FLOAT32 = 2.0**-22
"""Two of float32's last bits: a pixel divided by 255 is stored with such an error."""


@dataclass(frozen=True)
class Inputs:
    """Pixels uint8 and frames of the input's type, one behind the other, each ``(n, channels, rows,
    columns)``; one of the two may be empty."""

    network: Network
    rule: FrameRule
    graph: ReferenceGraph
    channels_last: bool
    """Whether the model's input is of maps with their channels last."""
    levels: Mapping[int, float]
    """A real number for each integer of a frame, where the model quantises its input itself."""
    pixels: Array
    elements: Array

    def __len__(self) -> int:
        return len(self.pixels) + len(self.elements)

    def frames(self, start: int, end: int) -> Array:
        """Frames of the workload."""
        pixels, elements = self._parts(start, end)
        if not len(pixels):
            return elements
        made = frames_from_images(self.network, pixels)
        return np.concatenate([made, elements.astype(made.dtype)]) if len(elements) else made

    def reals(self, start: int, end: int) -> Array:
        """The same as the model's input takes them, float64, in its layout."""
        pixels, elements = self._parts(start, end)
        if self.rule.decode is not None:
            gain, offset = _of_channels(self.rule.decode)
            integers = values_of(self.network, {INPUT: self.frames(start, end)}, INPUT)
            values = gain * integers.astype(np.float64) + offset
            return in_layout(values, self.network, self.graph, self.channels_last)
        low, high = float(self.rule.low), float(self.rule.high)
        values = low + pixels.astype(np.float64) / 255 * (high - low)
        return np.concatenate(
            [
                in_layout(values, self.network, self.graph, self.channels_last),
                in_layout(
                    self._reals_of(elements), self.network, self.graph, self.channels_last
                ),
            ]
        )

    def _parts(self, start: int, end: int) -> tuple[Array, Array]:
        behind = max(0, start - len(self.pixels)), max(0, end - len(self.pixels))
        return self.pixels[start:end], self.elements[behind[0] : behind[1]]

    def _reals_of(self, elements: Array) -> Array:
        missing = [int(i) for i in np.unique(elements) if int(i) not in self.levels]
        if missing:
            expected = f"values of {self.network.input.type} that the model's input can give"
            raise InputError("frames", expected, str(missing[0]))
        lookup = np.vectorize(self.levels.__getitem__, otypes=[np.float64])
        return np.asarray(lookup(elements)) if elements.size else np.zeros(elements.shape)


def chosen_inputs(
    network: Network,
    lowered: LoweredModel,
    graph: ReferenceGraph,
    images: str | Path | None,
    random_inputs: int,
    seed: int,
) -> Inputs:
    """A file's inputs, or drawn ones. Raises :class:`InputError`.

    Pixels are drawn where the workload takes them, and elements where pixels do not reach all of the
    input's type.
    """
    rule, spec, shape = lowered.frame, network.workload.input, network.input.shape
    levels = _levels(lowered, network)
    channels_last = _channels_last(lowered, graph)
    no_pixels, no_elements = np.zeros((0, *shape), np.uint8), np.zeros((0, *shape), np.int64)
    has_pixels = spec.image_range is not None or not network.input.type.is_bipolar
    if images is not None:
        reals = _stored_reals(images)
        if reals is None:
            found = _arranged(load_images(network, [images])[0], network)
            are_pixels = found.dtype == np.uint8 and has_pixels
        else:
            found, are_pixels = from_reals(reals, network, lowered, graph, str(images))
        parts = (found, no_elements) if are_pixels else (no_pixels, found)
        return Inputs(network, rule, graph, channels_last, levels, *parts)
    if random_inputs < 1:
        raise InputError("random inputs", "at least 1", str(random_inputs))
    pixels, elements = _drawn(network, rule, sorted(levels), random_inputs, seed)
    return Inputs(network, rule, graph, channels_last, levels, pixels, elements)


def _drawn(
    network: Network, rule: FrameRule, known: list[int], count: int, seed: int
) -> tuple[Array, Array]:
    """Pixels, and elements (of the ``known`` ones where the model quantises its input itself)."""
    kind, spec, shape = network.input.type, network.workload.input, network.input.shape
    if spec.pad_to is not None:
        shape = (spec.shape[0], 1, 1)
    low, high = element_limits(kind)
    levels = len(known) if rule.decode is None else min(256, high - low + 1)
    reached = 0
    if spec.image_range is not None or (kind.kind == "uint" and kind.bits == 8):
        every = np.arange(256, dtype=np.uint8)
        reached = len(np.unique(pixel_table(spec, every, "pixels")))
    drawn = count // 2 if reached > 1 else count
    drawn = 0 if reached >= levels else drawn
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count - drawn, *shape), np.uint8)
    if rule.decode is not None:
        return pixels, random_frames(network, drawn, seed) if drawn else np.zeros(
            (0, *shape), np.int64
        )
    return pixels, rng.choice(np.array(known, element_dtype(kind)), (drawn, *shape))


def _of_channels(steps: Sequence[Affine]) -> tuple[Array, Array]:
    """Gains and offsets, for all channels or one each, to go with maps ``(n, channels, ...)``."""
    gain = np.array([float(step.gain) for step in steps]).reshape(-1, 1, 1)
    return gain, np.array([float(step.offset) for step in steps]).reshape(-1, 1, 1)


def _channels_last(lowered: LoweredModel, graph: ReferenceGraph) -> bool:
    """Whether the model's input lies rows, columns, channels, also where it is a vector."""
    return lowered.channels_last or (graph.channels_last and len(graph.input_shape) == 3)


def in_layout(
    values: Array, network: Network, graph: ReferenceGraph, channels_last: bool
) -> Array:
    """``(n, channels, rows, columns)`` as the model's input lies."""
    shape = graph.input_shape
    maps = values.reshape(len(values), *network.input.shape)
    if network.input.pixels > 1 and channels_last:
        maps = maps.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(maps.reshape(len(maps), *shape))


def _arranged(images: Array, network: Network) -> Array:
    """Pictures ``(n, channels, rows, columns)``, whichever of the two ways they lay."""
    channels, rows, columns = network.input.shape
    if images.shape[1:] == (rows, columns, channels) != (channels, rows, columns):
        images = images.transpose(0, 3, 1, 2)
    if images.size != len(images) * channels * rows * columns:
        return images  # frames_from_images says what is wrong
    return images.reshape(len(images), channels, rows, columns)


def _stored_reals(path: str | Path) -> Array | None:
    """The floats of an .npy, or of an .npz's only array; None where the file holds anything else."""
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        array = read_array(Path(path))
    elif suffix == ".npz":
        arrays = read_arrays(Path(path))
        if IMAGES in arrays:
            return None
        floats = [one for one in arrays.values() if one.dtype.kind == "f"]
        if len(floats) != 1:
            return None
        array = floats[0]
    else:
        return None
    return array if array.dtype.kind == "f" else None


def from_reals(
    reals: Array, network: Network, lowered: LoweredModel, graph: ReferenceGraph, place: str
) -> tuple[Array, bool]:
    """Floats in the model's range as pixels (True) or frames (False), exactly.

    ``reals``: any leading dimensions, then the model's input shape or the workload's (channels first,
    or last where only that fits). Raises :class:`InputError` where a value is none of the input's.
    """
    maps = _as_maps(reals, network, graph, _channels_last(lowered, graph), place)
    if not np.all(np.isfinite(maps)):
        raise InputError(place, "finite numbers", "infinite or NaN")
    best: tuple[float, int, str] | None = None
    for found, exact, said in _readings(maps, network, lowered):
        off = np.abs(maps - exact)
        beyond = off > _FLOAT32 * np.maximum(np.abs(exact), np.abs(maps).max(initial=0))
        if not beyond.any():
            return found, said.endswith(_STEPS)
        tried = (float(off.max()), int(np.count_nonzero(beyond)), said)
        best = tried if best is None or tried < best else best
    if best is None:
        raise InputError(place, f"frames of {network.input.type}", f"{reals.dtype}")
    worst, count, said = best
    expected = f"values that the input holds exactly ({said})"
    raise InputError(
        place, expected, f"{count} of {maps.size} that are off, the worst by {worst:.3g}"
    )


def _readings(
    maps: Array, network: Network, lowered: LoweredModel
) -> Iterator[tuple[Array, Array, str]]:
    """What floats may be for the workload (pixels, elements), the reals of that, and its name."""
    rule, spec, kind = lowered.frame, network.workload.input, network.input.type
    several = rule.decode is not None and len(rule.decode) > 1
    if not several and (spec.image_range is not None or (kind.kind == "uint" and kind.bits == 8)):
        low, high = float(rule.low), float(rule.high)
        pixels = np.clip(np.rint((maps - low) / (high - low) * 255), 0, 255)
        yield (
            pixels.astype(np.uint8),
            low + pixels / 255 * (high - low),
            f"{low:g} to {high:g}{_STEPS}",
        )
    binding = next((b for b in lowered.bindings.values() if b.base == INPUT), None)
    affine = None if binding is None else binding.function.shared_affine()
    steps = rule.decode or (() if affine is None else (affine,))
    if not steps or not all(step.gain for step in steps):
        return
    gain, offset = _of_channels(steps)
    real = (maps - offset) / gain
    if kind.is_bipolar:
        bits = (real >= 0).astype(np.uint8)
        ends = f"{float((offset + gain).max()):g} and {float((offset - gain).min()):g}"
        yield bits, gain * (2.0 * bits - 1) + offset, ends
    else:
        levels = np.clip(np.rint(real), kind.minimum, kind.maximum)
        yield (
            levels.astype(element_dtype(kind)),
            gain * levels + offset,
            f"{float(gain.flat[0]):g} times an element of {kind}",
        )


def _as_maps(
    reals: Array, network: Network, graph: ReferenceGraph, channels_last: bool, place: str
) -> Array:
    """Floats as ``(n, channels, rows, columns)``."""
    channels, rows, columns = network.input.shape
    first, last = (channels, rows, columns), (rows, columns, channels)
    ways = [last, first] if channels_last else [first, last]
    for way in ways:
        if reals.ndim >= 3 and reals.shape[-3:] == way:
            maps = reals.reshape(-1, *way).astype(np.float64)
            return maps if way == first else maps.transpose(0, 3, 1, 2)
    rank = len(graph.input_shape)
    if rank < 3 and rows * columns > 1 and reals.shape[-rank:] == tuple(graph.input_shape):
        maps = reals.reshape(-1, *ways[0]).astype(np.float64)
        return maps.transpose(0, 3, 1, 2) if channels_last else maps
    for shape in (graph.input_shape, (channels * rows * columns,), (rows, columns)):
        size = channels * rows * columns
        if (
            reals.shape[-len(shape) :] == tuple(shape)
            and int(np.prod(shape)) == size
            and 1 in (channels, rows * columns)
        ):
            return reals.reshape(-1, channels, rows, columns).astype(np.float64)
    if reals.ndim > 1 and int(np.prod(reals.shape[1:])) == channels and rows * columns == 1:
        return reals.reshape(-1, channels, 1, 1).astype(np.float64)
    expected = f"inputs of shape {list(graph.input_shape)}"
    raise InputError(place, expected, f"{list(reals.shape)}")


def _levels(lowered: LoweredModel, network: Network) -> dict[int, float]:
    """A real number for each integer that the model's own input quantiser may give.

    In and around the range of pixels the first of a fine grid that gives it; elsewhere the integer's
    own real number, where that is a fixed point of the quantiser.
    """
    rule = lowered.frame
    if rule.encode is None:
        return {}
    chain = rule.encode.chains[0]
    grid = [rule.low + (rule.high - rule.low) * i / 4096 for i in range(-4096, 8193)]
    found = {int(evaluate(chain, x)): float(x) for x in reversed(grid)}
    kind = network.input.type
    if kind.is_bipolar:
        return {0: found[-1], 1: found[1]} if -1 in found and 1 in found else found
    found = {level: real for level, real in found.items() if kind.minimum <= level <= kind.maximum}
    binding = next((b for b in lowered.bindings.values() if b.base == INPUT), None)
    affine = None if binding is None else binding.function.shared_affine()
    if affine is not None and kind.bits <= 8:
        for level in range(kind.minimum, kind.maximum + 1):
            real = affine.gain * level + affine.offset
            if level not in found and evaluate(chain, real) == level:
                found[level] = float(real)
    return found
