"""What a check runs on: the workload's frames and the same inputs as the model takes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import INPUT, Network
from bnnsim.files.archive import read_array, read_arrays
from bnnsim.functional.input.frames import frames_from_images, random_frames
from bnnsim.functional.input.pictures import IMAGES, load_images
from bnnsim.importers.exact.channel_function import evaluate
from bnnsim.importers.onnx.lowering import FrameRule
from bnnsim.importers.onnx.network import LoweredModel
from bnnsim.reference.graph import ReferenceGraph
from bnnsim.spec.faults import InputError

Array = npt.NDArray[Any]
_FLOAT32 = 2.0**-22
"""Two of float32's last bits: a pixel divided by 255 is stored with such an error."""


@dataclass(frozen=True)
class Inputs:
    """Pixels uint8, or frames of the input's type, for the workload: ``(n, channels, rows, columns)``."""

    network: Network
    rule: FrameRule
    graph: ReferenceGraph
    pixels: Array

    def frames(self, start: int, end: int) -> Array:
        """Frames of the workload."""
        part = self.pixels[start:end]
        return frames_from_images(self.network, part) if self._are_pixels else part

    def reals(self, start: int, end: int) -> Array:
        """The same as the model's input takes them, float64, in its layout."""
        part, rule = self.pixels[start:end], self.rule
        if self._are_pixels and rule.decode is None:
            low, high = float(rule.low), float(rule.high)
            values = low + part.astype(np.float64) / 255 * (high - low)
            values = values.reshape(len(part), *self.network.input.shape)
        elif rule.decode is not None:
            frames = self.frames(start, end).astype(np.float64)
            values = float(rule.decode.gain) * frames + float(rule.decode.offset)
        else:
            values = _representatives(rule, self.frames(start, end), self.network)
        return in_layout(values, self.network, self.graph)

    @property
    def _are_pixels(self) -> bool:
        return bool(self.pixels.dtype == np.uint8) and (
            self.network.workload.input.image_range is not None
            or not self.network.input.type.is_bipolar
        )


def chosen_inputs(
    network: Network,
    lowered: LoweredModel,
    graph: ReferenceGraph,
    images: str | Path | None,
    random_inputs: int,
    seed: int,
) -> Inputs:
    """A file's inputs, or drawn ones. Raises :class:`InputError`."""
    rule = lowered.frame
    if images is not None:
        reals = _stored_reals(images)
        if reals is not None:
            return Inputs(
                network, rule, graph, from_reals(reals, network, lowered, graph, str(images))
            )
        return Inputs(network, rule, graph, _arranged(load_images(network, [images])[0], network))
    if random_inputs < 1:
        raise InputError("random inputs", "at least 1", str(random_inputs))
    spec = network.workload.input
    if spec.image_range is None and (spec.type.kind != "uint" or spec.type.bits < 8):
        return Inputs(network, rule, graph, random_frames(network, random_inputs, seed))
    rng = np.random.default_rng(seed)
    return Inputs(
        network, rule, graph, rng.integers(0, 256, (random_inputs, *network.input.shape), np.uint8)
    )


def in_layout(values: Array, network: Network, graph: ReferenceGraph) -> Array:
    """``(n, channels, rows, columns)`` as the model's input lies."""
    shape = graph.input_shape
    maps = values.reshape(len(values), *network.input.shape)
    if network.input.pixels > 1 and len(shape) == 3 and is_channels_last(network, graph):
        maps = maps.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(maps.reshape(len(maps), *shape))


def is_channels_last(network: Network, graph: ReferenceGraph) -> bool:
    """Whether the model's input has its channels last."""
    channels, rows, columns = network.input.shape
    if graph.channels_last:
        return True
    return graph.input_shape == (rows, columns, channels) != (channels, rows, columns)


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
) -> Array:
    """Floats in the model's range as pixels or frames, exactly.

    ``reals``: any leading dimensions, then the model's input shape or the workload's (channels first,
    or last where only that fits). Raises :class:`InputError` where a value is none of the input's.
    """
    maps = _as_maps(reals, network, graph, place)
    if not np.all(np.isfinite(maps)):
        raise InputError(place, "finite numbers", "infinite or NaN")
    rule, spec = lowered.frame, network.workload.input
    tries = []
    if spec.image_range is not None or (
        network.input.type.kind == "uint" and network.input.type.bits == 8
    ):
        low, high = float(rule.low), float(rule.high)
        pixels = np.clip(np.rint((maps - low) / (high - low) * 255), 0, 255)
        tries.append(
            (
                pixels.astype(np.uint8),
                low + pixels / 255 * (high - low),
                f"{low:g} to {high:g} in 255 steps",
            )
        )
    binding = next((b for b in lowered.bindings.values() if b.base == INPUT), None)
    affine = rule.decode or (binding.function.shared_affine() if binding is not None else None)
    if affine is not None and affine.gain:
        gain, offset, kind = float(affine.gain), float(affine.offset), network.input.type
        least, most = (-1, 1) if kind.is_bipolar else (kind.minimum, kind.maximum)
        levels = np.clip(np.rint((maps - offset) / gain), least, most)
        if kind.is_bipolar:
            levels = np.where((maps - offset) / gain >= 0, 1, -1)
        frames = (levels > 0) if kind.is_bipolar else levels
        dtype = np.uint8 if kind.is_bipolar else np.int64
        exact = gain * levels + offset
        if spec.image_range is None or kind.is_bipolar:
            tries.append((frames.astype(dtype), exact, f"{gain:g} times an element of {kind}"))
    best: tuple[float, int, str] | None = None
    for frames, exact, said in tries:
        off = np.abs(maps - exact)
        beyond = off > _FLOAT32 * np.maximum(np.abs(exact), np.abs(maps).max(initial=0))
        if not beyond.any():
            return frames
        found = (float(off.max()), int(np.count_nonzero(beyond)), said)
        best = found if best is None or found < best else best
    if best is None:
        raise InputError(place, f"frames of {network.input.type}", f"{reals.dtype}")
    worst, count, said = best
    expected = f"values that the input holds exactly ({said})"
    raise InputError(
        place, expected, f"{count} of {maps.size} that are off, the worst by {worst:.3g}"
    )


def _as_maps(reals: Array, network: Network, graph: ReferenceGraph, place: str) -> Array:
    """Floats as ``(n, channels, rows, columns)``."""
    channels, rows, columns = network.input.shape
    first, last = (channels, rows, columns), (rows, columns, channels)
    ways = [last, first] if is_channels_last(network, graph) else [first, last]
    for way in ways:
        if reals.ndim >= 3 and reals.shape[-3:] == way:
            maps = reals.reshape(-1, *way).astype(np.float64)
            return maps if way == first else maps.transpose(0, 3, 1, 2)
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


def _representatives(rule: FrameRule, frames: Array, network: Network) -> Array:
    """A float for every integer of a frame, by search over a grid of the model's own input range."""
    assert rule.encode is not None
    grid = [rule.low + (rule.high - rule.low) * i / 4096 for i in range(-4096, 8193)]
    table = {int(evaluate(rule.encode.chains[0], x)): float(x) for x in reversed(grid)}
    integers = np.unique(frames)
    missing = [int(i) for i in integers if int(i) not in table]
    if missing:
        got = f"{missing[0]} has no input of the model between {grid[0]} and {grid[-1]}"
        raise InputError("frames", f"values of {network.input.type}", got)
    lookup = np.vectorize(table.__getitem__, otypes=[np.float64])
    return np.asarray(lookup(frames))
