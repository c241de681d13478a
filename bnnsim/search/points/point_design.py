"""From a point of a space to hardware. The network is checked once for all points."""

from __future__ import annotations

from collections.abc import Mapping

from bnnsim.design.build import build_design
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.device import device_of
from bnnsim.design.streaming.layout import build_streaming
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture


def point_architecture(space: Space, knobs: Mapping[str, Value]) -> Loaded[Architecture]:
    """A point's architecture, located in its space's file.

    FIFO depths of streams that the point does not have (a converter's, at other widths) are left out.
    """
    found = space.loaded(space.point(knobs, space.name))
    spec = found.spec
    if not isinstance(spec, StreamingArchitecture) or not spec.fifo_words:
        return found
    shallow = Loaded(spec.model_copy(update={"fifo_words": {}}), found.source)
    graph, _ = build_streaming(shallow, space.network)
    if graph is None:
        return found
    there = {name: words for name, words in spec.fifo_words.items() if name in graph.stream_by_name}
    return space.loaded(spec.model_copy(update={"fifo_words": there}))


def point_design(space: Space, knobs: Mapping[str, Value]) -> Design | EngineDesign:
    """A point as hardware. Raises :class:`SpecError` where it cannot be built.

    A pipeline is built on the space's network as it is, without checking that again.
    """
    loaded = point_architecture(space, knobs)
    if not isinstance(loaded.spec, StreamingArchitecture):
        return build_design(loaded, space.workload)
    streaming = Loaded(loaded.spec, loaded.source)
    faults: list[Fault] = []
    device = device_of(loaded.spec.device, loaded.source, faults)
    graph, more = build_streaming(streaming, space.network)
    if device is None or graph is None or more:
        raise SpecError([*loaded.faults, *faults, *more])
    return Design(streaming.spec, space.network, device, graph)
