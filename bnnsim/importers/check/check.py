"""Does an imported workload compute what its model computes? Layer by layer, on the same inputs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.files.archive import read_arrays
from bnnsim.functional.input.frames import frames_from_images, random_frames
from bnnsim.functional.input.pictures import load_images
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.importers.check.reference import ReferenceModel
from bnnsim.importers.exact.channel_function import evaluate
from bnnsim.importers.onnx.file import load_model
from bnnsim.importers.onnx.graph import Array
from bnnsim.importers.onnx.lowering import FrameRule
from bnnsim.importers.onnx.network import LoweredModel, import_options, lower_model
from bnnsim.importers.onnx.signal import Signal
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.load import read_workload
from bnnsim.spec.workload import AffineLayer, Workload

_CHUNK = 100
"""Inputs at once: all of a layer's tensors are in memory for one chunk only."""


@dataclass(frozen=True)
class LayerCheck:
    """One layer against the model's tensor of the same numbers.

    ``differing`` of ``elements`` were further off than ``allowed`` steps of the layer's integers (0
    but where the layer is in fixed point), the worst by ``worst``; ``first`` is (input, channel,
    row, column, expected, got) of the first of them.
    """

    layer: str
    tensor: str
    elements: int
    allowed: int
    differing: int
    worst: int
    first: tuple[int, int, int, int, int, int] | None


@dataclass(frozen=True)
class CheckReport:
    """A model and a workload on ``inputs`` inputs; ``layers`` in the network's order."""

    model: str
    workload: str
    inputs: int
    layers: tuple[LayerCheck, ...]
    equal_predictions: int

    @property
    def first_difference(self) -> LayerCheck | None:
        """The first layer that differs, None where all are equal."""
        return next((layer for layer in self.layers if layer.differing), None)

    @property
    def is_equal(self) -> bool:
        return self.first_difference is None

    def __str__(self) -> str:
        head = f"{self.workload} against {self.model}: {self.inputs} inputs, "
        found = self.first_difference
        same = f"{self.equal_predictions} of {self.inputs} predictions equal"
        if found is None or found.first is None:
            return head + f"all {len(self.layers)} layers equal, {same}"
        frame, channel, row, column, expected, got = found.first
        return (
            head + f"first difference in layer {found.layer} (tensor {found.tensor}): "
            f"{found.differing} of {found.elements} elements, first in input {frame}, channel "
            f"{channel}, row {row}, column {column}: expected {expected}, got {got}; {same}"
        )


def check_model(
    model_path: str | Path,
    workload: str | Path,
    images: str | Path | None = None,
    random_inputs: int = 100,
    seed: int = 0,
    image_range: tuple[float, float] | None = None,
) -> CheckReport:
    """Run a model and the workload imported from it on ``images`` (or on inputs drawn from ``seed``).

    ``image_range`` must be repeated where the import was given one and the workload takes raw
    pixels. Standard operators run in onnxruntime, QONNX's in qonnx, the workload in the functional
    executor.
    Layers in fixed point may differ from real numbers by their stated bound; a bit that this flips
    behind them counts as a difference. Raises :class:`SpecError` where a file cannot be
    used, or the workload has other layers than an import of the model gives.
    """
    from bnnsim.functional.executor import Executor  # compiled kernels: only who checks waits for them

    model = model_of(model_path)
    loaded = read_workload(workload)
    if loaded.faults:
        raise SpecError(loaded.faults)
    network = resolve_network(loaded)
    if loaded.spec.weights is None:
        raise InputError(str(workload), "a workload with weights", "none")
    weights = _beside(workload, loaded.spec.weights)
    parameters = load_parameters(network, weights)
    candidates = _options(loaded.spec, image_range)
    lowered = _matching(model, str(model_path), loaded.spec, str(workload), candidates, weights)
    pixels = _pixels(network, images, random_inputs, seed)
    count = len(pixels)
    reference = ReferenceModel(model, str(model_path))
    executor = Executor(network, parameters)
    tallies = {
        name: _Tally(name, tensor, signal, math.ceil(lowered.errors.get(name, 0)))
        for name, (tensor, signal) in _tensors(network, lowered).items()
    }
    equal = 0
    for start in range(0, count, _CHUNK):
        part = pixels[start : start + _CHUNK]
        frames = part if part.dtype != np.uint8 else frames_from_images(network, part)
        inputs = _model_inputs(model, lowered, network, part, frames)
        wanted = dict.fromkeys([*(t.tensor for t in tallies.values()), lowered.head_tensor])
        found = reference.run(inputs, wanted)
        activations = executor.run(frames)
        for name, tally in tallies.items():
            values = activations.outputs[name].astype(np.int64)
            if network.tensor(name).type.is_bipolar:
                values = values * 2 - 1
            tally.add(values, found[tally.tensor], start)
        scores = found[lowered.head_tensor].reshape(len(part), -1)
        equal += int(np.sum(np.argmax(scores, axis=1) == activations.predictions))
    layers = tuple(tally.result() for tally in tallies.values())
    return CheckReport(str(model_path), loaded.spec.name, count, layers, equal)


