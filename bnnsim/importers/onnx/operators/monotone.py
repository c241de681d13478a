"""Functions that rise and fall, cut into monotone segments: thresholds and pools take no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.importers.exact.channel_function import (
    Affine,
    Chain,
    ChannelFunction,
    Prelu,
    direction,
    extended,
    joined,
)
from bnnsim.importers.onnx.fixed_plan import fixed_plan
from bnnsim.importers.onnx.fixed_point import append_fixed
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering


def make_monotone(
    state: Lowering, operator: Operator, base: str, function: ChannelFunction
) -> tuple[str, ChannelFunction]:
    """``function`` on the integers of layer ``base``, as one that in each channel only rises or falls.

    Where a PReLU has a negative slope, the chains up to it become fixed-point layers of the user's
    word. Raises :class:`InputError` where channels have kinks of different kinds.
    """
    while any(direction(chain) == 0 for chain in function.chains):
        channels = state.draft.shape_of(base)[0]
        pairs = [_at_first_prelu(function.of(c)) for c in range(channels)]
        heads = ChannelFunction(tuple(head for head, _ in pairs)).simplest
        key = ("monotone", base, heads)
        if key not in state.made:
            plan = fixed_plan(operator, [heads.of(c) for c in range(channels)])
            found = append_fixed(state.draft, base, state.word, plan)
            state.notes.append(found.note)
            state.made[key] = found.base, found.offsets
        made, offsets = state.made[key]
        unit = Fraction(1, 1 << state.word.fraction_bits)
        rounded = ChannelFunction(tuple(extended((), Affine(unit, offset)) for offset in offsets))
        _say_rounded(state, base, heads, made, rounded)
        base = made
        chains = (
            joined(extended((), Affine(unit, offset)), tail, merges_signs=False)
            for offset, (_, tail) in zip(offsets, pairs, strict=True)
        )
        function = ChannelFunction(tuple(chains)).simplest
    return base, function


def negated(
    state: Lowering, base: str, function: ChannelFunction, falling: Sequence[bool]
) -> tuple[str, ChannelFunction]:
    """A layer whose falling channels count the other way, and the function on its integers."""
    draft = state.draft
    channels = draft.shape_of(base)[0]
    flips = [falling[0 if len(falling) == 1 else c] for c in range(channels)]
    key = ("negate", base, tuple(flips))
    if key not in state.made:
        low, high = draft.bounds_of(base)
        reach = max(abs(low), abs(high))
        layer = draft.append("negate", [base], draft.shape_of(base), -reach, reach)
        layer.signs = np.where(np.array(flips), -1, 1).astype(np.int64)
        state.made[key] = layer.name
    chains = []
    count = 1 if len(falling) == 1 and function.is_shared else channels
    for c in range(count):
        chain = function.of(c)
        if flips[c]:
            chain = joined((Affine(Fraction(-1)),), chain, merges_signs=False)
        chains.append(chain)
    return state.made[key], ChannelFunction(tuple(chains))


def _say_rounded(
    state: Lowering, base: str, heads: ChannelFunction, made: str, rounded: ChannelFunction
) -> None:
    """The tensor that is ``heads`` of layer ``base`` is now, for whoever checks, layer ``made``'s."""
    for tensor, binding in state.bindings.items():
        if binding.base == base and binding.function.simplest == heads:
            state.integers.setdefault(tensor, replace(binding, base=made, function=rounded.simplest))


def _at_first_prelu(chain: Chain) -> tuple[Chain, Chain]:
    """Up to and with the first PReLU, and what follows it."""
    first = next(i for i, step in enumerate(chain) if isinstance(step, Prelu))
    return chain[: first + 1], chain[first + 1 :]
