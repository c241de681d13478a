"""Layers of a long network in groups that fold: neighbours whose maps have the same size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bnnsim.design.network.network import Network

MOST_UNFOLDED = 20
"""Layers up to which a page shows all of them at once."""
GROUP_LAYERS = 16
"""A group has at most so many, so that a chain of vectors folds too."""


@dataclass(frozen=True)
class LayerGroup:
    """Neighbouring layers; ``size`` says their maps' rows and columns, or that they are vectors."""

    size: str
    layers: tuple[str, ...]

    @property
    def title(self) -> str:
        first, last = self.layers[0], self.layers[-1]
        return f"{self.size}: {first}" + (f" to {last}" if last != first else "")


def layer_groups(network: Network, layers: Sequence[str]) -> tuple[LayerGroup, ...]:
    """The ``layers`` in their order, in groups; one group where they are few.

    What is no layer (the source, the sink) goes with its neighbour.
    """
    sizes: list[str] = []
    for name in layers:
        node = network.nodes.get(name)
        sizes.append(_size(*node.output.shape[1:]) if node else "")
    known = next((size for size in sizes if size), "")
    for place, size in enumerate(sizes):
        known = sizes[place] = size or known
    if len(layers) <= MOST_UNFOLDED:
        return (LayerGroup("", tuple(layers)),)
    groups: list[LayerGroup] = []
    start = 0
    for place in range(1, len(layers) + 1):
        is_end = place == len(layers) or sizes[place] != sizes[start]
        if is_end or place - start == GROUP_LAYERS:
            groups.append(LayerGroup(sizes[start], tuple(layers[start:place])))
            start = place
    return tuple(groups)


def _size(height: int, width: int) -> str:
    return f"{height} × {width}" if height * width > 1 else "vectors"
