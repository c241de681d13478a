"""The contents of a unit's weight and threshold memories as words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.datapath.streaming.mvau import kernel_memories, threshold_memory, weight_memory
from bnnsim.datapath.words import pack_rows
from bnnsim.design.network.tensor import RESIDUAL_SUM
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
    Threshold,
    Unit,
    WeightBuffer,
    Window,
)
from bnnsim.spec.value_type import ValueType

_FOLD_ORDER = "(group * neuron_fold + nf) * synapse_fold + sf"


@dataclass(frozen=True)
class Memory:
    """One memory: ``words`` in the order of their addresses, each of ``width_bits``.

    ``role`` is ``weights``, ``thresholds`` or the name of a layer's own parameter (``alpha``); ``pe`` the
    processing element that owns it, None where all of the unit share it. ``address`` and ``layout`` say
    in words what is where.
    """

    role: str
    pe: int | None
    width_bits: int
    words: tuple[int, ...]
    element_bits: int
    is_signed: bool
    address: str
    layout: str

    @property
    def name(self) -> str:
        return self.role if self.pe is None else f"{self.role}.pe{self.pe}"


def unit_memories(
    unit: Unit,
    weights: Mapping[str, Integers],
    thresholds: Mapping[str, Integers],
    values: Mapping[str, Mapping[str, Integers]] | None = None,
) -> list[Memory]:
    """All memories of a unit; ``weights`` and ``thresholds`` by layer, as in the weights file,
    ``values`` the parameters of scaled layers, by layer, then by name."""
    named = dict((values or {}).get(unit.layer, {}))
    match unit.parameters:
        case Mvau() as p if p.is_residual and not p.has_integer_means:
            memories = _weights(p, named.pop("weights"))
            return memories + _numbers(named, p.pe, RESIDUAL_SUM, "nf")
        case Mvau() as p if p.weights_stream:
            return []
        case Mvau() as p:
            memories = _weights(p, named.pop("weights") if "weights" in named else weights[unit.layer])
            memories += _numbers(named, p.pe, p.input_type.mean_type, "nf")
            if p.thresholds and unit.layer in thresholds:
                folded = threshold_memory(p, thresholds[unit.layer]).astype(np.int64)
                rows = folded.reshape(-1, p.pe * p.thresholds)
                memories.append(_thresholds(rows, p.thresholds, "group * neuron_fold + nf"))
            return memories
        case Threshold() as p:
            rows = thresholds[unit.layer].astype(np.int64).reshape(-1, p.pe * p.thresholds)
            return [_thresholds(rows, p.thresholds, "channel fold")]
        case Scale() as p:
            bias = {name: named.pop(name) for name in list(named) if name == "bias"}
            memories = _numbers(bias, p.pe, p.bias_type or p.multiplier_type, "channel fold")
            return memories + _numbers(named, p.pe, p.multiplier_type, "channel fold")
        case Lookup() as p:
            return _numbers(named, 1, p.output_type, "end of a piece")
        case (
            Source() | Sink() | Converter() | Padding() | Window() | Pool()
            | Split() | Add() | Multiply() | Concat() | Repeat() | LabelSelect()
            | WeightBuffer()
        ):
            return []
        case _:
            assert_never(unit.parameters)


def _weights(mvau: Mvau, weights: Integers) -> list[Memory]:
    bits = mvau.memory_bits // mvau.simd
    book, held = (None, weight_memory(mvau, weights))
    if mvau.codebook:
        book, held = kernel_memories(mvau, weights)
    folded = held.reshape(-1, mvau.pe, mvau.simd).astype(np.int64)
    is_signed = mvau.weight_type.is_signed
    kernels = []
    if book is not None:
        words = tuple(pack_rows(book, 1))
        where, layout = "number of the kernel", "tap t in bit t, row by row"
        kernels = [Memory("codebook", None, mvau.taps, words, 1, False, where, layout)]
    if mvau.memory_layout == "per_pe":
        layout = "column sf * simd + s of row nf * pe + p in element s, element 0 in the lowest bits"
        return [
            Memory(
                "weights",
                pe,
                mvau.simd * bits,
                tuple(pack_rows(folded[:, pe], bits)),
                bits,
                is_signed,
                _FOLD_ORDER,
                layout,
            )
            for pe in range(mvau.pe)
        ] + kernels
    layout = "column sf * simd + s of row nf * pe + p in element p * simd + s, element 0 lowest"
    words = tuple(pack_rows(folded.reshape(len(folded), -1), bits))
    width = mvau.pe * mvau.simd * bits
    return [Memory("weights", None, width, words, bits, is_signed, _FOLD_ORDER, layout), *kernels]


def _numbers(
    values: Mapping[str, Integers], pe: int, value_type: ValueType, address: str
) -> list[Memory]:
    """Numbers of each channel, ``pe`` of them a word; those of the levels in one word."""
    memories = []
    for name, array in sorted(values.items()):
        of_levels = name.endswith("means")
        rows = array.astype(np.int64).reshape(1 if of_levels else -1, -1 if of_levels else pe)
        lanes, bits = rows.shape[1], value_type.bits
        layout = f"{'level' if of_levels else 'PE'} p in element p, element 0 in the lowest bits"
        words = tuple(pack_rows(rows, bits))
        where = "one word" if of_levels else address
        signed = value_type.is_signed
        memories.append(Memory(name, None, lanes * bits, words, bits, signed, where, layout))
    return memories


def _thresholds(rows: Integers, count: int, address: str) -> Memory:
    """``rows`` ``(addresses, pe * count)`` in the narrowest two's complement that holds them all."""
    low, high = int(rows.min()), int(rows.max())
    bits = 1 + max((-low - 1).bit_length() if low < 0 else 0, high.bit_length() if high > 0 else 0)
    layout = f"threshold t of PE p in element p * {count} + t, element 0 in the lowest bits"
    words = tuple(pack_rows(rows, max(2, bits)))
    bits = max(2, bits)
    return Memory("thresholds", None, rows.shape[1] * bits, words, bits, True, address, layout)
