"""A draft in canonical form: thresholds in the layers whose sums they read, pools on bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bnnsim.importers.draft.draft import INPUT, LayerDraft, NetworkDraft, weight_type

Signs = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass
class Replacements:
    """``successors``: which layer now puts out what a dropped one did; ``changed``: layers whose own
    output is no longer what it was; ``turned``: by layer the signs ``(channels,)`` by which alone it
    differs, unless it is changed too."""

    successors: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    turned: dict[str, Signs] = field(default_factory=dict)

    def holder(self, name: str) -> str | None:
        """The layer that puts out what ``name`` did in the draft, None where nothing does."""
        if name in self.successors:
            return self.successors[name]
        return None if name in self.changed else name


def canonicalise(draft: NetworkDraft) -> Replacements:
    """Bring a draft, in place, into the form of a workload; returns where its layers have gone."""
    done = Replacements()
    draft.drop_unread()
    _absorb_negations(draft, done)
    for step in (_fuse_threshold, _move_threshold_before_pool, _make_majority, _make_levels_of_sums):
        _until_stable(draft, step, done)
    _sum_up_levels(draft)
    return done


def _until_stable(
    draft: NetworkDraft,
    step: Callable[[NetworkDraft, LayerDraft, Replacements], bool],
    done: Replacements,
) -> None:
    """Passes over all layers until one changes none; a pass for each change would be their square."""
    is_stable = False
    while not is_stable:
        is_stable = True
        for layer in list(draft.layers.values()):
            if draft.layers.get(layer.name) is layer and step(draft, layer, done):
                is_stable = False


def _take_over(draft: NetworkDraft, old: LayerDraft, new: str, done: Replacements) -> None:
    """``old`` is dropped, and layer ``new``, which puts out something else by now, stands for it."""
    _drop(draft, old, new, done)
    done.changed.add(new)


def _drop(draft: NetworkDraft, old: LayerDraft, new: str, done: Replacements) -> None:
    del draft.layers[old.name]
    draft.rewire(old.name, new)
    for name, successor in done.successors.items():
        if successor == old.name:
            done.successors[name] = new
    done.successors[old.name] = new


def _is_only_reader(draft: NetworkDraft, name: str) -> bool:
    return name != INPUT and name not in draft.outputs and len(draft.readers(name)) == 1


def _absorb_negations(draft: NetworkDraft, done: Replacements) -> None:
    """A negation flips the rows of the weights that it reads; elsewhere it stays, as +-1 weights."""
    for layer in list(draft.layers.values()):
        if layer.kind != "negate":
            continue
        assert layer.signs is not None
        source = draft.layers.get(layer.inputs[0])
        if source is not None and source.is_weighted and _others_scale(draft, source, layer):
            assert source.weights is not None
            signs = layer.signs.reshape(-1, *[1] * (source.weights.ndim - 1))
            source.weights = source.weights * signs
            for reader in draft.readers(source.name):
                if reader is not layer:
                    reader.arrays["scale"] = reader.arrays["scale"] * layer.signs
            source.low, source.high = layer.low, layer.high
            done.turned[source.name] = layer.signs
            _drop(draft, layer, source.name, done)
        elif source is not None and source.kind == "sum_pool" and _is_only_reader(draft, source.name):
            _as_signed_sums(source, layer.signs)
            source.low, source.high = layer.low, layer.high
            _take_over(draft, layer, source.name, done)
        else:
            _as_depthwise(layer, layer.signs)


def _others_scale(draft: NetworkDraft, source: LayerDraft, negation: LayerDraft) -> bool:
    """Whether whatever else reads ``source`` multiplies it, so that its sign can be turned there."""
    if source.name in draft.outputs:
        return False
    others = [reader for reader in draft.readers(source.name) if reader is not negation]
    return all(reader.kind == "affine" for reader in others)


def _as_signed_sums(pool: LayerDraft, signs: Signs) -> None:
    """A sum whose channels may be turned around is a convolution of each by itself."""
    pool.kind = "conv"
    pool.weights = np.broadcast_to(
        signs.reshape(-1, 1, 1, 1), (pool.channels, 1, *pool.options["kernel"])
    ).copy()
    pool.options = {**pool.options, "groups": pool.channels, "pad_value": 0}


def _as_depthwise(layer: LayerDraft, signs: Signs) -> None:
    layer.kind = "conv"
    layer.weights = signs.reshape(-1, 1, 1, 1)
    layer.options = {"kernel": (1, 1), "groups": layer.channels}


def _fuse_threshold(draft: NetworkDraft, layer: LayerDraft, done: Replacements) -> bool:
    """Thresholds become the activation of the only layer whose sums they read."""
    if layer.kind != "threshold":
        return False
    source = draft.layers.get(layer.inputs[0])
    is_sum = source is not None and source.is_weighted and source.activation is None
    if source is None or not is_sum or not _is_only_reader(draft, source.name):
        # Bits have no thresholds of their own: they pass through weights of +1.
        value_type = draft.type_of(layer.inputs[0])
        if value_type is not None and value_type.is_bipolar:
            _as_depthwise(layer, np.ones(layer.channels, np.int64))
            return True
        return False
    _move_activation(layer, source)
    _take_over(draft, layer, source.name, done)
    return True


def _move_activation(layer: LayerDraft, source: LayerDraft) -> None:
    """Thresholds, and what they make, into the layer whose sums they read."""
    source.thresholds, source.activation = layer.thresholds, layer.activation
    source.means, source.low, source.high = layer.means, layer.low, layer.high


def _make_levels_of_sums(draft: NetworkDraft, layer: LayerDraft, done: Replacements) -> bool:
    """Thresholds read no codes of levels, and levels come out of no thresholds alone: weights of +1 do
    both."""
    if layer.kind != "threshold" or not (layer.means or draft.means_of(layer.inputs[0])):
        return False
    _as_depthwise(layer, np.ones(layer.channels, np.int64))
    return True


def _sum_up_levels(draft: NetworkDraft) -> None:
    """Whoever reads codes of levels, and does not know what these are worth, reads their sum instead: a
    convolution of each channel by itself with a weight of +1."""
    for name in [one for one in draft.layers if draft.means_of(one)]:
        others = [reader for reader in draft.readers(name) if not _reads_levels(reader)]
        if not others and name not in draft.outputs:
            continue
        source = draft.layers[name]
        layer = draft.append("conv", [name], source.shape, source.low, source.high)
        draft.put_behind(name, layer)
        _as_depthwise(layer, np.ones(layer.channels, np.int64))
        for reader in others:
            reader.inputs = [layer.name if one == name else one for one in reader.inputs]
        draft.outputs = [layer.name if one == name else one for one in draft.outputs]


def _reads_levels(layer: LayerDraft) -> bool:
    if layer.weights is not None:
        return weight_type(layer.weights).is_bipolar
    return layer.kind == "max_pool"


def _move_threshold_before_pool(draft: NetworkDraft, layer: LayerDraft, done: Replacements) -> bool:
    """A rising function commutes with the maximum: threshold first, then pool bits instead of sums."""
    pool = draft.layers.get(layer.inputs[0])
    if layer.kind != "threshold" or pool is None or pool.kind != "max_pool":
        return False
    source = draft.layers.get(pool.inputs[0])
    is_sum = source is not None and source.is_weighted and source.activation is None
    if source is None or not is_sum:
        return False
    if not (_is_only_reader(draft, pool.name) and _is_only_reader(draft, source.name)):
        return False
    _move_activation(layer, source)
    pool.low, pool.high = layer.low, layer.high
    done.changed.add(source.name)
    _take_over(draft, layer, pool.name, done)
    return True


def _make_majority(draft: NetworkDraft, layer: LayerDraft, done: Replacements) -> bool:
    """Thresholds that only ask each channel which bit prevails in a window."""
    pool = draft.layers.get(layer.inputs[0])
    if layer.kind != "threshold" or pool is None or pool.kind != "sum_pool":
        return False
    given = draft.type_of(pool.inputs[0])
    is_of_bits = given is not None and given.is_bipolar and not pool.options.get("pad")
    is_sign = layer.activation is not None and layer.activation.is_bipolar
    if not (is_of_bits and is_sign and _is_only_reader(draft, pool.name)):
        return False
    compare = _majority_compare(pool, layer)
    if not compare:
        return False
    pool.kind, pool.activation = "majority", layer.activation
    pool.options = {**pool.options, "compare": compare}
    pool.low, pool.high = layer.low, layer.high
    _take_over(draft, layer, pool.name, done)
    return True


def _majority_compare(pool: LayerDraft, layer: LayerDraft) -> str:
    """``>=`` or ``>`` where all thresholds ask for that; sums have the parity of the window's area."""
    area = pool.options["kernel"][0] * pool.options["kernel"][1]
    thresholds = layer.thresholds
    assert thresholds is not None
    at_least, more_than = ((0, 1), (0, 1)) if area % 2 else ((-1, 0), (1, 2))
    if np.all(np.isin(thresholds, at_least)):
        return ">="
    return ">" if np.all(np.isin(thresholds, more_than)) else ""
