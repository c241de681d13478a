"""What a run works on: the parameters and frames of a network, or nothing where only times count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.network.network import Network
from bnnsim.simulation.options import Images, RunOptions
from bnnsim.spec.bounds import MAX_RUN_BYTES, MAX_RUN_COLUMNS, MAX_RUN_THRESHOLDS, MAX_RUN_WEIGHTS
from bnnsim.spec.faults import Fault, InputError, SpecError
from bnnsim.spec.workload import WeightedLayer

if TYPE_CHECKING:
    from bnnsim.functional.activations import Activations
    from bnnsim.functional.parameters.parameters import Parameters

_BIT_EXACT = "in a bit-exact run (--timing-only has none)"


@dataclass(frozen=True)
class TimingOnly:
    """A run without bits, and why it has none."""

    reason: str = "timing only, as asked"


@dataclass(frozen=True, eq=False)
class Stimulus:
    """What a bit-exact run works on: a network's parameters, frames as elements, and their labels."""

    network: Network
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

    @cached_property
    def activations(self) -> Activations:
        """What every layer puts out for all frames by the functional executor, executed once."""
        from bnnsim.functional.executor import execute

        return execute(self.network, self.parameters, self.frames)

    def outputs_of(self, frame: int) -> dict[str, Integers]:
        """What every layer puts out for one frame, ``(channels, height, width)`` by layer.

        A slice of :attr:`activations` where those are there already; else that frame is executed alone,
        so that a run that needs one frame at a time never holds all.
        """
        if "activations" in self.__dict__:
            outputs, position = self.activations.outputs, frame
        else:
            alone = replace(self, frames=self.frames[frame : frame + 1])
            outputs, position = alone.activations.outputs, 0
        return {name: outputs[name][position] for name in outputs}


def stimulate(
    design: Design | EngineDesign, folder: Path | None, options: RunOptions
) -> Stimulus | TimingOnly:
    """Parameters and frames for ``design``; files of the workload are relative to ``folder``.

    Raises :class:`~bnnsim.spec.faults.InputError` and :class:`~bnnsim.spec.faults.SpecError` for what
    the user gave wrong.
    """
    if options.timing_only:
        return TimingOnly()
    network = design.network
    workload = network.workload
    parameters = _parameters(network, folder, options)
    if parameters is None:
        return TimingOnly(
            f"timing only: workload {workload.name} has no weights (--weights-seed draws some)"
        )
    images = options.images
    if images is None and workload.images is not None and options.weights_seed is None:
        images = (folder or Path()) / workload.images
    if images is None:
        if options.weights_seed is None:
            return TimingOnly("timing only: no images given (--images) and none with the workload")
        from bnnsim.functional.input.frames import random_frames

        elements = random_frames(network, options.frames or 1, options.weights_seed)
        return Stimulus(network, parameters, elements, None)
    elements, labels, place = _shown(network, images)
    given = len(elements)
    _check_count(network, options.frames or given)
    if labels is not None:
        _check_labels(network, labels, f"{place}: labels")
    if options.frames is not None:
        chosen = np.arange(options.frames) % given
        elements = elements[chosen]
        labels = None if labels is None else labels[chosen]
    told = None if labels is None else tuple(int(label) for label in labels)
    return Stimulus(network, parameters, elements, told, given)


def _parameters(network: Network, folder: Path | None, options: RunOptions) -> Parameters | None:
    """Parameters drawn, or the workload's own; None where it has none."""
    from bnnsim.functional.parameters.parameters import load_parameters, random_parameters

    workload = network.workload
    if options.weights_seed is not None:
        _check_parameters(network, "--weights-seed")
        _check_count(network, options.frames or 1)
        return random_parameters(network, options.weights_seed)
    if workload.weights is not None:
        path = (folder or Path()) / workload.weights
        _check_parameters(network, str(path))
        return load_parameters(network, path)
    if options.images is not None:
        raise InputError(
            workload.name, "weights in the workload, or --weights-seed", "images but no weights"
        )
    return None


def _shown(network: Network, images: Images) -> tuple[Integers, Integers | None, str]:
    """Images as elements ``(n, channels, height, width)``, their labels where files have some, and the
    files as messages name them."""
    from bnnsim.functional.input.frames import frames_from_images
    from bnnsim.functional.input.pictures import load_images

    if isinstance(images, np.ndarray):
        return frames_from_images(network, images), None, "images"
    files = [images] if isinstance(images, str | Path) else images
    if not all(isinstance(image, str | Path) for image in files):
        got = f"a {type(files).__name__} of {type(files[0]).__name__}"
        raise InputError("images", "files, or an array of pixels", got)
    pixels, labels = load_images(network, [Path(image) for image in files])
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    place = f"{files[0]}{more}"
    return frames_from_images(network, pixels, place), labels, place


def _check_count(network: Network, frames: int) -> None:
    """Refuse more frames than a bit-exact run can hold at once: it keeps every layer's map."""
    from bnnsim.functional.tensors.elements import element_dtype

    tensors = [network.input, *(node.output for node in network.nodes.values())]
    taken = sum(tensor.elements * element_dtype(tensor.type).itemsize for tensor in tensors)
    most = MAX_RUN_BYTES // taken
    if frames > most:
        what = f"at most {most} frames of {network.workload.name} in a bit-exact run"
        raise InputError("--frames", f"{what} (--timing-only takes any number)", str(frames))


def _check_parameters(network: Network, place: str) -> None:
    """Refuse more weights or thresholds than a bit-exact run can hold, before they are drawn or read from
    ``place``."""
    from bnnsim.functional.tensors.packing import WORD_BITS, words_for

    weights, thresholds = {}, {}
    faults = []
    for node in network.nodes.values():
        if isinstance(node.layer, WeightedLayer):
            columns = node.matrix_width
            weights[node.name] = node.groups * words_for(node.matrix_height) * WORD_BITS * columns
            if columns > MAX_RUN_COLUMNS:
                what = f"at most {MAX_RUN_COLUMNS:,} weights of an output channel {_BIT_EXACT}"
                faults.append(Fault(place, 0, "", what, f"{columns:,} in {node.name}"))
        thresholds[node.name] = node.output.channels * node.threshold_count
    in_blocks = "weights, output channels in blocks of 64,"
    faults += _too_many(in_blocks, weights, MAX_RUN_WEIGHTS, place)
    faults += _too_many("thresholds", thresholds, MAX_RUN_THRESHOLDS, place)
    if faults:
        raise SpecError(faults)


def _too_many(what: str, counts: dict[str, int], most: int, place: str) -> Iterator[Fault]:
    """A fault where layers have more of something in all than a bit-exact run can hold."""
    total = sum(counts.values())
    if total > most:
        largest = max(counts, key=lambda name: counts[name])
        expected = f"at most {most:,} {what} {_BIT_EXACT}"
        got = f"{total:,}, {counts[largest]:,} in {largest}"
        yield Fault(place, 0, "", expected, got)


def _check_labels(network: Network, labels: Integers, place: str) -> None:
    """Refuse labels that are no score's position."""
    count = network.classes
    wrong = labels[(labels < 0) | (labels >= count)]
    if wrong.size:
        raise InputError(place, f"classes 0 .. {count - 1}", str(wrong[0]))
