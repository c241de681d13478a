"""What an engine must keep: every map from the layer that makes it to the last that reads it.

A map is kept whole in buffers that hold activations, or stored and loaded again; the results leave.
What stands under ``outside`` in the spec is not asked for. Every map that is kept has a place of its own
for as long as it is read (:mod:`bnnsim.design.placement`), where its readers look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bnnsim.design.engine.kept_maps import Kept, KeptMaps, rereads
from bnnsim.design.engine.passing import (
    MAPS,
    RESULTS,
    Part,
    Passed,
    is_outside,
    one_a_key,
    origins,
    parts_of,
    passed_maps,
)
from bnnsim.design.engine.program import (
    LayerProgram,
)
from bnnsim.design.engine.traffic import MAP, STORED, Key, moved_bits, part_key
from bnnsim.design.network.network import INPUT, Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault, near_names
from bnnsim.spec.yaml.source import SourceText


def check_keeping(
    spec: EngineArchitecture, text: SourceText, network: Network, bodies: Sequence[LayerProgram]
) -> list[Fault]:
    """Faults of maps without a place, overwritten before they are read, and of results kept inside."""
    faults = _check_outside(spec, text, network)
    parts = parts_of(spec, bodies)
    keeper = _Keeper(spec, text, network, parts, KeptMaps(spec, network, parts))
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


@dataclass
class _Keeper:
    spec: EngineArchitecture
    text: SourceText
    network: Network
    parts: Sequence[Part]
    maps: KeptMaps

    # ---- from the one that makes a map to those that read it ---------------------------------

    def check_passed(self, passed: Passed) -> list[Fault]:
        """Faults of one map: kept by its maker and seen by its readers, or stored and loaded."""
        faults: list[Fault] = []
        maker = passed.maker
        stored = maker.moves("store", RESULTS) if maker else ()
        held = self.maps.held(passed)
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
            if self.maps.is_on_chip(passed, reading):
                continue
            if not self.maps.is_loaded(passed, reading):
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
            self.text.fault(("buffers", name, "element_bits"), f"at least {bits} (the map of {of})", kept)
        ]

    def _check_amounts(self, passed: Passed, reader: Part) -> list[Fault]:
        """Faults of a map that is stored or loaded only in part."""
        faults = []
        for part, direction, new in ((passed.maker, "store", STORED), (reader, "load", MAP | STORED)):
            if part is None:
                continue
            moves = part.moves(direction, RESULTS if direction == "store" else MAPS)
            together = self._moved_with(passed, part, direction)
            buffers = [op.buffer for op in moves]
            needed = sum(self.maps.bits(name, buffers) for name in together)
            moved = sum(
                moved_bits(self.spec, part.body.ops, moves, new, buffer)
                for buffer in dict.fromkeys(op.buffer for op in moves)
            )
            if moved < needed:
                verb = "stores" if direction == "store" else "loads"
                what = " and ".join(together)
                whole = f"map{'s' * (len(together) > 1)} of {what}, {needed} bits"
                expected = f"{verb} of the whole {whole}"
                faults.append(self.text.fault(part_key(self.spec, part.body), expected, f"{moved} bits"))
        return faults

    def _moved_with(self, passed: Passed, part: Part, direction: str) -> list[str]:
        """All maps that a part stores for others to load, or loads, this one among them."""
        return [
            one.name
            for one in passed_maps(self.network, self.parts)
            if one.name == passed.name
            or any(
                (one.maker is part if direction == "store" else reader is part)
                and one.maker is not None
                and bool(one.maker.moves("store", RESULTS))
                and not self.maps.is_on_chip(one, reader)
                and self.maps.is_loaded(one, reader)
                for reader in one.readers
            )
        ]

    def _listed(self, part: Part) -> str:
        return ", ".join(part.buffers) or "none"

    # ---- room for all that is alive ----------------------------------------------------------

    def check_room(self) -> list[Fault]:
        """Faults of turns whose maps, and those that later layers still read, do not fit together."""
        kept = self.maps.kept
        faults = [
            fault
            for part in self.parts
            if part.layers and not part.is_view
            for fault in self._check_turn(part, kept)
        ]
        return faults or self._check_places()

    def _check_places(self) -> list[Fault]:
        """Faults of maps for which no place is left where their readers look."""
        residents = self.maps.residents
        places = self.maps.placed()
        names = {part.position: part.name for part in self.parts}
        return [
            self.text.fault(
                ("buffers", one.memories[0], "words"),
                f"a place for the map of {one.name}, {one.bits} bits, from "
                f"{names.get(one.made, 'the start')} to {names[one.last]}, "
                f"where its readers look ({', '.join(one.memories)})",
                "none: other maps that are read then take it",
            )
            for one in residents
            if one.name not in places
        ]

    def _check_turn(self, part: Part, kept: Sequence[Kept]) -> list[Fault]:
        before = [k for k in kept if k.made < part.position <= k.last]
        made = [k for k in kept if k.made == part.position]
        for buffers in sorted({frozenset(k.buffers) for k in (*before, *made)}, key=sorted):
            room = sum(self.maps.room_bits(name) for name in buffers)
            alive = [k for k in before if buffers.issuperset(k.buffers)]
            new = [k for k in made if buffers.issuperset(k.buffers)]
            needed = sum(k.bits for k in (*alive, *new))
            if needed <= room:
                continue
            in_place = all(self.spec.buffers[name].in_place for name in buffers)
            later = sum(k.bits for k in (*alive, *new) if k.last > part.position)
            fits = max(sum(k.bits for k in alive), later) <= room
            is_reread = fits and in_place and rereads(part.body.ops)
            if in_place and fits and not is_reread:
                continue
            names = ", ".join(k.name for k in (*alive, *new))
            mend = "words or copies" + ("" if in_place else ", or in_place")
            why = "; written in place it would lose input that later outputs read" if is_reread else ""
            return [
                self.text.fault(
                    ("buffers", sorted(buffers)[0], "words"),
                    f"room for {needed} bits, the maps of {names} that are needed at {part.name} "
                    f"({mend}){why}",
                    f"{room} bits in {', '.join(sorted(buffers))}",
                )
            ]
        return []

    # ---- out ---------------------------------------------------------------------------------

    def check_results(self) -> list[Fault]:
        """Faults of results that never leave, or only in part: by their own layers' steps, or by those
        after the last one, which bring out all that has no store of its own."""
        made_in = self.maps.made_in
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
        stored = dict.fromkeys(op.buffer for op in stores)
        maps = [name for name in stored if self.spec.buffers[name].holds == "activations"]
        for name in names:
            if narrow := self._check_whole(name, maps):
                return narrow
            if not set(stored) & set(self.maps.made_in[name].buffers):
                expected = f"a store from a buffer with the results of {name}"
                expected += f" ({self._listed(self.maps.made_in[name])})"
                got = ", ".join(sorted(stored))
                return [self.text.fault(part_key(self.spec, part.body), expected, got)]
        needed = sum(self.maps.bits(name, [op.buffer for op in stores]) for name in names)
        moved = moved_bits(self.spec, part.body.ops, stores, STORED)
        if moved >= needed:
            return []
        expected = f"stores of all results of {layers}, {needed} bits"
        return [self.text.fault(part_key(self.spec, part.body), expected, f"{moved} bits")]
