"""A first streaming architecture for a network: the cheapest for a rate, or the fastest that fits."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from bnnsim.cost.usage import RESOURCES, Exceeded
from bnnsim.design.network.network import INPUT, resolve_network
from bnnsim.notebook.number import figure_text
from bnnsim.search.fold.answer import FoldAnswer
from bnnsim.search.fold.cheapest import Outcome, cheapest_folding
from bnnsim.search.fold.finn_rule import set_folding_luts
from bnnsim.search.fold.folded_design import FoldedDesign, SlowWindow, fold_choice
from bnnsim.search.fold.layer_costs import FINN_LUTS
from bnnsim.search.fold.options import OptionTable
from bnnsim.search.fold.request import FoldObjective, FoldRequest
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import Loaded, load_device, load_workload
from bnnsim.spec.model import check_name
from bnnsim.spec.streaming.hardware import UnitLibrary
from bnnsim.spec.streaming.hls_words import WIDEST_HLS_WORD_BITS
from bnnsim.spec.workload import Workload

_MOST_ATTEMPTS = 6
"""Foldings that are tried for one interval where FIFOs take more than is left."""
_RATE_DIGITS = 6
_NEARLY = 1.005
"""What a folding may take by FINN's estimate where none is as cheap as FINN's own, by the least that any
takes."""
_MUCH_DEARER = 1.5
"""What a folding as cheap as FINN's own may take by our estimate, by the least that any takes: FINN's
knows nothing of an input buffer's multiplexers, which of wide rows are most of an HLS unit."""
_FASTER = (0.9, 0.75, 0.5)
"""Shares of the wanted interval that are tried where its own folding leaves FIFOs no room."""


class NotFolded(InputError):
    """No folding for the device, or none at the rate; names what runs out and the nearest rate."""


def fold(
    workload: str | Path | Loaded[Workload],
    device: str,
    fps: float | None = None,
    clock_mhz: float = 100.0,
    name: str | None = None,
    objective: FoldObjective = "lut",
    anyway: bool = False,
    units: UnitLibrary = "hls",
) -> FoldAnswer:
    """A first streaming architecture for a network: the cheapest that reaches a rate.

    PE, SIMD and the kind of memory of all layers are chosen together
    (:mod:`bnnsim.search.fold.cheapest`), then FIFOs as deep as exact timing asks for
    (:func:`bnnsim.size_fifos` finds each one's least depth).

    Args:
        workload: the network, by shipped name, file or as loaded.
        device: the FPGA part, such as ``xc7z020``.
        fps: frames a second to reach; None: the fastest design that fits, the cheapest of its speed.
        clock_mhz: the clock, above 0 and at most 2000.
        name: the architecture's name; default: ``<network>-<device>``.
        objective: what to make small: ``lut`` (ALMs on Intel parts), ``bram18`` (M20Ks) or ``power``.
        anyway: give what does not fit, or is not fast enough, with the reason.
        units: the library that its units come from; ``own`` ones cost what ``bnnsim.rtl`` writes.

    Returns:
        The design: its architecture, speed and costs, and the file that :meth:`FoldAnswer.save` writes.

    Raises:
        SpecError: where the network or the device cannot be used.
        InputError: where the name is none that a spec can have, or rate or clock are none.
        NotFolded: where no folding reaches ``fps``, or none that does fits the device.

    Example:
        >>> from bnnsim import fold
        >>> fold("tfc", "xc7z020", fps=50_000).architecture.layers["fc0"].pe
        1
    """
    loaded = workload if isinstance(workload, Loaded) else load_workload(workload)
    network = resolve_network(loaded)
    part = load_device(device).spec
    if Path(device).name != device:  # an architecture's word for it would mean another one: the shipped
        raise InputError("--device", "a shipped device, or the name of a file in this folder", device)
    known = part.model_copy(update={"name": device})
    label = f"{loaded.spec.name}-{part.name}" if name is None else check_name(name, "--name")
    if not 0 < clock_mhz <= 2000:
        raise InputError("--clock-mhz", "above 0, to 2000 MHz", f"{clock_mhz:g}")
    if fps is not None and not 0 < fps < math.inf:
        raise InputError("--fps", "a number above 0", f"{fps:g}")
    folder = Folder(FoldRequest(loaded, network, known, clock_mhz, label, objective, units))
    return folder.answer(fps, anyway)


