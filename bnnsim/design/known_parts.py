"""What the layers of one network became in earlier pipelines, for those that agree in them.

A layer's units and streams follow from its hardware, from the streams that reach it and from little else;
depths of FIFOs change no unit.
A search builds thousands of pipelines of one network that differ in a few layers each: the other layers'
units are the same objects.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from bnnsim.design.filled_options import FilledOptions
from bnnsim.design.network.network import INPUT, Node
from bnnsim.design.streaming.stream_builder import SOURCE, Part, StreamBuilder
from bnnsim.design.streaming.units import Stream, Unit
from bnnsim.spec.device import Device

MOST_PARTS = 50_000
"""Parts, and streams of other depths than theirs, that are kept at once."""


class KnownParts:
    """Parts of pipelines of one network, by what they follow from; only parts without a fault.

    ``options`` are those of layers, with the defaults, and ``devices`` those that designs are for.
    """

    def __init__(self) -> None:
        self._forget()

    def __reduce__(self) -> tuple[type[KnownParts], tuple[()]]:
        return KnownParts, ()  # another process finds its own

    def _forget(self) -> None:
        self.options = FilledOptions()
        self.devices: dict[str, Device] = {}
        self._parts: dict[Hashable, Part] = {}
        self._sound: set[Hashable] = set()
        # By the object's identity: the unit itself is kept beside it, so that no other has its place.
        self._finished: dict[tuple[int, tuple[str, ...]], tuple[Unit, Unit]] = {}
        # What whoever reads a layer is given has a number; equal ones have the same.
        self._numbers: dict[Hashable, int] = {}
        # By the identity of a part's stream, and its depth.
        self._deepened: dict[tuple[int, int], Stream] = {}

    def make_room(self) -> None:
        """Forget everything where there is too much of it; between two pipelines only."""
        if len(self._parts) + len(self._deepened) + len(self.options) > MOST_PARTS:
            self._forget()

    def unsure(self, builder: StreamBuilder) -> Sequence[Node]:
        """The layers that were not found without a fault with this hardware before."""
        nodes = builder.network.nodes.values()
        return [node for node in nodes if self._check_key(builder, node) not in self._sound]

    def keep_sound(self, builder: StreamBuilder, nodes: Sequence[Node]) -> None:
        """``nodes`` have no fault."""
        self._sound.update(self._check_key(builder, node) for node in nodes)

    def _check_key(self, builder: StreamBuilder, node: Node) -> Hashable:
        return node.name, node.name in builder.spec.layers, builder.hardware_key(node.name)

    def add_source(self, builder: StreamBuilder, lanes: int, build: Callable[[], None]) -> None:
        """The frame source of a pipeline whose first layer reads ``lanes`` elements a word."""
        hardware = builder.hardware_key(INPUT), builder.hardware_key(SOURCE)
        branches = builder.branches(INPUT)
        key = INPUT, lanes, builder.spec.frame_source, hardware, builder.surroundings, branches
        self._add(builder, key, INPUT, (), build)

    def add_layer(self, builder: StreamBuilder, node: Node, build: Callable[[], None]) -> None:
        """The units of a layer: those known of it, else what ``build`` adds."""
        name, reads = node.name, builder.reads(node)
        # A faulty source leaves no end; then nothing is known of the layers behind it.
        ends = [] if builder.faults else [builder.open_ends[layer] for layer in reads]
        key = name, builder.hardware_key(name), builder.branches(name), builder.surroundings, *ends
        self._add(builder, key, name, reads, build)

    def add_sink(self, builder: StreamBuilder, output: str, build: Callable[[], None]) -> None:
        """The sink of an output of the network."""
        end = builder.open_ends[output]
        key = "", output, builder.spec.frame_sink, builder.surroundings, end
        self._add(builder, key, "", (output,), build)

    def _deep(self, stream: Stream, depth_words: int) -> Stream:
        key = id(stream), depth_words
        if key not in self._deepened:
            self._deepened[key] = replace(stream, depth_words=depth_words)
        return self._deepened[key]

    def _add(
        self,
        builder: StreamBuilder,
        key: Hashable,
        name: str,
        inputs: Sequence[str],
        build: Callable[[], None],
    ) -> None:
        part = None if builder.faults else self._parts.get(key)
        if part is not None:
            builder.add_part(part, self._deep)
            return
        before = builder.size
        build()
        if not builder.faults:
            self._parts[key] = builder.part_since(before, name, inputs, self._numbers)

    def units(self, builder: StreamBuilder) -> tuple[Unit, ...]:
        """All units with what they feed."""
        found = []
        for unit, outputs in builder.units_and_outputs:
            if unit.outputs == outputs:
                found.append(unit)
                continue
            key = id(unit), outputs
            if key not in self._finished:
                self._finished[key] = unit, replace(unit, outputs=outputs)
            found.append(self._finished[key][1])
        return tuple(found)
