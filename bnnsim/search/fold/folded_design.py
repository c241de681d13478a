"""A folding as a design: built, with FIFOs that keep its interval by exact timing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bnnsim.cost.power import estimate_power
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.switching import activity_at_rate
from bnnsim.cost.usage import Resources
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.network.network import INPUT
from bnnsim.design.streaming.units import Window
from bnnsim.design.streaming.window_units import with_shared_windows
from bnnsim.search.fifos.costs import FifoCosts
from bnnsim.search.fifos.paced_design import capped_depths
from bnnsim.search.fifos.shrinking import Shrinking, stream_kinds
from bnnsim.search.fifos.sizing import enough_depths
from bnnsim.search.fifos.trials import DepthTrials
from bnnsim.search.fold.cheapest import Choice
from bnnsim.search.fold.request import FoldRequest
from bnnsim.spec.faults import SpecError
from bnnsim.timing.streaming.bottleneck import slowest_units
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.steady_state.api import SWEPT_WORDS, frame_words

FIFO_TIMINGS = 14
"""Exact timings that the FIFOs of a first design may take (``bnnsim fifos`` takes more)."""
CAPPED_FRAME_WORDS = 1 << 25
"""Words a frame beyond which there is no time to try caps of FIFOs outside branches."""


@dataclass(frozen=True)
class FoldedDesign:
    """A legal design: its initiation interval by exact timing, what limits it, and what it takes.

    ``slowest`` is the unit that needs most cycles by itself.
    """

    design: Design
    interval_cycles: int
    slowest: str

    @cached_property
    def resources(self) -> Resources:
        return estimate_resources(self.design)

    def power_w(self, cycles: int) -> float:
        """Watts of the chip with a frame of random data every so many cycles, no fewer than it needs."""
        activity = activity_at_rate(self.design, max(cycles, self.interval_cycles))
        return estimate_power(self.resources, self.design.architecture.clock_mhz, activity).chip_w

    @property
    def fps(self) -> float:
        return self.design.architecture.clock_mhz * 1e6 / self.interval_cycles


class SlowWindow(Exception):
    """A window needs more cycles than its option said; the table knows by now."""


def build_choice(request: FoldRequest, choice: Choice, fifo_words: dict[str, int]) -> Design:
    """The design of a choice. Raises :class:`SpecError` located in the workload's file."""
    layers = {
        name: option.hardware
        for name, option in choice.options.items()
        if name != INPUT and option.hardware is not None
    }
    layers = with_shared_windows(request.network.nodes, layers)
    try:
        return build_streaming_design(request.architecture(layers, fifo_words), request.loaded)
    except SpecError as error:
        raise SpecError(request.in_the_workload(error.faults)) from None


def fold_choice(request: FoldRequest, choice: Choice, cycles: int) -> FoldedDesign | None:
    """The design of a choice with FIFOs that keep ``cycles`` a frame; None where no depths do.

    Raises :class:`SlowWindow` where a unit by itself does not, and was thought to: the choice's table
    knows by then.
    """
    design = build_choice(request, choice, {})
    timing = build_timing(design.graph)
    own = slowest_units(timing)
    slowest = max(own, key=lambda name: own[name])
    if own[slowest] > cycles:
        for name, needed in own.items():
            unit = design.graph.unit_by_name[name]
            if isinstance(unit.parameters, Window) and needed > cycles:
                choice.table.correct(
                    unit.layer, choice.options[unit.layer].lanes_in[0], int(-(-needed // 1))
                )
        raise SlowWindow
    depths, interval = _depths(design, cycles)
    if interval is None:
        return None
    deep = {name: depth for name, depth in depths.items() if depth != 2}
    return FoldedDesign(build_choice(request, choice, deep), interval, slowest)


def _depths(design: Design, cycles: int) -> tuple[dict[str, int], int | None]:
    """Depths that keep the interval, block RAM first, and the interval; None where there are none."""
    timing = build_timing(design.graph)
    trials = DepthTrials(timing, FifoCosts(design, "bram"), cycles, most_timings=FIFO_TIMINGS)
    shallow = {stream.name: 2 for stream in design.graph.streams}
    if frame_words(timing) > SWEPT_WORDS:
        capped = capped_depths(design, timing, trials, CAPPED_FRAME_WORDS)
        return capped or shallow, trials.interval(capped) if capped else None
    if not trials.keeps(shallow):
        enough = enough_depths(timing, tuple(shallow), trials)
        if enough is None:
            return shallow, None
        shrinking = Shrinking(trials, stream_kinds(design.graph), enough, least_words=2)
        shrinking.by_steps()
        shallow = shrinking.depths
    return shallow, trials.interval(shallow)
