"""Points to begin with where nothing folds: from what each knob does on its own.

An engine's time is, roughly, a product of what its knobs do, its logic and memory a sum. So the middle of
the space is evaluated, and from there every value of every knob by itself; that predicts all other points
well enough to begin with the best of them. Only for proposing: the evaluator runs every design.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Floats
from bnnsim.design.design import EngineDesign
from bnnsim.evaluation import figures_of
from bnnsim.search.front.front import is_on_front
from bnnsim.search.points.point_design import point_design
from bnnsim.search.space.fields import Knob, Value
from bnnsim.search.space.space import Space
from bnnsim.spec.faults import SpecError

MOST_EFFECT_DESIGNS = 200
"""Values of all knobs together beyond which their effects are not looked for."""
MOST_PREDICTED_POINTS = 20_000
"""Points that are predicted; of a larger space so many drawn ones."""


def effect_seeds(space: Space, count: int, bounds: Mapping[str, float]) -> list[dict[str, int]]:
    """At most ``count`` points that are predicted to have the least time or logic and to fit, from fast
    to slow, by position of the values; none where the middle cannot be built.

    ``bounds`` is the most that constraints allow of a figure, by name.
    """
    if not space.knobs or sum(len(knob.values) for knob in space.knobs) > MOST_EFFECT_DESIGNS:
        return []
    middle = [_middle(knob) for knob in space.knobs]
    found = _design(space, middle)
    start = _figures(found)
    if found is None or start is None:
        return []
    points = _points(space)
    predicted = np.broadcast_to(start, (len(points), len(start))).copy()
    for place, knob in enumerate(space.knobs):
        effects = np.full((len(knob.values), len(start)), np.inf)
        for value in range(len(knob.values)):
            changed = [*middle[:place], value, *middle[place + 1 :]]
            figures = start if changed == middle else _figures(_design(space, changed))
            if figures is not None:
                effects[value] = figures - start
        predicted += effects[points[:, place]]
    fits = (predicted[:, 1:] <= _room(found, bounds)).all(axis=1) & np.isfinite(predicted).all(axis=1)
    points, losses = points[fits], predicted[fits][:, :2]
    on_front = is_on_front(losses)
    front = points[on_front][np.argsort(losses[on_front][:, 0], kind="stable")]
    count = min(count, len(front))
    picks = sorted({round(i * (len(front) - 1) / max(1, count - 1)) for i in range(count)})
    names = [knob.name for knob in space.knobs]
    return [dict(zip(names, map(int, front[pick]), strict=True)) for pick in picks]


def _middle(knob: Knob) -> int:
    """The position of the middle value of an ordered knob, of the first of another."""
    places = list(range(len(knob.values)))
    if not knob.is_ordered:
        return 0
    places.sort(key=[float(value) for value in knob.values].__getitem__)
    return places[len(places) // 2]


def _points(space: Space) -> npt.NDArray[np.int64]:
    """Positions of values ``(points, knobs)``: all combinations, or as many drawn ones."""
    sizes = [len(knob.values) for knob in space.knobs]
    if math.prod(sizes) <= MOST_PREDICTED_POINTS:
        return np.array(list(itertools.product(*map(range, sizes))), dtype=np.int64)
    draw = np.random.default_rng(0)
    return np.stack([draw.integers(0, size, MOST_PREDICTED_POINTS) for size in sizes], axis=1)


def _design(space: Space, places: Sequence[int]) -> EngineDesign | None:
    chosen: dict[str, Value] = {
        knob.name: knob.values[place] for knob, place in zip(space.knobs, places, strict=True)
    }
    try:
        design = point_design(space, chosen)
    except SpecError:
        return None
    return design if isinstance(design, EngineDesign) else None


def _figures(design: EngineDesign | None) -> Floats | None:
    """The logarithm of the time a frame, logic and memory."""
    figures = {} if design is None else figures_of(design).figures
    if "throughput_fps" not in figures:
        return None
    time = -math.log(figures["throughput_fps"])
    return np.array([time, figures["lut"] + figures["alm"], figures["bram18"] + figures["m20k"]])


def _room(design: EngineDesign, bounds: Mapping[str, float]) -> Floats:
    names = ("alm", "m20k") if design.device.vendor == "intel" else ("lut", "bram18")
    room = [getattr(design.budget, name) for name in names]
    held = [math.inf if has is None else float(has) for has in room]
    return np.array([min(has, bounds.get(n, math.inf)) for n, has in zip(names, held, strict=True)])
