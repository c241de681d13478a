"""What kinds of structure a search's designs are, by which costs' errors are known; what HLS cannot."""

from __future__ import annotations

from collections.abc import Mapping

from bnnsim.cost.error_bars import ENDS, RESTS_ON, percentile, structure_kind
from bnnsim.evaluation.wide_words import WideWord, wide_words
from bnnsim.search.points.point_design import point_design
from bnnsim.search.space.alternatives import ALTERNATIVE
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.spec.engine.architecture import EngineArchitecture


def structure_kinds(exploration: Exploration) -> Mapping[str, str]:
    """The kind of each alternative's designs, its best design's; a plain space has an empty name."""
    kinds: dict[str, str] = {}
    for trial in (*exploration.front, *exploration.feasible, *exploration.trials):
        name = alternative_of(trial)
        if name not in kinds and not trial.result.infeasible_reason:
            space = exploration.space.member(trial.knobs)
            kinds[name] = structure_kind(point_design(space, trial.knobs))
    return kinds


def unbuildable(exploration: Exploration, trial: TrialRecord) -> tuple[WideWord, ...]:
    """Words of a trial's design that HLS cannot build; mostly none.

    An engine alone has none, and is not built: its loops may have to be found.
    """
    space = exploration.space.member(trial.knobs)
    spec = space.point(trial.knobs, space.name)
    if isinstance(spec, EngineArchitecture) and spec.streaming_prefix is None:
        return ()
    return wide_words(point_design(space, trial.knobs))


def alternative_of(trial: TrialRecord) -> str:
    """Which alternative of a space of several a trial is of."""
    return str(trial.knobs.get(ALTERNATIVE, ""))


def interval_of(trial: TrialRecord, figure: str, kinds: Mapping[str, str]) -> tuple[float, ...]:
    """The two ends of a figure's error bar; empty where the trial has no such figure."""
    value, kind = trial.result.figures.get(figure), kinds.get(alternative_of(trial))
    if value is None or kind is None:
        return ()
    return tuple(percentile(figure, value, kind, end) for end in ENDS)


def bars_of(exploration: Exploration) -> dict[str, tuple[float, float]]:
    """By figure the ends of the widest error bar of a front's designs, as shares of the figure."""
    kinds = structure_kinds(exploration)
    bars: dict[str, tuple[float, float]] = {}
    for name in RESTS_ON:
        ends = [
            (low / value, high / value)
            for trial in exploration.front
            if (value := trial.result.figures.get(name))
            for low, high in [interval_of(trial, name, kinds)]
        ]
        if ends:
            bars[name] = min(low for low, _ in ends), max(high for _, high in ends)
    return bars
