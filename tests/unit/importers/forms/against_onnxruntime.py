"""Imported networks held against onnxruntime on the original file, on a thousand drawn images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import check_parameters
from bnnsim.importers.onnx.network import import_options, lower_model
from bnnsim.spec.workload import Workload
from tests.golden.imported.onnx_models import Builder


@dataclass(frozen=True)
class Agreement:
    """How the scores of an import and of onnxruntime agree.

    ``off``: by how much each image's worst score differs, as a share of the scores' span.
    """

    workload: Workload
    off: np.ndarray
    notes: tuple[str, ...]

    @property
    def ops(self) -> list[str]:
        return [layer.op for layer in self.workload.layers]

    def same(self, within: float = 1e-5) -> float:
        """The share of images whose scores differ by no more than ``within`` of the span."""
        return float(np.mean(self.off <= within))


def agreement(
    b: Builder, output: str, folder: Path, images: int = 1000, seed: int = 0, **options: Any
) -> Agreement:
    """Import a built model for pixels 0 .. 255 seen as 0 .. 1, and run both."""
    model = b.model(output)
    path = folder / "net.onnx"
    onnx.save(model, path)
    lowered = lower_model(model, str(path), "net", import_options(input_type="uint8", **options))
    network, head = resolve_network(lowered.workload), lowered.outputs[0]
    shape = b.input_shape[1:]
    pixels = np.random.default_rng(seed).integers(0, 256, (images, *shape), np.uint8)
    session = onnxruntime.InferenceSession(str(path))
    feeds = (pixels / 255).astype(np.float32)
    wanted = np.concatenate([session.run(None, {"x": one[None]})[0] for one in feeds])
    wanted = wanted.reshape(images, -1).astype(np.float64)
    parameters = check_parameters(network, lowered.arrays, "here")
    frames = frames_from_images(network, pixels.reshape(images, *network.input.shape))
    found = execute(network, parameters, frames).outputs[head.layer].astype(np.float64)
    if network.tensor(head.layer).type.is_bipolar:
        found = 2 * found - 1
    found = found.reshape(images, -1) * float(head.gain) + float(head.offset)
    off = np.abs(found - wanted).max(axis=1) / np.ptp(wanted)
    return Agreement(lowered.workload, off, lowered.notes)
