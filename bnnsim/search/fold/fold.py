"""A first streaming architecture for a network: the cheapest folding for a frame rate that fits."""

from __future__ import annotations

import math
from pathlib import Path

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_streaming_design
from bnnsim.design.network.network import Network, Node, resolve_network
from bnnsim.search.fold.folded_design import FoldedDesign, fold_at_interval
from bnnsim.search.points.folding import folds
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import Loaded, load_device, load_workload
from bnnsim.spec.model import check_name
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import (
    WeightedLayer,
    Workload,
)
from bnnsim.spec.yaml.write import architecture_text

_DEPTHS_WORDS = (2, 16, 64, 256, 1024)
"""Depths of all FIFOs that are tried, the shallowest first: an MVAU that works on its buffered vector
takes no word, and what is in front of it stalls unless a FIFO takes the words meanwhile."""
_TIGHTER = 0.85
"""The next target as a share of the one whose pipeline was too slow."""
_MOST_TARGETS = 6
"""Targets that are tried for one frame rate."""


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
    frame (``bnnsim fifos`` finds each one's least depth).

    Args:
        workload: the network, by shipped name, file or as loaded.
        device: the FPGA part, such as ``xc7z020``.
        fps: frames a second to reach; None: the fastest design that fits the device.
        clock_mhz: the clock, above 0 and at most 2000.
        name: the architecture's name; default: ``<network>-<device>``.

    Returns:
        The architecture's file, with its interval and resources in the header.

    Raises:
        SpecError: where the network or the device cannot be used.
        InputError: where the name is none that a spec can have, where no folding reaches ``fps``, or
            none that does fits the device.
    """
    loaded = workload if isinstance(workload, Loaded) else load_workload(workload)
    network = resolve_network(loaded)
    known = load_device(device).spec.name
    label = f"{loaded.spec.name}-{known}" if name is None else check_name(name, "--name")
    if not 0 < clock_mhz <= 2000:
        raise InputError("clock", "0 to 2000 MHz", f"{clock_mhz:g}")
    if fps is None:
        folded = _fastest(loaded, network, known, clock_mhz, label)
    else:
        folded = _at_rate(loaded, network, known, fps, clock_mhz, label)
    return architecture_text(folded.design.architecture, _comment(folded, loaded.spec.name))


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


def _comment(folded: FoldedDesign, workload: str) -> list[str]:
    spec = folded.design.architecture
    total = folded.resources.total
    cycles = folded.interval_cycles or folded.target_interval_cycles
    return [
        f"{workload}: a frame every {cycles} cycles by exact timing "
        f"({spec.clock_mhz * 1e6 / cycles:.6g} FPS at {spec.clock_mhz:g} MHz)",
        f"estimate: {total.lut} LUT, {total.ff} FF, {total.bram18} BRAM18, {total.dsp} DSP",
    ]
