"""What a system might be whose structure is not known: all structures that what is reported allows.

A publication says what of a system is free, with the reason, and which choices there are. Every
combination is built, timed exactly and costed. Consistent are those that fit the part and with which the
reported LUTs, block RAMs and DSPs lie in the interval in which four of five designs of the model's answer
lie; flip-flops hang on how adder trees are registered, which the choices say nothing of. The frame rates
of these are an interval, and no prediction: another choice of what is free gives another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any

from bnnsim.cost.error_bars import error_bar, structure_kind
from bnnsim.evaluation.figures import DesignFigures, figures_of
from bnnsim.notebook.number import figure_text
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.yaml.source import SourceText
from bnnsim.spec.yaml.validate import validate
from bnnsim.timing.mapped import mapped_design
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.validation.published import FreeChoice, Result
from bnnsim.validation.systems import SimulatedSystem

HELD = ("lut", "alm", "bram18", "m20k", "dsp")
"""Reported resources that structures are held against."""
SMALL_COUNT = 4
"""DSPs are met within their tolerance or so many: a loop bound more or less is one."""


@dataclass(frozen=True)
class Bracket:
    """The structures of one published system that its reported figures allow (docs/json.md)."""

    system: str
    """The published accelerator."""
    reported_fps: float
    """Frames a second that were reported."""
    free: tuple[str, ...]
    """What was varied, and why it is not known."""
    tried: int
    """Structures that can be built and fit the part."""
    consistent: int
    """Those of them with which LUTs, block RAMs and DSPs as reported lie in the interval of the model's
    answer."""
    consistent_by: Mapping[str, int]
    """The same by resource, each alone."""
    low_fps: float | None
    """The lowest frame rate of the consistent ones; null where there are none."""
    high_fps: float | None
    """Their highest; null where there are none."""
    tried_low_fps: float
    """The lowest frame rate of all that were tried."""
    tried_high_fps: float
    """Their highest."""
    with_the_rate: int
    """Consistent ones with the reported frame rate too, within its tolerance."""
    text: str
    """All of it in a sentence."""


@dataclass(frozen=True)
class _Structure:
    fps: float
    fits: Mapping[str, bool]


def find_bracket(entry: SimulatedSystem) -> Bracket | None:
    """The bracket of a system whose publication says what is free; None of others."""
    system = entry.system
    rates = [result for result in system.results if result.quantity == "throughput_fps"]
    if not system.free or not rates:
        return None
    (rate, *_) = rates
    wanted = [r for r in system.results if r.quantity in HELD and r.reading is None]
    found = [s for s in (_structure(entry, changes, wanted) for changes in _every(system.free)) if s]
    if not found:
        return None
    kept = [one.fps for one in found if all(one.fits.values())]
    also = [fps for fps in kept if abs(fps - rate.value) <= rate.tolerance * rate.value]
    by: dict[str, int] = {r.quantity: sum(one.fits[r.quantity] for one in found) for r in wanted}
    bracket = Bracket(
        system=system.name,
        reported_fps=rate.value,
        free=tuple(f"{choice.what}: {choice.source}" for choice in system.free),
        tried=len(found),
        consistent=len(kept),
        consistent_by=by,
        low_fps=min(kept, default=None),
        high_fps=max(kept, default=None),
        tried_low_fps=min(one.fps for one in found),
        tried_high_fps=max(one.fps for one in found),
        with_the_rate=len(also),
        text="",
    )
    return Bracket(**{**vars(bracket), "text": _text(bracket)})


def _every(free: list[FreeChoice]) -> Iterator[dict[str, Any]]:
    for together in product(*(choice.choices for choice in free)):
        yield {path: value for changes in together for path, value in changes.items()}


def _structure(
    entry: SimulatedSystem, changes: Mapping[str, Any], wanted: list[Result]
) -> _Structure | None:
    """One structure's frame rate and which reported resources it allows; None where it cannot be."""
    loaded = entry.architecture
    data = deepcopy(loaded.source.data)
    for path, value in changes.items():
        _put(data, path.split("."), value)
    source = SourceText(f"{loaded.source.file} with changes", data)
    model: type[StreamingArchitecture] | type[EngineArchitecture] = type(loaded.spec)
    spec, faults = validate(model, source)
    if spec is None or faults:
        raise SpecError(faults)
    try:
        design = mapped_design(Loaded(spec, source), entry.workload)
        figures = figures_of(design)
    except (SpecError, DeadlockError):
        return None
    fps = figures.figures.get("throughput_fps")
    if fps is None or any(amount > 0 for amount in figures.violations.values()):
        return None
    kind = structure_kind(design)
    return _Structure(fps, {r.quantity: _allows(figures, r, kind) for r in wanted})


def _allows(figures: DesignFigures, result: Result, kind: str) -> bool:
    simulated = figures.figures[result.quantity]
    bar = error_bar(result.quantity, simulated, kind)
    few = SMALL_COUNT if result.quantity == "dsp" else 0
    if abs(simulated - result.value) <= few:
        return True
    return bar is not None and bar.low <= result.value <= bar.high


def _put(data: Any, path: list[str], value: object) -> None:
    for key in path[:-1]:
        data = data[int(key)] if isinstance(data, list) else data.setdefault(key, {})
    last = path[-1]
    if isinstance(data, list):
        data[int(last)] = deepcopy(value)
    else:
        data[last] = deepcopy(value)


def _text(found: Bracket) -> str:
    every = ", ".join(f"{name} {count}" for name, count in found.consistent_by.items())
    tried = (
        f"{found.system}: reported {figure_text(found.reported_fps, 6)} FPS; {found.tried} structures, "
        f"{found.tried_low_fps:,.0f} to {found.tried_high_fps:,.0f} FPS"
    )
    if found.low_fps is None or found.high_fps is None:
        return f"{tried}; none allowed by all reported resources (by each alone: {every})"
    return (
        f"{tried}; {found.consistent} allowed by the reported resources, {found.low_fps:,.0f} to "
        f"{found.high_fps:,.0f} FPS, of which {found.with_the_rate} have the reported rate too"
    )
