"""The page of a search: its front to look at, turn, filter and compare, without any network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bnnsim.cost.error_bars import ENDS, plain_name
from bnnsim.report.figures.plot_page import plot_page
from bnnsim.report.search.columns import packed_rows, short
from bnnsim.report.search.thinning import thinned
from bnnsim.search.front.importance import KnobImportance, knob_importance
from bnnsim.search.front.objectives import METRICS, ROBUST, is_better_more
from bnnsim.search.front.own_figures import are_own
from bnnsim.search.space.alternatives import Alternatives, SearchSpace
from bnnsim.search.storage.best_known import scale_of
from bnnsim.search.storage.kinds import bars_of
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.storage.results import DESIGNS, design_commands
from bnnsim.validation.certainty import ModelError, needed_lead

FIGURES: dict[str, tuple[str, str]] = {
    "throughput_fps": ("Throughput", "FPS"),
    "latency_us": ("Latency", "µs"),
    "latency_cycles": ("Latency", "cycles"),
    "initiation_interval_cycles": ("Interval", "cycles"),
    "power_w": ("Power", "W"),
    "energy_per_frame_uj": ("Energy a frame", "µJ"),
    "fps_per_w": ("Efficiency", "FPS/W"),
    "fps_per_klut": ("Density", "FPS/kLUT"),
    "clock_mhz": ("Clock", "MHz"),
    "lut": ("Logic", "LUT"),
    "lutram": ("Distributed RAM", "LUTRAM"),
    "ff": ("Registers", "FF"),
    "bram18": ("Block RAM", "BRAM18"),
    "uram": ("UltraRAM", "URAM"),
    "dsp": ("DSP slices", "DSP"),
    "alm": ("Logic", "ALM"),
    "m20k": ("Block RAM", "M20K"),
    "fifo_bits": ("FIFO memory", "bits"),
    "accuracy_percent": ("Published accuracy", "%"),
}
"""What figures are called on the page, and their units."""
FIGURES |= {
    f"{name}.{end}": (f"{title}, {end}", unit)
    for name, (title, unit) in tuple(FIGURES.items())
    for end in ENDS
    if f"{name}.{end}" in ROBUST
}


@dataclass(frozen=True)
class Point:
    """One design. ``state`` is ``front``, ``feasible``, ``infeasible`` or ``unbuildable``.

    ``figures`` follow the info's ``figures``, ``knobs`` its ``knobs`` (None: has none). ``why`` names the
    bounds that an infeasible design breaks. ``checked`` says how a front design was verified,
    ``is_exact`` whether that held (None: not simulated). ``shares`` of what budget and device allow
    follow the info's ``figures`` (front designs only); ``no_clear_lead_over`` is a front design that this
    one leads in nothing, nine chances in ten (empty: leads all).
    """

    id: str
    state: str
    figures: tuple[float | None, ...]
    knobs: tuple[Any, ...]
    why: str = ""
    checked: str = ""
    is_exact: bool | None = None
    shares: tuple[float | None, ...] = ()
    no_clear_lead_over: str = ""


@dataclass(frozen=True)
class FigureInfo:
    """One figure's name, title, unit and whether more of it is better."""

    name: str
    title: str
    unit: str
    maximises: bool


@dataclass(frozen=True)
class ReferenceInfo:
    """A published accelerator; ``alternative`` says which designs it is compared with (None: all)."""

    name: str
    source: str
    figures: tuple[float | None, ...]
    alternative: str | None = None


@dataclass(frozen=True)
class ParetoInfo:
    """All that the page shows.

    ``figures`` are those that differ between designs, the objectives first; ``axes`` the objectives'
    names. ``needed_leads`` are shares by which a design must be ahead to lead, ``error_bars`` both ends
    of the intervals in which four of five designs lie, as shares of the figure. Curves are (designs
    evaluated, their hypervolume as a share of what ``scale`` names).
    """

    space: str
    workload: str
    device: str
    sampler: str
    seed: int
    constraints: tuple[str, ...]
    axes: tuple[str, ...]
    figures: tuple[FigureInfo, ...]
    knobs: tuple[str, ...]
    points: tuple[Point, ...]
    baseline: tuple[Point, ...]
    landmarks: tuple[ReferenceInfo, ...]
    curve: tuple[tuple[int, float], ...]
    baseline_curve: tuple[tuple[int, float], ...]
    scale: str
    sureness: str
    needed_leads: Mapping[str, float]
    outside: tuple[str, ...] = ()
    """What engines of the space leave to others: in no figure."""
    commands: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By alternative (of a plain space empty) what leads on from a design called ``DESIGN``."""
    importance: tuple[KnobImportance, ...] = ()
    """For each knob the shares of the axes' variances that go with it, the most important first."""
    error_bars: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def pareto_info(
    exploration: Exploration,
    checked: Mapping[str, str] | None = None,
    exact: Mapping[str, bool | None] | None = None,
    errors: Sequence[ModelError] = (),
) -> ParetoInfo:
    """What the page of ``exploration`` shows.

    ``checked`` and ``exact`` say for front designs (by trial id) how they were verified and whether
    that held; ``errors`` how far the cost models may be off.
    """
    space = exploration.space
    names = _shown_figures(exploration)
    knobs = space.knob_names
    front = {trial.number for trial in exploration.front}
    tied = exploration.no_clear_leads

    def point(trial: TrialRecord, is_on_front: bool, is_random: bool = False) -> Point:
        result = trial.result
        shares = result.shares if is_on_front else {}
        broken = [name for name, amount in result.violations.items() if amount > 0]
        return Point(
            trial.id,
            _state(trial, is_on_front),
            tuple(result.figures.get(name) for name in names),
            tuple(trial.knobs.get(name) for name in knobs),
            result.infeasible_reason or ", ".join(broken),
            "" if is_random else (checked or {}).get(trial.id, ""),
            None if is_random else (exact or {}).get(trial.id),
            tuple(shares.get(name) for name in names) if is_on_front else (),
            tied.get(trial.id, "") if is_on_front else "",
        )

    scale = scale_of(exploration)
    return ParetoInfo(
        space=space.name,
        outside=space.outside,
        workload=" or ".join(space.workloads),
        commands=_commands(space),
        device=" or ".join(space.devices),
        sampler=exploration.sampler,
        seed=exploration.seed,
        constraints=tuple(str(constraint) for constraint in exploration.constraints),
        axes=tuple(objective.name for objective in exploration.objectives),
        figures=tuple(
            FigureInfo(name, *FIGURES.get(name, (name, "")), _is_better_more(exploration, name))
            for name in names
        ),
        knobs=knobs,
        points=tuple(point(trial, trial.number in front) for trial in exploration.trials),
        baseline=tuple(point(trial, False, True) for trial in exploration.baseline),
        landmarks=tuple(
            ReferenceInfo(
                reference.name,
                reference.source,
                tuple(reference.figures.get(name) for name in names),
                reference.alternative,
            )
            for reference in space.reference_designs
        ),
        curve=scale.curve(exploration, exploration.trials) if scale else (),
        baseline_curve=scale.curve(exploration, exploration.baseline) if scale else (),
        scale=scale.text if scale else "",
        importance=knob_importance(exploration),
        sureness=sureness([error for error in errors if error.quantity in names]),
        needed_leads={n: needed_lead(plain_name(n)) for n in names if errors},
        error_bars={n: bar for n, bar in bars_of(exploration).items() if n in names and errors},
    )


