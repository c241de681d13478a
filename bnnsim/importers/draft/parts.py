"""A layer's channels as those of layers that stand beside each other in front of it.

Joined sums are worth differently much where a real layer and a binary one are joined, as in dense
networks; what is right for all of them has to be found for each part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bnnsim.importers.draft.draft import INPUT, LayerDraft, NetworkDraft


@dataclass(frozen=True)
class ChannelPart:
    """Channels ``first`` up to ``end`` of a layer: those of ``sources``, through max pools like
    ``pools``, the first of them nearest to the sources."""

    sources: tuple[str, ...]
    first: int
    end: int
    pools: tuple[LayerDraft, ...] = ()


Fits = Callable[[ChannelPart], bool]


def parts_of(draft: NetworkDraft, base: str, fits: Fits) -> list[ChannelPart]:
    """The channels of ``base`` in as few parts as ``fits`` allows; a part that does not may be left.

    Concats are looked through, and max pools.
    """
    merged: list[ChannelPart] = []
    for part in _parted(draft, ChannelPart((base,), 0, draft.shape_of(base)[0]), fits):
        if merged and merged[-1].pools == part.pools:
            both = replace(merged[-1], sources=(*merged[-1].sources, *part.sources), end=part.end)
            if fits(both):
                merged[-1] = both
                continue
        merged.append(part)
    return merged


def _parted(draft: NetworkDraft, part: ChannelPart, fits: Fits) -> list[ChannelPart]:
    (base,) = part.sources
    layer = draft.layers.get(base)
    if base == INPUT or layer is None or fits(part):
        return [part]
    if layer.kind == "max_pool":
        pools = (layer, *part.pools)
        inner = _parted(draft, replace(part, sources=(layer.inputs[0],), pools=pools), fits)
        return inner if len(inner) > 1 else [part]
    if layer.kind != "concat":
        return [part]
    found, at = [], part.first
    for source in layer.inputs:
        end = at + draft.shape_of(source)[0]
        found += _parted(draft, replace(part, sources=(source,), first=at, end=end), fits)
        at = end
    return found


def append_part(draft: NetworkDraft, part: ChannelPart) -> str:
    """The layer that puts out the channels of ``part`` alone.

    Each of its sources is joined as soon as it is there: streams that wait for a last one need room.
    """
    name = part.sources[0]
    for source in part.sources[1:]:
        join = append_join(draft, (name, source))
        draft.put_behind(source, join)
        name = join.name
    for pool in part.pools:
        low, high = draft.bounds_of(name)
        layer = draft.append("max_pool", [name], (part.end - part.first, *pool.shape[1:]), low, high)
        layer.options = dict(pool.options)
        name = layer.name
    return name


def append_join(draft: NetworkDraft, sources: tuple[str, ...]) -> LayerDraft:
    """The channels of ``sources`` side by side."""
    shapes = [draft.shape_of(source) for source in sources]
    bounds = [draft.bounds_of(source) for source in sources]
    shape = (sum(one[0] for one in shapes), *shapes[0][1:])
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    return draft.append("concat", sources, shape, low, high)
