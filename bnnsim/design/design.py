"""A design: an architecture and a network that fit each other."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.design.device import completed_budget
from bnnsim.design.engine.program import EngineProgram
from bnnsim.design.network.network import Network
from bnnsim.design.streaming.units import Sink, StreamingGraph, Unit
from bnnsim.spec.accelerator import Budget
from bnnsim.spec.device import Device
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.streaming.architecture import StreamingArchitecture


@dataclass(frozen=True)
class Design:
    """A streaming architecture x network with everything resolved and checked."""

    architecture: StreamingArchitecture
    network: Network
    device: Device
    graph: StreamingGraph

    @property
    def name(self) -> str:
        return f"{self.architecture.name} x {self.network.workload.name}"

    @property
    def budget(self) -> Budget:
        """The architecture's budget, completed with what the device holds."""
        return completed_budget(self.architecture, self.device)


@dataclass(frozen=True)
class EngineDesign:
    """An engine architecture x network with everything resolved and checked."""

    architecture: EngineArchitecture
    network: Network
    device: Device
    program: EngineProgram
    """What the engine itself does; the prefix's cycles are timing's to add."""
    streaming_prefix: Design | None = None
    """The first layers' streaming pipeline, if any."""

    @property
    def name(self) -> str:
        return f"{self.architecture.name} x {self.network.workload.name}"

    @property
    def budget(self) -> Budget:
        """The architecture's budget, completed with what the device holds."""
        return completed_budget(self.architecture, self.device)

    @property
    def prefix_units(self) -> tuple[Unit, ...]:
        """The prefix's units that exist: its results stay on the device, so no sink takes them."""
        if self.streaming_prefix is None:
            return ()
        return tuple(u for u in self.streaming_prefix.graph.units if not isinstance(u.parameters, Sink))
