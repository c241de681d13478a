"""What a bit-exact run works on: the parameters and frames of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Network
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    from bnnsim.functional.parameters.parameters import Parameters

MAX_ELEMENTS = 1 << 31
"""Elements of all maps of all frames of one bit-exact run."""


@dataclass(frozen=True)
class Stimulus:
    """What a bit-exact run works on: parameters, frames as elements, and their labels."""

    parameters: Parameters
    frames: Integers
    labels: tuple[int, ...] | None
    images: int | None = None
    """How many different images there were to choose from; None where frames were drawn."""

    @property
    def repeats(self) -> str:
        """Words for a run that shows its images more than once, else nothing."""
        if self.images is None or self.images >= len(self.frames):
            return ""
        shown = "1 image" if self.images == 1 else f"{self.images} images"
        return f" ({len(self.frames)} frames of {shown}, over again)"


def stimulate(
    network: Network,
    folder: Path | None,
    images: str | Path | Sequence[str | Path] | Integers | None,
    frames: int | None,
    weights_seed: int | None,
) -> tuple[Stimulus | None, str]:
    """Parameters and frames of a bit-exact run; None with the reason where there are none."""
    from bnnsim.functional.input.frames import frames_from_images, random_frames
    from bnnsim.functional.input.pictures import load_images
    from bnnsim.functional.parameters.parameters import load_parameters, random_parameters

    workload = network.workload
    if weights_seed is not None and weights_seed < 0:
        raise InputError("--weights-seed", "a number >= 0", str(weights_seed))
    if isinstance(images, str | Path):
        images = [images]
    if weights_seed is not None:
        _check_count(network, frames or 1)
        parameters = random_parameters(network, weights_seed)
    elif workload.weights is not None:
        parameters = load_parameters(network, (folder or Path()) / workload.weights)
    elif images is not None:
        raise InputError(
            workload.name, "weights in the workload, or --weights-seed", "images but no weights"
        )
    else:
        return None, f"timing only: workload {workload.name} has no weights (--weights-seed draws some)"
    labels: Integers | None = None
    given: int | None = None
    if images is None and workload.images is not None and weights_seed is None:
        images = [(folder or Path()) / workload.images]
    if images is None:
        if weights_seed is None:
            return None, "timing only: no images given (--images) and none with the workload"
        elements = random_frames(network, frames or 1, weights_seed)
    elif isinstance(images, np.ndarray):
        elements = frames_from_images(network, images)
    elif not all(isinstance(image, str | Path) for image in images):
        got = f"a {type(images).__name__} of {type(images[0]).__name__}"
        raise InputError("images", "files, or an array of pixels", got)
    else:
        pixels, labels = load_images(network, [Path(image) for image in images])
        elements = frames_from_images(network, pixels)
    if images is not None:
        given = len(elements)
    _check_count(network, frames or len(elements))
    if labels is not None:
        _check_labels(network, labels)
    if frames is not None:
        chosen = np.arange(frames) % len(elements)
        elements = elements[chosen]
        labels = None if labels is None else labels[chosen]
    shown = None if labels is None else tuple(int(label) for label in labels)
    return Stimulus(parameters, elements, shown, given), ""


def _check_count(network: Network, frames: int) -> None:
    """Refuse more frames than a bit-exact run can hold at once: it keeps every layer's map."""
    tensors = [network.input, *(node.output for node in network.nodes.values())]
    elements = sum(tensor.elements for tensor in tensors)
    most = MAX_ELEMENTS // elements
    if frames > most:
        what = f"at most {most} frames of {network.workload.name} in a bit-exact run"
        raise InputError("--frames", f"{what} (--timing-only takes any number)", str(frames))


def _check_labels(network: Network, labels: Integers) -> None:
    """Refuse labels that are no score's position."""
    classes = network.workload.classes
    count = len(classes) if classes else network.tensor(network.output).elements
    wrong = labels[(labels < 0) | (labels >= count)]
    if wrong.size:
        raise InputError("labels", f"classes 0 .. {count - 1}", str(wrong[0]))
