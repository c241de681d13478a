"""Which maps an engine keeps on chip, in which buffers, and from when to when; which it loads again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bnnsim.design.engine.passing import (
    MAPS,
    RESULTS,
    Part,
    Passed,
    is_outside,
    keeps_maps,
    origins,
    passed_maps,
    sources,
)
from bnnsim.design.engine.program import Op, Repeat, ResolvedLoop, Transfer, Work, leaves
from bnnsim.design.engine.traffic import MAP, computes, gathered
from bnnsim.design.network.network import INPUT, Network
from bnnsim.design.placement import Places, Resident, Room, place
from bnnsim.spec.engine.architecture import EngineArchitecture

_READ = ("rows", "columns", "pixels", "in_channels")
"""Loops that read the input."""


@dataclass(frozen=True)
class Kept:
    """A map on chip, or what a turn loads of one: in which buffers, how large, from which part's turn to
    which."""

    name: str
    buffers: tuple[str, ...]
    bits: int
    made: int
    last: int
    is_loaded: bool = False


@dataclass
class KeptMaps:
    """The maps of a frame whose turns are ``parts``."""

    spec: EngineArchitecture
    network: Network
    parts: Sequence[Part]

    @cached_property
    def made_in(self) -> dict[str, Part]:
        """The part that makes each layer's map."""
        return {name: part for part in self.parts for name in part.layers}

    @cached_property
    def kept(self) -> list[Kept]:
        """The maps that stay on chip, and those loaded again into buffers that keep maps."""
        wait = self._waiting_results()
        kept = [
            replace(one, last=max(one.last, wait.pop(one.name).last)) if one.name in wait else one
            for one in self._stay()
        ]
        return [*kept, *wait.values(), *self._come_again()]

    def _waiting_results(self) -> dict[str, Kept]:
        """Results that lie where they were made until the frame's last steps store them."""
        last = self.parts[-1]
        stored = {op.buffer for op in last.moves("store", RESULTS)} if not last.layers else set()
        found = {}
        for output in self.network.outputs:
            for name in origins(self.network, self.made_in, output):
                maker = self.made_in.get(name)
                if maker is None or maker.moves("store", RESULTS):
                    continue
                buffers = tuple(n for n in maker.holds(self.spec) if n in stored)
                if buffers:
                    bits = self.bits(name, buffers)
                    found[name] = Kept(name, buffers, bits, maker.position, last.position)
        return found

    def _stay(self) -> Iterator[Kept]:
        for passed in passed_maps(self.network, self.parts):
            readers = tuple(r for r in passed.readers if self.is_on_chip(passed, r))
            payload_is_outside = is_outside(self.spec, "activations", passed.name)
            if not readers or (passed.name != INPUT and payload_is_outside):
                continue
            made = -1 if passed.maker is None else passed.maker.position
            if passed.name == INPUT:
                if is_outside(self.spec, "image", INPUT) or any(_is_tiled(r) for r in readers):
                    continue
                loading = [p.position for p in self.parts if p.moves("load", ("image",))]
                made = min(loading, default=0) - 1
            held = self.held(passed)
            common = tuple(n for n in held if all(n in reader.buffers for reader in readers))
            last = max(reader.position for reader in readers)
            yield Kept(passed.name, common or held, self.bits(passed.name, held), made, last)

    def _come_again(self) -> Iterator[Kept]:
        """What turns load of maps that were stored, where it shares a buffer with maps that stay."""
        for part in self.parts:
            loads = part.moves("load", MAPS)
            for name in dict.fromkeys(op.buffer for op in loads):
                if not part.layers or not keeps_maps(self.spec.buffers[name]):
                    continue
                chosen = tuple(op for op in loads if op.buffer == name)
                bits = gathered(self.spec, part.body.ops, chosen, MAP, dict(part.body.extents), 0)
                of = f"{part.name} from {name}"
                yield Kept(of, (name,), bits, part.position, part.position, True)

    @cached_property
    def residents(self) -> list[Resident]:
        """All of it with what may take whose place."""
        kept = self.kept
        found = []
        for one in kept:
            in_place = all(self.spec.buffers[name].in_place for name in one.buffers)
            may_replace = in_place and not one.is_loaded and one.made >= 0
            may_replace = may_replace and not rereads(self.parts[one.made].body.ops)
            over = (k.name for k in kept if may_replace and k.last == one.made and k is not one)
            found.append(Resident(one.name, one.bits, one.buffers, one.made, one.last, frozenset(over)))
        return found

    def placed(self) -> Places:
        """Where each of them lies; what has no place is left out."""
        return place(self.residents, {name: self._room(name) for name in self.spec.buffers})

    def _room(self, name: str) -> Room:
        buffer = self.spec.buffers[name]
        line, copy = buffer.banks * buffer.width_bits, buffer.capacity_bits
        return Room(self.room_bits(name), line, copy)

    def room_bits(self, name: str) -> int:
        """Bits for maps; where a double buffer takes images, its other half has the next frame's."""
        buffer = self.spec.buffers[name]
        halves = 2 if buffer.double and name not in self._image_buffers else 1
        return buffer.capacity_bits * buffer.copies * halves

    # ---- one map -----------------------------------------------------------------------------

    def held(self, passed: Passed) -> tuple[str, ...]:
        """Buffers of its maker that keep the map, those with whole elements where there are some."""
        if passed.name == INPUT:
            return self._image_buffers
        if passed.maker is None:  # a streaming prefix writes where its readers look
            every = (name for reader in passed.readers for name in reader.holds(self.spec))
            return tuple(dict.fromkeys(every))
        held = passed.maker.holds(self.spec)
        bits = self.network.tensor(passed.name).type.bits
        whole = tuple(n for n in held if (self.spec.buffers[n].element_bits or bits) >= bits)
        return whole or held

    @cached_property
    def _image_buffers(self) -> tuple[str, ...]:
        loads = (op for part in self.parts for op in part.moves("load", ("image",)))
        names = dict.fromkeys(op.buffer for op in loads)
        return tuple(name for name in names if keeps_maps(self.spec.buffers[name]))

    def is_on_chip(self, passed: Passed, reader: Part) -> bool:
        """Whether the reader finds the map where its maker left it."""
        if not set(self.held(passed)) & set(reader.buffers):
            return False
        stored = passed.maker is not None and passed.maker.moves("store", RESULTS)
        return not (stored and self.is_loaded(passed, reader))

    def is_loaded(self, passed: Passed, reader: Part) -> bool:
        """Whether the reader loads the map: as activations, or as a shortcut where it is no operand."""
        if reader.moves("load", ("activations",)):
            return True
        operand = self.network.nodes[reader.layers[0]].inputs[0]
        is_operand = passed.name in origins(self.network, self.made_in, operand)
        return bool(reader.moves("load", ("shortcut",))) and not is_operand

    def is_spilled(self, passed: Passed, reader: Part) -> bool:
        """Whether the reader loads the map from where it was stored, even where it also finds some of its
        bits on chip: a layer's operand may be its shortcut too."""
        if self.is_loaded(passed, reader):
            return True
        only = set(sources(self.network, self.made_in, reader)) == {passed.name}
        return only and bool(reader.moves("load", ("shortcut",)))

    def bits(self, name: str, buffers: Sequence[str]) -> int:
        """The fewest bits that a map takes in one of ``buffers``."""
        tensor = self.network.tensor(name)
        widths = [self.spec.buffers[b].element_bits or tensor.type.bits for b in buffers]
        return tensor.elements * min(widths, default=tensor.type.bits)


def _is_tiled(part: Part) -> bool:
    """Whether a part loads its image tile by tile while it computes."""
    return any(
        isinstance(op, Repeat) and computes(op.body) and _loads_image(op.body) for op in part.body.ops
    )


def _loads_image(ops: tuple[Op, ...]) -> bool:
    return any(isinstance(op, Transfer) and op.payload == "image" for op in leaves(ops))


def rereads(ops: Sequence[Op], is_inside: bool = False) -> bool:
    """Whether a loop over output channels runs over pixels or input channels again and again."""
    for op in ops:
        if isinstance(op, Repeat) and computes(op.body):
            is_wide = any(_turns(loop) and loop.dimension == "out_channels" for loop in op.loops)
            if _walks_again(op.loops, is_inside) or rereads(op.body, is_inside or is_wide):
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
