"""From a point of a space to hardware. The network is checked once for all points."""

from __future__ import annotations

from collections.abc import Mapping

from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.device import device_of
from bnnsim.design.engine.layout import turns_of
from bnnsim.design.engine.patterns import for_network, is_free
from bnnsim.design.engine.program import EngineProgram, LayerProgram
from bnnsim.design.streaming.layout import build_streaming
from bnnsim.design.streaming.units import StreamingGraph
from bnnsim.search.fifos.paced_design import paced_depths
from bnnsim.search.points.encoding import point_key
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.timing.mapped import mapped_design, untimed_design

MOST_SIZED = 1000
"""Points whose depths are kept."""


def point_architecture(space: Space, knobs: Mapping[str, Value]) -> Loaded[Architecture]:
    """A point's architecture, located in its space's file.

    FIFO depths of streams that the point does not have (a converter's, at other widths) are left out.
    """
    if space.explore.fifos == "sized":
        return space.loaded(finished_design(space, knobs).architecture)
    found = space.loaded(space.point(knobs, space.name))
    spec = found.spec
    if not isinstance(spec, StreamingArchitecture) or not spec.fifo_words:
        return found
    streaming = Loaded(spec, found.source)
    graph, _ = build_streaming(streaming, space.network, all_depths_count=False, known=space.parts)
    return found if graph is None else space.loaded(_with_its_depths(spec, graph))


def finished_design(space: Space, knobs: Mapping[str, Value]) -> Design | EngineDesign:
    """A point as hardware, with FIFOs that were sized for it where the space wants that.

    Raises :class:`SpecError` where it cannot be built.
    """
    return with_sized_fifos(space, knobs, point_design(space, knobs))


def with_sized_fifos(
    space: Space, knobs: Mapping[str, Value], design: Design | EngineDesign
) -> Design | EngineDesign:
    """The ``design`` of a point with FIFOs sized for it where the space wants that.

    Raises :class:`SpecError` where they, or frames, have too many words.
    """
    if space.explore.fifos != "sized" or not isinstance(design, Design):
        return design
    spec, key = design.architecture, point_key(knobs)
    if key not in space.sized:
        depths = paced_depths(design)
        given = {stream.name: stream.depth_words for stream in design.graph.streams}
        if len(space.sized) >= MOST_SIZED:
            del space.sized[next(iter(space.sized))]
        space.sized[key] = {name: words for name, words in depths.items() if words != given[name]}
    deeper = space.sized[key]
    sized = spec.model_copy(update={"fifo_words": {**spec.fifo_words, **deeper}})
    return _pipeline(space, Loaded(sized, space.source))


def point_design(space: Space, knobs: Mapping[str, Value]) -> Design | EngineDesign:
    """A point as hardware. Raises :class:`SpecError` where it cannot be built.

    A pipeline is built on the space's network as it is, without checking that again, and with the depths
    that the space gives: where FIFOs are sized it takes no less than this.
    """
    loaded = space.loaded(space.point(knobs, space.name))
    if not isinstance(loaded.spec, StreamingArchitecture):
        return mapped_design(loaded, space.network, space.ways)
    return _pipeline(space, Loaded(loaded.spec, loaded.source))


def check_point(space: Space, knobs: Mapping[str, Value]) -> None:
    """Raise :class:`SpecError` where :func:`point_design` does; loops left to the tool are not chosen."""
    loaded = space.loaded(space.point(knobs, space.name))
    if isinstance(loaded.spec, StreamingArchitecture):
        _pipeline(space, Loaded(loaded.spec, loaded.source))
    else:
        untimed_design(loaded, space.network, space.ways)


def _pipeline(space: Space, streaming: Loaded[StreamingArchitecture]) -> Design:
    faults: list[Fault] = []
    name, devices = streaming.spec.device, space.parts.devices
    device = devices.get(name) or device_of(name, streaming.source, faults)
    if device is not None:
        devices[name] = device
    graph, more = build_streaming(
        streaming, space.network, all_depths_count=False, known=space.parts
    )
    if device is None or graph is None or more:
        raise SpecError([*streaming.faults, *faults, *more])
    return Design(_with_its_depths(streaming.spec, graph), space.network, device, graph)


def idle_design(space: Space, knobs: Mapping[str, Value]) -> EngineDesign | None:
    """A point of an engine whose loops are left to the tool, with all its units and nothing that they do:
    whatever loops are chosen, the design takes no less. None of other points, and of those at fault."""
    found = space.loaded(space.point(knobs, space.name))
    spec = found.spec
    if not isinstance(spec, EngineArchitecture) or not is_free(spec) or spec.streaming_prefix:
        return None
    faults: list[Fault] = []
    device = device_of(spec.device, found.source, faults)
    engine, more = for_network(Loaded(spec, found.source), space.network, ())
    turns = turns_of(engine, space.network)
    if device is None or faults or more or not turns:
        return None
    spec = engine.spec
    arrays = [spec.programs[str(spec.layers[names[0]].program)].array or "" for names in turns]
    parts = (LayerProgram(n[0], n, array, (), {}) for n, array in zip(turns, arrays, strict=True))
    units = tuple(spec.arrays), tuple(spec.stages), tuple(spec.buffers), tuple(spec.ports)
    program = EngineProgram(tuple(parts), *units, spec.host is not None)
    return EngineDesign(spec, space.network, device, program)


def _with_its_depths(spec: StreamingArchitecture, graph: StreamingGraph) -> StreamingArchitecture:
    """The architecture without FIFO depths of streams that are not there."""
    there = {name: words for name, words in spec.fifo_words.items() if name in graph.stream_by_name}
    return spec if there == spec.fifo_words else spec.model_copy(update={"fifo_words": there})
