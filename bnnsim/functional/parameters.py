"""Weights and thresholds of a network: loaded, drawn and saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnsim.design.network import Network
from bnnsim.functional.archive import read_arrays, write_arrays
from bnnsim.functional.draw import drawn_fixed, drawn_parameters
from bnnsim.functional.parameter_check import ParameterCheck

Integers = NDArray[Any]


@dataclass(frozen=True)
class Parameters:
    """What a network learned, by layer name.

    ``weights``: uint8 {0,1} (1 is +1) where the weight's type is bipolar, else int32, in the shape
    ``Node.weight_shape``: ``(out, in_channels / groups, kernel_height, kernel_width)`` or ``(out,
    in)``. ``thresholds``: int64 ``(out, thresholds)`` for layers with an activation.
    """

    weights: Mapping[str, Integers]
    thresholds: Mapping[str, NDArray[np.int64]]
    fixed: Mapping[str, Mapping[str, NDArray[np.int64]]] = field(default_factory=dict)
    """``scale``, ``bias``, ``slope`` of fixed-point layers (affine, prelu): int64 ``(channels,)`` of
    the layer's ``parameters`` type."""


def load_parameters(network: Network, path: str | Path) -> Parameters:
    """Read ``<layer>.weights`` and ``<layer>.thresholds`` from an .npz.

    Thresholds of one a channel may be ``(out,)``. Raises :class:`SpecError` with every fault found:
    a file that cannot be read, missing and unknown keys, wrong shapes, types and values.
    """
    return check_parameters(network, read_arrays(Path(path)), str(path))


def check_parameters(network: Network, arrays: Mapping[str, Integers], place: str) -> Parameters:
    """Parameters from arrays by key; ``place`` names them in messages. Raises :class:`SpecError`."""
    return Parameters(*ParameterCheck(network, arrays, place).run())


def random_parameters(network: Network, seed: int) -> Parameters:
    """Weights uniform over their type, thresholds about where half of the sums lie on either side.

    The same seed gives the same parameters.
    """
    return Parameters(*drawn_parameters(network, seed), drawn_fixed(network, seed))


def save_parameters(path: str | Path, parameters: Parameters) -> None:
    """Write an .npz as :func:`load_parameters` reads it; the same parameters give the same bytes."""
    names = sorted({*parameters.weights, *parameters.thresholds})
    arrays: dict[str, Integers] = {}
    for name, values in sorted(parameters.fixed.items()):
        arrays.update({f"{name}.{key}": array for key, array in values.items()})
    for name in names:
        if name in parameters.weights:
            arrays[f"{name}.weights"] = parameters.weights[name]
        if name in parameters.thresholds:
            arrays[f"{name}.thresholds"] = parameters.thresholds[name]
    write_arrays(Path(path), arrays)
