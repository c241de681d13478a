"""Does an imported workload compute what its model computes? Layer by layer, on the same inputs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.functional.input.frames import frames_from_images, random_frames
from bnnsim.functional.input.pictures import load_images
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.importers.check.matching import matching_import, possible_options
from bnnsim.importers.check.reference import ReferenceModel
from bnnsim.importers.check.tally import CheckReport, Tally
from bnnsim.importers.exact.channel_function import evaluate
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.file import load_model
from bnnsim.importers.onnx.graph import Array
from bnnsim.importers.onnx.lowering import FrameRule
from bnnsim.importers.onnx.network import LoweredModel
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.load import read_workload

_CHUNK = 100
"""Inputs at once: all of a layer's tensors are in memory for one chunk only."""


def check_model(
    model_path: str | Path,
    workload: str | Path,
    images: str | Path | None = None,
    random_inputs: int = 100,
    seed: int = 0,
    image_range: tuple[float, float] | None = None,
) -> CheckReport:
    """Run a model and the workload imported from it, and compare every layer.

    Standard operators run in onnxruntime, QONNX's in qonnx, the workload in the functional executor.
    Layers in fixed point may differ from real numbers by their stated bound; a bit that this flips
    behind them counts as a difference.

    Args:
        model_path: the model's file.
        workload: what an import made of it.
        images: a file of images to run on; default: drawn inputs.
        random_inputs: how many to draw.
        seed: what they are drawn from.
        image_range: as the import was given it, where the workload takes raw pixels.

    Returns:
        Layer by layer what is equal, and the first difference.

    Raises:
        SpecError: a file cannot be used, or the workload has other layers than an import of the model
            gives.

    Example:
        >>> from bnnsim import check_model, import_onnx
        >>> imported = import_onnx("tfc.onnx", "networks")
        >>> check_model("tfc.onnx", imported.workload_path, random_inputs=20).is_equal
        True
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
    candidates = possible_options(loaded.spec, image_range, [o.name for o in model.graph.output])
    lowered = matching_import(model, str(model_path), loaded.spec, str(workload), candidates, weights)
    pixels = _pixels(network, images, random_inputs, seed)
    count = len(pixels)
    reference = ReferenceModel(model, str(model_path))
    executor = Executor(network, parameters)
    tallies = {
        name: Tally(name, tensor, binding, math.ceil(lowered.errors.get(name, 0)))
        for name, (tensor, binding) in _tensors(network, lowered).items()
    }
    equal = 0
    for start in range(0, count, _CHUNK):
        part = pixels[start : start + _CHUNK]
        frames = part if part.dtype != np.uint8 else frames_from_images(network, part)
        inputs = _model_inputs(reference.input, lowered, network, part, frames)
        wanted = dict.fromkeys([*(t.tensor for t in tallies.values()), lowered.outputs[0].tensor])
        found = reference.run(inputs, wanted)
        activations = executor.run(frames)
        for name, tally in tallies.items():
            values = activations.outputs[name].astype(np.int64)
            if network.tensor(name).type.is_bipolar:
                values = values * 2 - 1
            tally.add(values, found[tally.tensor], start)
        scores = found[lowered.outputs[0].tensor].reshape(len(part), -1)
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
    value: Any, lowered: LoweredModel, network: Network, pixels: Array, frames: Array
) -> Array:
    """What the model's input ``value`` takes for the same pixels (or frames): its layout and type."""
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


def _tensors(network: Network, lowered: LoweredModel) -> dict[str, tuple[str, TensorBinding]]:
    """For every layer the model's first tensor that is an affine function of its integers."""
    found: dict[str, tuple[str, TensorBinding]] = {}
    for tensor, binding in lowered.bindings.items():
        steps = binding.function.affine()
        is_new = binding.base in network.nodes and binding.base not in found
        if is_new and binding.border is None and steps is not None and all(s.gain for s in steps):
            found[binding.base] = (tensor, binding)
    return {name: found[name] for name in network.nodes if name in found}

