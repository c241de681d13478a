"""What an engine must keep: every map from the layer that makes it to the last that reads it.

A map is kept whole in buffers that hold activations, or stored and loaded again; the results leave.
What stands under ``outside`` in the spec is not asked for. Room is asked for by sums over all maps that
are alive at once: a necessary condition, no placement of each map is worked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bnnsim.design.engine.passing import (
    MAPS,
    RESULTS,
    Part,
    Passed,
    is_outside,
    keeps_maps,
    one_a_key,
    origins,
    parts_of,
    passed_maps,
)
from bnnsim.design.engine.program import (
    LayerProgram,
    Op,
    Repeat,
    ResolvedLoop,
    Transfer,
    Work,
)
from bnnsim.design.engine.traffic import MAP, STORED, Key, computes, moved_bits, part_key
from bnnsim.design.network.network import INPUT, Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault, near_names
from bnnsim.spec.yaml.source import SourceText

_READ = ("rows", "columns", "pixels", "in_channels")
"""Loops that read the input."""


def check_keeping(
    spec: EngineArchitecture, text: SourceText, network: Network, bodies: Sequence[LayerProgram]
) -> list[Fault]:
    """Faults of maps without a place, overwritten before they are read, and of results kept inside."""
    faults = _check_outside(spec, text, network)
    parts = parts_of(spec, bodies)
    keeper = _Keeper(spec, text, network, parts)
    for passed in passed_maps(network, parts):
        if passed.name != INPUT and not is_outside(spec, "activations", passed.name):
            faults += keeper.check_passed(passed)
    if not faults:
        faults += keeper.check_room()
    return one_a_key(faults) + keeper.check_results()


def _check_outside(spec: EngineArchitecture, text: SourceText, network: Network) -> list[Fault]:
    known = list(network.nodes)
    return [
        text.fault(
            ("outside", i, "layers", k),
            f"a layer of workload {network.workload.name}",
            repr(name),
            near_names(name, known),
        )
        for i, entry in enumerate(spec.outside)
        for k, name in enumerate(entry.layers or ())
        if name not in network.nodes
    ]


@dataclass(frozen=True)
class _Kept:
    """A map on chip: in which buffers, how large, after which part's turn and until whose."""

    name: str
    buffers: frozenset[str]
    bits: int
    made: int
    last: int


