"""The model's declared outputs against the scores of the workload, input by input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.importers.check.claims import OutputClaim
from bnnsim.importers.check.comparison import NOISE, Comparison
from bnnsim.importers.check.report import MOST_ALLOWED, Distance, OutputCheck, Verdict
from bnnsim.reference.graph import ReferenceGraph, Tensors

Array = npt.NDArray[Any]


class OutputTally:
    """Counts of one output over all chunks.

    ``holds_labels``: it is positions of scores, the best first, and not scores.
    """

    def __init__(self, said: OutputClaim, graph: ReferenceGraph, holds_labels: bool) -> None:
        self._best = _first_of if holds_labels else _highest_of
        self._said = said
        self._before = graph.ancestors(said.output)
        self._reason = said.reason
        self._off: list[Array] = []
        self._flipped: list[Array] = []
        self._wrong: list[Array] = []
        self._worst: list[tuple[float, float, float, float]] = []
        self._largest, self._low, self._high = 0.0, np.inf, -np.inf
        self._equal: int | None = None

    def add(
        self,
        values: Mapping[str, Array],
        tensors: Tensors,
        plain: Tensors,
        comparison: Comparison,
        start: int,
    ) -> None:
        """Compare a chunk whose first input is number ``start``.

        ``tensors``: the reference with the workload's flips, ``plain`` without them.
        """
        claim = self._said.claim
        if claim is None:
            return
        if claim.layer not in values:
            self._reason = f"the workload has no layer '{claim.layer}', which gives it in the model"
            return
        integers = values[claim.layer]
        model = tensors[claim.tensor].astype(np.float64)
        try:
            real = claim.as_layer(model, integers.shape)
            alone = claim.as_layer(plain[claim.tensor].astype(np.float64), integers.shape)
        except ValueError:
            sizes = f"{list(integers.shape[1:])} where the model gives {list(model.shape[1:])}"
            self._reason = f"the workload's scores are of shape {sizes}"
            return
        got = claim.as_real(integers)
        off = np.abs(real - got).reshape(len(got), -1)
        off = np.where(np.isnan(off), np.inf, off)
        self._largest = max(self._largest, float(np.abs(real).max(initial=0)))
        self._low = min(self._low, float(alone.min(initial=np.inf)))
        self._high = max(self._high, float(alone.max(initial=-np.inf)))
        at = off.argmax(axis=1)
        self._off.append(off.max(axis=1))
        flat, mine = real.reshape(len(got), -1), got.reshape(len(got), -1)
        self._worst += [
            (start + i, int(j), float(flat[i, j]), float(mine[i, j])) for i, j in enumerate(at)
        ]
        self._flipped.append(_any_of(comparison.flipped, self._before, len(got)))
        self._wrong.append(_any_of(comparison.wrong, self._before, len(got)))
        if integers.shape[2:] == (1, 1):
            levels = ((alone - claim.offset) / claim.gain).reshape(len(got), -1)
            levels = levels if claim.bound else np.rint(levels)
            best = self._best(levels) == self._best(integers.reshape(len(got), -1))
            self._equal = (self._equal or 0) + int(np.count_nonzero(best))

    def result(self, inputs: int) -> OutputCheck:
        """The verdicts so far, of ``inputs`` inputs."""
        said, claim = self._said, self._said.claim
        if claim is None or self._reason:
            layer, tensor = (claim.layer, claim.tensor) if claim is not None else ("", "")
            every: list[Verdict] = ["wrong"] * inputs
            return OutputCheck(
                said.output, layer, tensor, tuple(every), 0.0, 0.0, 0.0, None, None, self._reason
            )
        allowed = claim.bound + NOISE * self._largest
        span = self._high - self._low
        off = np.concatenate(self._off)
        is_coarse = allowed > MOST_ALLOWED * span and (claim.bound > 0 or span > 0)
        wrong = (off > allowed) | np.concatenate(self._wrong)
        flipped = np.concatenate(self._flipped)
        found: list[Verdict] = []
        for is_wrong, has_flipped in zip(wrong, flipped, strict=True):
            otherwise: Verdict = "undecided" if is_coarse else "flips" if has_flipped else "equal"
            found.append("wrong" if is_wrong else otherwise)
        beyond = np.flatnonzero(off > allowed)
        first = self._worst[int(beyond[0])] if beyond.size else None
        return OutputCheck(
            said.output,
            claim.layer,
            claim.tensor,
            tuple(found),
            float(off.max(initial=0)),
            allowed,
            span,
            first,
            self._equal,
        )


class DistanceTally:
    """How far the workload's scores lie from the model's own, where real weights were rounded."""

    def __init__(self, said: OutputClaim) -> None:
        assert said.claim is not None
        self._output, self._claim = said.output, said.claim
        self._off: list[Array] = []
        self._reals: list[Array] = []
        self._same: int | None = None

    @property
    def layer(self) -> str:
        """The workload's layer of the scores."""
        return self._claim.layer

    def add(self, values: Mapping[str, Array], tensors: Tensors) -> None:
        """A chunk: the workload's integers by layer, and the model's own tensors."""
        claim = self._claim
        integers = values[claim.layer]
        real = claim.as_layer(tensors[claim.tensor].astype(np.float64), integers.shape)
        got = claim.as_real(integers)
        self._off.append(np.abs(real - got).reshape(len(got), -1))
        self._reals.append(real.reshape(len(got), -1))
        if integers.shape[2:] == (1, 1):
            best = self._reals[-1].argmax(axis=1) == integers.reshape(len(got), -1).argmax(axis=1)
            self._same = (self._same or 0) + int(np.count_nonzero(best))

    def result(self) -> Distance:
        off, reals = np.concatenate(self._off), np.concatenate(self._reals)
        span = float(np.ptp(reals))
        return Distance(self._output, float(off.max()), float(off.mean()), span, self._same)


def _highest_of(scores: Array) -> Array:
    """Each row's prediction, where it is scores."""
    return np.asarray(scores.argmax(axis=1))


def _first_of(labels: Array) -> Array:
    """Each row's prediction, where it is labels, the best first."""
    return np.asarray(labels[:, 0])


def _any_of(found: Mapping[str, Array], tensors: set[str], count: int) -> Array:
    """For each input whether one of ``tensors`` has something."""
    result = np.zeros(count, bool)
    for name, each in found.items():
        if name in tensors:
            result |= each
    return result
