"""A design folded for a target interval: the cheapest folds whose streams join."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import Resources
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.network.network import Network, Node
from bnnsim.design.streaming.units import Add, Concat
from bnnsim.search.points.folding import Fold, folds, greedy_folding
from bnnsim.spec.faults import Fault, InputError, SpecError, divisors_of
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import LayerHardware, UnitDefaults
from bnnsim.spec.workload import (
    AffineLayer,
    ConcatLayer,
    MaxPoolLayer,
    PreluLayer,
    ThresholdLayer,
    WeightedLayer,
    Workload,
)

_MOST_ATTEMPTS = 64
"""How often a layer may be given its next fold because the streams around it do not join."""
_LANEWISE = (ThresholdLayer, AffineLayer, PreluLayer)


@dataclass(frozen=True)
class FoldedDesign:
    """A legal design: folded for ``target_interval_cycles`` in every layer, and what it takes.

    ``interval_cycles`` is the whole pipeline's initiation interval by exact timing, None before that.
    """

    design: Design
    target_interval_cycles: int
    resources: Resources
    interval_cycles: int | None = None


def fold_at_interval(
    loaded: Loaded[Workload],
    network: Network,
    device: str,
    target_interval_cycles: int,
    clock_mhz: float,
    name: str,
) -> FoldedDesign:
    """The greedy folding for a target interval, with other folds where two layers' streams do not join.

    A layer whose stream does not join its neighbour's takes its next cheapest fold that meets the target.
    Raises :class:`SpecError` where no fold of a layer does, located in the workload's file.
    """
    folding = dict(greedy_folding(network, target_interval_cycles))
    for _ in range(_MOST_ATTEMPTS):
        spec = _architecture(network, folding, target_interval_cycles, device, clock_mhz, name)
        try:
            design = build_streaming_design(spec, loaded)
        except SpecError as error:
            if not _move_on(network, folding, error, target_interval_cycles):
                raise _in_the_workload(error, loaded) from None
            continue
        depths = _join_depths(design)
        if depths:
            design = build_streaming_design(spec.model_copy(update={"fifo_words": depths}), loaded)
        return FoldedDesign(design, target_interval_cycles, estimate_resources(design))
    raise InputError(name, "a folding whose streams join", f"none in {_MOST_ATTEMPTS} attempts")


def _architecture(
    network: Network,
    folding: Mapping[str, Fold],
    target: int,
    device: str,
    clock_mhz: float,
    name: str,
) -> StreamingArchitecture:
    layers: dict[str, LayerHardware] = {}
    widths = _joined_widths(network)
    for node in network.nodes.values():
        if node.name in folding:
            fold = folding[node.name]
            layers[node.name] = LayerHardware(
                pe=fold.pe, simd=fold.simd, accumulator_bits=widths.get(node.name)
            )
        elif isinstance(node.layer, _LANEWISE):
            layers[node.name] = LayerHardware(pe=_lanes(node, target))
    return StreamingArchitecture(
        name=name,
        source=f"greedy folding of {network.workload.name} by bnnsim",
        style="streaming",
        device=device,
        clock_mhz=clock_mhz,
        defaults=UnitDefaults(sliding_window="rtl"),
        layers=layers,
    )


def _joined_widths(network: Network) -> dict[str, int]:
    """Bits of the sums that a concat joins with wider ones: a stream's elements are equally wide."""
    widths: dict[str, int] = {}

    def widen(name: str, bits: int) -> None:
        node = network.nodes.get(name)
        if node is None:
            return
        if isinstance(node.layer, ConcatLayer | MaxPoolLayer):
            for source in node.inputs:
                widen(source, bits)
            return
        has_sums = isinstance(node.layer, WeightedLayer) and node.layer.activation is None
        if has_sums and bits > node.output.type.bits:
            widths[name] = max(bits, widths.get(name, 0))

    for node in network.nodes.values():
        if isinstance(node.layer, ConcatLayer):
            widen(node.name, node.output.type.bits)
    return widths


def _lanes(node: Node, target: int) -> int:
    """The fewest channels at once with which a lane-wise unit keeps the target."""
    least = math.ceil(node.output.elements / target)
    enough = [d for d in divisors_of(node.output.channels) if d >= least]
    return enough[0] if enough else node.output.channels


def _move_on(network: Network, folding: dict[str, Fold], error: SpecError, target: int) -> bool:
    """Give the layer that the first fault names its next fold that meets the target."""
    for fault in error.faults:
        name = _layer_named(fault, network.nodes)
        if name not in folding:
            continue
        choices = [f for f in folds(network.nodes[name]) if f.cycles <= target]
        if folding[name] in choices:
            rest = choices[choices.index(folding[name]) + 1 :]
            if rest:
                folding[name] = rest[0]
                return True
    return False


def _layer_named(fault: Fault, names: Iterable[str]) -> str | None:
    """Which layer a fault's key is about: the longest that fits, since names may hold dots."""
    named = [name for name in names if f"{fault.key}.".startswith(f"layers.{name}.")]
    return max(named, key=len, default=None)


def _in_the_workload(error: SpecError, loaded: Loaded[Workload]) -> SpecError:
    """``error`` with its faults where the user can mend them: the architecture has no file yet."""
    source = loaded.source
    lines = {layer.name: source.line_of(("layers", i)) for i, layer in enumerate(loaded.spec.layers)}
    faults = []
    for fault in error.faults:
        if fault.file != source.file:
            name = _layer_named(fault, lines)
            fault = replace(fault, file=source.file, line=lines[name] if name else 0)
        faults.append(fault)
    return SpecError(faults)


def _join_depths(design: Design) -> dict[str, int]:
    """Every stream into an add or a concat holds a frame: no branch blocks the other for want of room."""
    graph = design.graph
    joins = {unit.name for unit in graph.units if isinstance(unit.parameters, Add | Concat)}
    return {stream.name: stream.words + 8 for stream in graph.streams if stream.reader in joins}
