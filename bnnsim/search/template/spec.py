"""An engine with DRAM for a network, by the kind of its array, as the data of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from bnnsim.design.engine.loops import planes_of
from bnnsim.design.network.network import INPUT, Network, Node
from bnnsim.search.template.spill import Spill, Turn, leaders
from bnnsim.spec.device import Device
from bnnsim.spec.workload import ConvBase, MatmulLayer, WeightedLayer

Kind = Literal["output-stationary", "weight-stationary", "row-stationary"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MEANING: dict[Kind, str] = {
    "output-stationary": "sums stay in the array until they are whole; weights pass by",
    "weight-stationary": "a tile of weights stays while all pixels pass by; sums wait in a memory",
    "row-stationary": "rows of kernels stay while rows of the map pass by; sums wait in a memory",
}
ASSUMED = "assumed by the template; change it to what your hardware takes"
_DEPTHS = {"array": 12, "finish": 6}
"""Cycles of a pipeline beyond its trips, as in the HLS reports of Acce-BNN and FracBNN (4 to 18)."""
_ROWS = 4
"""Output rows at once of a row-stationary array."""
_ACCUMULATOR_LEAST = 16
_LUTRAM_BITS = 6144
"""A bank of no more costs fewer LUTs, by share of a part, than the block of 18 Kbit it would hardly fill:
a 7Z020 has 190 LUTs of 64 bits a block."""
_FACTOR_INPUTS = 4
"""Input channels at once of the array that multiplies: an image has three."""
_STREAM_BITS = 1 << 15
"""A transfer of a spilled map moves no more than this where a row of the map is no more."""


@dataclass(frozen=True)
class Sizes:
    """Output and input channels at once; ``factors``: output channels of the array that multiplies, where
    layers have weights of several bits."""

    outputs: int
    inputs: int
    factors: int = 0


def multiplies(node: Node) -> bool:
    """Whether a layer's weights and inputs are numbers of several bits: products, not signs."""
    layer = node.layer
    return isinstance(layer, WeightedLayer) and layer.weight.bits > 1 and node.input.type.bits > 1


