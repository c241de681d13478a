"""The chain of units under construction: open ends, streams between units, converters and splits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from bnnsim.design.network.network import Network
from bnnsim.design.streaming.units import Converter, Split, Stream, Unit, UnitParameters, levels_of
from bnnsim.spec.faults import Fault, near_divisors
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import LayerHardware, UnitLibrary
from bnnsim.spec.value_type import ValueType


@dataclass(frozen=True)
class End:
    """The open end of a chain of units: what its next stream will carry.

    ``lanes`` of 0 leaves the width to the reader. ``depth_words`` is a depth asked for by the layer.
    """

    unit: str
    lanes: int
    element_bits: int
    type: ValueType
    elements: int
    depth_words: int | None = None
    depth_key: tuple[str, ...] = ()


class Chain:
    """Units and streams as far as they are built, the open end of every layer, and the faults found."""

    def __init__(self, architecture: Loaded[StreamingArchitecture], network: Network) -> None:
        self.spec = architecture.spec
        self.source_text = architecture.source
        self.network = network
        self.faults: list[Fault] = []
        self._units: dict[str, Unit] = {}
        self._outputs: dict[str, list[str]] = {}  # by unit
        self._between: dict[str, int] = {}  # streams by writer and reader
        self.streams: list[Stream] = []
        self.ends: dict[str, list[End]] = {}

    @property
    def units(self) -> list[Unit]:
        """The units so far, with all that they feed."""
        return [replace(unit, outputs=tuple(self._outputs[n])) for n, unit in self._units.items()]

    def fault(
        self, path: tuple[str, ...], expected: str, got: object, near: tuple[str, ...] = ()
    ) -> None:
        """Note a fault at ``path`` in the architecture's file."""
        self.faults.append(self.source_text.fault(path, expected, got, near))

    def hardware(self, name: str) -> LayerHardware:
        """A layer's options with the architecture's defaults filled in."""
        given = self.spec.layers.get(name, LayerHardware())
        defaults = self.spec.defaults
        return given.model_copy(
            update={
                "units": given.units or defaults.units,
                "pipeline": given.pipeline or defaults.pipeline,
                "sliding_window": given.sliding_window or defaults.sliding_window,
                "weights": given.weights or defaults.weights,
                "memory": given.memory or defaults.memory,
            }
        )

    def unit(
        self,
        name: str,
        layer: str,
        parameters: UnitParameters,
        inputs: list[End],
        library: UnitLibrary,
        freezes: bool,
    ) -> None:
        """Append a unit and the streams that feed it."""
        names = []
        for end in inputs:
            stream = f"{end.unit}->{name}"
            taken = self._between.get(stream, 0)
            self._between[stream] = taken + 1
            if taken:
                stream = f"{stream}#{taken + 1}"
            depth = end.depth_words or self.spec.defaults.fifo_words
            if stream in self.spec.fifo_words:
                if end.depth_words is not None:
                    self.fault(
                        ("fifo_words", stream),
                        f"this depth said once ({'.'.join(end.depth_key)} says {end.depth_words})",
                        self.spec.fifo_words[stream],
                    )
                depth = self.spec.fifo_words[stream]
            words = end.elements // end.lanes
            self.streams.append(
                Stream(stream, end.unit, name, end.lanes, end.element_bits, end.type, depth, words)
            )
            names.append(stream)
            self._outputs[end.unit].append(stream)
        self._units[name] = Unit(name, layer, parameters, library, freezes, tuple(names), ())
        self._outputs[name] = []

    def convert(self, end: End, lanes: int, owner: str, hardware: LayerHardware) -> End:
        """``end`` with words of ``lanes`` elements, through one converter or two over the lcm."""
        if end.lanes in (0, lanes):
            return replace(end, lanes=lanes)
        common = math.lcm(end.lanes, lanes)
        levels = levels_of(end.type)
        elements = end.elements // levels
        for target in dict.fromkeys((common, lanes)):
            if target == end.lanes:
                continue
            if elements % target:
                self.fault(
                    ("layers", owner) if owner in self.spec.layers else (),
                    f"streams whose common width of {target} elements divides a frame of {elements}",
                    f"{end.lanes} against {lanes} elements a word before {owner}",
                )
                return replace(end, lanes=lanes)
            converter = Converter(
                end.lanes, target, end.elements // end.lanes, end.elements // target, levels
            )
            name = self._free_name(f"{owner}.{'narrow' if converter.narrows else 'widen'}")
            freezes = hardware.units == "hls" and hardware.pipeline == "freezing"
            self.unit(name, owner, converter, [end], hardware.units or "hls", freezes)
            end = replace(end, unit=name, lanes=target, depth_words=None)
        return end

    def _free_name(self, name: str) -> str:
        names = self._units
        number = 2
        free = name
        while free in names:
            free = f"{name}{number}"
            number += 1
        return free

    def finish(self, name: str, end: End, hardware: LayerHardware) -> None:
        """Close a layer: its own output converter, its FIFO, and a split where several read it."""
        key = ("layers", name)
        if hardware.out_width_bits is not None:
            end = self.to_width(end, hardware.out_width_bits, (*key, "out_width_bits"), name, hardware)
        end = replace(end, depth_words=hardware.out_fifo_words, depth_key=(*key, "out_fifo_words"))
        self.open(name, end, hardware)

    def to_width(
        self, end: End, width_bits: int, key: tuple[str, ...], owner: str, hardware: LayerHardware
    ) -> End:
        """``end`` with words of ``width_bits``."""
        if width_bits % end.element_bits:
            self.fault(key, f"a multiple of {end.element_bits} (bits an element)", width_bits)
            return end
        lanes = width_bits // end.element_bits
        elements = end.elements // levels_of(end.type)
        if elements % lanes:
            near = near_divisors(lanes, elements)
            self.fault(
                key,
                f"a width whose words divide a frame of {elements * end.element_bits} bits",
                width_bits,
                tuple(str(int(n) * end.element_bits) for n in near),
            )
            return end
        return self.convert(end, lanes, owner, hardware)

    def open(self, name: str, end: End, hardware: LayerHardware) -> None:
        """Make ``end`` the output of layer ``name``, behind a split where several layers read it."""
        readers = len(self.network.consumers[name])
        if readers <= 1:
            self.ends[name] = [end]
            return
        if end.lanes == 0:
            end = replace(end, lanes=self.network.tensor(name).channels)
        split = f"{name}.split"
        freezes = hardware.pipeline == "freezing"
        self.unit(split, name, Split(end.elements // end.lanes, readers), [end], "hls", freezes)
        branch = replace(end, unit=split, depth_words=None)
        self.ends[name] = [branch] * readers

    def take(self, name: str) -> End:
        """The next unread output of layer ``name``."""
        return self.ends[name].pop(0)
