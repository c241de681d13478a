"""What each layer can be folded to: lanes in and out, cycles a frame, and what its units take.

A layer's units are laid out as in any design, behind stand-ins for what feeds it; equal layers are laid
out once. What lies between two layers (converters and their FIFOs) depends on both: it is a joint.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.cost.resources import estimate_part
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.network.network import INPUT, Network, Node
from bnnsim.design.streaming.folding_rules import STREAMING
from bnnsim.design.streaming.layer_units import layer_units
from bnnsim.design.streaming.stream_builder import SINK, SOURCE, OpenPort, StreamBuilder
from bnnsim.design.streaming.units import (
    Converter,
    Mvau,
    Sink,
    Source,
    StreamingGraph,
    Unit,
    WeightBuffer,
    Window,
)
from bnnsim.design.streaming.window_units import check_window
from bnnsim.evaluation.wide_words import wide_words_of
from bnnsim.search.fold.finn_rule import WIDEST_STREAM_BITS, finn_luts, narrowest_window, slides
from bnnsim.search.fold.request import FoldRequest
from bnnsim.spec.accelerator import WeightMemory
from bnnsim.spec.faults import Fault, SpecError, divisors_of
from bnnsim.spec.load import from_spec
from bnnsim.spec.streaming.hardware import FrameSource, LayerHardware
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    ConcatLayer,
    LookupLayer,
    MatmulLayer,
    MultiplyLayer,
    PoolLayer,
    PreluLayer,
    RepeatLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
)
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.unit_programs import RTL_WINDOW_LATENCY, unit_program

LANEWISE = (
    *(ThresholdLayer, AffineLayer, PreluLayer, LookupLayer),
    *(AddLayer, MultiplyLayer, RepeatLayer),
)
"""Layers without a matrix that work on as many channels at once as they are told."""
OTHER_SINK = "other sink"
_STAND_IN, _FIRST_END = "stand-in", "first end"
Item = tuple[Amounts[int], int]
"""What a unit or stream takes, and the cycles of a frame in which it works."""


@dataclass(frozen=True)
class FoldOption:
    """One way to fold a layer; ``lanes_in`` by input, ``cycles`` those of its slowest unit by itself."""

    hardware: LayerHardware | None
    lanes_in: tuple[int, ...]
    lanes_out: int
    cycles: int
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Joint:
    """What lies between two layers' units; ``items`` is None where their streams do not join."""

    items: tuple[Item, ...] | None
    cycles: int

    @cached_property
    def amounts(self) -> Floats:
        """What it takes ``(resources,)``, in the order of ``RESOURCES``."""
        return amounts_of(self.items or ())


def amounts_of(items: Sequence[Item]) -> Floats:
    """What units and streams take together ``(resources,)``, in the order of ``RESOURCES``."""
    return np.array([sum(getattr(a, name) for a, _ in items) for name in RESOURCES], float)