def engine_data(
    network: Network,
    device: Device,
    kind: Kind,
    sizes: Sizes,
    clock_mhz: float,
    name: str,
    spill: Spill,
    in_luts: bool = False,
) -> dict[str, Any]:
    """The spec of an engine that loads weights for each tile and keeps a network's maps on chip, but for
    those that ``spill`` names. ``in_luts``: small banks of weights in LUTRAM.

    ``network`` gives sizes of buffers, and the layers: weighted ones have a turn each, all others run
    within the turn before them.
    """
    port_bits = 128 if "ultrascale+" in device.family else 64
    weighted = [n for n in network.nodes.values() if isinstance(n.layer, WeightedLayer)]
    left = sum(_bits(network, output) for output in network.outputs if output not in spill.maps)
    waits = kind != "output-stationary"
    tile_words = max(_tile_words(node, kind, sizes, port_bits) for node in weighted)
    buffers: dict[str, Any] = {
        "weights": {
            "holds": "weights",
            "banks": sizes.outputs,
            "words": tile_words,
            "width_bits": sizes.inputs,
            "residency": "tile",
            "double": True,
            "style": "lutram" if in_luts and tile_words * sizes.inputs <= _LUTRAM_BITS else "bram",
        },
        "maps": {
            "holds": "activations",
            "words": -(-spill.kept_bits // max(port_bits, sizes.inputs)),
            "width_bits": max(port_bits, sizes.inputs),
        },
    }
    accumulator = max(_ACCUMULATOR_LEAST, *(node.sum_type.bits for node in weighted))
    if waits:
        buffers["sums"] = {
            "holds": "partial_sums",
            "banks": sizes.outputs,
            "words": max(_waiting_words(node, sizes) for node in weighted),
            "width_bits": accumulator,
        }
    programs, layers = _programs(network, kind, sizes, [*buffers], spill)
    if spill.turns:
        most = _most_moved(network, sizes, spill)
        for way in ("in", "out"):
            buffers[f"stream_{way}"] = {
                "holds": "shortcut" if way == "in" else "activations",
                "words": -(-most // port_bits),
                "width_bits": port_bits,
                "residency": "tile",
                "double": True,
            }
    return {
        "name": name,
        "source": f"a template of bnnsim: {kind}, {MEANING[kind]}",
        "structure": "inferred",
        "notes": "Nobody built this: sizes are those that fit, depths and latency are assumed.",
        "style": "engine",
        "device": device.name,
        "clock_mhz": clock_mhz,
        "arrays": _arrays(network, kind, sizes, weighted, accumulator),
        "stages": {"finish": {"spatial_unrolling": {"out_channels": sizes.outputs}}},
        "buffers": buffers,
        "ports": {
            "ddr": {
                "width_bits": port_bits,
                "latency_cycles": 30,
                "max_burst_words": 256,
                "source": f"an AXI port of {port_bits} bits; its latency is {ASSUMED}",
            }
        },
        "programs": programs,
        "frame": {
            "before": [_move("load", "image", -(-_bits(network, INPUT) // port_bits))],
            "after": [_move("store", "results", -(-left // port_bits))],
        },
        "layers": layers,
    }


def _arrays(
    network: Network, kind: Kind, sizes: Sizes, weighted: list[Node], accumulator: int
) -> dict[str, Any]:
    """One array for all layers, or one of its own for those that multiply."""
    arrays: dict[str, Any] = {}
    for name in dict.fromkeys(_array(node, sizes) for node in weighted):
        unrolled = _unrolled(network, kind, sizes)
        if name == "macs":
            unrolled = {"out_channels": sizes.factors, "in_channels": _FACTOR_INPUTS}
        own = [node for node in weighted if _array(node, sizes) == name]
        arrays[name] = {
            "supported_ops": sorted({node.layer.op for node in own}),
            "spatial_unrolling": unrolled,
            "accumulator_bits": accumulator,
        }
    return arrays


def _array(node: Node, sizes: Sizes) -> str:
    return "macs" if sizes.factors and multiplies(node) else "pes"


def _at_once(node: Node, sizes: Sizes) -> Sizes:
    """Channels at once of the array that runs a layer."""
    return Sizes(sizes.factors, _FACTOR_INPUTS) if _array(node, sizes) == "macs" else sizes


def _unrolled(network: Network, kind: Kind, sizes: Sizes) -> dict[str, int]:
    kernels = [
        node.layer.kernel_hw for node in network.nodes.values() if isinstance(node.layer, ConvBase)
    ]
    unrolled = {"out_channels": sizes.outputs, "in_channels": sizes.inputs}
    if kind != "output-stationary":
        unrolled["kernel_rows"] = min(3, max((rows for rows, _ in kernels), default=1))
    if kind == "weight-stationary":
        unrolled["kernel_columns"] = min(3, max((columns for _, columns in kernels), default=1))
    if kind == "row-stationary":
        unrolled["rows"] = _ROWS
    return unrolled


def _program(weight_bits: int) -> str:
    return "matrix" if weight_bits == 1 else f"matrix{weight_bits}"


def _weight_bits(node: Node) -> int:
    assert isinstance(node.layer, WeightedLayer)
    return node.layer.weight.bits


def _loops(*dimensions: str) -> list[dict[str, str]]:
    return [{"dimension": name} for name in dimensions]


def _programs(
    network: Network, kind: Kind, sizes: Sizes, buffers: list[str], spill: Spill
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The programs, and which layer runs which: one for all with the same steps."""
    programs: dict[str, Any] = {}
    layers: dict[str, Any] = {}
    for name, leader in leaders(network).items():
        node = network.nodes[name]
        if name != leader:
            layers[name] = {"within": leader}
            continue
        if isinstance(node.layer, WeightedLayer):
            turn = spill.turns.get(name)
            program = _steps(kind, node, sizes, buffers, turn)
            called = _program(node.layer.weight.bits) + (f"_{name}" if turn else "")
            if _array(node, sizes) != "pes" and not turn:
                called = f"{called}_{_array(node, sizes)}"
        elif isinstance(node.layer, MatmulLayer):
            program, called = _stages("groups", "in_channels"), "products"
        else:
            program, called = _stages(), "stages"
        same = next((known for known, steps in programs.items() if steps == program), called)
        programs[same] = program
        layers[name] = {"program": same}
    return dict(sorted(programs.items(), key=lambda item: (item[0] == "stages"))), layers


def _steps(
    kind: Kind, node: Node, sizes: Sizes, buffers: list[str], turn: Turn | None
) -> dict[str, Any]:
    load = {
        "op": "load",
        "payload": "weights",
        "port": "ddr",
        "buffer": "weights",
        "bits": _weight_bits(node),
        "loops": _loops("out_channels", "in_channels", "kernel_rows", "kernel_columns"),
    }
    depth = {"depth": _DEPTHS["array"], "source": ASSUMED}
    finish: dict[str, Any] = {"op": "stage", "unit": "finish", "depth": _DEPTHS["finish"]}
    finish["source"] = ASSUMED
    if kind == "output-stationary":
        walk = _loops("rows", "columns", "planes", "kernel_rows", "kernel_columns", "in_channels")
        computed = [{"op": "compute", "loops": walk, **depth}, finish]
        inner = [load, *_by_rows(node, sizes, turn, computed)]
        steps = [*_operand(turn), _repeat("out_channels", inner)]
        return {"array": _array(node, sizes), "buffers": buffers, "steps": steps}
    if kind == "weight-stationary":
        walk = _loops("planes", "kernel_rows", "kernel_columns", "rows", "columns")
    else:
        walk = _loops("planes", "kernel_rows", "rows", "columns", "kernel_columns")
    tile = _repeat("in_channels", [load, {"op": "compute", "loops": walk, **depth}])
    finished = [{**finish, "loops": _loops("rows", "columns")}]
    whole = [tile, *_by_rows(node, sizes, turn, finished)]
    steps = [*_operand(turn), _repeat("out_channels", whole)]
    return {"array": _array(node, sizes), "buffers": buffers, "steps": steps}


def _operand(turn: Turn | None) -> list[dict[str, Any]]:
    """A spilled operand comes as a whole before its turn's work."""
    if turn is None or not turn.operand_bits:
        return []
    return [_stream("load", "activations", "maps", turn.operand_bits)]


def _by_rows(
    node: Node, sizes: Sizes, turn: Turn | None, steps: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """``steps`` for some rows at a time, with what comes from DRAM for them before the last and what goes
    there behind it."""
    if turn is None or not (turn.read_bits or turn.made_bits):
        return steps
    tile, share = _share(node, sizes, turn)
    comes, goes = (-(-bits // share) for bits in (turn.read_bits, turn.made_bits))
    inner = [
        *steps[:-1],
        *([_stream("load", "shortcut", "stream_in", comes)] if comes else []),
        steps[-1],
        *([_stream("store", "activations", "stream_out", goes)] if goes else []),
    ]
    loop = {"dimension": "rows", "tile": tile}
    return [{"op": "repeat", "loops": [loop], "steps": inner}]


def _share(node: Node, sizes: Sizes, turn: Turn) -> tuple[int, int]:
    """Rows at a time, and in how many transfers of a turn a map then goes."""
    rows = node.output.shape[1]
    outputs = _at_once(node, sizes).outputs
    tiles = node.groups * -(-(node.output.channels // node.groups) // outputs)
    wanted = -(-max(turn.read_bits, turn.made_bits) // (tiles * _STREAM_BITS))
    tile = -(-rows // min(rows, max(1, wanted)))
    return tile, tiles * -(-rows // tile)


def _most_moved(network: Network, sizes: Sizes, spill: Spill) -> int:
    """The most bits that one transfer of a spilled map moves."""
    return max(
        (
            -(-max(turn.read_bits, turn.made_bits) // _share(network.nodes[name], sizes, turn)[1])
            for name, turn in spill.turns.items()
        ),
        default=0,
    ) or 1


def _stream(op: str, payload: str, buffer: str, bits: int) -> dict[str, Any]:
    return {"op": op, "payload": payload, "port": "ddr", "buffer": buffer, "bits": bits}


def _repeat(dimension: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {"op": "repeat", "loops": _loops(dimension), "steps": steps}


def _stages(*more: str) -> dict[str, Any]:
    """Layers before the first one with weights; with ``more`` loops a matrix product, term by term."""
    step: dict[str, Any] = {"op": "stage", "unit": "finish", "depth": _DEPTHS["finish"]}
    step |= {"loops": _loops("out_channels", "rows", "columns", *more), "source": ASSUMED}
    return {"buffers": ["maps"], "steps": [step]}


def _move(op: str, payload: str, words: int) -> dict[str, Any]:
    return {"op": op, "payload": payload, "port": "ddr", "buffer": "maps", "words": words}


def _tile_words(node: Node, kind: Kind, sizes: Sizes, port_bits: int) -> int:
    """Words of a bank for what one load brings, in whole words of the port."""
    kernel = node.layer.kernel_hw if isinstance(node.layer, ConvBase) else (1, 1)
    taps = kernel[0] * kernel[1]
    channels = node.matrix_width // taps
    here = _at_once(node, sizes)
    at_once = channels if kind == "output-stationary" else min(channels, here.inputs)
    bits = here.outputs * at_once * taps * _weight_bits(node)
    return -(-(-(-bits // port_bits) * port_bits) // (sizes.outputs * sizes.inputs))


def _waiting_words(node: Node, sizes: Sizes) -> int:
    """Words of a bank for the partial sums of a tile of output channels."""
    sums = node.output.pixels * planes_of(node) * _at_once(node, sizes).outputs
    return -(-sums // sizes.outputs)


def _bits(network: Network, name: str) -> int:
    tensor = network.tensor(name)
    return tensor.elements * tensor.type.bits
