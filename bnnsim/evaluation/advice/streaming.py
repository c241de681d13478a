"""What would make a pipeline faster: wider units where units limit, deeper FIFOs where these do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import get_args

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Mvau, Pool, Source, Window
from bnnsim.evaluation.advice.record import Advice
from bnnsim.evaluation.advice.trials import MOST_FRAMES, WORTHWHILE, Change, Trials, Tried
from bnnsim.spec.faults import divisors_of
from bnnsim.spec.streaming.hardware import SlidingWindow
from bnnsim.timing.bottleneck import Bottleneck
from bnnsim.timing.streaming.bottleneck import find_bottleneck, slowest_units
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.result import DeadlockError

ENOUGH = 1.2
"""Advice goes on until the design is this many times as fast."""
MOST_STEPS, MOST_CHANGES, MOST_WAYS, MOST_DEEPER = 4, 16, 5, 8
ENOUGH_FRAMES = 4
"""Frames of a stream that a FIFO is never made deeper than."""


def pipeline_advice(trials: Trials, base: Tried) -> Iterator[Advice]:
    """The least change that helps, and where that is little, what leads on to a fifth faster."""
    found: list[Advice] = []
    now, changes = base, list[Change]()
    while len(found) < MOST_STEPS and now.fps < ENOUGH * base.fps:
        step = _step(trials, now)
        if step is None:
            break
        now, more = step
        changes = _joined(changes, more)
        if now.fps >= WORTHWHILE * base.fps:
            found.append(trials.advice(base, now, changes))
    yield from found[:1]
    yield from found[1:][-1:]


def _step(trials: Trials, now: Tried) -> tuple[Tried, list[Change]] | None:
    """A faster design, and what it takes: all that limit are sped up at once."""
    assert isinstance(now.design, Design)
    ways = list(islice(_wider_units(trials, now.design, now.interval_cycles), MOST_WAYS))
    for design, changes in ways:
        tried = trials.time(design, changes) if changes else now
        if tried is not None and tried.fps > now.fps:
            return tried, changes
    if not ways:
        return None
    design, changes = ways[0]
    deeper = _deeper_fifos(trials, design, now.interval_cycles)
    if deeper is None:
        return None
    more = [*changes, *deeper[1]]
    tried = trials.time(deeper[0], more)
    return (tried, more) if tried is not None and tried.fps > now.fps else None


def _joined(first: list[Change], then: list[Change]) -> list[Change]:
    """Changes one after the other as one: an entry that changes twice is said once."""
    joined = {change.path: change for change in first}
    for change in then:
        before = joined[change.path].before if change.path in joined else change.before
        joined[change.path] = Change(change.path, before, change.after)
    return [change for change in joined.values() if change.before != change.after]


# ---- units ----------------------------------------------------------------------------------


def _slow(design: Design, interval: int) -> list[str]:
    """Units that need as long as the interval by themselves."""
    own = slowest_units(build_timing(design.graph))
    return [name for name, cycles in own.items() if cycles > Fraction(interval - 1)]


def _wider_units(
    trials: Trials, design: Design, interval: int
) -> Iterator[tuple[Design, list[Change]]]:
    """``design`` with every unit faster than ``interval``, least logic first; none where one cannot be.

    Of several units that limit, all but the last are changed in the one way that takes least.
    """
    changes: list[Change] = []
    slow = _slow(design, interval)
    if not slow:
        yield design, []
    while slow and len(changes) < MOST_CHANGES:
        ways = sorted(_ways(trials, design, slow, interval), key=lambda way: way.rank)
        if not ways:
            return
        done = [way for way in ways if not way.left]
        for way in done:
            yield way.design, _joined([], [*changes, way.change])
        if done:
            return
        changes.append(ways[0].change)
        design, slow = ways[0].design, ways[0].left


@dataclass(frozen=True)
class _Way:
    """A change that leaves fewer units slow: which are left, and how it ranks among others."""

    change: Change
    design: Design
    left: list[str]
    rank: tuple[int, bool, int]


def _ways(trials: Trials, design: Design, slow: list[str], interval: int) -> Iterator[_Way]:
    for change in _options(design, slow[0]):
        wider = trials.build(design, [change])
        if not isinstance(wider, Design):
            continue
        left = _slow(wider, interval)
        if len(left) < len(slow):
            resources = estimate_resources(wider)
            logic = resources.total.lut + resources.total.alm
            yield _Way(change, wider, left, (len(left), bool(resources.exceeded), logic))


def _options(design: Design, unit: str) -> Iterator[Change]:
    """What may speed a unit up; whether it can be and does is found by trying."""
    graph = design.graph
    own = graph.unit_by_name[unit]
    parameters = own.parameters
    yield from _folds(design, own.layer)
    if isinstance(parameters, Mvau):
        return
    if isinstance(parameters, Window):
        for style in get_args(SlidingWindow):
            if style != parameters.style:
                yield Change(("layers", own.layer, "sliding_window"), parameters.style, style)
    if isinstance(parameters, Pool) and parameters.style == "line_buffered":
        yield Change(("layers", own.layer, "pool"), "line_buffered", "streaming")
    before = [graph.stream_by_name[name].writer for name in own.inputs]
    after = [graph.stream_by_name[name].reader for name in own.outputs]
    for name in (unit, *before):
        near = graph.unit_by_name[name]
        if isinstance(near.parameters, Source):
            width = graph.stream_by_name[near.outputs[0]].width_bits
            said = design.architecture.frame_source
            yield Change(("frame_source", "width_bits"), said.width_bits or width, 2 * width)
    for name in (*before, *after):
        layer = graph.unit_by_name[name].layer
        if layer != own.layer:
            yield from _folds(design, layer)
    for name in own.inputs:
        stream = graph.stream_by_name[name]
        layer = graph.unit_by_name[stream.writer].layer
        if layer in design.architecture.layers and layer != own.layer:
            said_bits = design.architecture.layers[layer].out_width_bits
            wider = 2 * stream.width_bits
            yield Change(("layers", layer, "out_width_bits"), said_bits, wider)


def _folds(design: Design, layer: str) -> Iterator[Change]:
    """The next PE and SIMD of a layer, and the next that are twice as many."""
    hardware = design.architecture.layers.get(layer)
    node = design.network.nodes.get(layer)
    if hardware is None or node is None:
        return
    rows = node.pe_choices if node.has_matrix else tuple(divisors_of(node.output.channels))
    columns = tuple(divisors_of(node.matrix_width)) if node.has_matrix else ()
    for knob, now, choices in (("pe", hardware.pe, rows), ("simd", hardware.simd, columns)):
        if now:
            larger = [d for d in choices if d > now]
            double = [d for d in larger if d >= 2 * now]
            for after in dict.fromkeys((*larger[:1], *double[:1])):
                yield Change(("layers", layer, knob), now, after)


# ---- FIFOs ----------------------------------------------------------------------------------


def _deeper_fifos(
    trials: Trials, design: Design, interval: int
) -> tuple[Design, list[Change]] | None:
    """``design`` with FIFOs so deep that frames follow each other faster than ``interval``.

    Those that hold their writers up are doubled together until units limit; then each goes back to what
    it was if that does no harm.
    """
    streams = design.graph.stream_by_name
    before = {name: stream.depth_words for name, stream in streams.items()}
    most = {name: ENOUGH_FRAMES * stream.words + 8 for name, stream in streams.items()}
    depths, best = dict(before), dict(before)
    shortest = interval
    for _ in range(MOST_DEEPER):
        found = _with_depths(trials, design, depths)
        if found is None:
            break
        if found.interval_cycles < shortest:
            shortest, best = found.interval_cycles, dict(depths)
        names = [name for name in found.blocking if name in most and depths[name] < most[name]]
        if not names:
            break
        depths |= {name: min(most[name], max(4, 4 * depths[name])) for name in names}
    if shortest >= interval:
        return None
    for name in [name for name in best if best[name] != before[name]][:MOST_DEEPER]:
        shallower = best | {name: before[name]}
        found = _with_depths(trials, design, shallower)
        if found is not None and found.interval_cycles <= shortest:
            best = shallower
    changes = [
        Change(("fifo_words", name), before[name], best[name])
        for name in best
        if best[name] != before[name]
    ]
    deeper = trials.build(design, changes)
    return (deeper, changes) if isinstance(deeper, Design) else None


def _with_depths(
    trials: Trials, design: Design, depths: Mapping[str, int]
) -> Bottleneck | None:
    """What limits with other FIFO depths; None where that is not soon proven, or enough were tried."""
    if not trials.may_time(design):
        return None
    graph = build_timing(design.graph).with_depths(depths)
    try:
        run = run_compiled(graph, 1, with_steady_state=True, max_frames=MOST_FRAMES)
    except DeadlockError:
        return None
    return find_bottleneck(graph, run)
