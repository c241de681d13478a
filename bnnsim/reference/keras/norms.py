"""What Keras's normalising layers compute, from their documentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bnnsim.reference.graph import Array
from bnnsim.reference.keras.file import SavedLayer

Run = Callable[[Sequence[Array]], Array]


def batch_norm(layer: SavedLayer) -> Run:
    config, position = layer.config, 0
    columns: dict[str, Array | float] = {"gamma": 1.0, "beta": 0.0}
    for name, is_there in (
        ("gamma", config.get("scale", True)),
        ("beta", config.get("center", True)),
        ("moving_mean", True),
        ("moving_variance", True),
    ):
        if is_there:
            columns[name] = layer.variable(name, position)
            position += 1
    epsilon = float(np.float32(config.get("epsilon", 1e-3)))
    spread = np.sqrt(columns["moving_variance"] + epsilon)

    def run(g: Sequence[Array]) -> Array:
        return np.asarray(columns["gamma"] * (g[0] - columns["moving_mean"]) / spread + columns["beta"])

    return run


def normalization(layer: SavedLayer) -> Run:
    """By a mean and a variance that are settings, or were found in data beforehand."""
    found = []
    for position, name in enumerate(("mean", "variance")):
        given = layer.config.get(name)
        found.append(layer.variable(name, position) if given is None else np.asarray(given))
    mean, variance = (np.asarray(one, np.float32).astype(np.float64).reshape(-1) for one in found)
    spread = np.maximum(np.sqrt(variance.astype(np.float32)), np.float32(1e-7)).astype(np.float64)
    if layer.config.get("invert"):
        return lambda g: np.asarray(g[0] * spread + mean)
    return lambda g: np.asarray((g[0] - mean) / spread)
