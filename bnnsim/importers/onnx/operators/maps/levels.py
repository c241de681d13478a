"""Sums of quantisers of one number: residual binarization's levels, as codes of a workload."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.importers.exact.channel_function import (
    Affine,
    Chain,
    ChannelFunction,
    Stairs,
    Sum,
    Table,
    direction,
    joined,
)
from bnnsim.importers.exact.inversion import least_inputs
from bnnsim.importers.exact.pieces import stairs_of
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.monotone import make_monotone, negated
from bnnsim.spec.value_type import ValueType

_MOST_LEVELS = 4
_MOST_FIRST = 1 << 21
"""The first level's integer that is tried last: then no level misses its worth by more than the noise."""
_NOISE = Fraction(1, 1 << 20)
"""By how much values may miss the levels' sums, of the largest: constants were rounded to float32."""


def sum_of_one(bindings: list[TensorBinding]) -> TensorBinding | None:
    """The sum of functions of one layer's integers as one function; None where no quantiser is among
    them, or they are of several layers."""
    first = bindings[0]
    functions = [one.function for one in bindings]
    quantises = any(one.quantiser_position >= 0 or one.sum_position >= 0 for one in functions)
    same = {(one.base, one.dimensions) for one in bindings}
    if not quantises or len(same) > 1 or any(one.border or one.is_raw for one in bindings):
        return None
    count = max(len(one.function.chains) for one in bindings)
    chains = []
    for c in range(count):
        parts = [one.function.of(c) for one in bindings]
        shared = _shared_steps(parts)
        chains.append((*parts[0][:shared], *_summed([part[shared:] for part in parts])))
    return first.with_function(ChannelFunction(tuple(chains)))


def _summed(parts: list[Chain]) -> Chain:
    """The sum of chains, behind the line that begins the first: batch norms differ between channels, what
    is compared behind them does not."""
    lines = [part[0] if part and isinstance(part[0], Affine) else Affine() for part in parts]
    first = lines[0]
    if first == Affine() or not first.gain:
        return (Sum(tuple(parts)),)
    behind = []
    for part, line in zip(parts, lines, strict=True):
        gain = line.gain / first.gain
        rest = part[1:] if line != Affine() else part
        behind.append(joined((), (Affine(gain, line.offset - gain * first.offset), *rest)))
    return first, Sum(tuple(behind))


def _shared_steps(parts: list[Chain]) -> int:
    """With how many equal steps all begin."""
    shared = 0
    while all(len(part) > shared and part[shared] == parts[0][shared : shared + 1][0] for part in parts):
        shared += 1
    return shared


