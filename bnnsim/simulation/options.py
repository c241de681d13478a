"""What may be asked of a run, checked in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.spec.faults import InputError, near_names

Progress = Callable[[int, int], None]
"""Called with (done, in all): words of a pipeline's sink, frames of an engine."""
ExecutorName = Literal["simpy", "compiled"]
Images = str | Path | Sequence[str | Path] | Integers
"""A file, several, or pixels ``(n, ...)`` uint8."""


@dataclass(frozen=True, eq=False)
class RunOptions:
    """The frames of a run, its bits, and who counts its cycles.

    Raises :class:`~bnnsim.spec.faults.InputError` for what no run can mean.
    """

    images: Images | None = None
    """A file (.npz with ``images_u8`` and ``labels``, .npy, a picture), several, or pixels ``(n, ...)``
    uint8; default: the workload's own."""
    frames: int | None = None
    """The first so many of the images, over again where there are fewer; default: all, or one without
    images."""
    timing_only: bool = False
    """Leave the bits out."""
    weights_seed: int | None = None
    """Draw weights, and images where none are given, from this seed."""
    executor: ExecutorName | None = None
    """Default: ``compiled`` without bits and for large runs, else ``simpy``."""
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.frames is not None and (not _is_whole(self.frames) or self.frames < 1):
            raise InputError("--frames", "a number >= 1", repr(self.frames))
        if self.weights_seed is not None and (
            not _is_whole(self.weights_seed) or self.weights_seed < 0
        ):
            raise InputError("--weights-seed", "a number >= 0", repr(self.weights_seed))
        known = get_args(ExecutorName)
        if self.executor is not None and self.executor not in known:
            near = near_names(str(self.executor), known)
            raise InputError("--executor", " or ".join(known), repr(self.executor), near)
        if self.timing_only and self.images is not None:
            raise InputError("--images", "no images with --timing-only", "images")


def _is_whole(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)