@dataclass
class _Keeper:
    spec: EngineArchitecture
    text: SourceText
    network: Network
    parts: Sequence[Part]

    # ---- from the one that makes a map to those that read it ---------------------------------

    def check_passed(self, passed: Passed) -> list[Fault]:
        """Faults of one map: kept by its maker and seen by its readers, or stored and loaded."""
        faults: list[Fault] = []
        maker = passed.maker
        stored = maker.moves("store", RESULTS) if maker else ()
        held = self._held(passed)
        if maker and not held and not stored:
            reader = passed.readers[0].name
            faults.append(
                self.text.fault(
                    ("programs", maker.program, "buffers"),
                    f"a buffer that holds activations and keeps the map of {passed.name} for {reader}, a "
                    "store of it, or an entry of outside (payload activations)",
                    self._listed(maker),
                )
            )
            return faults
        if not stored:
            faults += self._check_whole(passed.name, held)
        for reading in passed.readers:
            if self._on_chip(passed, reading):
                continue
            if not self._loads(passed, reading):
                buffers = ", ".join(held) or "one that holds activations"
                expected = f"a buffer with the map of {passed.name} for {reading.name} ({buffers})"
                key: Key = ("programs", reading.program, "buffers")
                faults.append(self.text.fault(key, f"{expected}, or a load", self._listed(reading)))
            elif maker and not stored:
                key = part_key(self.spec, maker.body)
                expected = f"a store of the map of {passed.name}, which {reading.name} loads"
                faults.append(self.text.fault(key, expected, "none"))
            else:
                faults += self._check_amounts(passed, reading)
        return faults

    def _check_whole(self, of: str, held: Sequence[str]) -> list[Fault]:
        """Faults of a map that is kept with fewer bits an element than it has."""
        bits = self.network.tensor(of).type.bits
        narrow = {n: kept for n in held if (kept := self.spec.buffers[n].element_bits or bits) < bits}
        if not narrow or len(narrow) < len(held):
            return []
        name, kept = max(narrow.items(), key=lambda item: item[1])
        return [
            self.text.fault(
                ("buffers", name, "element_bits"), f"at least {bits} (the map of {of})", kept
            )
        ]

    def _check_amounts(self, passed: Passed, reader: Part) -> list[Fault]:
        """Faults of a map that is stored or loaded only in part."""
        faults = []
        for part, direction, new in ((passed.maker, "store", STORED), (reader, "load", MAP | STORED)):
            if part is None:
                continue
            moves = part.moves(direction, RESULTS if direction == "store" else MAPS)
            needed = self._bits(passed.name, [op.buffer for op in moves])
            moved = sum(
                moved_bits(self.spec, part.body.ops, moves, new, buffer)
                for buffer in dict.fromkeys(op.buffer for op in moves)
            )
            if moved < needed:
                verb = "stores" if direction == "store" else "loads"
                expected = f"{verb} of the whole map of {passed.name}, {needed} bits"
                faults.append(
                    self.text.fault(part_key(self.spec, part.body), expected, f"{moved} bits")
                )
        return faults

    def _held(self, passed: Passed) -> tuple[str, ...]:
        """Buffers of its maker that keep the map, those with whole elements where there are some."""
        if passed.name == INPUT:
            return self._image_buffers()
        if passed.maker is None:  # a streaming prefix writes where its readers look
            every = (name for reader in passed.readers for name in reader.holds(self.spec))
            return tuple(dict.fromkeys(every))
        held = passed.maker.holds(self.spec)
        bits = self.network.tensor(passed.name).type.bits
        whole = tuple(n for n in held if (self.spec.buffers[n].element_bits or bits) >= bits)
        return whole or held

    def _image_buffers(self) -> tuple[str, ...]:
        loads = (op for part in self.parts for op in part.moves("load", ("image",)))
        names = dict.fromkeys(op.buffer for op in loads)
        return tuple(name for name in names if keeps_maps(self.spec.buffers[name]))

    def _on_chip(self, passed: Passed, reader: Part) -> bool:
        """Whether the reader finds the map where its maker left it."""
        if not set(self._held(passed)) & set(reader.buffers):
            return False
        stored = passed.maker is not None and passed.maker.moves("store", RESULTS)
        return not (stored and self._loads(passed, reader))

    def _loads(self, passed: Passed, reader: Part) -> bool:
        """Whether the reader loads the map: as activations, or as a shortcut where it is no operand."""
        if reader.moves("load", ("activations",)):
            return True
        made_in = {name: part for part in self.parts for name in part.layers}
        operand = self.network.nodes[reader.layers[0]].inputs[0]
        is_operand = passed.name in origins(self.network, made_in, operand)
        return bool(reader.moves("load", ("shortcut",))) and not is_operand

    def _bits(self, name: str, buffers: Sequence[str]) -> int:
        """The fewest bits that a map takes in one of ``buffers``."""
        tensor = self.network.tensor(name)
        widths = [self.spec.buffers[b].element_bits or tensor.type.bits for b in buffers]
        return tensor.elements * min(widths, default=tensor.type.bits)

    def _listed(self, part: Part) -> str:
        return ", ".join(part.buffers) or "none"

    # ---- room for all that is alive ----------------------------------------------------------

    def check_room(self) -> list[Fault]:
        """Faults of turns whose maps, and those that later layers still read, do not fit together."""
        kept = self._kept()
        return [
            fault
            for part in self.parts
            if part.layers and not part.is_view
            for fault in self._check_turn(part, kept)
        ]

    def _kept(self) -> list[_Kept]:
        kept = []
        for passed in passed_maps(self.network, self.parts):
            readers = [r for r in passed.readers if self._on_chip(passed, r)]
            payload_is_outside = is_outside(self.spec, "activations", passed.name)
            if not readers or (passed.name != INPUT and payload_is_outside):
                continue
            made = -1 if passed.maker is None else passed.maker.position
            if passed.name == INPUT:
                if is_outside(self.spec, "image", INPUT) or any(_is_tiled(r) for r in readers):
                    continue
                loading = [p.position for p in self.parts if p.moves("load", ("image",))]
                made = min(loading, default=0) - 1
            buffers = self._held(passed)
            bits = self._bits(passed.name, buffers)
            kept.append(
                _Kept(passed.name, frozenset(buffers), bits, made, max(r.position for r in readers))
            )
        return kept

    def _check_turn(self, part: Part, kept: Sequence[_Kept]) -> list[Fault]:
        before = [k for k in kept if k.made < part.position <= k.last]
        made = [k for k in kept if k.made == part.position]
        for buffers in sorted({k.buffers for k in (*before, *made)}, key=sorted):
            room = sum(self._room(name) for name in buffers)
            alive = [k for k in before if k.buffers <= buffers]
            new = [k for k in made if k.buffers <= buffers]
            needed = sum(k.bits for k in (*alive, *new))
            if needed <= room:
                continue
            in_place = all(self.spec.buffers[name].in_place for name in buffers)
            later = sum(k.bits for k in (*alive, *new) if k.last > part.position)
            fits = max(sum(k.bits for k in alive), later) <= room
            rereads = fits and in_place and _rereads(part.body.ops)
            if in_place and fits and not rereads:
                continue
            names = ", ".join(k.name for k in (*alive, *new))
            mend = "words or copies" + ("" if in_place else ", or in_place")
            why = "; written in place it would lose input that later outputs read" if rereads else ""
            return [
                self.text.fault(
                    ("buffers", sorted(buffers)[0], "words"),
                    f"room for {needed} bits, the maps of {names} that are needed at {part.name} "
                    f"({mend}){why}",
                    f"{room} bits in {', '.join(sorted(buffers))}",
                )
            ]
        return []

    def _room(self, name: str) -> int:
        """Bits for maps; where a double buffer takes images, its other half has the next frame's."""
        buffer = self.spec.buffers[name]
        halves = 2 if buffer.double and name not in self._image_buffers() else 1
        return buffer.capacity_bits * buffer.copies * halves

    # ---- out ---------------------------------------------------------------------------------

    def check_results(self) -> list[Fault]:
        """Faults of results that never leave, or only in part: by their own layers' steps, or by those
        after the last one, which bring out all that has no store of its own."""
        made_in = {name: part for part in self.parts for name in part.layers}
        names = {o for output in self.network.outputs for o in origins(self.network, made_in, output)}
        left = [n for n in sorted(names) if n in made_in and not is_outside(self.spec, "results", n)]
        by_part = [([n], made_in[n]) for n in left if made_in[n].moves("store", RESULTS)]
        rest = [n for n in left if not made_in[n].moves("store", RESULTS)]
        last = [part for part in self.parts if part.name == "frame.after"]
        by_part += [(rest, part) for part in last if rest]
        return [fault for names, part in by_part for fault in self._check_out(names, part)]

    def _check_out(self, names: Sequence[str], part: Part) -> list[Fault]:
        stores = part.moves("store", RESULTS)
        layers = ", ".join(names)
        if not stores:
            expected = f"a store of the results of {layers}, or an entry of outside (payload results)"
            return [self.text.fault(("frame", "after"), expected, "none")]
        made_in = {name: p for p in self.parts for name in p.layers}
        stored = dict.fromkeys(op.buffer for op in stores)
        maps = [name for name in stored if self.spec.buffers[name].holds == "activations"]
        for name in names:
            if narrow := self._check_whole(name, maps):
                return narrow
            if not set(stored) & set(made_in[name].buffers):
                expected = f"a store from a buffer with the results of {name}"
                expected += f" ({self._listed(made_in[name])})"
                got = ", ".join(sorted(stored))
                return [self.text.fault(part_key(self.spec, part.body), expected, got)]
        needed = sum(self._bits(name, [op.buffer for op in stores]) for name in names)
        moved = moved_bits(self.spec, part.body.ops, stores, STORED)
        if moved >= needed:
            return []
        expected = f"stores of all results of {layers}, {needed} bits"
        return [self.text.fault(part_key(self.spec, part.body), expected, f"{moved} bits")]