def without_sums(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """``binding`` with its first sum as stairs of its layer's integers, where these are evenly spaced or
    levels that are worth the same in all channels; else with the sum's terms added up as layers."""
    at = binding.function.sum_position
    chains = binding.function.chains
    heads = ChannelFunction(tuple(chain[: at + 1] for chain in chains)).simplest
    tails = ChannelFunction(tuple(chain[at + 1 :] for chain in chains)).simplest
    key = ("sum", binding.base, heads)
    if key not in state.made:
        found = _as_stairs(state, operator, binding.with_function(heads))
        state.made[key] = found or _added(state, operator, binding, heads, at)
    made: TensorBinding = state.made[key]
    return replace(made, function=made.function.before(tails))


def _added(
    state: Lowering, operator: Operator, binding: TensorBinding, heads: ChannelFunction, at: int
) -> TensorBinding:
    """The sum's terms added up, and which layer has now the tensors that are that sum."""
    terms = []
    first = heads.chains[0][at]
    assert isinstance(first, Sum)
    for i in range(len(first.chains)):
        parts = []
        for *shared, step in heads.chains:
            assert isinstance(step, Sum)
            parts.append((*shared, *step.chains[i]))
        terms.append(binding.with_function(ChannelFunction(tuple(parts))))
    found = state.add(state, operator, terms)
    for tensor, other in state.bindings.items():
        if other.base == binding.base and other.function == heads:
            state.integers.setdefault(tensor, replace(found, dimensions=other.dimensions))
    return replace(found, dimensions=binding.dimensions)


def _as_stairs(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding | None:
    """The sum that ends the function as stairs: a step of quantisation where they are evenly spaced, a
    layer of codes where they are levels; None where they are neither."""
    sums = {chain[-1] for chain in binding.function.chains}
    step = sums.pop()
    assert isinstance(step, Sum)
    found = None if sums else stairs_of(step)
    if found is None:
        return None
    stairs, table = found
    heads = ChannelFunction(tuple((*chain[:-1], stairs) for chain in binding.function.chains))
    base, heads = make_monotone(state, operator, binding.base, heads)
    if any(direction(chain) < 0 for chain in heads.chains):
        base, heads = negated(state, base, heads, [direction(c) < 0 for c in heads.chains])
    thresholds, values = _reached(state, base, heads, stairs, table)
    steps = {b - a for a, b in pairwise(values)}
    if len(steps) == 1:
        return _even(replace(binding, base=base), heads, stairs, table, values)
    levels = _levels_of(values)
    if levels is None:
        return None
    means, unit, offset = levels
    layer = state.draft.append(
        "threshold", [base], state.draft.shape_of(base), -sum(means), sum(means)
    )
    bits = max(means).bit_length()
    layer.activation, layer.means = ValueType("residual", len(means), mean_bits=bits), means
    layer.thresholds = np.broadcast_to(thresholds, (layer.channels, thresholds.shape[1])).copy()
    return replace(
        binding, base=layer.name, function=ChannelFunction().then([Affine(unit, offset)]).simplest
    )


def _reached(
    state: Lowering, base: str, heads: ChannelFunction, stairs: Stairs, table: Table
) -> tuple[Int64s, list[Fraction]]:
    """Thresholds ``(channels or 1, count)`` on the layer's integers, and the values in front of, between
    and behind them: without values that no integer of any channel gives, or only a rounded one."""
    draft = state.draft
    low, high = draft.bounds_of(base)
    count, parity = len(stairs.bounds), draft.parity_of(base)
    rows = [least_inputs(chain, range(1, count + 1), low, high) for chain in heads.chains]
    first = np.array([[low, *row] for row in rows], np.int64)
    ends = np.array([[*row, high + 1] for row in rows], np.int64)
    if parity is not None:
        first = first + (first + parity) % 2  # the first integer of that parity
    kept = np.asarray((first < ends).any(axis=0), bool)
    if draft.is_rounded(base):
        pairs = pairwise(stairs.bounds)
        for i, ((a, _), (b, _)) in enumerate(pairs):
            kept[i + 1] &= a != b  # only at the point itself
    places = np.flatnonzero(kept)
    return np.array(rows, np.int64)[:, places[:-1]], [table.values[i] for i in places]


def _even(
    binding: TensorBinding, heads: ChannelFunction, stairs: Stairs, table: Table, values: list[Fraction]
) -> TensorBinding:
    """Evenly spaced values are a count times a step: any quantiser's."""
    places = [table.values.index(value) for value in values]
    bounds = Stairs(tuple(stairs.bounds[place] for place in places[:-1]))
    chains = tuple((*chain[:-1], bounds) for chain in heads.chains)
    line = Affine(values[1] - values[0], values[0])
    return binding.with_function(ChannelFunction(chains).then([line]))


def _levels_of(values: list[Fraction]) -> tuple[tuple[int, ...], Fraction, Fraction] | None:
    """What each level is worth as an integer, the unit, and what lies in the middle; None where the
    values are no sums of +-levels in their order, up to what float32 rounds."""
    levels = len(values).bit_length() - 1
    if len(values) != 1 << levels or levels > _MOST_LEVELS:
        return None
    offset = (values[0] + values[-1]) / 2
    worths = [(values[-1] - values[-1 - (1 << (levels - 1 - level))]) / 2 for level in range(levels)]
    allowed = _NOISE * max(abs(values[0]), abs(values[-1]))
    if _most_missed(values, worths, offset) > allowed:
        return None
    found = _narrowest(values, worths, offset, allowed)
    return None if found is None else (*found, offset)


def _most_missed(values: list[Fraction], worths: list[Fraction], offset: Fraction) -> Fraction:
    """By how much the values miss the sums of +-levels at most."""
    missed = Fraction(0)
    for rank, value in enumerate(values):
        signs = (1 if rank >> level & 1 else -1 for level in reversed(range(len(worths))))
        found = offset + sum(sign * worth for sign, worth in zip(signs, worths, strict=True))
        missed = max(missed, abs(value - found))
    return missed


def _narrowest(
    values: list[Fraction], worths: list[Fraction], offset: Fraction, allowed: Fraction
) -> tuple[tuple[int, ...], Fraction] | None:
    """The least integers in the ratio of the levels' worths, and the unit, with which no value misses
    the levels' sums by more than ``allowed``: a ratio of two float32 is one of few bits, up to their
    rounding."""
    first = np.arange(1, _MOST_FIRST + 1)
    ratios = np.array([float(worth / worths[0]) for worth in worths])
    missed = sum(np.abs(np.rint(ratio * first) / first - ratio) for ratio in ratios)
    for mean in first[missed <= 2 * float(allowed / worths[0])].tolist():
        unit = worths[0] / mean
        means = tuple(round(worth / unit) for worth in worths)
        if min(means) > 0 and _most_missed(values, [unit * one for one in means], offset) <= allowed:
            return means, unit
    return None
