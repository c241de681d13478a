"""Layers and outputs held against the reference while it runs, input by input.

The reference goes on with the workload's own bits where a bit differs and its real number lies next
to the step (a flip): what comes behind is then compared as if both had agreed, and a second fault
cannot hide behind the first flip. A bit that differs anywhere else is a fault and is left as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.importers.check.claims import Claim
from bnnsim.importers.check.report import Flips, LayerCheck, Place
from bnnsim.reference.graph import ReferenceGraph, Step, Tensors

Array = npt.NDArray[Any]
NOISE = 2.0**-20
"""A few of float32's last bits, relative to the largest number of a tensor: models are trained, and
constants rounded, in float32."""
_HALVINGS = 24


@dataclass
class LayerTally:
    """Counts of one layer over all chunks."""

    claim: Claim
    sources: Sequence[Claim]
    """Claims of the fixed-point layers that its quantiser reads."""
    reads_zero_as_plus: bool = False
    """Whether the import says that a plain Sign of 0 counts as +1 here."""
    elements: int = 0
    differing: int = 0
    worst: float = 0.0
    allowed: float = 0.0
    first: tuple[int, int, int, int, int, int] | None = None
    flips: Flips = field(default_factory=Flips)

    def result(self) -> LayerCheck:
        return LayerCheck(
            self.claim.layer,
            self.claim.tensor,
            self.elements,
            self.allowed,
            self.differing,
            self.worst,
            self.first,
            self.flips,
        )


class Comparison:
    """One chunk of inputs: call it as the reference's visitor.

    ``values``: the workload's integers by layer; ``start``: the number of the chunk's first input;
    ``anchors``: layers behind which the reference goes on with the workload's values, as far as they are
    within their bound.
    ``flipped`` and ``wrong`` say afterwards for each input in which tensors it differed.
    """

    def __init__(
        self,
        graph: ReferenceGraph,
        tallies: Mapping[str, LayerTally],
        values: Mapping[str, Array],
        start: int,
        anchors: Collection[str] = (),
    ) -> None:
        self._graph, self._values, self._start = graph, values, start
        self._anchors = frozenset(anchors)
        self._by_tensor: dict[str, list[LayerTally]] = {}
        for tally in tallies.values():
            self._by_tensor.setdefault(tally.claim.tensor, []).append(tally)
        self.flipped: dict[str, Array] = {}
        self.wrong: dict[str, Array] = {}

    def __call__(self, name: str, tensors: Tensors) -> None:
        for tally in self._by_tensor.get(name, ()):
            self._compare(tally, tensors)

    def _compare(self, tally: LayerTally, tensors: Tensors) -> None:
        claim, name = tally.claim, tally.claim.tensor
        integers = self._values[claim.layer]
        model = tensors[name].astype(np.float64)
        try:
            wanted = claim.as_tensor(claim.as_real(integers), model.shape)
        except ValueError:
            self._misshapen(tally, integers, model)
            return
        largest = max(np.abs(model).max(initial=0), np.abs(wanted).max(initial=0))
        allowed = claim.bound + NOISE * float(largest)
        off = np.abs(model - wanted)
        differs = ~(off <= allowed)
        tally.elements += off.size
        tally.allowed = max(tally.allowed, allowed)
        if not claim.bound and differs.any():
            flips, zeros = self._excused(tally, tensors, wanted, differs)
            if flips.any():
                self.flipped[name] = _any_of_each(flips)
            tensors[name] = np.where(flips | zeros, wanted, tensors[name])
            differs &= ~(flips | zeros)
        elif claim.layer in self._anchors:
            tensors[name] = np.where(differs, tensors[name], wanted)
        tally.differing += int(np.count_nonzero(differs))
        tally.worst = max(
            tally.worst,
            float(off[differs].max(initial=0)),
            float(off[off <= allowed].max(initial=0)),
        )
        if differs.any():
            self.wrong[name] = _any_of_each(differs)
            if tally.first is None:
                place = self._place(claim, differs, integers.shape)
                where = (place[0] - self._start, *place[1:])
                real = claim.as_layer(model, integers.shape)
                levels = (real - claim.offset) / claim.gain
                expected = int(np.clip(np.nan_to_num(np.rint(levels[where])), -(2**62), 2**62))
                tally.first = (*place, expected, int(integers[where]))

    def _misshapen(self, tally: LayerTally, integers: Array, model: Array) -> None:
        """A layer whose numbers are not as many as the model's: all of them differ."""
        tally.elements += integers.size
        tally.differing += integers.size
        self.wrong[tally.claim.tensor] = np.ones(len(integers), bool)
        tally.worst = max(tally.worst, float(np.abs(model).max(initial=0)))
        if tally.first is None:
            tally.first = (self._start, 0, 0, 0, 0, int(integers[0].reshape(-1)[0]))

    def _place(self, claim: Claim, found: Array, shape: tuple[int, ...]) -> Place:
        where = np.argwhere(claim.as_layer(found, shape))[0]
        frame, channel, row, column = (int(i) for i in where)
        return self._start + frame, channel, row, column

    def _excused(
        self, tally: LayerTally, tensors: Tensors, wanted: Array, differs: Array
    ) -> tuple[Array, Array]:
        """Which of the differing elements are flips, and which zeros read as +1; they are counted."""
        name, graph = tally.claim.tensor, self._graph
        excused, zeros = np.zeros(differs.shape, bool), np.zeros(differs.shape, bool)
        for claim in tally.sources:
            if claim.tensor not in tensors:  # another model's: here it comes later, and explains nothing
                continue
            reach = claim.bound + NOISE * float(np.abs(tensors[claim.tensor]).max(initial=0))
            rest = differs & ~excused
            excused |= self._within(tally, tensors, claim.tensor, reach, wanted, rest)
        source = graph.source_of_values(name)
        steps = graph.between(source, name)
        if tally.reads_zero_as_plus:
            zeros = differs & ~excused & _plain_zeros(graph, steps, tensors, name, wanted)
            count = tally.flips.zeros + int(np.count_nonzero(zeros))
            tally.flips = replace(tally.flips, zeros=count)
        rest = differs & ~excused & ~zeros
        if rest.any():
            rest &= ~_on_steps(steps, tensors, rest.shape)
        reach = NOISE * float(np.abs(tensors[source]).max(initial=0))
        return excused | self._within(tally, tensors, source, reach, wanted, rest), zeros

    def _within(
        self,
        tally: LayerTally,
        tensors: Tensors,
        source: str,
        reach: float,
        wanted: Array,
        asked: Array,
    ) -> Array:
        """Which of the ``asked`` elements an input of the quantiser within ``reach`` would give."""
        name, graph = tally.claim.tensor, self._graph
        steps = graph.between(source, name)
        if not asked.any() or not steps or not all(step.keeps_distance for step in steps):
            return np.zeros(asked.shape, bool)
        real = tensors[source].astype(np.float64)

        def reached(distance: float) -> Array:
            ends = [
                graph.again(steps, source, real + d, tensors)[name].astype(np.float64)
                for d in (-distance, distance)
            ]
            low, high = np.minimum(*ends), np.maximum(*ends)
            slack = NOISE * np.abs(wanted)
            return np.asarray((low - slack <= wanted) & (wanted <= high + slack))

        found = asked & reached(reach)
        if not found.any():
            return found
        near, far = 0.0, reach
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            near, far = (near, middle) if reached(middle)[found].all() else (middle, far)
        kept = tally.flips
        first = kept.first or self._place(tally.claim, found, self._values[tally.claim.layer].shape)
        tally.flips = Flips(
            kept.count + int(np.count_nonzero(found)),
            kept.zeros,
            max(kept.farthest, far),
            max(kept.bound, reach),
            first,
        )
        return found