class OptionTable:
    """The options of every layer of a request, and the joints between them.

    With ``own_windows`` a sliding window may also have fewer lanes than its MVAU, as few as keep it no
    slower; a converter joins the two.

    Foldings with words that HLS cannot build are left out, of layers that have others.

    Raises :class:`SpecError` with the faults of layers that no unit runs, where the user can mend them.
    """

    def __init__(self, request: FoldRequest, own_windows: bool = False) -> None:
        self.request = request
        self.own_windows = own_windows
        self.network: Network = request.network
        self.ports: dict[str, OpenPort] = {}
        """What each layer puts out, lanes aside."""
        self._equal: dict[object, tuple[OpenPort, tuple[FoldOption, ...]]] = {}
        self._joints: dict[object, Joint] = {}
        self._amounts: dict[int, Floats] = {}
        self._finn_luts: dict[int, Floats] = {}
        self._slow: dict[tuple[int, int], int] = {}
        self._held_by_hls: set[int] = set()
        faults: list[Fault] = []
        self.options: dict[str, tuple[FoldOption, ...]] = {INPUT: tuple(self._source_options())}
        for node in self.network.nodes.values():
            found = self._layer_options(node, faults)
            self.options[node.name] = found
        if faults:
            raise SpecError(request.in_the_workload(faults))

    def cycles(self, name: str, option: FoldOption) -> int:
        """Cycles a frame of an option's slowest unit by itself."""
        lanes = option.lanes_in[0] if option.lanes_in else 0
        return max(option.cycles, self._slow.get((id(self.options[name]), lanes), 0))

    def correct(self, name: str, lanes: int, cycles: int) -> None:
        """Note what exact timing says of a layer's window, and of those of equal layers."""
        self._slow[id(self.options[name]), lanes] = cycles

    def is_held_by_hls(self, name: str) -> bool:
        """Whether a layer has faster foldings that HLS cannot build."""
        return id(self.options[name]) in self._held_by_hls

    def amounts(self, name: str) -> Floats:
        """What each option of a layer takes ``(options, resources)``, in the order of ``RESOURCES``."""
        options = self.options[name]
        if id(options) not in self._amounts:
            rows = [
                [sum(getattr(amounts, resource) for amounts, _ in option.items) for resource in RESOURCES]
                for option in options
            ]
            self._amounts[id(options)] = np.array(rows, float).reshape(len(options), len(RESOURCES))
        return self._amounts[id(options)]

    def finn_luts(self, name: str) -> Floats:
        """FINN's estimate of each option of a layer ``(options,)``."""
        options = self.options[name]
        if id(options) not in self._finn_luts:
            node = self.network.nodes.get(name)
            found = [0.0 if node is None else _finn_luts_of(node, option) for option in options]
            self._finn_luts[id(options)] = np.array(found)
        return self._finn_luts[id(options)]

    def stream(self, writer: str) -> object:
        """What a layer's stream carries, lanes aside: equal for layers whose joints are."""
        port = self.ports[writer]
        return port.element_bits, port.type, port.elements

    @property
    def corrections(self) -> int:
        """How many windows are known by exact timing."""
        return len(self._slow)

    def joint(self, writer: str, lanes_out: int, reader: str, lanes_in: int) -> Joint:
        """What lies between the ports of two layers.

        The network's first output has ``SINK`` as reader, the others ``OTHER_SINK``.
        """
        end = reader if reader in (SINK, OTHER_SINK) else ""
        key = (self.stream(writer), lanes_out, lanes_in, end)
        if key not in self._joints:
            port = replace(self.ports[writer], lanes=lanes_out)
            self._joints[key] = self._laid_joint(port, lanes_in, reader)
        return self._joints[key]

    # ---- the options of one layer -------------------------------------------------------------

    def _source_options(self) -> Iterator[FoldOption]:
        """A pixel a word; of a flat frame as many elements as its first reader takes."""
        frame = self.network.input
        lanes = [frame.channels] if frame.pixels > 1 else divisors_of(frame.elements)
        gap = FrameSource().inter_frame_gap_steps
        for count in lanes:
            builder = self._builder(None, {})
            unit = Source(frame.elements // count, gap)
            builder.add_unit(SOURCE, INPUT, unit, [], "hls", freezes=True)
            port = OpenPort(SOURCE, count, frame.type.bits, frame.type, frame.elements)
            builder.offer(INPUT, port, builder.hardware(INPUT))
            out = builder.open_ports[INPUT][0]
            self.ports[INPUT] = out
            items, cycles = self._items(_ended(builder, INPUT))
            yield FoldOption(None, (), out.lanes, cycles, items)

    def _layer_options(self, node: Node, faults: list[Fault]) -> tuple[FoldOption, ...]:
        inputs = [self.ports.get(name) for name in node.inputs]
        widths = self.request.sum_bits.get(node.name)
        readers = len(self.network.consumers[node.name]) + self.network.outputs.count(node.name)
        layer = node.layer.model_copy(update={"name": "", "inputs": None})
        ports = tuple((p.element_bits, p.type, p.elements) for p in inputs if p is not None)
        shapes = (node.input_tensors, node.output, node.pad_value)
        key = (layer.model_dump_json(), shapes, widths, readers, ports)
        if key not in self._equal:
            found: list[FoldOption] = []
            unbuilt: list[FoldOption] = []
            wrong: list[Fault] = []
            for hardware in self._hardware(node):
                builder = self._laid_out(node, hardware)
                if builder.faults:
                    wrong = wrong or builder.faults
                    continue
                out = builder.open_ports[node.name][0]
                self.ports[node.name] = out
                lanes = tuple(self._lanes_in(builder, node))
                graph = _ended(builder, node.name)
                items, cycles = self._items(graph)
                option = FoldOption(hardware, lanes, out.lanes, cycles, items)
                (unbuilt if _is_beyond_hls(graph) else found).append(option)
            options = tuple(found or unbuilt)
            if not options:
                faults += wrong
                elements = node.output.elements
                self.ports[node.name] = OpenPort("", 0, node.output.type.bits, node.output.type, elements)
                return ()
            if _fastest(unbuilt) < _fastest(options):
                self._held_by_hls.add(id(options))
            self._equal[key] = self.ports[node.name], options
        self.ports[node.name], options = self._equal[key]
        return options

    def _hardware(self, node: Node) -> Iterator[LayerHardware | None]:
        """All ways to fold a layer, weights in each kind of memory that the device has."""
        layer, bits = node.layer, self.request.sum_bits.get(node.name)
        if isinstance(layer, WeightedLayer):
            styles: list[WeightMemory] = ["bram", "lutram"]
            styles += ["uram"] if self.request.device.uram else []
            if self.request.units == "own":
                styles = ["auto"]
            channels = node.group_channels
            most = max(channels, WIDEST_STREAM_BITS) if slides(node) else node.matrix_width
            columns = [n for n in divisors_of(node.matrix_width) if n <= most]
            for pe, simd, style in itertools.product(node.pe_choices, columns, styles):
                if pe > node.matrix_height and not _is_side_by_side(node, simd):
                    continue
                hardware = LayerHardware(pe=pe, simd=simd, weights=style, accumulator_bits=bits)
                yield hardware
                if self.own_windows and slides(node) and node.groups == 1:
                    lanes = narrowest_window(node, pe, simd)
                    if lanes < simd:
                        yield hardware.model_copy(update={"simd_window": lanes})
        elif isinstance(layer, MatmulLayer):
            for pe, simd in itertools.product(node.pe_choices, divisors_of(node.matrix_width)):
                yield LayerHardware(pe=pe, simd=simd, accumulator_bits=bits)
        elif isinstance(layer, LANEWISE):
            for lanes in divisors_of(node.output.channels):
                yield LayerHardware(pe=lanes)
        elif isinstance(layer, TopKLayer):
            for lanes in divisors_of(node.input.channels):
                yield LayerHardware(pe=lanes)
        elif isinstance(layer, PoolLayer):
            for lanes in divisors_of(node.output.channels):
                yield LayerHardware(pe=lanes) if lanes < node.output.channels else None
        elif isinstance(layer, ConcatLayer):
            yield None
            for lanes in divisors_of(math.gcd(*(tensor.channels for tensor in node.input_tensors))):
                yield LayerHardware(pe=lanes)
        else:
            yield None

    def _builder(self, node: Node | None, layers: dict[str, LayerHardware]) -> StreamBuilder:
        return StreamBuilder(from_spec(self.request.architecture(layers)), self.network)

    def _laid_out(self, node: Node, hardware: LayerHardware | None) -> StreamBuilder:
        """A layer's units between stand-ins."""
        builder = self._builder(node, {} if hardware is None else {node.name: hardware})
        if not isinstance(node.layer, STREAMING):
            expected = "a layer that a streaming unit runs (fixed-point layers run on engines)"
            builder.fault(("layers", node.name), expected, f"{node.layer.op} in the workload")
            return builder
        check_window(builder, node)
        if builder.faults:
            return builder
        for place, name in enumerate(node.inputs):
            unit = f"{_STAND_IN}{place}"
            port = replace(self.ports[name], unit=unit, lanes=0)
            builder.add_unit(unit, _STAND_IN, Source(1, 0), [], "hls", freezes=True)
            builder.open_ports.setdefault(name, []).append(port)
        layer_units(builder, node)
        return builder

    def _lanes_in(self, builder: StreamBuilder, node: Node) -> Iterator[int]:
        for place in range(len(node.inputs)):
            writer = f"{_STAND_IN}{place}"
            yield next(s.lanes for s in builder.streams if s.writer == writer)

    def _laid_joint(self, port: OpenPort, lanes: int, reader: str) -> Joint:
        builder = self._builder(None, {})
        builder.add_unit(_STAND_IN, _STAND_IN, Source(1, 0), [], "hls", freezes=True)
        stand_in = replace(port, unit=_STAND_IN, depth_key=())
        if reader in (SINK, OTHER_SINK):
            if reader == OTHER_SINK:  # the first has the source's memory port
                first = Sink(port.elements // port.lanes)
                builder.add_unit(_FIRST_END, _STAND_IN, first, [stand_in], library="rtl", freezes=True)
            sink = Sink(port.elements // port.lanes)
            builder.add_unit(SINK, SINK, sink, [stand_in], library="rtl", freezes=True)
        else:
            joined = builder.convert(stand_in, lanes, reader, builder.hardware(reader))
            if builder.faults:
                return Joint(None, 0)
            end = Sink(joined.elements // joined.lanes)
            builder.add_unit("end", _STAND_IN, end, [joined], library="rtl", freezes=True)
        return Joint(*self._items(_graph_of(builder), with_ends=True))

    def _items(self, graph: StreamingGraph, with_ends: bool = False) -> tuple[tuple[Item, ...], int]:
        """What the units and streams take that are not stand-ins, and the slowest unit's cycles."""
        units = graph.unit_by_name
        used = estimate_part(self.request.device, graph)
        items: list[Item] = []
        slowest = 0
        for unit, found in zip(graph.units, used, strict=False):
            if unit.layer == _STAND_IN:
                continue
            slowest = max(slowest, unit_cycles(unit))
            items.append((found.amounts, busy_cycles(graph, unit)))
        for stream, found in zip(graph.streams, used[len(graph.units) :], strict=True):
            ends = units[stream.writer], units[stream.reader]
            is_inside = not any(unit.layer == _STAND_IN for unit in ends)
            if is_inside or (with_ends and stream.reader != _FIRST_END):
                items.append((found.amounts, stream.words))
        return tuple(items), slowest


def _finn_luts_of(node: Node, option: FoldOption) -> float:
    """FINN's estimate of a folding of a layer; 0 of what it has none for."""
    hardware = option.hardware
    if hardware is None or not isinstance(node.layer, WeightedLayer):
        return 0.0
    assert hardware.pe and hardware.simd
    lanes = option.lanes_in[0] if slides(node) else 0
    return float(finn_luts(node, hardware.pe, hardware.simd, lanes, hardware.weights == "lutram"))


def _ended(builder: StreamBuilder, name: str) -> StreamingGraph:
    """What is built, with a stand-in behind each port of a layer."""
    for place, port in enumerate(builder.open_ports[name]):
        end = Sink(port.elements // port.lanes)
        builder.add_unit(f"end{place}", _STAND_IN, end, [port], library="rtl", freezes=True)
    return _graph_of(builder)


def _graph_of(builder: StreamBuilder) -> StreamingGraph:
    return StreamingGraph(tuple(builder.units), tuple(builder.streams))


def _is_beyond_hls(graph: StreamingGraph) -> bool:
    """Whether a unit that HLS would have to make has a word of more bits than HLS has."""
    made = [unit for unit in graph.units if unit.layer != _STAND_IN]
    return bool(wide_words_of(graph, made))


def _fastest(options: Sequence[FoldOption]) -> float:
    return min((option.cycles for option in options), default=math.inf)


def _is_side_by_side(node: Node, simd: int) -> bool:
    """Whether groups of a layer can be at work at once: a word has whole pixels of each."""
    return simd % node.group_channels == 0 and not node.is_residual


def busy_cycles(graph: StreamingGraph, unit: Unit) -> int:
    """Cycles of a frame in which a unit works on new data (as :mod:`bnnsim.cost.power` counts them)."""
    if isinstance(unit.parameters, Mvau):
        return unit.parameters.vectors * unit.parameters.fold
    streams = graph.stream_by_name
    return max((streams[name].words for name in (*unit.inputs, *unit.outputs)), default=0)


def unit_cycles(unit: Unit) -> int:
    """Cycles a frame of a unit by itself; of an RTL window what dense ones take, without its table."""
    p = unit.parameters
    if isinstance(p, Window) and p.style == "rtl":
        wait = max(0, p.buffer_words - p.window_pixels * p.channel_fold)
        return max(p.words_in, p.words_out + wait + RTL_WINDOW_LATENCY)
    if isinstance(p, Converter):
        return max(p.words_in, p.words_out)
    if isinstance(p, WeightBuffer):
        return max(p.words_in, p.words_out, -(-(p.words_in + p.words_out + 1) // p.frames))
    program = unit_program(unit)
    return program.steps if isinstance(program, Lockstep) else max(program.words_in, program.words_out)
