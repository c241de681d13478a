"""A pipeline under construction: open ports, streams between units, converters and splits."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from bnnsim.design.filled_options import FilledOptions
from bnnsim.design.network.network import Network, Node
from bnnsim.design.streaming.units import (
    Converter,
    LabelSelect,
    Sink,
    Source,
    Split,
    Stream,
    Unit,
    UnitParameters,
    levels_of,
)
from bnnsim.spec.faults import Fault, near_divisors
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import LayerHardware, UnitLibrary
from bnnsim.spec.value_type import ValueType

SOURCE, SINK = "source", "sink"
UNSAID = LayerHardware()
"""What a layer without an entry says."""
Key = tuple[str, ...]
"""Where something is said in an architecture's file."""


@dataclass(frozen=True)
class OpenPort:
    """An output that nothing reads yet: what its stream will carry.

    ``lanes`` of 0 leaves the width to the reader. ``depth_key`` is where the layer may say the depth.
    """

    unit: str
    lanes: int
    element_bits: int
    type: ValueType
    elements: int
    depth_key: Key = ()


@dataclass(frozen=True)
class Part:
    """What one layer, the source or a sink adds to a pipeline: units, of which those at its end have no
    outputs yet, and streams of any depth, each with where a layer may say its depth. It has read
    ``inputs``. ``left`` are the ports that it leaves open, by name, with the number of what whoever reads
    them is given."""

    units: tuple[Unit, ...]
    streams: tuple[tuple[Stream, Key], ...]
    inputs: tuple[str, ...]
    left: tuple[tuple[str, tuple[OpenPort, ...], int], ...]


def window_name(layer: str) -> str:
    """A layer's sliding-window unit, and its words among the open ports."""
    return f"{layer}.window"


def unit_style(hardware: LayerHardware, usual: UnitLibrary) -> tuple[UnitLibrary, bool]:
    """The library of a unit that ``usual`` has unless all are the project's own, and whether it freezes.

    Units of the RTL library never freeze, nor do own ones of their kinds.
    """
    library: UnitLibrary = "own" if hardware.units == "own" else usual
    return library, usual != "rtl" and hardware.pipeline == "freezing"