def model_of(path: str | Path) -> Any:
    """The ONNX model of a file, ONNX or Keras."""
    if Path(path).suffix.lower() in (".h5", ".hdf5", ".keras"):
        from bnnsim.importers.keras.network import keras_to_onnx

        return keras_to_onnx(path)
    return load_model(path)


def _beside(workload: str | Path, name: str) -> Path:
    from bnnsim.spec.library import find_spec

    return find_spec(workload, "workload").parent / name


def _matching(
    model: Any,
    file: str,
    workload: Workload,
    place: str,
    candidates: Iterable[dict[str, Any]],
    weights: Path,
) -> LoweredModel:
    """The import of the model that gives this workload's layers, whatever options it was made with.

    Where several do, the one with the most of its arrays.
    """
    fault: SpecError | None = None
    best: LoweredModel | None = None
    stored = read_arrays(weights)
    found: list[tuple[int, LoweredModel]] = []
    for options in candidates:
        try:
            lowered = lower_model(model, file, workload.name, import_options(**options))
        except SpecError as error:
            fault = fault or error
            continue
        best = best or lowered
        same_input = lowered.workload.input == workload.input
        if lowered.workload.layers == workload.layers and same_input:
            pairs = [(array, stored.get(key)) for key, array in lowered.arrays.items()]
            equal = sum(b is not None and np.array_equal(a, b) for a, b in pairs)
            if equal == len(pairs):
                return lowered
            found.append((equal, lowered))
    if found:
        return max(found, key=lambda pair: pair[0])[1]
    if best is None:
        assert fault is not None
        raise fault
    both = itertools.zip_longest(best.workload.layers, workload.layers)
    ours, theirs = next((pair for pair in both if pair[0] != pair[1]), (None, None))
    expected = f"the layers that an import of {Path(file).name} gives"
    got = "another input"
    if ours is not None or theirs is not None:
        got = f"layer {(theirs or ours).name} that is different"  # type: ignore[union-attr]
    raise InputError(place, expected, got)


def _options(workload: Workload, given_range: tuple[float, float] | None) -> Iterator[dict[str, Any]]:
    frame = workload.input
    word = {str(layer.type) for layer in workload.layers if isinstance(layer, AffineLayer)}
    fixed = {"fixed": word.pop()} if len(word) == 1 else {}
    ranges = [None, (0.0, 255.0)]
    if frame.image_range is not None:
        ranges.append((frame.image_range[0], frame.image_range[1]))
    if given_range is not None:
        ranges = [given_range]
    kinds = [None, str(frame.type)]
    inputs = [{"input_type": k, "image_range": r} for k, r in itertools.product(kinds, ranges)]
    for given, sign in itertools.product(inputs, ("exact", "plus")):
        yield {**given, **fixed, "sign_of_zero": sign}


def _pixels(
    network: Network, images: str | Path | None, random_inputs: int, seed: int
) -> npt.NDArray[Any]:
    """uint8 pixels, or frames where the input is not made of pixels."""
    if images is not None:
        return load_images(network, [images])[0]
    if random_inputs < 1:
        raise InputError("random inputs", "at least 1", str(random_inputs))
    spec = network.workload.input
    if spec.image_range is None and (spec.type.kind != "uint" or spec.type.bits < 8):
        return random_frames(network, random_inputs, seed)
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (random_inputs, *network.input.shape), np.uint8)


