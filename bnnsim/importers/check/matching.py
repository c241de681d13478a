"""Which options a workload was imported with: found by importing its model again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.files.archive import read_arrays
from bnnsim.importers.onnx.network import (
    DEFAULT_FIXED,
    ImageRange,
    LoweredModel,
    import_options,
    lower_model,
)
from bnnsim.spec.faults import SpecError
from bnnsim.spec.workload import AffineLayer, Workload


@dataclass(frozen=True)
class Match:
    """An import of the model, and the options that it was made with."""

    lowered: LoweredModel
    options: dict[str, Any]


def matching_import(
    model: Any,
    file: str,
    workload: Workload,
    candidates: Iterable[dict[str, Any]],
    weights: Path,
) -> Match:
    """The import of the model that comes nearest to this workload, whatever options it was made with.

    What it says of tensors and scores is then held against the model; a workload that was changed
    since is compared all the same. Raises :class:`SpecError` where the model cannot be imported.
    """
    fault: SpecError | None = None
    stored = read_arrays(weights)
    best: tuple[tuple[int, ...], Match] | None = None
    for options in candidates:
        try:
            lowered = lower_model(model, file, workload.name, import_options(**options))
        except SpecError as error:
            fault = fault or error
            continue
        pairs = [(array, stored.get(key)) for key, array in lowered.arrays.items()]
        equal = sum(b is not None and np.array_equal(a, b) for a, b in pairs)
        layers = zip(lowered.workload.layers, workload.layers, strict=False)
        same = sum(ours == theirs for ours, theirs in layers)
        is_alike = lowered.workload.input == workload.input
        rank = (int(is_alike), same, equal)
        if best is None or rank > best[0]:
            best = rank, Match(lowered, options)
        if lowered.workload.layers == workload.layers and is_alike and equal == len(pairs):
            break
    if best is None:
        assert fault is not None
        raise fault
    return best[1]


def told_options(workload: Workload, given_range: ImageRange | None = None) -> dict[str, Any]:
    """What the import of a workload was told, as :func:`import_options` takes it; nothing where it says
    nothing."""
    said = workload.imported_with
    if said is None:
        return {}
    return {
        "fixed": said.fixed or DEFAULT_FIXED,
        "input_type": None if said.input_type is None else str(said.input_type),
        "image_range": given_range or said.image_range,
        "sign_of_zero": said.sign_of_zero,
        "output": said.output,
        "real_layers": said.real_layers,
        "input_shape": said.input_shape,
    }


def possible_options(
    workload: Workload, given_range: ImageRange | None, outputs: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Options, as :func:`import_options` takes them, that may have led to ``workload``.

    A workload says what its import was told; one that says nothing was told nothing, or is of an
    older version: then what is usual is tried. ``outputs`` are the model's: an import may have kept
    all of them, or one.
    """
    if workload.imported_with is not None:
        yield told_options(workload, given_range)
        return
    frame = workload.input
    words = {str(layer.type): None for layer in workload.layers if isinstance(layer, AffineLayer)}
    ranges: list[ImageRange | None] = [None, (0.0, 255.0)]
    if frame.image_range is not None:
        ranges.append((frame.image_range[0], frame.image_range[1]))
    if given_range is not None:
        ranges = [given_range]
    kinds = [None, str(frame.type)]
    inputs = [{"input_type": k, "image_range": r} for k, r in itertools.product(kinds, ranges)]
    kept = [None, *(outputs if len(outputs) > 1 else ())]
    # the words that the file names come first; without any the option changes nothing
    options = [{"fixed": word} for word in words] + [{}]
    for output, given, sign, fixed in itertools.product(kept, inputs, ("exact", "plus"), options):
        yield {**given, **fixed, "sign_of_zero": sign, "output": output}