def _is_tiled(part: Part) -> bool:
    """Whether a part loads its image tile by tile while it computes."""
    return any(
        isinstance(op, Repeat) and computes(op.body) and _loads_image(op.body) for op in part.body.ops
    )


def _loads_image(ops: Sequence[Op]) -> bool:
    return any(
        (isinstance(op, Transfer) and op.payload == "image")
        or (isinstance(op, Repeat) and _loads_image(op.body))
        for op in ops
    )


def _rereads(ops: Sequence[Op], is_inside: bool = False) -> bool:
    """Whether a loop over output channels runs over pixels or input channels again and again."""
    for op in ops:
        if isinstance(op, Repeat) and computes(op.body):
            is_wide = any(_turns(loop) and loop.dimension == "out_channels" for loop in op.loops)
            if _walks_again(op.loops, is_inside) or _rereads(op.body, is_inside or is_wide):
                return True
        elif isinstance(op, Work) and op.kind == "compute" and _walks_again(op.loops, is_inside):
            return True
    return False


def _walks_again(loops: Sequence[ResolvedLoop], is_inside: bool) -> bool:
    for loop in loops:
        if _turns(loop) and loop.dimension == "out_channels":
            is_inside = True
        elif _turns(loop) and is_inside and loop.dimension in _READ:
            return True
    return False


def _turns(loop: ResolvedLoop) -> bool:
    return bool(loop.dimension) and loop.extent > loop.tile
