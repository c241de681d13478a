"""What a frame on an engine brings in, keeps where and for how long, and sends out: its memory map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bnnsim.design.engine.fit import waiting_in
from bnnsim.design.engine.kept_maps import Kept, KeptMaps
from bnnsim.design.engine.memory import threshold_words, weight_words
from bnnsim.design.engine.passing import (
    MAPS,
    RESULTS,
    Part,
    Passed,
    is_outside,
    keeps_maps,
    parts_of,
    passed_maps,
)
from bnnsim.design.engine.program import EngineProgram, Repeat, Transfer, counted
from bnnsim.design.engine.traffic import WEIGHTS, compute_tiles, gathered
from bnnsim.design.memory_map import (
    DRAM,
    OUTSIDE,
    Content,
    Crossing,
    Direction,
    Memory,
    MemoryMap,
    MemoryPlace,
    Way,
)
from bnnsim.design.network.network import INPUT, Network
from bnnsim.design.placement import Piece, Places, Resident, Room, place
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Buffer, Payload
from bnnsim.spec.engine.outside import OutsidePayload
from bnnsim.spec.workload import WeightedLayer

_BROUGHT: Mapping[Content, tuple[str, ...]] = {
    "weights": ("weights",),
    "thresholds": ("thresholds",),
    "image": ("image",),
    "activations": MAPS,
}
"""Payloads that are loaded, by what they are in a memory."""
_SENT: Mapping[Content, tuple[str, ...]] = {"activations": RESULTS}
"""And those that are stored."""


def memory_map(spec: EngineArchitecture, network: Network, program: EngineProgram) -> MemoryMap:
    """Where everything lies of a frame of ``program``, which was checked: all of it has a place."""
    return _Mapper(spec, network, parts_of(spec, program.parts)).run()


class _Mapper:
    def __init__(self, spec: EngineArchitecture, network: Network, parts: tuple[Part, ...]) -> None:
        self.spec = spec
        self.network = network
        self.parts = parts
        self.kept_maps = KeptMaps(spec, network, parts)
        self.names = tuple(part.name for part in parts)
        self.passed = passed_maps(network, parts)

    def run(self) -> MemoryMap:
        places = [
            *self._weights(),
            *self._passing(),
            *self._maps(),
            *self._dram(),
            *self._outside(),
        ]
        memories = [self._memory(name, places) for name in self.spec.buffers]
        if self.spec.ports:
            memories.append(self._memory(DRAM, places))
        return MemoryMap(self.names, tuple(memories), tuple(places), tuple(self._crossings()))

    def _turn(self, position: int) -> str:
        return self.names[min(max(position, 0), len(self.names) - 1)]

    # ---- what does not depend on other turns -------------------------------------------------

    def _weights(self) -> Iterator[MemoryPlace]:
        """Weights that stay, one layer behind the other; thresholds, and those of a turn."""
        filled: dict[str, int] = {}
        for part in self.parts:
            for name in part.buffers if part.layers else ():
                buffer = self.spec.buffers[name]
                bits = self._constants(part, buffer)
                content: Content = "weights" if buffer.holds == "weights" else "thresholds"
                if bits and buffer.residency == "network":
                    first = filled.get(name, 0)
                    filled[name] = first + bits
                    yield MemoryPlace(
                        part.name,
                        content,
                        name,
                        bits,
                        first,
                        self.names[0],
                        self.names[-1],
                        "network",
                    )
                elif bits and content == "thresholds" and not part.moves("load", ("thresholds",)):
                    yield self._in_turn(part, content, name, bits)

    def _constants(self, part: Part, buffer: Buffer) -> int:
        """Bits of a buffer that a layer's weights or thresholds take: those of a call or a tile where no
        more need be there."""
        node = self.network.nodes[part.name]
        if not isinstance(node.layer, WeightedLayer):
            return 0
        channels = node.layer.out
        first = part.body.ops[0] if part.body.ops else None
        if part.body.calls and isinstance(first, Repeat) and buffer.residency != "network":
            channels = first.loops[0].tile
        elif buffer.residency == "tile":
            tiles = (t["groups"] * t["out_channels"] for t in compute_tiles(part.body))
            channels = min(channels, max(tiles, default=channels))
        words = 0
        if buffer.holds == "weights":
            array = self.spec.arrays.get(part.body.array)
            words = weight_words(buffer, node, array, channels)
        elif buffer.holds == "thresholds":
            words = threshold_words(buffer, channels)
        return words * buffer.banks * buffer.width_bits

    def _passing(self) -> Iterator[MemoryPlace]:
        """What a turn brings in tiles or sends out in tiles, and its partial sums."""
        for part in self.parts:
            for content, payloads in _BROUGHT.items():
                bits: dict[str, int] = {}
                for direction, moved in (("load", payloads), ("store", _SENT.get(content, ()))):
                    for name in self._tiled(part, direction, moved):
                        most = self._tile_bits(part, direction, moved, name)
                        bits[name] = max(bits.get(name, 0), most)
                for name, most in bits.items():
                    buffer = self.spec.buffers[name]
                    both = min(2 * most, 2 * buffer.capacity_bits) if buffer.double else most
                    yield self._in_turn(part, content, name, both)
            yield from self._sums(part)

    def _tiled(self, part: Part, direction: str, payloads: Sequence[str]) -> Iterator[str]:
        """Buffers of transfers through which no whole map comes or goes."""
        for name in dict.fromkeys(op.buffer for op in part.moves(direction, payloads)):
            if not keeps_maps(self.spec.buffers[name]):
                yield name

    def _tile_bits(self, part: Part, direction: str, payloads: Sequence[str], name: str) -> int:
        """What is there at once: weights loaded before their use, of all else one transfer."""
        moves = tuple(op for op in part.moves(direction, payloads) if op.buffer == name)
        layer = self.network.nodes[part.name].layer if part.layers else None
        if "weights" in payloads and isinstance(layer, WeightedLayer):
            own = self.spec.buffers[name].element_bits or layer.weight.bits
            extents = dict(part.body.extents)
            return gathered(self.spec, part.body.ops, moves, WEIGHTS, extents, own)
        return max(op.words * self.spec.ports[op.port].width_bits for op in moves)

    def _in_turn(self, part: Part, content: Content, memory: str, bits: int) -> MemoryPlace:
        return MemoryPlace(part.name, content, memory, bits, None, part.name, part.name, "turn")

    def _sums(self, part: Part) -> Iterator[MemoryPlace]:
        if not part.body.array:
            return
        node = self.network.nodes[part.name]
        bits = self.spec.arrays[part.body.array].accumulator_bits or node.sum_type.bits
        needed = waiting_in(part.body) * bits
        for name in part.buffers:
            if self.spec.buffers[name].holds == "partial_sums" and needed:
                yield self._in_turn(part, "partial_sums", name, needed)

    # ---- maps --------------------------------------------------------------------------------

    def _maps(self) -> Iterator[MemoryPlace]:
        kept, places = self.kept_maps.kept, self.kept_maps.placed()
        for one in kept:
            for piece in places[one.name]:
                way = "turn" if one.is_loaded else _way(one, piece, kept, places)
                yield self._map(one.name, piece, one.made, one.last, way)

    def _map(self, name: str, piece: Piece, made: int, last: int, way: Way) -> MemoryPlace:
        content: Content = "image" if name == INPUT else "activations"
        first = None if way == "outside" else piece.first_bit
        return MemoryPlace(
            "image" if name == INPUT else name,
            content,
            piece.memory,
            piece.bits,
            first,
            self._turn(made),
            self._turn(last),
            way,
        )

    def _dram(self) -> Iterator[MemoryPlace]:
        """What lies behind the ports: weights, the image, maps that are stored, results."""
        if not self.spec.ports:
            return
        first, last, base = self.names[0], self.names[-1], 0
        for content, name, bits in self._constant():
            yield MemoryPlace(name, content, DRAM, bits, base, first, last, "network")
            base += bits
        spilled = [
            Resident(one.name, self._bits(one), (DRAM,), one.maker.position, max(later))
            for one in self.passed
            if one.maker is not None and one.maker.moves("store", RESULTS)
            and one.name not in self.network.outputs  # these have room of their own, and keep it
            and (later := [r.position for r in one.readers if self.kept_maps.is_spilled(one, r)])
        ]  # fmt: skip
        rooms = {DRAM: Room(sum(-(-one.bits // 8) * 8 for one in spilled), 8)}
        for one in spilled:
            for piece in place(spilled, rooms)[one.name]:
                at = Piece(DRAM, base + piece.first_bit, piece.bits)
                yield self._map(one.name, at, one.made, one.last, "spilled")

    def _constant(self) -> Iterator[tuple[Content, str, int]]:
        """What has room of its own in DRAM all the time, in whole bytes."""
        for part in self.parts:
            node = self.network.nodes[part.name] if part.layers else None
            if node and isinstance(node.layer, WeightedLayer) and part.moves("load", ("weights",)):
                bits = node.layer.out * node.matrix_width * node.layer.weight.bits
                yield "weights", part.name, -(-bits // 8) * 8
        if any(part.moves("load", ("image",)) for part in self.parts):
            bits = self.network.input.elements * self.network.input.type.bits
            yield "image", "image", -(-bits // 8) * 8
        for output in self.network.outputs:
            if not is_outside(self.spec, "results", output):
                tensor = self.network.tensor(output)
                yield "results", output, -(-tensor.elements * tensor.type.bits // 8) * 8

    def _bits(self, passed: Passed) -> int:
        tensor = self.network.tensor(passed.name)
        return tensor.elements * tensor.type.bits

    def _outside(self) -> Iterator[MemoryPlace]:
        """What the architecture leaves to others."""
        for part in self.parts:
            node = self.network.nodes[part.name] if part.layers else None
            if node and isinstance(node.layer, WeightedLayer):
                kept = any(self.spec.buffers[name].holds == "weights" for name in part.buffers)
                if not kept and is_outside(self.spec, "weights", part.name):
                    bits = node.layer.out * node.matrix_width * node.layer.weight.bits
                    yield MemoryPlace(part.name, "weights", OUTSIDE, bits, None, self.names[0],
                                      self.names[-1], "outside")  # fmt: skip
        shown = {one.name for one in self.kept_maps.kept}
        for one in self.passed:
            what: OutsidePayload = "image" if one.name == INPUT else "activations"
            if one.name in shown or not is_outside(self.spec, what, one.name):
                continue
            made = -1 if one.maker is None else one.maker.position
            last = max(reader.position for reader in one.readers)
            piece = Piece(OUTSIDE, 0, self._bits(one))
            yield self._map(one.name, piece, made, last, "outside")

    # ---- sums --------------------------------------------------------------------------------

    def _memory(self, name: str, places: Sequence[MemoryPlace]) -> Memory:
        here = [one for one in places if one.memory == name]
        position = {turn: i for i, turn in enumerate(self.names)}
        sums = [0] * len(self.names)
        for i in range(len(self.names)):
            alive = [p for p in here if position[p.from_turn] <= i <= position[p.to_turn]]
            laid = [p for p in alive if p.first_bit is not None]
            spans = sorted(
                (p.first_bit, p.first_bit + p.bits) for p in laid if p.first_bit is not None
            )
            sums[i] = sum(p.bits for p in alive if p.first_bit is None) + _covered(spans)
        highest = max(sums, default=0)
        turn = self.names[sums.index(highest)] if sums else ""
        if name == DRAM:
            return Memory(DRAM, "what goes through the ports", None, highest, turn)
        buffer = self.spec.buffers[name]
        return Memory(name, buffer.holds, buffer.whole_bits, highest, turn)

    def _crossings(self) -> Iterator[Crossing]:
        for part in self.parts:
            words: dict[tuple[Payload, Direction, str, str], int] = {}
            for op, times in counted(part.body.ops):
                if isinstance(op, Transfer) and times:
                    key = (op.payload, op.direction, op.port, op.buffer)
                    words[key] = words.get(key, 0) + times * op.words
            for key, count in words.items():
                yield Crossing(part.name, *key, count)


def _way(one: Kept, piece: Piece, kept: Sequence[Kept], places: Places) -> Way:
    """How a map lies to those that were there before it."""
    before = [
        other_piece
        for other in kept
        if other.name != one.name and other.made < one.made <= other.last
        for other_piece in places[other.name]
        if other_piece.memory == piece.memory
    ]
    if any(b.first_bit < piece.end_bit and piece.first_bit < b.end_bit for b in before):
        return "in place"
    return "ping-pong" if before else "alone"


def _covered(spans: Sequence[tuple[int, int]]) -> int:
    """Bits under intervals that may overlap, given in order."""
    bits = end = 0
    for start, stop in spans:
        bits += max(0, stop - max(start, end))
        end = max(end, stop)
    return bits