class StreamBuilder:
    """Units and streams as far as they are built, the open port of every layer, and the faults found."""

    def __init__(
        self,
        architecture: Loaded[StreamingArchitecture],
        network: Network,
        options: FilledOptions | None = None,
    ) -> None:
        self.spec = architecture.spec
        self.source_text = architecture.source
        self.network = network
        self.faults: list[Fault] = []
        layers = architecture.spec.layers.items()
        self._owners = {name: one.window_of for name, one in layers if one.window_of is not None}
        self._hardware: dict[str, LayerHardware] = {}
        self._options = FilledOptions() if options is None else options
        self._filled = self._options.with_defaults(self.spec.defaults)
        self._units: dict[str, Unit] = {}
        self._outputs: dict[str, list[str]] = {}  # by unit
        self._between: dict[str, int] = {}  # streams by writer and reader
        self.streams: list[Stream] = []
        self._depth_keys: list[Key] = []  # by stream
        self.open_ports: dict[str, list[OpenPort]] = {}
        self.open_ends: dict[str, int] = {}
        """By name the number of what whoever reads it next is given, once that is known."""
        self.surroundings: Hashable = (self.spec.defaults.units, self.spec.hls_tool)
        """What of the whole architecture reaches into every part."""

    @property
    def units(self) -> list[Unit]:
        """The units so far, with all that they feed."""
        return [replace(unit, outputs=outputs) for unit, outputs in self.units_and_outputs]

    @property
    def units_and_outputs(self) -> Iterator[tuple[Unit, tuple[str, ...]]]:
        """The units so far, and the streams that each feeds; those inside a part have theirs already."""
        return (
            (unit, unit.outputs or tuple(self._outputs[name])) for name, unit in self._units.items()
        )

    def fault(
        self, path: tuple[str, ...], expected: str, got: object, near: tuple[str, ...] = ()
    ) -> None:
        """Note a fault at ``path`` in the architecture's file."""
        self.faults.append(self.source_text.fault(path, expected, got, near))

    def hardware(self, name: str) -> LayerHardware:
        """A layer's options with the architecture's defaults filled in."""
        if name not in self._hardware:
            given = self.spec.layers.get(name, UNSAID)
            self._hardware[name] = self._options.fill(given, self.spec.defaults, self._filled)
        return self._hardware[name]

    def hardware_key(self, name: str) -> int:
        """Stands for a layer's options, but for the depth of its FIFO, among builders that fill them in
        together (``options``): there equal options are one object."""
        return id(self._options.for_units(self.hardware(name)))

    def path_of(self, name: str, option: str) -> tuple[str, ...]:
        """Where a layer's option is said: in its own entry, else in the defaults."""
        is_own = getattr(self.spec.layers[name], option) is not None
        return ("layers", name, option) if is_own else ("defaults", option)

    def add_unit(
        self,
        name: str,
        layer: str,
        parameters: UnitParameters,
        inputs: list[OpenPort],
        library: UnitLibrary,
        freezes: bool,
    ) -> None:
        """Append a unit and the streams that feed it."""
        names = []
        for port in inputs:
            stream = f"{port.unit}->{name}"
            taken = self._between.get(stream, 0)
            self._between[stream] = taken + 1
            if taken:
                stream = f"{stream}#{taken + 1}"
            self._depth_keys.append(port.depth_key)
            self.streams.append(
                Stream(
                    stream,
                    port.unit,
                    name,
                    port.lanes,
                    port.element_bits,
                    port.type,
                    self._depth_words(stream, port.depth_key),
                    port.elements // port.lanes,
                    self._fifo_library(port.unit),
                    self.hardware(self._units[port.unit].layer).fifo_srl_words or 0,
                )
            )
            names.append(stream)
            self._outputs[port.unit].append(stream)
        is_end = isinstance(parameters, Source | Sink)
        has_own_pause = is_end or isinstance(parameters, LabelSelect)
        restart = 0 if has_own_pause or library != "hls" else self.hardware(layer).restart_steps or 0
        self._units[name] = Unit(
            name, layer, parameters, library, freezes, tuple(names), (), restart, self.spec.hls_tool
        )
        self._outputs[name] = []

    def _depth_words(self, stream: str, key: Key) -> int:
        """The depth of a stream: as its layer says at ``key``, as is said of itself, or the default."""
        said = None
        if key:
            place = self.hardware(key[1]) if key[0] == "layers" else self.spec.frame_source
            said = place.out_fifo_words
        depth = self.spec.fifo_words.get(stream)
        if depth is None:
            return said or self.spec.defaults.fifo_words
        if said is not None:
            expected = f"this depth said once ({'.'.join(key)} says {said})"
            self.fault(("fifo_words", stream), expected, depth)
        return depth

    def _fifo_library(self, writer: str) -> UnitLibrary:
        """The library of the FIFO behind a unit: own behind an own one, else as said, else the tool's."""
        if self._units[writer].library == "own":
            return "own"
        hardware = self.hardware(self._units[writer].layer)
        return hardware.fifos or ("hls" if self.spec.is_one_core else "rtl")

    # ---- parts that are known ----------------------------------------------------------------

    @property
    def size(self) -> tuple[int, int]:
        """How many units and streams there are."""
        return len(self._units), len(self.streams)

    def part_since(
        self, size: tuple[int, int], name: str, inputs: Sequence[str], numbers: dict[Hashable, int]
    ) -> Part:
        """What was added since there were so many units and streams: ``name``, which read ``inputs``.

        ``numbers`` has those of what readers are given, and takes in what is new.
        """
        streams = zip(self.streams[size[1] :], self._depth_keys[size[1] :], strict=True)
        left = []
        for end in (name, window_name(name)):
            if ports := tuple(self.open_ports.get(end, ())):
                number = numbers.setdefault(self._open_end(ports[0]), len(numbers))
                self.open_ends[end] = number
                left.append((end, ports, number))
        is_open = {port.unit for _, ports, _ in left for port in ports}
        units = list(self._units.values())[size[0] :]
        for place, unit in enumerate(units):
            if unit.name not in is_open:
                outputs = tuple(self._outputs[unit.name])
                units[place] = self._units[unit.name] = replace(unit, outputs=outputs)
        return Part(tuple(units), tuple(streams), tuple(inputs), tuple(left))

    def add_part(self, part: Part, deepened: Callable[[Stream, int], Stream]) -> None:
        """Add what the same layer with the same surroundings added to another pipeline; ``deepened``
        gives its streams their depths here."""
        for name in part.inputs:
            self.connect(name)
        for unit in part.units:
            self._units[unit.name] = unit
            self._outputs[unit.name] = []
        depths, usual = self.spec.fifo_words, self.spec.defaults.fifo_words
        for stream, key in part.streams:
            self._outputs[stream.writer].append(stream.name)
            words = self._depth_words(stream.name, key) if key or depths else usual
            self.streams.append(stream if stream.depth_words == words else deepened(stream, words))
            self._depth_keys.append(key)
        for name, ports, number in part.left:
            self.open_ports[name] = list(ports)
            self.open_ends[name] = number

    def _open_end(self, port: OpenPort) -> Hashable:
        """What whoever reads a layer next is given, of whose open ports, all equal, ``port`` is one."""
        hardware = self.hardware(self._units[port.unit].layer)
        return port, self._fifo_library(port.unit), hardware.fifo_srl_words

    # ---- what units are joined by ------------------------------------------------------------

    def convert(self, port: OpenPort, lanes: int, owner: str, hardware: LayerHardware) -> OpenPort:
        """``port`` with words of ``lanes`` elements, through one converter or two over the lcm."""
        if port.lanes in (0, lanes):
            return replace(port, lanes=lanes)
        common = math.lcm(port.lanes, lanes)
        levels = levels_of(port.type)
        elements = port.elements // levels
        for target in dict.fromkeys((common, lanes)):
            if target == port.lanes:
                continue
            if elements % target:
                self.fault(
                    ("layers", owner) if owner in self.spec.layers else (),
                    f"streams whose common width of {target} elements divides a frame of {elements}",
                    f"{port.lanes} against {lanes} elements a word before {owner}",
                )
                return replace(port, lanes=lanes)
            converter = Converter(
                port.lanes, target, port.elements // port.lanes, port.elements // target, levels
            )
            name = self._free_name(f"{owner}.{'narrow' if converter.narrows else 'widen'}")
            usual = hardware.converters or hardware.units or "hls"
            self.add_unit(name, owner, converter, [port], *unit_style(hardware, usual))
            port = replace(port, unit=name, lanes=target, depth_key=())
        return port

    def _free_name(self, name: str) -> str:
        names = self._units
        number = 2
        free = name
        while free in names:
            free = f"{name}{number}"
            number += 1
        return free

    def finish_layer(self, name: str, port: OpenPort, hardware: LayerHardware) -> None:
        """End a layer: its own output converter, its FIFO, and a split where several read it."""
        key = ("layers", name)
        if hardware.out_width_bits is not None:
            port = self.to_width(port, hardware.out_width_bits, (*key, "out_width_bits"), name, hardware)
        port = replace(port, depth_key=(*key, "out_fifo_words"))
        self.offer(name, port, hardware)

    def to_width(
        self, port: OpenPort, width_bits: int, key: tuple[str, ...], owner: str, hardware: LayerHardware
    ) -> OpenPort:
        """``port`` with words of ``width_bits``."""
        if width_bits % port.element_bits:
            self.fault(key, f"a multiple of {port.element_bits} (bits an element)", width_bits)
            return port
        lanes = width_bits // port.element_bits
        elements = port.elements // levels_of(port.type)
        if elements % lanes:
            near = near_divisors(lanes, elements)
            self.fault(
                key,
                f"a width whose words divide a frame of {elements * port.element_bits} bits",
                width_bits,
                tuple(str(int(n) * port.element_bits) for n in near),
            )
            return port
        return self.convert(port, lanes, owner, hardware)

    def offer(self, name: str, port: OpenPort, hardware: LayerHardware) -> None:
        """Make ``port`` the output of layer ``name``, behind a split where several read it.

        These are layers, then the sink where the layer is an output of the network.
        """
        self._open(name, port, self.branches(name)[0], hardware)

    def share_window(self, name: str, port: OpenPort, hardware: LayerHardware) -> OpenPort:
        """The words of layer ``name``'s sliding window, as its MVAU takes them; behind a split where
        others share it."""
        shares = self.branches(name)[1]
        if not shares:
            return port
        self._open(window_name(name), port, 1 + shares, hardware, name)
        return self.connect(window_name(name))

    def reads(self, node: Node) -> tuple[str, ...]:
        """What a layer connects to: the layers that it reads, or another one's sliding window."""
        owner = self._owners.get(node.name)
        return node.inputs if owner is None else (window_name(owner),)

    def branches(self, name: str) -> tuple[int, int]:
        """How many read a layer's (or the source's) stream, and how many others its sliding window."""
        readers = len(self.network.consumers[name]) + self.network.outputs.count(name)
        if not self._owners:
            return readers, 0
        apart = sum(reader not in self._owners for reader, _ in self.network.consumers[name])
        shares = list(self._owners.values()).count(name)
        return apart + self.network.outputs.count(name), shares

    def _open(
        self, name: str, port: OpenPort, readers: int, hardware: LayerHardware, layer: str | None = None
    ) -> None:
        if readers <= 1:
            self.open_ports[name] = [port]
            return
        if port.lanes == 0:
            port = replace(port, lanes=self.network.tensor(name).channels)
        split = f"{name}.split"
        parameters = Split(port.elements // port.lanes, readers)
        self.add_unit(split, layer or name, parameters, [port], *unit_style(hardware, "hls"))
        branch = replace(port, unit=split, depth_key=())
        self.open_ports[name] = [branch] * readers

    def connect(self, name: str) -> OpenPort:
        """The next output of layer ``name`` that nothing reads yet, now read."""
        return self.open_ports[name].pop(0)
