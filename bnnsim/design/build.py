"""A design: an architecture and a network that fit each other."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.design.network.network import Network, check_network
from bnnsim.design.streaming.layout import build_streaming
from bnnsim.design.streaming.units import StreamingGraph
from bnnsim.spec.accelerator import ArchitectureBase, Budget
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.device import Device
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.library import find_spec, shipped_names
from bnnsim.spec.load import Loaded, from_spec, load_device
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.source import SourceText


@dataclass(frozen=True)
class Design:
    """An architecture x network with everything resolved and checked."""

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


def completed_budget(architecture: ArchitectureBase, device: Device) -> Budget:
    """The architecture's budget; what it does not name is what the device holds."""
    given = architecture.budget
    names = ("lut", "lutram", "ff", "bram18", "uram", "dsp", "alm", "m20k")
    held = {name: getattr(device, name) for name in names if getattr(given, name) is None}
    return given.model_copy(update=held)


def build_design(
    architecture: Loaded[Architecture] | Architecture, workload: Loaded[Workload] | Workload
) -> Design:
    """Fit a network onto an architecture.

    Raises :class:`SpecError` with the faults of both files, of the graph and of the folding at once.
    """
    arch = architecture if isinstance(architecture, Loaded) else from_spec(architecture)
    work = workload if isinstance(workload, Loaded) else from_spec(workload)
    faults: list[Fault] = [*arch.faults, *work.faults]
    if not isinstance(arch.spec, StreamingArchitecture):
        raise SpecError([arch.source.fault(("style",), "streaming", arch.spec.style)])
    streaming = Loaded(arch.spec, arch.source, arch.path, arch.faults)
    device = device_of(arch.spec.device, arch.source, faults)
    network, network_faults = check_network(work)
    faults += network_faults
    graph = None
    if network is not None:
        graph, graph_faults = build_streaming(streaming, network)
        said = {(fault.file, fault.key) for fault in arch.faults}
        faults += [fault for fault in graph_faults if (fault.file, fault.key) not in said]
    if faults or network is None or graph is None or device is None:
        raise SpecError(faults)
    return Design(streaming.spec, network, device, graph)


def device_of(name: str, source: SourceText, faults: list[Fault]) -> Device | None:
    """The device an architecture names; None, with the reason in ``faults``, where there is none."""
    try:
        find_spec(name, "device")
    except SpecError as error:
        names = ", ".join(shipped_names("device"))
        near = error.faults[0].near
        faults.append(source.fault(("device",), f"one of {names}", repr(name), near))
        return None
    try:
        return load_device(name).spec
    except SpecError as error:
        faults.extend(error.faults)
        return None
