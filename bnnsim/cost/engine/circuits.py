"""From an engine's circuits, given or derived, to parts with their cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import assert_never

from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.engine.parts import (
    accumulators,
    average_pool,
    bit_assembly,
    line_registers,
    multiply_accumulate,
    popcount_array,
    quantizer,
    scaling_unit,
    signed_window,
    tap_sums,
    ternary_convolvers,
)
from bnnsim.design.network.network import Node
from bnnsim.spec.engine.blocks import Array
from bnnsim.spec.engine.circuits import (
    Accumulators,
    AveragePool,
    BitAssembly,
    Circuit,
    LineRegisters,
    MultiplyAccumulate,
    Popcounts,
    Quantizer,
    Scaling,
    SignedTaps,
    TapSums,
    TernaryConvolvers,
)
from bnnsim.spec.workload import ConvBase

DERIVED = "derived from the array's loops and the layers it runs"
_OUTPUTS = ("groups", "out_channels", "rows", "columns", "pixels", "out_rows", "out_columns")
_TAPS = ("kernel_rows", "kernel_columns")


class Lanes:
    """How many indices of each kind a cycle takes."""

    def __init__(self, unrolls: Mapping[str, int], accumulator_bits: int = 16) -> None:
        self.out_channels = unrolls.get("out_channels", 1)
        self.in_channels = unrolls.get("in_channels", 1)
        self.pixels = unrolls.get("pixels", 1)
        self.outputs = _product(unrolls, _OUTPUTS)
        self.taps = _product(unrolls, _TAPS)
        self.all = math.prod(unrolls.values())
        self.accumulator_bits = accumulator_bits


def _product(unrolls: Mapping[str, int], names: Sequence[str]) -> int:
    return math.prod(unrolls.get(name, 1) for name in names)


def circuit_part(tech: Technology, circuit: Circuit, lanes: Lanes) -> Part:
    """The cost of a circuit, sizes that it leaves out taken from ``lanes``."""
    name = circuit.name or circuit.circuit.replace("_", " ")
    part = _one(tech, name, circuit, lanes)
    return part if circuit.count == 1 else Part(name, part.amounts * circuit.count)


def _one(tech: Technology, name: str, circuit: Circuit, lanes: Lanes) -> Part:
    match circuit:
        case Popcounts():
            bits = circuit.word_bits or lanes.in_channels
            words = circuit.words or math.ceil(lanes.all / bits)
            return popcount_array(tech, name, words, bits, circuit.form)
        case TapSums():
            outputs = circuit.outputs or lanes.outputs
            words = math.ceil(lanes.in_channels / (circuit.word_bits or lanes.in_channels))
            taps = circuit.taps or lanes.taps * words
            sum_bits = circuit.sum_bits or lanes.accumulator_bits
            return tap_sums(
                tech, name, outputs, taps, circuit.term_bits, sum_bits, circuit.offsets, circuit.masked
            )
        case TernaryConvolvers():
            return ternary_convolvers(
                tech,
                name,
                circuit.convolvers or lanes.in_channels,
                circuit.columns or lanes.pixels,
                circuit.taps or lanes.taps,
                circuit.line_bits,
                circuit.sources,
            )
        case Accumulators():
            columns, terms = circuit.columns or lanes.outputs, circuit.terms or lanes.in_channels
            sum_bits = circuit.sum_bits or lanes.accumulator_bits
            return accumulators(tech, name, columns, terms, circuit.term_bits, sum_bits)
        case SignedTaps():
            taps = circuit.taps or lanes.in_channels * lanes.taps
            sum_bits = circuit.sum_bits or lanes.accumulator_bits
            outputs = circuit.outputs or lanes.outputs
            return signed_window(tech, name, taps, circuit.bits, sum_bits, outputs)
        case MultiplyAccumulate():
            sizes = (circuit.a_bits, circuit.b_bits, circuit.sum_bits)
            return multiply_accumulate(tech, name, circuit.lanes or lanes.all, *sizes)
        case _:
            return _finishing(tech, name, circuit, lanes)


def _finishing(
    tech: Technology,
    name: str,
    circuit: LineRegisters | BitAssembly | Scaling | Quantizer | AveragePool,
    lanes: Lanes,
) -> Part:
    match circuit:
        case LineRegisters():
            return line_registers(
                tech,
                name,
                circuit.rows,
                circuit.row_words,
                circuit.word_bits,
                circuit.window_words,
                circuit.reads,
                circuit.writers,
            )
        case BitAssembly():
            return bit_assembly(tech, name, circuit.words, circuit.word_bits, circuit.ports)
        case Scaling():
            return scaling_unit(
                tech,
                name,
                circuit.channels or lanes.out_channels,
                circuit.multipliers,
                circuit.adders,
                circuit.bits,
                circuit.factor_bits,
                circuit.selects,
            )
        case Quantizer():
            channels = circuit.channels or lanes.out_channels
            return quantizer(tech, name, channels, circuit.bits, circuit.planes, circuit.packed_bits)
        case AveragePool():
            channels = circuit.channels or lanes.out_channels
            return average_pool(tech, name, channels, circuit.bits, circuit.sum_bits)
        case _:
            assert_never(circuit)


def derived_circuits(array: Array, nodes: Sequence[Node]) -> list[Circuit]:
    """What an array that says nothing of its circuits needs to run the layers ``nodes``.

    XNOR-popcounts where an input is binary (or binary planes), a product for each output where planes
    are worth integers, signed taps where it is fixed point,
    multipliers where weights have more than a bit; an adder to the partial sum and a threshold for
    every output; two line buffers in registers where it walks over maps with a kernel.
    """
    lanes = Lanes({str(k): v for k, v in array.spatial_unrolling.items()})
    found: list[Circuit] = []
    binary = [node for node in nodes if _is_binary(node)]
    if binary:
        word = lanes.in_channels
        bits = word.bit_length() + 1
        found.append(Popcounts(circuit="popcount", source=DERIVED))
        found.append(
            TapSums(circuit="tap_sums", term_bits=bits, masked=lanes.taps > 1, source=DERIVED)
        )
    worth = [node.input.type.mean_bits for node in nodes if node.input.type.has_integer_means]
    if worth and max(worth) > 1:  # each output's sum of a plane, times what its level is worth
        count_bits = max(_reduced(node, lanes) for node in binary).bit_length() + 1
        found.append(
            MultiplyAccumulate(
                circuit="multiply_accumulate",
                name="levels' worth",
                lanes=lanes.outputs,
                a_bits=count_bits,
                b_bits=max(worth) + 1,
                sum_bits=count_bits + max(worth),
                source=DERIVED,
            )
        )
    wide = [node for node in nodes if not _is_binary(node)]
    signed = [node for node in wide if _weight_bits(node) == 1]
    if signed:
        taps = max(_reduced(node, lanes) for node in signed)
        bits = max(node.input.type.bits for node in signed)
        found.append(SignedTaps(circuit="signed_taps", taps=taps, bits=bits, source=DERIVED))
    if len(signed) < len(wide):
        rest = [node for node in wide if _weight_bits(node) > 1]
        bits = max(node.input.type.bits for node in rest)
        factor = max(_weight_bits(node) for node in rest)
        found.append(
            MultiplyAccumulate(
                circuit="multiply_accumulate",
                a_bits=bits,
                b_bits=factor,
                sum_bits=bits + factor,
                source=DERIVED,
            )
        )
    sums = array.accumulator_bits or max((node.sum_type.bits for node in nodes), default=16)
    found.append(Accumulators(circuit="accumulators", terms=1, term_bits=sums, source=DERIVED))
    return found + _lines(nodes, lanes)


def _lines(nodes: Sequence[Node], lanes: Lanes) -> list[Circuit]:
    kernels = [n for n in nodes if isinstance(n.layer, ConvBase) and max(n.layer.kernel_hw) > 1]
    if not kernels:
        return []
    height, width = kernels[0].layer.kernel_hw  # type: ignore[union-attr]
    columns = max(node.input.shape[2] for node in kernels)
    # Of a map with fewer channels than lanes only those are kept.
    channels = min(lanes.in_channels, max(node.input.channels for node in kernels))
    bits = max(_line_bits(node, channels) for node in kernels)
    return [
        LineRegisters(
            circuit="line_registers",
            rows=max(1, height - 1),
            row_words=columns,
            word_bits=bits,
            window_words=height * width,
            source=DERIVED,
        )
    ]


def _line_bits(node: Node, channels: int) -> int:
    element = 1 if _is_binary(node) else node.input.type.bits
    return min(channels, node.input.channels) * element


def _is_binary(node: Node) -> bool:
    """Whether the array sees single bits: bipolar elements, or planes that it takes in turn."""
    kind = node.input.type
    return kind.is_bipolar or kind.is_residual or node.layer.op == "gated_conv" or kind.bits == 1


def _weight_bits(node: Node) -> int:
    weight = getattr(node.layer, "weight", None)
    return 1 if weight is None else int(weight.bits)


def _reduced(node: Node, lanes: Lanes) -> int:
    """Terms of a sum that the array takes at once from this layer."""
    channels = min(lanes.in_channels, node.input.channels)
    return channels * lanes.taps
