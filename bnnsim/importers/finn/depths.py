"""FIFO depths: FINN's FIFOs, or those that its nodes ask for, on a design's streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bnnsim.design.streaming.units import Converter, Sink, Stream, StreamingGraph
from bnnsim.importers.finn.chain import SOURCE, Chain
from bnnsim.importers.finn.nodes import PASSING, DataflowNode
from bnnsim.spec.bounds import MAX_DEPTH_WORDS

SHALLOW = 2
"""Words of a stream for which FINN builds no FIFO, and of ours by default."""


@dataclass(frozen=True)
class Link:
    """A way from one unit to another: FINN's FIFOs between, cut at its width converters.

    ``writer`` and ``reader`` are units of the design; ``made`` and ``read`` the nodes at the ends
    (None at the graph's own), with the output's and input's number. ``fifos`` are the FIFO nodes of
    each stretch.
    """

    writer: str
    reader: str
    made: DataflowNode | None
    output: int
    read: DataflowNode | None
    input: int
    fifos: tuple[tuple[DataflowNode, ...], ...]


@dataclass
class Depths:
    """Depths by stream where they are not shallow, where each is from, and what had no place.

    ``holders``: for each stream the FIFO nodes it stands for; ``ends``: the nodes whose
    ``outFIFODepths`` and ``inFIFODepths`` say its depth where FINN has not inserted FIFOs yet.
    """

    words: dict[str, int] = field(default_factory=dict)
    holders: dict[str, tuple[DataflowNode, ...]] = field(default_factory=dict)
    ends: dict[str, tuple[tuple[DataflowNode, str, int], ...]] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)


def read_depths(chain: Chain, graph: StreamingGraph, at_units: bool = False) -> Depths:
    """The depths of all streams of the design's graph.

    ``at_units``: as the units ask for, though the graph has FIFOs: FINN inserts others.
    """
    found = Depths()
    has_fifos = any(node.kind == "StreamingFIFO" for node in chain.nodes.values()) and not at_units
    ours = _paths(graph)
    for link in links(chain, graph):
        paths = ours.get((link.writer, link.reader))
        if not paths:
            _lose(found, link)
            continue
        streams = paths.pop(0)
        if has_fifos:
            _inserted(found, link, streams)
        else:
            _asked_for(found, link, streams)
    return found


def links(chain: Chain, graph: StreamingGraph) -> Iterator[Link]:
    """Every way between two units, in the graph's order; the first unit's are ``source``."""
    sinks = [u.name for u in graph.units if isinstance(u.parameters, Sink)]
    yield from _from_source(chain, sinks)
    for node in chain.nodes.values():
        own = chain.units.get(node.name)
        if own is None or own.part == "":
            continue
        for number, name in enumerate(node.outputs):
            yield from _follow(chain, own.unit, node, number, name, sinks)


def _from_source(chain: Chain, sinks: list[str]) -> Iterator[Link]:
    given = {n for node in chain.nodes.values() for n in node.inputs} - set(chain.makers)
    for name in given:
        if any(
            node.kind not in ("IODMA",) or node.inputs[0] == name for node, _ in chain.readers[name]
        ):
            yield from (
                link for link in _follow(chain, SOURCE, None, 0, name, sinks) if link.input == 0
            )


def _follow(
    chain: Chain, writer: str, made: DataflowNode | None, number: int, tensor: str, sinks: list[str]
) -> Iterator[Link]:
    waiting: list[tuple[str, tuple[tuple[DataflowNode, ...], ...]]] = [(tensor, ((),))]
    while waiting:
        name, fifos = waiting.pop()
        readers = chain.readers.get(name, [])
        if not readers and made is not None:
            sink = sinks[0] if len(sinks) == 1 else f"{chain.units[made.name].layer}.sink"
            yield Link(writer, sink, made, number, None, 0, fifos)
        for node, position in readers:
            unit = chain.units.get(node.name)
            if unit is not None:
                reader = unit.unit if unit.part else sinks[0]
                yield Link(writer, reader, made, number, node, position, fifos)
                continue
            if node.kind == "StreamingFIFO":
                ahead = (*fifos[:-1], (*fifos[-1], node))
            elif node.kind == "StreamingDataWidthConverter":
                ahead = (*fifos, ())
            else:
                ahead = fifos
            if node.outputs and (node.kind in PASSING or position == 0):
                waiting.append((node.outputs[0], ahead))


def _paths(graph: StreamingGraph) -> dict[tuple[str, str], list[list[Stream]]]:
    """The ways of a graph by their ends."""
    found: dict[tuple[str, str], list[list[Stream]]] = {}
    for path in ways(graph):
        found.setdefault((path[0].writer, path[-1].reader), []).append(path)
    return found


def ways(graph: StreamingGraph) -> Iterator[list[Stream]]:
    """The streams of each way between units that are no converters."""
    by_name = graph.unit_by_name
    for stream in graph.streams:
        if isinstance(by_name[stream.writer].parameters, Converter):
            continue
        path = [stream]
        while isinstance(by_name[path[-1].reader].parameters, Converter):
            path.append(graph.stream_by_name[by_name[path[-1].reader].outputs[0]])
        yield path


def depth_of(node: DataflowNode) -> int:
    """Words of a FIFO. Raises :class:`InputError` where it has none, or too many."""
    depth = node.number("depth")
    if not 0 <= depth <= MAX_DEPTH_WORDS:
        raise node.fault(f"a depth of at most {MAX_DEPTH_WORDS} words", depth)
    return depth


def _inserted(found: Depths, link: Link, streams: list[Stream]) -> None:
    stretches = [tuple(fifos) for fifos in link.fifos]
    if len(stretches) != len(streams):
        every = tuple(node for fifos in stretches for node in fifos)
        deep = [node for node in every if depth_of(node) > SHALLOW]
        if deep:
            names = ", ".join(node.name for node in deep)
            found.losses.append(
                f"{names}: {len(stretches) - 1} converters between {link.writer} and {link.reader}, "
                f"{len(streams) - 1} here; all words in {streams[0].name}"
            )
        stretches = [every, *[() for _ in streams[1:]]]
    for stream, fifos in zip(streams, stretches, strict=True):
        words = sum(depth for node in fifos if (depth := depth_of(node)) > SHALLOW)
        if words:
            found.words[stream.name] = min(words, MAX_DEPTH_WORDS)
        found.holders[stream.name] = fifos


def _asked_for(found: Depths, link: Link, streams: list[Stream]) -> None:
    first = _end(link.made, "outFIFODepths", link.output)
    last = _end(link.read, "inFIFODepths", link.input)
    ends: list[list[tuple[DataflowNode, str, int]]] = [[] for _ in streams]
    if first is not None:
        ends[0].append(first)
    if last is not None:
        ends[-1].append(last)
    for stream, said in zip(streams, ends, strict=True):
        words = max((node.numbers(key)[index] for node, key, index in said), default=0)
        if words > MAX_DEPTH_WORDS:
            node = said[0][0]
            raise node.fault(f"FIFO depths of at most {MAX_DEPTH_WORDS} words", words)
        if words > SHALLOW:
            found.words[stream.name] = words
        found.ends[stream.name] = tuple(said)


def _end(node: DataflowNode | None, key: str, index: int) -> tuple[DataflowNode, str, int] | None:
    if node is None or index >= len(node.numbers(key)):
        return None
    return node, key, index


def _lose(found: Depths, link: Link) -> None:
    deep = [node for fifos in link.fifos for node in fifos if depth_of(node) > SHALLOW]
    for node in deep:
        found.losses.append(
            f"{node.name}: {depth_of(node)} words between {link.writer} and {link.reader}, "
            "which are one unit here or not joined"
        )
