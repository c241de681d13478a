"""A first streaming architecture for a network: the cheapest folding for a frame rate that fits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import Resources
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.network.network import Network, Node, resolve_network
from bnnsim.design.streaming.units import Add, Concat
from bnnsim.search.points.folding import Fold, folds, greedy_folding
from bnnsim.spec.faults import Fault, InputError, SpecError, divisors_of
from bnnsim.spec.load import Loaded, load_device, load_workload
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
from bnnsim.spec.yaml.write import architecture_text

_MOST_ATTEMPTS = 64
"""How often a layer may be given its next fold because the streams around it do not join."""
_DEPTHS_WORDS = (2, 16, 64, 256, 1024)
"""Depths of all FIFOs that are tried, the shallowest first: an MVAU that works on its buffered vector
takes no word, and what is in front of it stalls unless a FIFO takes the words meanwhile."""
_TIGHTER = 0.85
_MOST_TARGETS = 6
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


def fold_network(
    workload: str | Path | Loaded[Workload],
    device: str,
    fps: float | None = None,
    clock_mhz: float = 100.0,
    name: str | None = None,
) -> str:
    """A streaming architecture, as YAML, on which ``workload`` runs at ``fps`` frames a second.

    Every layer gets the cheapest PE and SIMD with which its MVAU needs no more cycles a frame than
    the target; then all FIFOs become as deep as exact timing asks for, those in front of joins hold a
    frame (``bnnsim fifos`` finds each one's least depth). Without ``fps`` the fastest such design that
    fits the device. Raises :class:`SpecError` where the network or the device cannot be used,
    :class:`InputError` where no folding reaches ``fps``, or none that does fits the device.
    """
    loaded = workload if isinstance(workload, Loaded) else load_workload(workload)
    network = resolve_network(loaded)
    known = load_device(device).spec.name
    label = name or f"{loaded.spec.name}-{known}"
    if not 0 < clock_mhz <= 2000:
        raise InputError("clock", "0 to 2000 MHz", f"{clock_mhz:g}")
    if fps is None:
        folded = _fastest(loaded, network, known, clock_mhz, label)
    else:
        folded = _at_rate(loaded, network, known, fps, clock_mhz, label)
    return architecture_text(folded.design.architecture, _comment(folded, loaded.spec.name))


def fold_at_interval(
    loaded: Loaded[Workload],
    network: Network,
    device: str,
    target_interval_cycles: int,
    clock_mhz: float,
    name: str,
) -> FoldedDesign:
    """The greedy folding for a target, moved on where the streams between two layers do not join."""
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


def _at_rate(
    loaded: Loaded[Workload],
    network: Network,
    device: str,
    fps: float,
    clock_mhz: float,
    name: str,
) -> FoldedDesign:
    if not fps > 0:
        raise InputError("fps", "a number above 0", f"{fps:g}")
    target = int(clock_mhz * 1e6 / fps)
    bound = _shortest_interval(network)
    if target < bound:
        best = f"{clock_mhz * 1e6 / bound:.6g} FPS"
        expected = f"at most {best} at {clock_mhz:g} MHz (a fully unrolled {_slowest(network)})"
        raise InputError("fps", expected, f"{fps:g}")
    wanted = target
    for _ in range(_MOST_TARGETS):
        folded = _with_depths(
            loaded, fold_at_interval(loaded, network, device, target, clock_mhz, name), wanted
        )
        reached = folded.interval_cycles is not None and folded.interval_cycles <= wanted
        if reached or target == bound:
            break
        target = max(bound, int(target * _TIGHTER))
    if not reached:
        got = "none" if folded.interval_cycles is None else f"{folded.interval_cycles} cycles a frame"
        raise InputError(f"{fps:g} FPS", f"a folding within {wanted} cycles a frame", got)
    if folded.resources.fits:
        return folded
    broken = ", ".join(str(one) for one in folded.resources.exceeded)
    near: tuple[str, ...] = ()
    try:
        fastest = _fastest(loaded, network, device, clock_mhz, name)
        cycles = fastest.interval_cycles or fastest.target_interval_cycles
        near = (f"{clock_mhz * 1e6 / cycles:.0f} FPS fit",)
    except InputError:
        pass  # then nothing fits, and what is over the budget says enough
    raise InputError(f"{fps:g} FPS on {device}", "a folding within the device's budget", broken, near)


def _fastest(
    loaded: Loaded[Workload], network: Network, device: str, clock_mhz: float, name: str
) -> FoldedDesign:
    """From the fastest folding down, in steps of a tenth, to the first that fits.

    Not by bisection: a slower folding can need more block RAM, its memories being deeper.
    """
    target = _shortest_interval(network)
    slowest = max(fold.cycles for node in _weighted(network) for fold in folds(node))
    smallest: FoldedDesign | None = None
    while True:
        folded = fold_at_interval(loaded, network, device, target, clock_mhz, name)
        if folded.resources.fits:
            folded = _with_depths(loaded, folded, target)
            if folded.resources.fits:
                return folded
        if smallest is None or folded.resources.total.lut < smallest.resources.total.lut:
            smallest = folded
        if target >= slowest:
            broken = ", ".join(str(one) for one in smallest.resources.exceeded)
            raise InputError(f"{name} on {device}", "a device that holds some folding", broken)
        target = min(slowest, target + max(1, target // 10))


def _with_depths(loaded: Loaded[Workload], folded: FoldedDesign, wanted: int) -> FoldedDesign:
    """The shallowest FIFOs with which the pipeline keeps ``wanted`` cycles a frame, or the best tried."""
    from bnnsim.timing.streaming.programs.graph import build_timing
    from bnnsim.timing.streaming.steady_state.api import steady_state

    best: FoldedDesign | None = None
    spec = folded.design.architecture
    assert isinstance(spec, StreamingArchitecture)
    for depth in _DEPTHS_WORDS:
        defaults = spec.defaults.model_copy(update={"fifo_words": depth})
        design = build_streaming_design(spec.model_copy(update={"defaults": defaults}), loaded)
        interval = steady_state(build_timing(design.graph)).initiation_interval_cycles
        found = FoldedDesign(design, folded.target_interval_cycles, estimate_resources(design), interval)
        if interval is not None and interval <= wanted:
            return found
        if best is None or (interval or math.inf) < (best.interval_cycles or math.inf):
            best = found
    assert best is not None
    return best


def _weighted(network: Network) -> list[Node]:
    return [node for node in network.nodes.values() if isinstance(node.layer, WeightedLayer)]


def _shortest_interval(network: Network) -> int:
    return max(min(fold.cycles for fold in folds(node)) for node in _weighted(network))


def _slowest(network: Network) -> str:
    return max(_weighted(network), key=lambda n: min(fold.cycles for fold in folds(n))).name


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


def _comment(folded: FoldedDesign, workload: str) -> list[str]:
    spec = folded.design.architecture
    total = folded.resources.total
    cycles = folded.interval_cycles or folded.target_interval_cycles
    return [
        f"{workload}: a frame every {cycles} cycles by exact timing "
        f"({spec.clock_mhz * 1e6 / cycles:.6g} FPS at {spec.clock_mhz:g} MHz)",
        f"estimate: {total.lut} LUT, {total.ff} FF, {total.bram18} BRAM18, {total.dsp} DSP",
    ]
