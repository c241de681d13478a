"""Changed designs, tried: built as specs are, timed exactly, costed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bnnsim.cost.usage import RESOURCES
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation.advice.record import Advice, AdviceReport, SpecChange
from bnnsim.evaluation.figures import DesignFigures, figures_of
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.hardware import LayerHardware
from bnnsim.timing.bottleneck import listed
from bnnsim.timing.engine.bottleneck import find_engine_bottleneck
from bnnsim.timing.mapped import mapped_design
from bnnsim.timing.prefix import whole_program
from bnnsim.timing.streaming.bottleneck import slowest
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.result import DeadlockError

MOST_BUILT, MOST_TIMED = 240, 60
"""Changed designs that are looked at for one design."""
LEAST_TIMED, MOST_WORDS, MOST_LARGE_WORDS = 4, 1 << 22, 1 << 26
"""Beyond the least, no more are timed than have so many words a frame together, which takes seconds; and
besides the design itself no more in all than have so many, however few."""
MOST_FRAMES, MOST_LARGE_FRAMES = 128, 4
"""Frames within which a changed design must be proven steady to be told of; where a frame has more than
``MOST_WORDS``, the second."""
MOST_NAMED = 4
"""Places of one change that a sentence names; the record has all of them."""
THE_DESIGN = "the design itself"
WORTHWHILE = 1.005
"""An advice makes a design at least this many times as fast."""
_SHOWN = {"lut": "LUT", "alm": "ALM", "bram18": "BRAM18", "m20k": "M20K", "uram": "URAM", "dsp": "DSP"}


Path = tuple[str | int, ...]
"""Keys and, in lists, positions."""


@dataclass(frozen=True)
class Change:
    """An entry of a spec, by its path, and its new value."""

    path: Path
    before: object
    after: object

    @property
    def told(self) -> SpecChange:
        said = "" if self.before is None else _word(self.before)
        *place, name = map(str, self.path)
        whose = f" of {place[1]}" if len(place) > 1 else f" of {place[0]}" if place else ""
        if place == ["fifo_words"]:
            name, whose = "fifo_words", f" of {name}"
        text = f"{name} {said + ' -> ' if said else ''}{_word(self.after)}{whose}"
        return SpecChange(".".join(map(str, self.path)), said, _word(self.after), text)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Tried:
    """A design that was timed."""

    design: Design | EngineDesign
    figures: DesignFigures

    @property
    def interval_cycles(self) -> int:
        return int(self.figures.figures["initiation_interval_cycles"])

    @property
    def fps(self) -> float:
        return self.figures.figures["throughput_fps"]

    @property
    def exceeds(self) -> tuple[str, ...]:
        return tuple(name for name, amount in self.figures.violations.items() if amount > 0)


class Trials:
    """Tries changes to one design; holds none of the designs it tried."""

    def __init__(self, design: Design | EngineDesign) -> None:
        self.design = design
        self.built = self.timed = self.words = 0
        self._tried: dict[str, bool] = {}
        self._unproven: dict[str, None] = {}

    def build(
        self, design: Design | EngineDesign, changes: Iterable[Change]
    ) -> Design | EngineDesign | None:
        """``design`` with changes; None where the checks of specs refuse it, or enough were tried."""
        changes = tuple(changes)
        if self.built >= MOST_BUILT:
            return None
        self.built += 1
        name = _name(changes)
        self._tried.setdefault(name, True)
        spec = design.architecture
        for change in changes:
            spec = changed(spec, change.path, change.after)
        try:
            built = mapped_design(spec, design.network.workload)
        except SpecError:
            return None
        self._tried[name] = False
        return built

    def may_time(self, design: Design | EngineDesign) -> bool:
        """Whether one more may be timed; it is counted."""
        words = self.words + _words(design)
        if self.timed >= (MOST_TIMED if words <= MOST_WORDS else min(LEAST_TIMED, MOST_TIMED)):
            return False
        if self.timed and words > MOST_LARGE_WORDS:
            return False
        self.timed, self.words = self.timed + 1, words
        return True

    def time(
        self, design: Design | EngineDesign, changes: Iterable[Change] = ()
    ) -> Tried | None:
        """A design's figures; None where it gets stuck or nothing is proven, or enough were tried.

        The ``changes`` that led to it, or without any the design itself, are kept as undecided then.
        """
        tried = None
        if self.may_time(design):
            is_large = _words(design) > MOST_WORDS
            try:
                frames = MOST_LARGE_FRAMES if is_large else MOST_FRAMES
                tried = Tried(design, figures_of(design, frames))
            except DeadlockError:
                tried = None
        if tried is not None and "throughput_fps" in tried.figures.figures:
            return tried
        name = _name(tuple(changes)) or THE_DESIGN
        self._tried.setdefault(name, False)
        self._unproven[name] = None
        return None

    def advice(
        self, base: Tried, found: Tried, changes: Iterable[Change], note: str = ""
    ) -> Advice:
        """What a changed design brings; ``note`` says what it rests on besides the timing."""
        changes = tuple(changes)
        told = tuple(change.told for change in changes)
        more = {
            name: int(found.figures.figures[name] - base.figures.figures[name])
            for name in RESOURCES
            if found.figures.figures[name] != base.figures.figures[name]
        }
        limits = what_limits(found)
        amounts = [f"{more[name]:+,} {text}" for name, text in _SHOWN.items() if name in more]
        costs = ", ".join(amounts) or "no more of the device"
        unrolled = any("spatial_unrolling" in change.path for change in changes)
        if unrolled and more.get("lut", 0) <= 0 and more.get("alm", 0) <= 0:
            costs = "at a cost that is not known, for the sizes of its circuits are given"
        over = [
            f"{_amount(name, found.figures.violations[name])} over the budget"
            for name in found.exceeds
        ]
        fit = f"; does not fit: {', '.join(over)}" if over else ""
        text = (
            f"{_listed(told)}: {base.fps:,.0f} -> {found.fps:,.0f} FPS "
            f"(x {found.fps / base.fps:.3g}){note}, {costs}; then {limits} "
            f"{'set' if ' and ' in limits or limits == 'FIFOs' else 'sets'} the pace{fit}"
        )
        return Advice(told, found.interval_cycles, found.fps, more, found.exceeds, limits, text)

    def report(self, advice: Iterable[Advice]) -> AdviceReport:
        refused = tuple(name for name, is_refused in self._tried.items() if is_refused)
        undecided = tuple(self._unproven)
        return AdviceReport(
            tuple(advice), self.built, self.timed, tuple(self._tried), refused, undecided
        )


def _words(design: Design | EngineDesign) -> int:
    """Words a frame through all streams of a pipeline."""
    return sum(stream.words for stream in design.graph.streams) if isinstance(design, Design) else 0


def _name(changes: tuple[Change, ...]) -> str:
    return " and ".join(change.told.text for change in changes)


def _amount(name: str, amount: float) -> str:
    return f"{amount:.3g} W" if name == "power_w" else f"{amount:,.0f} {_SHOWN.get(name, name)}"


def _listed(changes: Iterable[SpecChange]) -> str:
    """Changes in words; those that are alike are said once, of a few of their places by name."""
    places: dict[str, list[str]] = {}
    for change in changes:
        what, _, whose = change.text.partition(" of ")
        places.setdefault(what, []).append(whose)
    return ", ".join(
        what + (f" of {listed(tuple(names), MOST_NAMED)}" if any(names) else "")
        for what, names in places.items()
    )


def what_limits(tried: Tried) -> str:
    """What limits a design that was timed, by the analysis that every run has."""
    design = tried.design
    if isinstance(design, EngineDesign):
        found = find_engine_bottleneck(whole_program(design), tried.interval_cycles)
        return found.what_limits if found else "nothing"
    unlimited, units = slowest(build_timing(design.graph))
    interval = tried.figures.interval
    return "FIFOs" if interval is None or interval > unlimited else listed(units)


def changed(value: Any, path: Path, after: object) -> Any:
    """A spec with another value at ``path``; the rest is as it was."""
    if not path:
        return after
    key, rest = path[0], path[1:]
    if isinstance(value, list):
        at = int(key)
        return [changed(entry, rest, after) if i == at else entry for i, entry in enumerate(value)]
    if isinstance(value, Mapping):
        inner = value.get(key)
        if inner is None and rest:
            inner = LayerHardware()  # a layer of which the architecture says nothing
        return {**value, key: changed(inner, rest, after)}
    assert isinstance(value, BaseModel)
    name = str(key)
    return value.model_copy(update={name: changed(getattr(value, name), rest, after)})
