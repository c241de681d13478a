"""From a network and a streaming architecture to units and streams, with every misfit reported."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from bnnsim.design.network import INPUT, Network, Node
from bnnsim.design.units import (
    Add,
    Concat,
    Converter,
    Mvau,
    Padding,
    Pool,
    Scale,
    Sink,
    Source,
    Split,
    Stream,
    StreamingGraph,
    Threshold,
    Unit,
    UnitParameters,
    Window,
)
from bnnsim.design.window_rules import window_obstacle
from bnnsim.spec.architecture import LayerHardware, StreamingArchitecture
from bnnsim.spec.faults import Fault, near_divisors, near_names
from bnnsim.spec.load import Loaded
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import (
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    ConvLayer,
    LinearLayer,
    MaxPoolLayer,
    PreluLayer,
    ThresholdLayer,
    WeightedLayer,
)

COMPUTING = (WeightedLayer, ThresholdLayer, AffineLayer, PreluLayer)
STREAMING = (
    ConvLayer,
    LinearLayer,
    ThresholdLayer,
    AffineLayer,
    PreluLayer,
    MaxPoolLayer,
    AveragePoolLayer,
    AddLayer,
    ConcatLayer,
)
SOURCE, SINK = "source", "sink"
TERNARY = ValueType("int", 2)
"""-1, 0 and +1: bits behind a border of true zeros."""


@dataclass(frozen=True)
class _End:
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


def build_streaming(
    architecture: Loaded[StreamingArchitecture], network: Network
) -> tuple[StreamingGraph | None, list[Fault]]:
    """Units and streams of ``network`` on ``architecture``; the graph is None where faults bar it."""
    return _Builder(architecture, network).run()


class _Builder:
    def __init__(self, architecture: Loaded[StreamingArchitecture], network: Network) -> None:
        self.spec = architecture.spec
        self.source_text = architecture.source
        self.network = network
        self.faults: list[Fault] = []
        self.units: list[Unit] = []
        self.streams: list[Stream] = []
        self.ends: dict[str, list[_End]] = {}

    # ---- the whole -------------------------------------------------------------------------

    def run(self) -> tuple[StreamingGraph | None, list[Fault]]:
        self._check_layer_names()
        self._check_operations()
        for node in self.network.nodes.values():
            self._check_folding(node)
        if self.faults:
            return None, self.faults
        self._frame_source()
        for node in self.network.nodes.values():
            self._layer(node)
            if self.faults:
                return None, self.faults
        end = self._take(self.network.output)
        if end.lanes == 0:
            end = replace(end, lanes=end.elements)
        words = end.elements // end.lanes
        self._unit(SINK, SINK, Sink(words), [end], library="rtl", freezes=True)
        self._check_stream_names()
        if self.faults:
            return None, self.faults
        return StreamingGraph(tuple(self.units), tuple(self.streams)), []

    def _fault(
        self, path: tuple[str, ...], expected: str, got: object, near: tuple[str, ...] = ()
    ) -> None:
        self.faults.append(self.source_text.fault(path, expected, got, near))

    def _check_layer_names(self) -> None:
        known = list(self.network.nodes)
        for name in self.spec.layers:
            if name not in self.network.nodes:
                self._fault(
                    ("layers", name),
                    f"a layer of workload {self.network.workload.name}",
                    f"'{name}'",
                    near_names(name, known),
                )
        for node in self.network.nodes.values():
            if isinstance(node.layer, COMPUTING) and node.name not in self.spec.layers:
                self._fault(
                    ("layers", node.name), f"a unit for layer {node.name} ({node.layer.op})", "none"
                )

    def _check_operations(self) -> None:
        for node in self.network.nodes.values():
            if not isinstance(node.layer, STREAMING):
                self._fault(
                    ("layers", node.name),
                    "a layer that a streaming unit runs (fixed-point layers run on engines)",
                    f"{node.layer.op} in the workload",
                )

    def _check_stream_names(self) -> None:
        names = [stream.name for stream in self.streams]
        for name in self.spec.fifo_words:
            if name not in names:
                self._fault(
                    ("fifo_words", name),
                    "a stream (writer->reader)",
                    f"'{name}'",
                    near_names(name, names),
                )

    # ---- one layer's options ---------------------------------------------------------------

    def _hardware(self, name: str) -> LayerHardware:
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

    def _check_folding(self, node: Node) -> None:
        hardware = self.spec.layers.get(node.name)
        if hardware is None:
            return
        key = ("layers", node.name)
        layer = node.layer
        weighted = isinstance(layer, WeightedLayer)
        rows = node.matrix_height if weighted else node.output.channels
        if isinstance(layer, MaxPoolLayer | AveragePoolLayer | ConcatLayer):
            if hardware.pe is not None:
                self._fault((*key, "pe"), f"no pe: a {layer.op} takes whole pixels", hardware.pe)
        elif hardware.pe is None:
            if isinstance(layer, COMPUTING):
                self._fault((*key, "pe"), f"a divisor of {rows}", "nothing")
        elif rows % hardware.pe:
            near = near_divisors(hardware.pe, rows)
            self._fault((*key, "pe"), f"a divisor of {rows}", hardware.pe, near)
        if not weighted:
            if hardware.simd is not None:
                self._fault((*key, "simd"), f"no simd: a {layer.op} has no matrix", hardware.simd)
        elif hardware.simd is None:
            self._fault((*key, "simd"), f"a divisor of {node.matrix_width}", "nothing")
        elif node.matrix_width % hardware.simd:
            near = near_divisors(hardware.simd, node.matrix_width)
            self._fault((*key, "simd"), f"a divisor of {node.matrix_width}", hardware.simd, near)
        self._check_accumulator(node, hardware)

    def _check_accumulator(self, node: Node, hardware: LayerHardware) -> None:
        bits = hardware.accumulator_bits
        if bits is None:
            return
        key = ("layers", node.name, "accumulator_bits")
        has_sums = isinstance(node.layer, WeightedLayer) and node.layer.activation is None
        if not has_sums:
            self._fault(key, "no accumulator_bits: this layer puts out activations", bits)
        elif bits < node.sum_type.bits:
            self._fault(key, f"at least {node.sum_type.bits} (sums are {node.sum_type})", bits)

    # ---- joining units ---------------------------------------------------------------------

    def _unit(
        self,
        name: str,
        layer: str,
        parameters: UnitParameters,
        inputs: list[_End],
        library: str,
        freezes: bool,
    ) -> None:
        """Append a unit and the streams that feed it."""
        names = []
        for end in inputs:
            stream = f"{end.unit}->{name}"
            taken = sum(s.name == stream or s.name.startswith(stream + "#") for s in self.streams)
            if taken:
                stream = f"{stream}#{taken + 1}"
            depth = end.depth_words or self.spec.defaults.fifo_words
            if stream in self.spec.fifo_words:
                if end.depth_words is not None:
                    self._fault(
                        ("fifo_words", stream),
                        f"this depth said once ({'.'.join(end.depth_key)} says {end.depth_words})",
                        self.spec.fifo_words[stream],
                    )
                depth = self.spec.fifo_words[stream]
            words = end.elements // end.lanes
            self.streams.append(
                Stream(
                    stream, end.unit, name, end.lanes, end.element_bits, end.type, depth, words
                )
            )
            names.append(stream)
            self._feed(end.unit, stream)
        self.units.append(Unit(name, layer, parameters, library, freezes, tuple(names), ()))

    def _feed(self, writer: str, stream: str) -> None:
        index = next(i for i, unit in enumerate(self.units) if unit.name == writer)
        unit = self.units[index]
        self.units[index] = replace(unit, outputs=(*unit.outputs, stream))

    def _convert(self, end: _End, lanes: int, owner: str, hardware: LayerHardware) -> _End:
        """``end`` with words of ``lanes`` elements, through one converter or two over the lcm."""
        if end.lanes in (0, lanes):
            return replace(end, lanes=lanes)
        common = math.lcm(end.lanes, lanes)
        for target in dict.fromkeys((common, lanes)):
            if target == end.lanes:
                continue
            if end.elements % target:
                self._fault(
                    ("layers", owner) if owner in self.spec.layers else (),
                    f"streams whose common width of {target} elements divides a frame of "
                    f"{end.elements}",
                    f"{end.lanes} against {lanes} elements a word before {owner}",
                )
                return replace(end, lanes=lanes)
            converter = Converter(
                end.lanes, target, end.elements // end.lanes, end.elements // target
            )
            name = self._free_name(f"{owner}.{'narrow' if converter.narrows else 'widen'}")
            freezes = hardware.units == "hls" and hardware.pipeline == "freezing"
            self._unit(name, owner, converter, [end], hardware.units or "hls", freezes)
            end = replace(end, unit=name, lanes=target, depth_words=None)
        return end

    def _free_name(self, name: str) -> str:
        names = {unit.name for unit in self.units}
        number = 2
        free = name
        while free in names:
            free = f"{name}{number}"
            number += 1
        return free

    def _finish(self, name: str, end: _End, hardware: LayerHardware) -> None:
        """Close a layer: its own output converter, its FIFO, and a split where several read it."""
        key = ("layers", name)
        if hardware.out_width_bits is not None:
            end = self._to_width(end, hardware.out_width_bits, (*key, "out_width_bits"), name, hardware)
        end = replace(
            end, depth_words=hardware.out_fifo_words, depth_key=(*key, "out_fifo_words")
        )
        self._open(name, end, hardware)

    def _to_width(
        self, end: _End, width_bits: int, key: tuple[str, ...], owner: str, hardware: LayerHardware
    ) -> _End:
        if width_bits % end.element_bits:
            self._fault(key, f"a multiple of {end.element_bits} (bits an element)", width_bits)
            return end
        lanes = width_bits // end.element_bits
        if end.elements % lanes:
            near = near_divisors(lanes, end.elements)
            self._fault(
                key,
                f"a width whose words divide a frame of {end.elements * end.element_bits} bits",
                width_bits,
                tuple(str(int(n) * end.element_bits) for n in near),
            )
            return end
        return self._convert(end, lanes, owner, hardware)

    def _open(self, name: str, end: _End, hardware: LayerHardware) -> None:
        readers = len(self.network.consumers[name])
        if readers <= 1:
            self.ends[name] = [end]
            return
        if end.lanes == 0:
            end = replace(end, lanes=self.network.tensor(name).channels)
        split = f"{name}.split"
        freezes = hardware.pipeline == "freezing"
        self._unit(split, name, Split(end.elements // end.lanes, readers), [end], "hls", freezes)
        branch = replace(end, unit=split, depth_words=None)
        self.ends[name] = [branch] * readers

    def _take(self, name: str) -> _End:
        return self.ends[name].pop(0)

    # ---- the units of each layer -----------------------------------------------------------

    def _frame_source(self) -> None:
        spec = self.spec.frame_source
        frame = self.network.input
        hardware = self._hardware(INPUT)
        end = _End(SOURCE, 0, frame.type.bits, frame.type, frame.elements)
        if spec.width_bits is not None:
            key = ("frame_source", "width_bits")
            end = self._to_width(end, spec.width_bits, key, INPUT, hardware)
        lanes = end.lanes
        # The source's own words: known now, or once the first reader has said what it wants.
        if lanes == 0:
            lanes = self._first_reader_lanes()
            end = replace(end, lanes=lanes)
        self.units.append(
            Unit(SOURCE, SOURCE, Source(frame.elements // lanes, spec.gap_steps), "hls", True, (), ())
        )
        if spec.out_width_bits is not None:
            key = ("frame_source", "out_width_bits")
            end = self._to_width(end, spec.out_width_bits, key, SOURCE, hardware)
        end = replace(
            end, depth_words=spec.out_fifo_words, depth_key=("frame_source", "out_fifo_words")
        )
        self._open(INPUT, end, hardware)

    def _first_reader_lanes(self) -> int:
        """One pixel, or for a flat frame the lanes of the layer that reads it."""
        if self.network.input.pixels > 1:
            return self.network.input.channels
        reader = self.network.consumers[INPUT][0][0]
        hardware = self.spec.layers.get(reader, LayerHardware())
        return hardware.simd or hardware.pe or self.network.input.elements

    def _layer(self, node: Node) -> None:
        layer = node.layer
        hardware = self._hardware(node.name)
        if isinstance(layer, WeightedLayer):
            self._weighted(node, hardware)
        elif isinstance(layer, ThresholdLayer):
            self._threshold(node, hardware)
        elif isinstance(layer, AffineLayer | PreluLayer):
            self._scale(node, hardware)
        elif isinstance(layer, MaxPoolLayer | AveragePoolLayer):
            self._pool(node, hardware)
        elif isinstance(layer, AddLayer):
            self._add(node, hardware)
        elif isinstance(layer, ConcatLayer):
            self._concat(node, hardware)
        else:
            self._fault((), "layers that a streaming unit computes", f"{node.name} ({layer.op})")

    def _weighted(self, node: Node, hardware: LayerHardware) -> None:
        assert hardware.pe and hardware.simd and isinstance(node.layer, WeightedLayer)
        end = self._take(node.inputs[0])
        channel_block = node.input.channels // node.groups
        if isinstance(node.layer, ConvLayer):
            end, channel_block = self._windows(node, node.layer, end, hardware)
            if self.faults:
                return
        end = self._convert(end, hardware.simd, node.name, hardware)
        activation = node.layer.activation
        levels_in, levels_out = _levels(node.input.type), _levels(node.output.type)
        output_bits = hardware.accumulator_bits or node.output.type.bits // levels_out
        mvau = Mvau(
            pe=hardware.pe,
            simd=hardware.simd,
            matrix_height=node.matrix_height,
            matrix_width=node.matrix_width,
            vectors=node.output.pixels * node.groups,
            groups=node.groups,
            channel_block=channel_block,
            weight_type=node.layer.weight,
            input_type=end.type if end.type == TERNARY else node.input.type,
            sum_type=node.sum_type,
            accumulator=node.layer.accumulator,
            output_type=node.output.type,
            output_bits=output_bits,
            thresholds=node.threshold_count,
            compare=activation.compare if activation else "",
            weight_memory=hardware.weights or "auto",
            memory_layout=hardware.memory or "per_layer",
            levels_in=levels_in,
            levels_out=levels_out,
        )
        # The RTL library has no MVAU for bipolar weights and inputs: FINN takes the HLS one there.
        library = "hls" if mvau.is_binary else hardware.units or "hls"
        freezes = library == "hls" and hardware.pipeline == "freezing"
        name = f"{node.name}.mvau"
        self._unit(name, node.name, mvau, [end], library, freezes)
        elements = node.output.elements * levels_out
        out = _End(name, hardware.pe, output_bits, node.output.type, elements)
        self._finish(node.name, out, hardware)

    def _windows(
        self, node: Node, layer: ConvLayer, end: _End, hardware: LayerHardware
    ) -> tuple[_End, int]:
        """Padding and sliding window in front of a convolution's MVAU."""
        assert hardware.simd
        channels, height, width = node.input.shape
        group_channels = channels // node.groups
        padded = any(layer.pad_tlbr)
        slides = layer.kernel_hw != (1, 1) or layer.stride_hw != (1, 1) or padded
        if not slides and node.groups == 1:
            return end, group_channels
        window = Window(
            style=hardware.sliding_window or "row_buffer",
            channels=channels * _levels(node.input.type),
            height=height + layer.pad_tlbr[0] + layer.pad_tlbr[2],
            width=width + layer.pad_tlbr[1] + layer.pad_tlbr[3],
            kernel=layer.kernel_hw,
            stride=layer.stride_hw,
            dilation=layer.dilation_hw,
            groups=node.groups,
            lanes=_window_lanes(hardware, group_channels, layer),
        )
        obstacle = window_obstacle(window)
        if obstacle:
            self._fault(("layers", node.name, "sliding_window"), *obstacle)
            return end, group_channels
        end = self._convert(end, window.lanes, node.name, hardware)
        if padded:
            # One bit cannot carry a true zero: behind such a border the stream has two.
            is_widened = node.pad_value == 0 and node.input.type.is_bipolar
            border = Padding(
                channels, height, width, layer.pad_tlbr, node.pad_value, window.lanes, is_widened
            )
            name = f"{node.name}.pad"
            self._unit(name, node.name, border, [end], "rtl", False)
            end = replace(
                end,
                unit=name,
                depth_words=None,
                elements=border.words_out * window.lanes,
            )
            if is_widened:
                end = replace(end, type=TERNARY, element_bits=TERNARY.bits)
        name = f"{node.name}.window"
        library = "rtl" if window.style in ("rtl", "parallel", "line_buffer") else "hls"
        freezes = library == "hls" and hardware.pipeline == "freezing"
        self._unit(name, node.name, window, [end], library, freezes)
        end = replace(
            end,
            unit=name,
            lanes=window.out_lanes,
            depth_words=None,
            elements=window.words_out * window.out_lanes,
        )
        return end, window.lanes if window.writes_whole_windows else group_channels

    def _threshold(self, node: Node, hardware: LayerHardware) -> None:
        assert hardware.pe and isinstance(node.layer, ThresholdLayer)
        end = self._convert(self._take(node.inputs[0]), hardware.pe, node.name, hardware)
        threshold = Threshold(
            pe=hardware.pe,
            channels=node.output.channels,
            words=node.output.elements // hardware.pe,
            input_type=node.input.type,
            input_bits=end.element_bits,
            output_type=node.output.type,
            thresholds=node.threshold_count,
            compare=node.layer.activation.compare,
            deep_pipeline=hardware.deep_pipeline,
        )
        name = f"{node.name}.threshold"
        self._unit(name, node.name, threshold, [end], "rtl", False)
        bits = node.output.type.bits
        out = _End(name, hardware.pe, bits, node.output.type, node.output.elements)
        self._finish(node.name, out, hardware)

    def _scale(self, node: Node, hardware: LayerHardware) -> None:
        layer = node.layer
        assert hardware.pe and isinstance(layer, AffineLayer | PreluLayer)
        end = self._convert(self._take(node.inputs[0]), hardware.pe, node.name, hardware)
        scale = Scale(
            function=layer.op,
            pe=hardware.pe,
            channels=node.output.channels,
            words=node.output.elements // hardware.pe,
            input_type=node.input.type,
            input_bits=end.element_bits,
            output_type=node.output.type,
            parameter_type=layer.parameters,
        )
        name = f"{node.name}.{layer.op}"
        self._unit(name, node.name, scale, [end], "rtl", False)
        bits = node.output.type.bits
        out = _End(name, hardware.pe, bits, node.output.type, node.output.elements)
        self._finish(node.name, out, hardware)

    def _pool(self, node: Node, hardware: LayerHardware) -> None:
        layer = node.layer
        assert isinstance(layer, MaxPoolLayer | AveragePoolLayer)
        channels, height, width = node.input.shape
        kernel = (height, width) if layer.kernel == "global" else (layer.kernel, layer.kernel)
        if layer.kernel != "global" and (layer.stride or layer.kernel) != layer.kernel:
            self._fault(
                ("layers", node.name),
                "a pool whose stride is its kernel (the streaming pool does not overlap)",
                f"kernel {layer.kernel}, stride {layer.stride}",
            )
            return
        if height % kernel[0] or width % kernel[1]:
            self._fault(
                ("layers", node.name),
                "a map that the pool's kernel divides (the streaming pool drops no pixels)",
                f"{height} x {width} with kernel {layer.kernel}",
            )
            return
        end = self._convert(self._take(node.inputs[0]), channels, node.name, hardware)
        function = "max" if isinstance(layer, MaxPoolLayer) else "majority"
        compare = layer.compare if isinstance(layer, AveragePoolLayer) else ">="
        levels = _levels(node.input.type)
        pool = Pool(
            function,
            channels,
            height,
            width,
            kernel,
            node.input.type,
            compare,
            hardware.pool,
            levels,
        )
        name = f"{node.name}.pool"
        self._unit(name, node.name, pool, [end], "hls", hardware.pipeline == "freezing")
        out = replace(
            end, unit=name, depth_words=None, elements=node.output.elements * levels
        )
        self._finish(node.name, out, hardware)

    def _add(self, node: Node, hardware: LayerHardware) -> None:
        taken = [self._take(name) for name in node.inputs]
        first = taken[0].lanes
        lanes = hardware.pe or (first if first and node.output.channels % first == 0 else 0)
        lanes = lanes or node.output.channels
        ends = [self._convert(end, lanes, node.name, hardware) for end in taken]
        bits = node.output.type.bits
        add = Add(
            lanes=lanes,
            words=node.output.elements // lanes,
            input_types=tuple(end.type for end in ends),
            input_bits=tuple(end.element_bits for end in ends),
            output_type=node.output.type,
            output_bits=bits,
        )
        name = f"{node.name}.add"
        self._unit(name, node.name, add, ends, "hls", hardware.pipeline == "freezing")
        out = _End(name, lanes, bits, node.output.type, node.output.elements)
        self._finish(node.name, out, hardware)

    def _concat(self, node: Node, hardware: LayerHardware) -> None:
        ends = []
        for name, tensor in zip(node.inputs, node.input_tensors, strict=True):
            end = self._take(name)
            ends.append(self._convert(end, tensor.channels, node.name, hardware))
        bits = max(end.element_bits for end in ends)
        if any(end.element_bits != bits for end in ends):
            self._fault(
                ("layers", node.name),
                "inputs with equally wide elements",
                ", ".join(f"{end.element_bits} bits from {end.unit}" for end in ends),
            )
            return
        channels = tuple(tensor.channels for tensor in node.input_tensors)
        name = f"{node.name}.concat"
        concat = Concat(node.output.pixels, channels, bits)
        self._unit(name, node.name, concat, ends, "hls", hardware.pipeline == "freezing")
        out = _End(name, sum(channels), bits, node.output.type, node.output.elements)
        self._finish(node.name, out, hardware)


def _levels(value_type: ValueType) -> int:
    """Words an element takes in a stream: one a level of a residual binarization."""
    return value_type.bits if value_type.is_residual else 1


def _window_lanes(hardware: LayerHardware, channels: int, layer: ConvLayer) -> int:
    """Channels a word of the sliding window: the MVAU's SIMD where it divides them.

    A SIMD that does not is served by the next wider word and a converter; a parallel window takes as
    many channels as make SIMD columns with the whole kernel.
    """
    assert hardware.simd
    wanted = hardware.simd
    if hardware.sliding_window in ("parallel", "line_buffer"):
        pixels = layer.kernel_hw[0] * layer.kernel_hw[1]
        wanted = hardware.simd // pixels if hardware.simd % pixels == 0 else channels
        if layer.groups > 1:
            wanted = channels
    wider = [d for d in range(1, channels + 1) if channels % d == 0 and d >= wanted]
    return wider[0] if wider else channels
