"""An engine with DRAM for a network, by the kind of its array, as the data of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from bnnsim.design.engine.loops import planes_of
from bnnsim.design.network.network import INPUT, Network, Node
from bnnsim.spec.device import Device
from bnnsim.spec.workload import ConvBase, WeightedLayer

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


@dataclass(frozen=True)
class Sizes:
    """Output and input channels at once."""

    outputs: int
    inputs: int


def engine_data(
    network: Network, device: Device, kind: Kind, sizes: Sizes, clock_mhz: float, name: str
) -> dict[str, Any]:
    """The spec of an engine that keeps a network's maps on chip and loads weights for each tile.

    ``network`` gives sizes of buffers, and the layers: weighted ones have a turn each, all others run
    within the turn before them.
    """
    port_bits = 128 if "ultrascale+" in device.family else 64
    first = next(iter(network.nodes.values()))
    weighted = [n for n in network.nodes.values() if isinstance(n.layer, WeightedLayer)]
    unrolled = _unrolled(network, kind, sizes)
    bits = sorted({_weight_bits(node) for node in weighted})
    waits = kind != "output-stationary"
    buffers: dict[str, Any] = {
        "weights": {
            "holds": "weights",
            "banks": sizes.outputs,
            "words": max(_tile_words(node, kind, sizes, port_bits) for node in weighted),
            "width_bits": sizes.inputs,
            "residency": "tile",
            "double": True,
        },
        "maps": {
            "holds": "activations",
            "words": -(-_map_bits(network) // max(port_bits, sizes.inputs)),
            "width_bits": max(port_bits, sizes.inputs),
        },
    }
    accumulator = max(_ACCUMULATOR_LEAST, *(node.sum_type.bits for node in weighted))
    if waits:
        buffers["sums"] = {
            "holds": "partial_sums",
            "banks": sizes.outputs,
            "words": max(node.output.pixels * planes_of(node) for node in weighted),
            "width_bits": accumulator,
        }
    return {
        "name": name,
        "source": f"a template of bnnsim: {kind}, {MEANING[kind]}",
        "structure": "inferred",
        "notes": "Nobody built this: sizes are those that fit, depths and latency are assumed.",
        "style": "engine",
        "device": device.name,
        "clock_mhz": clock_mhz,
        "arrays": {
            "pes": {
                "supported_ops": sorted({node.layer.op for node in weighted}),
                "spatial_unrolling": unrolled,
                "accumulator_bits": accumulator,
            }
        },
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
        "programs": {
            **{_program(n): _steps(kind, n, [*buffers]) for n in bits},
            **({} if isinstance(first.layer, WeightedLayer) else {"stages": _stages()}),
        },
        "frame": {
            "before": [_move("load", "image", -(-_bits(network, INPUT) // port_bits))],
            "after": [
                _move(
                    "store",
                    "results",
                    -(-sum(_bits(network, output) for output in network.outputs) // port_bits),
                )
            ],
        },
        "layers": _layers(network),
    }


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


def _steps(kind: Kind, weight_bits: int, buffers: list[str]) -> dict[str, Any]:
    load = {
        "op": "load",
        "payload": "weights",
        "port": "ddr",
        "buffer": "weights",
        "bits": weight_bits,
        "loops": _loops("out_channels", "in_channels", "kernel_rows", "kernel_columns"),
    }
    depth = {"depth": _DEPTHS["array"], "source": ASSUMED}
    finish: dict[str, Any] = {"op": "stage", "unit": "finish", "depth": _DEPTHS["finish"]}
    finish["source"] = ASSUMED
    if kind == "output-stationary":
        walk = _loops("rows", "columns", "planes", "kernel_rows", "kernel_columns", "in_channels")
        inner = [load, {"op": "compute", "loops": walk, **depth}, finish]
        return {"array": "pes", "buffers": buffers, "steps": [_repeat("out_channels", inner)]}
    if kind == "weight-stationary":
        walk = _loops("planes", "kernel_rows", "kernel_columns", "rows", "columns")
    else:
        walk = _loops("planes", "kernel_rows", "rows", "columns", "kernel_columns")
    tile = _repeat("in_channels", [load, {"op": "compute", "loops": walk, **depth}])
    whole = [tile, {**finish, "loops": _loops("rows", "columns")}]
    return {"array": "pes", "buffers": buffers, "steps": [_repeat("out_channels", whole)]}


def _repeat(dimension: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {"op": "repeat", "loops": _loops(dimension), "steps": steps}


def _stages() -> dict[str, Any]:
    """Layers before the first one with weights."""
    step: dict[str, Any] = {"op": "stage", "unit": "finish", "depth": _DEPTHS["finish"]}
    step |= {"loops": _loops("out_channels", "rows", "columns"), "source": ASSUMED}
    return {"buffers": ["maps"], "steps": [step]}


def _move(op: str, payload: str, words: int) -> dict[str, Any]:
    return {"op": op, "payload": payload, "port": "ddr", "buffer": "maps", "words": words}


def _layers(network: Network) -> dict[str, Any]:
    layers: dict[str, Any] = {}
    leader = ""
    for name, node in network.nodes.items():
        if isinstance(node.layer, WeightedLayer):
            layers[name] = {"program": _program(node.layer.weight.bits)}
            leader = name
        elif leader:
            layers[name] = {"within": leader}
        else:
            layers[name] = {"program": "stages"}
            leader = name
    return layers


def _tile_words(node: Node, kind: Kind, sizes: Sizes, port_bits: int) -> int:
    """Words of a bank for what one load brings, in whole words of the port."""
    kernel = node.layer.kernel_hw if isinstance(node.layer, ConvBase) else (1, 1)
    taps = kernel[0] * kernel[1]
    channels = node.matrix_width // taps
    at_once = channels if kind == "output-stationary" else min(channels, sizes.inputs)
    bits = sizes.outputs * at_once * taps * _weight_bits(node)
    return -(-(-(-bits // port_bits) * port_bits) // (sizes.outputs * sizes.inputs))


def _bits(network: Network, name: str) -> int:
    tensor = network.tensor(name)
    return tensor.elements * tensor.type.bits


def _map_bits(network: Network) -> int:
    """The most bits of maps that are alive at once, those of a turn that others of it read among them."""
    turn, leader = {INPUT: -1}, -1
    for name, node in network.nodes.items():
        leader += isinstance(node.layer, WeightedLayer) or leader < 0
        turn[name] = leader
    last = dict(turn)
    for name, node in network.nodes.items():
        for given in node.inputs:
            last[given] = max(last[given], turn[name])
    for output in network.outputs:
        last[output] = leader
    alive = [0] * (leader + 1)
    for name in turn:
        for position in range(max(0, turn[name]), last[name] + 1):
            alive[position] += _bits(network, name)
    return max(alive)
