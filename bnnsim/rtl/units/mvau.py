"""Matrix-vector-activation units whose activations are single words, and what keeps streamed weights."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.datapath.streaming.mvau import kernel_memories, threshold_memory, weight_memory
from bnnsim.datapath.words import pack_rows
from bnnsim.design.streaming.units import Mvau, WeightBuffer
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.rtl.memories import RomImage
from bnnsim.rtl.units.thresholds import matches_reached, number_bits, reached, threshold_rom

_WORD_ORDER = "(group * neuron_fold + nf) * synapse_fold + sf"
_FOLD_ORDER = "group * neuron_fold + nf"


def mvau_instance(values: UnitValues, p: Mvau) -> Instance:
    """The MVAU with the memories of its layer."""
    if p.is_residual:
        raise NoModuleError(f"{values.unit.name}: a module for an MVAU with residual activations")
    memories = []
    if not p.weights_stream:
        assert values.weights is not None
        memories = weight_roms(p, values.weights)
        memories += [_codebook_rom(p, values.weights)] if p.codebook else []
    thresholds = fired_rows(values, p)
    threshold_bits = 1
    if thresholds is not None:
        threshold_bits = number_bits(int(thresholds.min()), int(thresholds.max()), not p.is_binary)
        on = "matches" if p.is_binary else "the sum"
        memories.append(threshold_rom(thresholds, threshold_bits, _FOLD_ORDER, on))
    parameters = {
        "PE": p.pe,
        "SIMD": p.simd,
        "MATRIX_HEIGHT": p.matrix_height,
        "MATRIX_WIDTH": p.matrix_width,
        "VECTORS": p.vectors,
        "GROUPS": p.groups,
        "GROUP_LANES": p.group_lanes,
        "CHANNEL_BLOCK": p.channel_block if p.group_lanes > 1 else p.simd,
        "WEIGHT_BITS": values.inputs[1].element_bits if p.weights_stream else p.weight_type.bits,
        "WEIGHT_SIGNED": int(p.weight_type.is_signed),
        "WEIGHT_BIPOLAR": int(p.weight_type.is_bipolar),
        "WEIGHTS_STREAM": int(p.weights_stream),
        "INPUT_BITS": values.inputs[0].element_bits,
        "INPUT_BIPOLAR": int(p.input_type.is_bipolar),
        "INPUT_SIGNED": int(p.input_type.is_signed),
        "SUM_BITS": sum_bits(p),
        "THRESHOLDS": 0 if thresholds is None else p.thresholds,
        "THRESHOLD_BITS": threshold_bits,
        "LOWEST": p.lowest,
        "DOTS": int(p.is_binary and thresholds is None and p.accumulator != "popcount"),
        "OUTPUT_BITS": p.output_bits,
        "WEIGHT_MEMORIES": p.pe if p.memory_layout == "per_pe" else 1,
        "CODEBOOK": p.codebook,
        "TAPS": p.taps,
        "NUMBER_BITS": p.number_bits,
        "TAP_STEPS": p.channel_block // p.simd if p.codebook else 1,
        "QUEUES": int(values.unit.library == "rtl"),
        **values.pipeline,
    }
    return Instance("mvau", parameters, tuple(memories))


def sum_bits(p: Mvau) -> int:
    """Bits of the accumulator: matches where binary, else the sum."""
    if p.is_binary:
        return p.matrix_width.bit_length()
    return number_bits(p.sum_type.minimum, p.sum_type.maximum, True)


def fired_rows(values: UnitValues, p: Mvau) -> Int64s | None:
    """What fires, ``(folds, pe, thresholds)``; None for raw sums."""
    if values.thresholds is None or not p.thresholds:
        return None
    rows = threshold_memory(p, values.thresholds).reshape(-1, p.pe, p.thresholds)
    if p.is_binary and not p.is_residual:
        return matches_reached(rows, p.compare, p.matrix_width, p.accumulator == "popcount")
    return reached(rows, p.compare, p.sum_type.minimum, p.sum_type.maximum)


def weight_roms(p: Mvau, weights: np.typing.NDArray[np.integer]) -> list[RomImage]:
    """The weight memories: one a layer, or one a PE where the design says so."""
    bits = p.memory_bits // p.simd
    held = kernel_memories(p, weights)[1] if p.codebook else weight_memory(p, weights)
    folded = held.reshape(-1, p.pe, p.simd).astype(np.int64)
    if p.memory_layout == "per_pe" and p.pe > 1:
        layout = f"column sf * {p.simd} + s of row nf * {p.pe} + p in element s, element 0 lowest"
        return [
            RomImage(
                "weights",
                p.simd * bits,
                tuple(pack_rows(folded[:, pe], bits)),
                _WORD_ORDER,
                layout,
                f"_pe{pe:04d}",
            )
            for pe in range(p.pe)
        ]
    layout = (
        f"column sf * {p.simd} + s of row nf * {p.pe} + p in element p * {p.simd} + s, element 0 lowest"
    )
    words = tuple(pack_rows(folded.reshape(len(folded), -1), bits))
    return [RomImage("weights", p.pe * p.simd * bits, words, _WORD_ORDER, layout)]


def _codebook_rom(p: Mvau, weights: np.typing.NDArray[np.integer]) -> RomImage:
    """The kernels themselves, a word each."""
    words = tuple(pack_rows(kernel_memories(p, weights)[0], 1))
    return RomImage("codebook", p.taps, words, "number of the kernel", "tap t in bit t, row by row")


def weight_buffer_instance(values: UnitValues, p: WeightBuffer) -> Instance:
    """The memories of a matrix that comes as a stream."""
    parameters = {
        "BY_ROWS": int(p.by_rows),
        "PE": p.pe,
        "SIMD": p.simd,
        "MATRIX_HEIGHT": p.matrix_height,
        "MATRIX_WIDTH": p.matrix_width,
        "GROUPS": p.groups,
        "PIXELS": p.pixels,
        "FRAMES": p.frames,
        "ELEMENT_BITS": values.inputs[0].element_bits,
    }
    return Instance("weight_buffer", parameters, counts_frames=False)
