"""Which options a workload was imported with: found by importing its model again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.files.archive import read_arrays
from bnnsim.importers.onnx.network import LoweredModel, import_options, lower_model
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.workload import AffineLayer, Workload


def matching_import(
    model: Any,
    file: str,
    workload: Workload,
    place: str,
    candidates: Iterable[dict[str, Any]],
    weights: Path,
) -> LoweredModel:
    """The import of the model that gives this workload's layers, whatever options it was made with.

    Where several do, the one with the most of its arrays. Raises :class:`SpecError` where none does.
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


def possible_options(
    workload: Workload, given_range: tuple[float, float] | None, outputs: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Options, as :func:`import_options` takes them, that may have led to ``workload``.

    ``outputs`` are the model's: an import may have kept all of them, or one.
    """
    frame = workload.input
    words = {str(layer.type): None for layer in workload.layers if isinstance(layer, AffineLayer)}
    ranges = [None, (0.0, 255.0)]
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