def _model_inputs(
    model: Any, lowered: LoweredModel, network: Network, pixels: Array, frames: Array
) -> Array:
    """What the model takes for the same pixels (or frames), in its own layout and element type."""
    import onnx

    rule: FrameRule = lowered.frame
    low, high = float(rule.low), float(rule.high)
    is_pixels = pixels.dtype == np.uint8 and rule.decode is None
    if is_pixels:
        values = low + pixels.astype(np.float64) / 255 * (high - low)
    elif rule.decode is not None:
        values = float(rule.decode.gain) * frames.astype(np.float64) + float(rule.decode.offset)
    else:
        values = _representatives(rule, frames, network)
    constants = {t.name for t in model.graph.initializer}
    value = next(i for i in model.graph.input if i.name not in constants)
    shape = [int(d.dim_value) for d in value.type.tensor_type.shape.dim][1:]
    values = values.reshape(len(values), *network.input.shape)
    is_map = network.input.pixels > 1
    if is_map and tuple(shape) != network.input.shape:
        values = values.transpose(0, 2, 3, 1)  # the model takes channels last
    values = values.reshape(len(values), *shape)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    return np.ascontiguousarray(values.astype(dtype))


def _representatives(rule: FrameRule, frames: Array, network: Network) -> Array:
    """A float for every integer of a frame, by search over a grid of the model's own input range."""
    assert rule.encode is not None
    grid = [rule.low + (rule.high - rule.low) * i / 4096 for i in range(-4096, 8193)]
    table = {int(evaluate(rule.encode.chains[0], x)): float(x) for x in reversed(grid)}
    value_type = network.input.type
    integers = np.unique(frames)
    missing = [int(i) for i in integers if int(i) not in table]
    if missing:
        got = f"{missing[0]} has no input of the model between {grid[0]} and {grid[-1]}"
        raise InputError("frames", f"values of {value_type}", got)
    lookup = np.vectorize(table.__getitem__, otypes=[np.float64])
    return np.asarray(lookup(frames))


def _tensors(network: Network, lowered: LoweredModel) -> dict[str, tuple[str, Signal]]:
    """For every layer the model's first tensor that is an affine function of its integers."""
    found: dict[str, tuple[str, Signal]] = {}
    for tensor, signal in lowered.signals.items():
        steps = signal.function.affine()
        is_new = signal.base in network.nodes and signal.base not in found
        if is_new and signal.border is None and steps is not None and all(s.gain for s in steps):
            found[signal.base] = (tensor, signal)
    return {name: found[name] for name in network.nodes if name in found}


class _Tally:
    """Counts a layer's differences over all chunks."""

    def __init__(self, layer: str, tensor: str, signal: Signal, allowed: int) -> None:
        self.layer, self.tensor, self.allowed = layer, tensor, allowed
        self._bound, self._is_rounded = allowed, allowed > 0
        steps = signal.function.affine()
        assert steps is not None
        self._gain = np.array([float(step.gain) for step in steps]).reshape(-1, 1, 1)
        self._offset = np.array([float(step.offset) for step in steps]).reshape(-1, 1, 1)
        self._axes = [axis for one in signal.dimensions for axis, _ in one]
        self._sizes = [size for one in signal.dimensions for _, size in one]
        self._elements = self._differing = self._worst = 0
        self._first: tuple[int, int, int, int, int, int] | None = None

    def add(self, values: Array, tensor: Array, start: int) -> None:
        real = tensor.astype(np.float64).reshape(len(values), *self._sizes)
        order = [self._axes.index(axis) + 1 for axis in "CHW" if axis in self._axes]
        real = real.transpose(0, *order).reshape(values.shape)
        expected = np.rint((real - self._offset) / self._gain).astype(np.int64)
        off = np.abs(expected - values)
        if self._is_rounded:
            # The model itself rounds, in float32: a few steps of its last bit at the largest value.
            noise = math.ceil(float(np.abs(expected).max(initial=0)) * 2.0**-20)
            self.allowed = max(self.allowed, self._bound + noise)
        self._elements += off.size
        self._differing += int(np.count_nonzero(off > self.allowed))
        self._worst = max(self._worst, int(off.max(initial=0)))
        if self._first is None and np.any(off > self.allowed):
            where = tuple(int(i) for i in np.argwhere(off > self.allowed)[0])
            frame, channel, row, column = where
            self._first = (
                *(start + frame, channel, row, column),
                *(int(expected[where]), int(values[where])),
            )

    def result(self) -> LayerCheck:
        return LayerCheck(
            self.layer,
            self.tensor,
            self._elements,
            self.allowed,
            self._differing,
            self._worst,
            self._first,
        )