class Folder:
    """Answers for one request."""

    def __init__(self, request: FoldRequest) -> None:
        self.request = request
        self.table = OptionTable(request)
        self._outcomes: dict[object, Outcome] = {}
        device = request.device
        names = [n for n in RESOURCES if getattr(device, n) is not None]
        self.budget: Mapping[str, float] = {n: float(getattr(device, n)) for n in names}
        self.objective = request.objective
        if device.vendor == "intel":
            self.objective = {"lut": "alm", "bram18": "m20k"}.get(request.objective, "power")  # type: ignore[assignment]

    def answer(self, fps: float | None, anyway: bool) -> FoldAnswer:
        """A design at ``fps``, or without it the fastest. Raises :class:`NotFolded`."""
        if fps is None:
            if self.fastest is None:
                return self._refused_device(anyway)
            return FoldAnswer(self.fastest, self.fastest.interval_cycles)
        wanted = int(self.request.clock_mhz * 1e6 / fps)
        if wanted >= self.shortest_cycles:
            found = self.at_interval(wanted)
            if found is not None:
                return FoldAnswer(found, wanted)
        return self._refused_rate(fps, wanted, anyway)

    # ---- designs ----------------------------------------------------------------------------

    def at_interval(self, wanted: int) -> FoldedDesign | None:
        """A design of at most ``wanted`` cycles a frame that fits; None where none is found."""
        found = self._exactly(wanted, self.budget)
        if found is not None:
            return found
        if self.cheapest(wanted, self.budget).choice is not None:
            for share in _FASTER:
                if int(wanted * share) >= self.shortest_cycles:
                    found = self._exactly(int(wanted * share), self.budget)
                    if found is not None:
                        return found
            if self.fastest is not None and self.fastest.interval_cycles <= wanted:
                return self.fastest
        return None

    @cached_property
    def fastest(self) -> FoldedDesign | None:
        """The fastest design that fits, the cheapest of its speed; None where none fits.

        What fits at an interval fits at every longer one, so the shortest is found by bisection.
        """
        intervals = self.intervals
        first = bisect_left(
            range(len(intervals)),
            True,
            key=lambda place: self.cheapest(intervals[place], self.budget).choice is not None,
        )
        least = 0.0
        for cycles in intervals[first:]:
            if cycles >= least:
                found = self._exactly(cycles, self.budget)
                if found is not None:
                    return found
                least = cycles * 1.02
        return None

    def _exactly(self, cycles: int, budget: Mapping[str, float]) -> FoldedDesign | None:
        """The cheapest folding for an interval whose FIFOs fit too, with less room for it in turn."""
        room = dict(budget)
        for _ in range(_MOST_ATTEMPTS):
            outcome = self.cheapest(cycles, room)
            if outcome.choice is None:
                return None
            try:
                found = fold_choice(self.request, outcome.choice, cycles)
            except SlowWindow:
                continue
            if found is None:
                return None
            over = [e for e in found.resources.exceeded if e.resource in budget]
            if not over:
                return found
            for one in over:
                room[one.resource] -= one.amount
        return None

    def cheapest(self, cycles: int, room: Mapping[str, float]) -> Outcome:
        """As :func:`cheapest_folding`, each once for what the table knows of windows.

        Of least logic where FINN's estimate finds it no dearer than FINN's own folding, if that fits.
        """
        key = (cycles, tuple(room.items()), self.table.corrections, self._corrections_apart)
        if key not in self._outcomes:
            self._outcomes[key] = self._solved(cycles, room)
        return self._outcomes[key]

    def _solved(self, cycles: int, room: Mapping[str, float]) -> Outcome:
        bound = math.inf
        if self.objective == "lut":
            bound = set_folding_luts(self.request.network, cycles)
        free: Outcome | None = None
        if bound < math.inf:
            for is_apart in (False, True):
                found = self._no_dearer_to_finn(cycles, room, bound, is_apart)
                if found.choice is not None and not _is_much_dearer(found, found.least):
                    return found
                free = free or cheapest_folding(self.table, cycles, room, self.objective)
                if free.choice is None:
                    break
                if found.choice is not None and not _is_much_dearer(found, free.choice.amounts):
                    return found
        return free or cheapest_folding(self.table, cycles, room, self.objective)

    def _no_dearer_to_finn(
        self, cycles: int, room: Mapping[str, float], bound: float, is_apart: bool
    ) -> Outcome:
        """The cheapest that FINN's estimate finds no dearer than FINN's own folding, or nearly so where
        none is."""
        table = self._table_apart if is_apart else self.table
        found = cheapest_folding(table, cycles, {**room, FINN_LUTS: bound}, self.objective)
        nearly = _NEARLY * found.least.get(FINN_LUTS, 0.0)
        if is_apart and found.choice is None and nearly > bound:
            found = cheapest_folding(table, cycles, {**room, FINN_LUTS: nearly}, self.objective)
        return found

    @cached_property
    def _table_apart(self) -> OptionTable:
        """Options with windows of fewer lanes besides, as FINN's have: rates need them where few lanes
        serve."""
        return OptionTable(self.request, own_windows=True)

    @property
    def _corrections_apart(self) -> int:
        is_made = "_table_apart" in self.__dict__
        return self._table_apart.corrections if is_made else 0

    @cached_property
    def shortest_cycles(self) -> int:
        """The shortest interval of any folding, whatever it takes."""
        return max(
            min((self.table.cycles(name, option) for option in options), default=1)
            for name, options in self.table.options.items()
        )

    @cached_property
    def intervals(self) -> list[int]:
        """Intervals that some layer's folding has, shortest first."""
        found = {
            self.table.cycles(name, option)
            for name, options in self.table.options.items()
            for option in options
        }
        return sorted(cycles for cycles in found if cycles >= self.shortest_cycles)

    # ---- refusals -----------------------------------------------------------------------------

    def _refused_rate(self, fps: float, wanted: int, anyway: bool) -> FoldAnswer:
        near: tuple[str, ...] = ()
        if self.fastest is not None:
            rate = rate_text(self.request.clock_mhz, self.fastest.interval_cycles)
            near = (f"{rate} FPS fits",)
        if wanted < self.shortest_cycles:
            best = _marked(rate_text(self.request.clock_mhz, self.shortest_cycles))
            expected = f"at most {best} FPS at {self.request.clock_mhz:g} MHz ({self._slowest()})"
            fault = NotFolded("--fps", expected, figure_text(fps, 15), near)
        else:
            where = f"{figure_text(fps, 15)} FPS on {self.request.device.name}"
            fault = NotFolded(where, "a folding within the device's budget", self._over(wanted), near)
        if anyway:
            return self._anyway(max(wanted, self.shortest_cycles), str(fault))
        raise fault

    def _refused_device(self, anyway: bool) -> FoldAnswer:
        slowest = self.intervals[-1]
        name = f"{self.request.name} on {self.request.device.name}"
        fault = NotFolded(name, "a device that holds some folding", self._over(slowest))
        if anyway:
            return self._anyway(slowest, str(fault))
        raise fault

    def _anyway(self, cycles: int, reason: str) -> FoldAnswer:
        found = self._exactly(cycles, {})
        if found is None:
            raise NotFolded(self.request.name, "a folding whose FIFOs keep its interval", "none")
        return FoldAnswer(found, cycles, reason)

    def _over(self, cycles: int) -> str:
        """What runs out: the least that any folding takes of it, or takes while the others are kept."""
        least = self.cheapest(cycles, self.budget).least
        over = [
            f"{Exceeded(name, round(least[name]), int(room))} at least"
            for name, room in self.budget.items()
            if least.get(name, 0) > room
        ]
        if over:
            return ", ".join(over)
        for name in self.budget:
            others = {n: amount for n, amount in self.budget.items() if n != name}
            outcome = cheapest_folding(self.table, cycles, others, name)
            if outcome.choice is not None:
                used = round(outcome.choice.amounts[name])
                if used > self.budget[name]:
                    return f"{Exceeded(name, used, int(self.budget[name]))} at least"
        return "none whose FIFOs fit too"

    def _slowest(self) -> str:
        """What bars a shorter interval than the shortest, and why."""
        names = {
            name: min(self.table.cycles(name, option) for option in options)
            for name, options in self.table.options.items()
        }
        slowest = max(names, key=lambda name: names[name])
        takes = f"{'the frame source' if slowest == INPUT else slowest} takes {names[slowest]:,} cycles"
        held = f"; HLS builds words of up to {WIDEST_HLS_WORD_BITS:,} bits"
        is_held = self.table.is_held_by_hls(slowest)
        return f"{takes} a frame at least{held if is_held else ''}"


def _is_much_dearer(found: Outcome, least: Mapping[str, float]) -> bool:
    """Whether FINN's opinion costs more logic by our estimate than it is worth."""
    assert found.choice is not None
    return found.choice.amounts["lut"] > _MUCH_DEARER * least["lut"]


def _marked(number: str) -> str:
    """A plain number with its thousands marked."""
    whole, point, rest = number.partition(".")
    return f"{int(whole):,}{point}{rest}"


def rate_text(clock_mhz: float, cycles: int) -> str:
    """Frames a second at ``cycles`` a frame, rounded down to six digits, or to as many as mean them."""
    exact = Fraction(clock_mhz) * 1_000_000 / cycles
    for digits in range(_RATE_DIGITS - len(str(int(exact))), 18):
        scaled = exact * Fraction(10) ** digits
        whole = scaled.numerator // scaled.denominator
        value = Fraction(whole) / Fraction(10) ** digits
        text = f"{float(value):.{max(0, digits)}f}"
        if whole and int(clock_mhz * 1e6 / float(text)) == cycles:
            return text
    return f"{float(exact):.17g}"
