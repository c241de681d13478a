"""Points to begin with where nothing folds: along the knobs, from smallest to largest, and one by one."""

from __future__ import annotations

from bnnsim.search.space.space import Space


def knob_seeds(space: Space, count: int) -> list[dict[str, int]]:
    """At most ``count`` points of a space whose free fields are all knobs, by position of the values.

    First the diagonal: all ordered knobs together, from the smallest values to the largest. Then the knob
    that most fields follow on its own, with all others at their smallest and at their largest. Values
    without an order are the first ones, and along the diagonal the others in turn.
    """
    ranks = {}
    for knob in space.knobs:
        ranks[knob.name] = list(range(len(knob.values)))
        if knob.is_ordered:
            ranks[knob.name].sort(key=[float(value) for value in knob.values].__getitem__)
    ordered = [knob for knob in space.knobs if knob.is_ordered]
    steps = max((len(knob.values) for knob in ordered), default=1)
    first = dict.fromkeys(ranks, 0)

    def at(share: float) -> dict[str, int]:
        along = {k.name: ranks[k.name][round(share * (len(k.values) - 1))] for k in ordered}
        return {**first, **along}

    diagonal = [at(step / max(1, steps - 1)) for step in range(steps)]
    seeds = list(diagonal)
    if ordered:
        fields = {k.name: sum(k.name in found.knobs for found in space.fields) for k in ordered}
        main = max(ordered, key=lambda knob: fields[knob.name])
        seeds += [{**at(share), main.name: place} for share in (0, 1) for place in ranks[main.name]]
    for knob in space.knobs:
        if not knob.is_ordered:
            seeds += [{**seed, knob.name: place} for place in ranks[knob.name][1:] for seed in diagonal]
    unique = {tuple(seed.items()): seed for seed in seeds}
    return list(unique.values())[:count]


def knob_star(space: Space) -> list[dict[str, int]]:
    """The middle of a space whose free fields are all knobs, and from there every value of every knob by
    itself: what each does on its own."""
    middle = {}
    for knob in space.knobs:
        places = list(range(len(knob.values)))
        if knob.is_ordered:
            places.sort(key=[float(value) for value in knob.values].__getitem__)
        middle[knob.name] = places[len(places) // 2] if knob.is_ordered else 0
    arms = [
        {**middle, knob.name: place}
        for knob in space.knobs
        for place in range(len(knob.values))
        if place != middle[knob.name]
    ]
    return [middle, *arms]
