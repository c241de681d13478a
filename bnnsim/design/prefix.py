"""A mixed design's first layers: a streaming pipeline of its own in front of the engine."""

from __future__ import annotations

from bnnsim.design.network.network import INPUT, Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault, near_names
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload


def prefix_layers(
    architecture: Loaded[EngineArchitecture], network: Network
) -> tuple[frozenset[str], list[Fault]]:
    """The layers that stream: ``until`` and all it depends on."""
    prefix = architecture.spec.streaming_prefix
    if prefix is None:
        return frozenset(), []
    key = ("streaming_prefix", "until")
    if prefix.until not in network.nodes:
        near = near_names(prefix.until, network.nodes)
        expected = f"a layer of workload {network.workload.name}"
        return frozenset(), [architecture.source.fault(key, expected, repr(prefix.until), near)]
    names = {prefix.until}
    for name in reversed(list(network.nodes)):
        if name in names:
            names |= {source for source in network.nodes[name].inputs if source != INPUT}
    leaks = [
        f"{reader} reads {source}"
        for source in [INPUT, *names]
        for reader, _ in network.consumers[source]
        if reader not in names and source != prefix.until
    ]
    leaks += [f"{output} is an output" for output in network.outputs if output in names]
    if leaks:
        expected = "a layer through which alone the others see what comes before"
        return frozenset(), [architecture.source.fault(key, expected, ", ".join(sorted(leaks)))]
    return frozenset(names), []


def prefix_workload(network: Network, names: frozenset[str]) -> Workload:
    """The layers ``names`` as a workload of their own."""
    layers = [layer for layer in network.workload.layers if layer.name in names]
    name = f"{network.workload.name}.front"
    changed = {"name": name, "layers": layers, "outputs": None, "weights": None}
    return network.workload.model_copy(update=changed)


def prefix_architecture(
    architecture: Loaded[EngineArchitecture],
) -> Loaded[StreamingArchitecture]:
    """The prefix as an architecture of its own, its keys at their lines in the engine's file."""
    spec, text = architecture.spec, architecture.source
    assert spec.streaming_prefix is not None
    streaming = StreamingArchitecture(
        name=f"{spec.name}.front",
        source=spec.source,
        style="streaming",
        device=spec.device,
        clock_mhz=spec.clock_mhz,
        defaults=spec.streaming_prefix.defaults,
        frame_source=spec.streaming_prefix.frame_source,
        layers=spec.streaming_prefix.layers,
        fifo_words=spec.streaming_prefix.fifo_words,
    )
    section = text.data.get("streaming_prefix", {}) if isinstance(text.data, dict) else {}
    return Loaded(streaming, text.section("streaming_prefix", section))