def _commands(space: SearchSpace) -> dict[str, dict[str, str]]:
    members = space.members.items() if isinstance(space, Alternatives) else [("", space)]
    return {name: design_commands(one, f"{DESIGNS}/DESIGN.yaml", "DESIGN") for name, one in members}


def sureness(errors: Sequence[ModelError]) -> str:
    """How far the models may be off, in two sentences; nothing where there are no errors to tell."""
    if not errors:
        return ""
    parts = [
        f"{FIGURES[e.quantity][1] if e.quantity != 'power_w' else 'power'} {e.median:.1%} "
        f"(worst {e.worst:.0%}, {e.designs} designs)"
        for e in errors
    ]
    leads = [
        f"{FIGURES[e.quantity][1] if e.quantity != 'power_w' else 'power'} {needed_lead(e.quantity):.0%}"
        for e in errors
    ]
    return (
        "Cycles are exact for the architecture as described. On published designs, each left out of the "
        f"fit in turn, the cost models are off by a median of {', '.join(parts)}; a design leads another "
        f"of its kind, nine chances in ten, where it is ahead by {', '.join(leads)}."
    )


def _shown_figures(exploration: Exploration) -> tuple[str, ...]:
    """The objectives, then every other figure in which designs differ."""
    wanted = [objective.name for objective in exploration.objectives]
    values: dict[str, set[float]] = {}
    for trial in exploration.trials:
        for name, value in trial.result.figures.items():
            values.setdefault(name, set()).add(value)
    known = (*METRICS, *ROBUST, *are_own(values))
    others = [n for n in known if n not in wanted and len(values.get(n, ())) > 1]
    return (*wanted, *others)


def _is_better_more(exploration: Exploration, name: str) -> bool:
    """Whether more of a figure is better: as is wanted, as is bounded, else as usual."""
    for objective in exploration.objectives:
        if objective.name == name:
            return objective.maximises
    if are_own([name]):
        return any(c.name == name and not c.is_upper for c in exploration.constraints)
    return is_better_more(name)


def _state(trial: TrialRecord, is_on_front: bool) -> str:
    if trial.result.infeasible_reason:
        return "unbuildable"
    if is_on_front:
        return "front"
    return "feasible" if trial.result.is_feasible else "infeasible"


_SCRIPTS = (
    "packing.js",
    "columns.js",
    "front_data.js",
    "pointing.js",
    "front_words.js",
    "front_picture.js",
    "front_table.js",
    "front_filter.js",
    "pareto.js",
)
_FIELDS = ("id", "state", "why", "checked", "is_exact", "no_clear_lead_over")


def _page_data(info: ParetoInfo) -> dict[str, Any]:
    """The info as the page holds it: its designs packed, as many as have room, figures with the digits
    that are shown; ``totals`` counts all."""
    lists = {"figures": len(info.figures), "knobs": len(info.knobs), "shares": len(info.figures)}

    def held(points: Sequence[Point]) -> str:
        rows = [
            {
                **vars(point),
                "figures": tuple(map(short, point.figures)),
                "shares": tuple(short(share, 2) for share in point.shares),
            }
            for point in points
        ]
        return packed_rows(rows, lists, _FIELDS)

    rest = asdict(replace(info, points=(), baseline=()))
    found = thinned(info.points, info.baseline, held)
    paced = [p for p in info.baseline if p.figures and p.figures[0] is not None]
    totals = {
        "judged": len(info.points),
        "kept": sum(p.state in ("front", "feasible") for p in info.points),
        "drawn": len(info.baseline),
        "paced": len(paced),
        "step": found.step,
    }
    return {**rest, "points": found.points, "baseline": found.baseline, "totals": totals}


def pareto_page(info: ParetoInfo, is_single_file: bool = True) -> str:
    """The page as HTML; :func:`~bnnsim.report.figures.plot_page.library` says what lies beside it."""
    title = f"{info.space}: {info.workload} on {info.device}"
    return plot_page("explore", title, "pareto.html", _SCRIPTS, _page_data(info), is_single_file)
