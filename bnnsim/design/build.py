"""From specs to a design of either kind: a network fitted onto an architecture."""

from __future__ import annotations

from collections.abc import Callable

from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.device import device_of
from bnnsim.design.engine.layout import build_engine
from bnnsim.design.engine.patterns import for_network, is_free
from bnnsim.design.engine.program import EngineProgram
from bnnsim.design.network.network import Network, check_network
from bnnsim.design.prefix import prefix_architecture, prefix_layers, prefix_workload
from bnnsim.design.streaming.layout import build_streaming
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.device import Device
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.load import Loaded, from_spec
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload

Mapper = Callable[
    [Loaded[EngineArchitecture], Network, frozenset[str]],
    tuple[Loaded[EngineArchitecture], EngineProgram | None, list[Fault]],
]
"""Chooses the loops of layers that leave them to the tool, and may build the program; the last argument
are layers that stream."""


def build_design(
    architecture: Loaded[Architecture] | Architecture,
    workload: Loaded[Workload] | Workload | Network,
    mapper: Mapper | None = None,
) -> Design | EngineDesign:
    """Fit a network onto an architecture of either kind. Without a ``mapper`` layers of ``mapping: auto``
    are refused. A :class:`Network` was checked before.

    Raises :class:`SpecError` with the faults of both files, of the network and of the fit at once.
    """
    arch = architecture if isinstance(architecture, Loaded) else from_spec(architecture)
    if isinstance(arch.spec, EngineArchitecture):
        return build_engine_design(arch, workload, mapper)
    return build_streaming_design(arch, workload)


def build_streaming_design(
    architecture: Loaded[Architecture] | Architecture, workload: Loaded[Workload] | Workload | Network
) -> Design:
    """As :func:`build_design` where only a pipeline will do; an engine is a fault of its ``style``."""
    given = architecture if isinstance(architecture, Loaded) else from_spec(architecture)
    if not isinstance(given.spec, StreamingArchitecture):
        raise SpecError([given.source.fault(("style",), "streaming", given.spec.style)])
    arch = Loaded(given.spec, given.source, given.path, given.faults)
    network, device, faults = _network_and_device(arch, workload)
    graph = None
    if network is not None:
        graph, found = build_streaming(arch, network)
        said = {(fault.file, fault.key) for fault in arch.faults}
        faults += [fault for fault in found if (fault.file, fault.key) not in said]
    if faults or network is None or graph is None or device is None:
        raise SpecError(faults)
    return Design(arch.spec, network, device, graph)


def build_engine_design(
    architecture: Loaded[Architecture] | Architecture,
    workload: Loaded[Workload] | Workload | Network,
    mapper: Mapper | None = None,
) -> EngineDesign:
    """As :func:`build_design` where only an engine will do; a pipeline is a fault of its ``style``."""
    given = architecture if isinstance(architecture, Loaded) else from_spec(architecture)
    if not isinstance(given.spec, EngineArchitecture):
        raise SpecError([given.source.fault(("style",), "engine", given.spec.style)])
    arch = Loaded(given.spec, given.source, given.path, given.faults)
    network, device, faults = _network_and_device(arch, workload)
    program: EngineProgram | None = None
    prefix = None
    unmapped: list[Fault] = []
    if network is not None:
        names, found = prefix_layers(arch, network)
        faults += found
        arch, found = for_network(arch, network, names)
        faults += found
        if is_free(arch.spec):
            arch, program, unmapped = (mapper or _no_mapper)(arch, network, names)
            faults += unmapped
        if program is None and not unmapped:
            program, found = build_engine(arch, network, names)
            faults += found
        if names and device is not None:
            prefix, found = _prefix(arch, network, names, device)
            faults += found
    if faults or network is None or program is None or device is None:
        raise SpecError(faults)
    return EngineDesign(arch.spec, network, device, program, prefix)


def _no_mapper(
    arch: Loaded[EngineArchitecture], _: Network, __: frozenset[str]
) -> tuple[Loaded[EngineArchitecture], EngineProgram | None, list[Fault]]:
    free = [name for name, entry in arch.spec.layers.items() if entry.mapping == "auto"]
    key = ("layers", free[0], "mapping")
    return arch, None, [arch.source.fault(key, "no such key where nothing chooses the loops", "auto")]


def _network_and_device(
    arch: Loaded[Architecture], workload: Loaded[Workload] | Workload | Network
) -> tuple[Network | None, Device | None, list[Fault]]:
    """What both kinds need, with the faults of both files and of the network."""
    if isinstance(workload, Network):
        known: list[Fault] = [*arch.faults]
        return workload, device_of(arch.spec.device, arch.source, known), known
    work = workload if isinstance(workload, Loaded) else from_spec(workload)
    faults: list[Fault] = [*arch.faults, *work.faults]
    device = device_of(arch.spec.device, arch.source, faults)
    network, found = check_network(work)
    return network, device, [*faults, *found]


def _prefix(
    architecture: Loaded[EngineArchitecture],
    network: Network,
    names: frozenset[str],
    device: Device,
) -> tuple[Design | None, list[Fault]]:
    """The pipeline of the layers ``names`` in front of an engine."""
    part, faults = check_network(from_spec(prefix_workload(network, names)))
    if part is None:
        return None, faults
    streaming = prefix_architecture(architecture)
    graph, faults = build_streaming(streaming, part)
    return (Design(streaming.spec, part, device, graph) if graph else None), faults
