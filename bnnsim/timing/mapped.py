"""Designs of either kind, with the loops of engines' layers that leave them to the tool."""

from __future__ import annotations

from functools import partial

from bnnsim.design.build import build_design
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.network.network import Network
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.load import Loaded
from bnnsim.spec.workload import Workload
from bnnsim.timing.engine.mapping.choice import KnownWays, fit_layers, map_layers


def mapped_design(
    architecture: Loaded[Architecture] | Architecture,
    workload: Loaded[Workload] | Workload | Network,
    known: KnownWays | None = None,
) -> Design | EngineDesign:
    """As :func:`~bnnsim.design.build.build_design`; layers of ``mapping: auto`` run programs whose loops
    were chosen by exact timing, which the design's architecture says in full. ``known`` has what was
    found for other architectures of the same file.

    Raises :class:`~bnnsim.spec.faults.SpecError` as that does, and where no way fits such a layer.
    """
    return build_design(architecture, workload, partial(map_layers, known=known))


def untimed_design(
    architecture: Loaded[Architecture] | Architecture,
    workload: Loaded[Workload] | Workload | Network,
    known: KnownWays | None = None,
) -> Design | EngineDesign:
    """As :func:`mapped_design`, where loops that are left open are the first that fit: whether there is
    such a design is found in a fraction of the time."""
    return build_design(architecture, workload, partial(fit_layers, known=known))