def _carried(steps: Sequence[Step], found: Array, tensors: Tensors) -> Array:
    """Where the elements ``found`` of a tensor lie behind ``steps`` that keep elements."""
    for step in steps:
        if not step.is_elementwise:
            others = [tensors[name] for name in step.inputs[1:]]
            found = np.asarray(step.function([found.astype(np.float64), *others])[0]) > 0
    return found


def _on_steps(steps: Sequence[Step], tensors: Tensors, shape: tuple[int, ...]) -> Array:
    """Where an input of a quantiser among ``steps`` lies exactly on its step."""
    found = np.zeros(shape, bool)
    for i, step in enumerate(steps):
        if step.is_on_step is not None:
            on_step = step.is_on_step([tensors[name] for name in step.inputs])
            found |= np.broadcast_to(_carried(steps[i + 1 :], on_step, tensors), shape)
    return found


def _plain_zeros(
    graph: ReferenceGraph, steps: Sequence[Step], tensors: Tensors, name: str, wanted: Array
) -> Array:
    """Where a plain Sign read exactly 0, and +1 in its place gives what the workload has."""
    found = np.zeros(wanted.shape, bool)
    for i, step in enumerate(steps):
        if step.kind != "Sign" or step.is_on_step is None:
            continue
        zero = step.is_on_step([tensors[one] for one in step.inputs])
        if zero.any():
            replaced = np.where(zero, 1.0, np.sign(tensors[step.inputs[0]]))
            changed = graph.again(steps[i + 1 :], step.outputs[0], replaced, tensors)
            found |= _carried(steps[i + 1 :], zero, tensors) & (changed[name] == wanted)
    return found


def _any_of_each(found: Array) -> Array:
    """For each input whether any of its elements is true."""
    return np.asarray(found.reshape(len(found), -1).any(axis=1))
