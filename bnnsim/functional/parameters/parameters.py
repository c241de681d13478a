"""Weights and thresholds of a network: loaded, drawn and saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Network
from bnnsim.files.archive import read_arrays, write_arrays
from bnnsim.functional.layers.scaled_layers import drawn_scaled_parameters
from bnnsim.functional.parameters.check import ParameterCheck
from bnnsim.functional.parameters.draw import drawn_parameters


@dataclass(frozen=True)
class Parameters:
    """What a network learned, by layer name.

    ``weights``: uint8 {0,1} (1 is +1) where the weight's type is bipolar, else int32, in the shape
    ``Node.weight_shape``: ``(out, in_channels / groups, kernel_height, kernel_width)`` or ``(out,
    in)``. ``thresholds``: int64 ``(out, thresholds)`` for layers with an activation.
    """

    weights: Mapping[str, Integers]
    thresholds: Mapping[str, NDArray[np.int64]]
    values: Mapping[str, Mapping[str, Integers]] = field(default_factory=dict)
    """Parameters of scaled layers (see ``scaled_layers``), weights included, by layer, then by name."""

    def by_layer(self) -> dict[str, dict[str, Integers]]:
        """Everything by layer, then by name."""
        layers: dict[str, dict[str, Integers]] = {}
        for name, array in self.weights.items():
            layers.setdefault(name, {})["weights"] = array
        for name, array in self.thresholds.items():
            layers.setdefault(name, {})["thresholds"] = array
        for name, values in self.values.items():
            layers.setdefault(name, {}).update(values)
        return layers


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
    return Parameters(*drawn_parameters(network, seed), drawn_scaled_parameters(network, seed))


def save_parameters(path: str | Path, parameters: Parameters) -> None:
    """Write an .npz as :func:`load_parameters` reads it; the same parameters give the same bytes."""
    names = sorted({*parameters.weights, *parameters.thresholds})
    arrays: dict[str, Integers] = {}
    for name in names:
        if name in parameters.weights:
            arrays[f"{name}.weights"] = parameters.weights[name]
        if name in parameters.thresholds:
            arrays[f"{name}.thresholds"] = parameters.thresholds[name]
    for name, values in sorted(parameters.values.items()):
        arrays |= {f"{name}.{key}": array for key, array in values.items()}
    write_arrays(Path(path), arrays)
