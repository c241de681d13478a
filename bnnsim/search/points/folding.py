"""Folding: how many PEs and SIMD lanes each layer gets, and how many cycles that leaves it with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bnnsim.design.network.network import Node
from bnnsim.spec.faults import divisors_of
from bnnsim.spec.workload import ConvLayer


@dataclass(frozen=True)
class Fold:
    """One choice of PE and SIMD and the cycles a frame that the layer's MVAU then takes."""

    pe: int
    simd: int
    cycles: int

    @property
    def sides(self) -> tuple[int, int]:
        """PE and SIMD."""
        return self.pe, self.simd


def fold_cycles(node: Node, pe: int, simd: int) -> int:
    """Cycles a frame of the MVAU of ``node``: vectors x synapse fold x neuron fold."""
    rows = node.groups * node.matrix_height
    return node.output.pixels * (rows // pe) * (node.matrix_width // simd)


def folds(node: Node) -> tuple[Fold, ...]:
    """Every legal fold of a layer, cheapest first.

    PE divides the matrix height, SIMD its width; behind a sliding window SIMD also divides
    the channels (no converter between them). Groups side by side have PEs for all their rows and take
    all channels of a pixel at once. Cheapest: fewest XNORs a cycle, then
    fewest PEs (each brings an accumulator and a threshold).
    """
    slides = isinstance(node.layer, ConvLayer) and node.layer.kernel_hw != (1, 1)
    several = () if node.is_residual else node.pe_choices
    return _folds(
        node.matrix_height,
        node.matrix_width,
        node.output.pixels * node.groups,
        node.group_channels if slides else 0,
        tuple(pe for pe in several if pe > node.matrix_height),
        node.group_channels,
    )


@lru_cache(maxsize=4096)
def _folds(
    height: int, width: int, vectors: int, channels: int, several: tuple[int, ...], group_channels: int
) -> tuple[Fold, ...]:
    """Folds of a ``height x width`` matrix; SIMD divides ``channels`` unless those are 0."""
    choices = [
        Fold(pe, simd, vectors * (height // pe) * (width // simd))
        for pe in divisors_of(height)
        for simd in divisors_of(width)
        if channels % simd == 0
    ]
    choices += [
        Fold(pe, group_channels, vectors * height // pe * (width // group_channels)) for pe in several
    ]
    return tuple(sorted(choices, key=lambda fold: (fold.pe * fold.simd, fold.pe)))
