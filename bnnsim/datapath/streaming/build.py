"""A datapath for every unit of a streaming graph, each layer's words held against what they should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Integers
from bnnsim.datapath.mismatch import BitMismatchError
from bnnsim.datapath.streaming.gates import LookupDatapath, MultiplyDatapath, RepeatDatapath
from bnnsim.datapath.streaming.label_select import LabelSelectDatapath
from bnnsim.datapath.streaming.levels import LevelMvauDatapath
from bnnsim.datapath.streaming.mvau import MvauDatapath
from bnnsim.datapath.streaming.pool import PoolDatapath
from bnnsim.datapath.streaming.residual import ResidualMvauDatapath, ResidualPoolDatapath
from bnnsim.datapath.streaming.streamed_weights import StreamedMvauDatapath, WeightBufferDatapath
from bnnsim.datapath.streaming.units import (
    AddDatapath,
    ConcatDatapath,
    ConverterDatapath,
    PaddingDatapath,
    ScaleDatapath,
    SinkDatapath,
    SourceDatapath,
    SplitDatapath,
    ThresholdDatapath,
    WindowDatapath,
)
from bnnsim.datapath.words import (
    element_values,
    joined_levels,
    pack_rows,
    stream_order,
    unpack_word,
)
from bnnsim.design.network.network import Network, Tensor
from bnnsim.design.streaming.datapath import Datapath, push_words
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    LabelSelect,
    Lookup,
    Multiply,
    Mvau,
    Padding,
    Pool,
    Repeat,
    Scale,
    Sink,
    Source,
    Split,
    Stream,
    StreamingGraph,
    Threshold,
    Unit,
    WeightBuffer,
    Window,
    levels_of,
)


def build_datapaths(
    graph: StreamingGraph,
    frames: Integers,
    weights: Mapping[str, Integers],
    thresholds: Mapping[str, Integers],
    outputs: Mapping[str, Integers],
    values: Mapping[str, Mapping[str, Integers]] | None = None,
) -> dict[str, Datapath]:
    """Datapaths by unit name.

    ``frames`` are elements ``(n, channels, height, width)``; ``weights`` and ``thresholds`` by layer
    as in the weights file; ``outputs`` by layer what each should put out, ``(n, channels, height,
    width)``; ``values`` the parameters of scaled layers (fixed point, residual levels), by layer, then by
    name. Bipolar elements are bits {0, 1} everywhere. The datapath of each layer's last computing
    unit raises :class:`BitMismatchError` at the first word that differs.
    """
    datapaths: dict[str, Datapath] = {}
    for unit in graph.units:
        datapath = unit_datapath(unit, graph, frames, weights, thresholds, values or {})
        if graph.unit_of_layer.get(unit.layer) is unit:
            stream = graph.stream_by_name[unit.outputs[0]]
            datapath = CheckedDatapath(datapath, unit.layer, outputs[unit.layer], stream)
        datapaths[unit.name] = datapath
    return datapaths


def unit_datapath(
    unit: Unit,
    graph: StreamingGraph,
    frames: Integers,
    weights: Mapping[str, Integers],
    thresholds: Mapping[str, Integers],
    values: Mapping[str, Mapping[str, Integers]],
) -> Datapath:
    """The datapath of one unit of ``graph``; the rest as in :func:`build_datapaths`."""
    parameters = unit.parameters
    stream = graph.stream_by_name[(unit.inputs or unit.outputs)[0]]
    bits = stream.element_bits
    match parameters:
        case Source():
            return SourceDatapath(_frame_words(frames, stream))
        case Sink():
            return SinkDatapath()
        case Mvau() if parameters.has_integer_means:
            given = values.get(unit.layer, {})
            rows = given.get("weights", weights.get(unit.layer))
            assert rows is not None
            fired = thresholds.get(unit.layer)
            return LevelMvauDatapath(parameters, rows, fired, bits, given.get("in_means"))
        case Mvau() if parameters.is_residual:
            return ResidualMvauDatapath(parameters, values[unit.layer], bits)
        case Mvau() if parameters.weights_stream:
            weight_bits = graph.stream_by_name[unit.inputs[1]].element_bits
            return StreamedMvauDatapath(parameters, bits, weight_bits)
        case WeightBuffer():
            return WeightBufferDatapath(parameters, bits)
        case Mvau():
            return MvauDatapath(
                parameters, weights[unit.layer], thresholds.get(unit.layer), bits
            )
        case Converter():
            return ConverterDatapath(parameters, bits)
        case Padding():
            return PaddingDatapath(parameters, bits, stream.type.is_bipolar)
        case Window():
            return WindowDatapath(parameters, bits)
        case Pool() if parameters.type.is_residual:
            return ResidualPoolDatapath(parameters)
        case Pool():
            leaving = graph.stream_by_name[unit.outputs[0]].element_bits
            return PoolDatapath(parameters, bits, leaving)
        case Threshold():
            return ThresholdDatapath(parameters, thresholds[unit.layer])
        case Scale():
            return ScaleDatapath(parameters, values[unit.layer])
        case Lookup():
            return LookupDatapath(parameters, values[unit.layer]["values"])
        case Add():
            return AddDatapath(parameters)
        case Multiply():
            return MultiplyDatapath(parameters)
        case Concat():
            return ConcatDatapath(parameters)
        case Repeat():
            return RepeatDatapath(parameters, bits)
        case LabelSelect():
            return LabelSelectDatapath(parameters)
        case Split():
            return SplitDatapath()
        case _:
            assert_never(parameters)


def _frame_words(frames: Integers, stream: Stream) -> Iterator[int]:
    levels = levels_of(stream.type)
    for frame in frames:
        yield from pack_rows(stream_order(frame, stream.lanes, levels), stream.element_bits)


class CheckedDatapath:
    """Passes words through and compares each with the one that should leave."""

    def __init__(self, inner: Datapath, layer: str, outputs: Integers, stream: Stream) -> None:
        self._inner = inner
        self._layer = layer
        self._outputs = outputs
        self._stream = stream
        self._expected = _frame_words(outputs, stream)
        self._count = 0

    def push(self, words: tuple[int, ...]) -> None:
        self._inner.push(words)

    def push_all(self, words: Sequence[tuple[int, ...]]) -> None:
        push_words(self._inner, words)

    def pop(self) -> int:
        word = self._inner.pop()
        expected = next(self._expected)
        if word != expected:
            raise self._mismatch(word, expected)
        self._count += 1
        return word

    def _mismatch(self, word: int, expected: int) -> BitMismatchError:
        stream = self._stream
        lanes, bits, is_signed = stream.lanes, stream.element_bits, stream.type.is_signed
        got = element_values(unpack_word(word, lanes, bits, is_signed), stream.type)
        right = element_values(unpack_word(expected, lanes, bits, is_signed), stream.type)
        lane = int(np.flatnonzero(got != right)[0])
        _, channels, height, width = self._outputs.shape
        word, level = divmod(self._count, levels_of(stream.type))
        element = word * lanes + lane
        frame, element = divmod(element, channels * height * width)
        pixel, channel = divmod(element, channels)
        row, column = divmod(pixel, width)
        return BitMismatchError(
            self._layer,
            frame,
            row,
            column,
            channel,
            int(right[lane]),
            int(got[lane]),
            level if stream.type.is_residual else None,
        )


def sink_values(
    graph: StreamingGraph, network: Network, datapaths: Mapping[str, Datapath], frames: int
) -> dict[str, npt.NDArray[np.int64]]:
    """What each sink took, by output of the network, as values ``(frames, channels, height, width)``."""
    values = {}
    for output, sink in zip(network.outputs, graph.sinks, strict=True):
        datapath = datapaths[sink.name]
        assert isinstance(datapath, SinkDatapath)
        stream = graph.stream_by_name[sink.inputs[0]]
        values[output] = _values(stream, datapath.words, network.tensor(output), frames)
    return values


def _values(
    stream: Stream, words: list[int], tensor: Tensor, frames: int
) -> npt.NDArray[np.int64]:
    rows = [
        element_values(
            unpack_word(word, stream.lanes, stream.element_bits, stream.type.is_signed), stream.type
        )
        for word in words
    ]
    if stream.type.is_residual:
        rows = list(joined_levels(np.stack(rows), levels_of(stream.type)))
    channels, height, width = tensor.shape
    flat = np.concatenate(rows).reshape(frames, height, width, channels)
    return flat.transpose(0, 3, 1, 2)
