"""The cheapest folding within budgets: a knapsack over all layers and the joints between them.

Layers are taken in the network's order. What later layers see of the earlier ones is how many lanes the
streams have that are still unread; for each such state the partial sums are kept that no other undercuts
in what counts (the objective and every resource that could run out). So on chains, and on any graph
where nothing is cut, the result is exact: nothing else fits, or is cheaper. The joints make it more than
a knapsack of layers: two layers that do not share a width pay for a converter.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Floats, Int64s
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.parts import total
from bnnsim.cost.blocks.platform import pipeline_platform
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.cost.power import power_of_amounts
from bnnsim.design.network.network import INPUT
from bnnsim.design.streaming.layout import SINK
from bnnsim.search.fold.finn_rule import finn_luts, slides
from bnnsim.search.fold.labels import undominated
from bnnsim.search.fold.options import OTHER_SINK, FoldOption, Item, OptionTable

MOST_LABELS = 400
MOST_LABELS_DEEP = 60
DEEP_LAYERS = 40
"""Partial sums that are kept of a state, fewer in deep networks and where watts count besides."""
FINN_LUTS = "finn_luts"
"""The figure that bounds FINN's own estimate (:mod:`bnnsim.search.fold.finn_rule`)."""
State = tuple[tuple[str, int], ...]
"""The lanes of each layer whose stream is not read by all its readers yet."""


@dataclass(frozen=True)
class Choice:
    """A folding: an option for each layer, and what it takes by resource, FIFOs of two words."""

    options: Mapping[str, FoldOption]
    amounts: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """The ``choice`` that is cheapest, or None; ``is_exact`` where nothing was left out.

    ``least`` says for each resource the least that any folding takes of it, all others aside.
    """

    choice: Choice | None
    is_exact: bool
    least: Mapping[str, float]


def cheapest_folding(
    table: OptionTable, cycles: int, budget: Mapping[str, float], objective: str
) -> Outcome:
    """The cheapest folding whose units need at most ``cycles`` a frame within the ``budget``.

    ``objective`` is a resource or ``power``.
    """
    found = _Knapsack(table, cycles, budget, objective).solve(every_figure=False)
    if found.choice is None:
        return _Knapsack(table, cycles, budget, objective).solve(every_figure=True)
    return found


@dataclass(frozen=True)
class _Added:
    """Options of a layer with ``lanes_out``: their positions, and what each takes (a row each)."""

    lanes_out: int
    places: Int64s
    amounts: Floats


class _Knapsack:
    def __init__(
        self, table: OptionTable, cycles: int, budget: Mapping[str, float], objective: str
    ) -> None:
        self.table = table
        self.cycles = cycles
        self.figures = [objective, *(name for name in budget if name != objective)]
        self.room = np.array([budget.get(name, np.inf) for name in self.figures])
        self.within = {name: table.within(name, cycles) for name in table.options}
        self._vectors: dict[tuple[str, int], Floats] = {}
        self._joints: dict[tuple[str, int, str, int], Floats | None] = {}
        self._per_busy: dict[Item, float] = {}
        self._grouped: dict[tuple[str, tuple[int, ...]], list[_Added]] = {}

    def solve(self, every_figure: bool) -> Outcome:
        network = self.table.network
        names = [INPUT, *network.nodes]
        least = {name: self._least(name) for name in names}
        start = self._platform()
        rest = np.sum(list(least.values()), axis=0)
        floor = dict(zip(self.figures, start + rest, strict=True))
        if any(not self.within[name] for name in names) or np.any(start + rest > self.room):
            return Outcome(None, True, floor)
        counted = self._counted(start, every_figure)
        is_large = len(names) > DEEP_LAYERS or "power" in self.figures or FINN_LUTS in self.figures
        most = MOST_LABELS_DEEP if is_large else MOST_LABELS
        readers = {n: len(network.consumers[n]) for n in names}
        states: dict[State, Floats] = {(): start[None, :]}
        steps: list[dict[State, list[tuple[State, int, int]]]] = []
        is_cut = False
        for name in names:
            rest = rest - least[name]
            inputs = () if name == INPUT else network.nodes[name].inputs
            for source in inputs:
                readers[source] -= 1
            closed = {source for source in inputs if not readers[source]}
            reached: dict[State, list[tuple[State, Int64s, Floats]]] = {}
            for state, labels in states.items():
                for one in self._additions(name, inputs, dict(state)):
                    kept = [(n, count) for n, count in state if n not in closed]
                    if readers[name]:
                        kept.append((name, one.lanes_out))
                    sums = (one.amounts[:, None] + labels[None]).reshape(-1, labels.shape[1])
                    reached.setdefault(tuple(kept), []).append((state, one.places, sums))
            states, step = {}, {}
            for after, parts in reached.items():
                values = np.concatenate([part[2] for part in parts])
                fits = np.flatnonzero(np.all(values + rest <= self.room, axis=1))
                if not len(fits):
                    continue
                rows, cut = undominated(values[fits][:, counted], most)
                is_cut |= cut
                rows = fits[rows]
                states[after] = values[rows]
                sizes = np.cumsum([len(part[2]) for part in parts])
                owners = np.searchsorted(sizes, rows, side="right")
                offsets = rows - np.concatenate([[0], sizes])[owners]
                step[after] = [
                    _origin(parts[owner], int(offset))
                    for owner, offset in zip(owners, offsets, strict=True)
                ]
            steps.append(step)
            if not states:
                return Outcome(None, not is_cut and every_figure, floor)
        return Outcome(self._best(names, states, steps), not is_cut, floor)

    def _best(
        self,
        names: Sequence[str],
        states: Mapping[State, Floats],
        steps: list[dict[State, list[tuple[State, int, int]]]],
    ) -> Choice:
        state = min(states, key=lambda s: tuple(states[s][np.lexsort(states[s].T[::-1])[0]]))
        label = int(np.lexsort(states[state].T[::-1])[0])
        amounts = dict(zip(self.figures, states[state][label].tolist(), strict=True))
        chosen: dict[str, FoldOption] = {}
        for name, step in zip(reversed(names), reversed(steps), strict=True):
            state, place, label = step[state][label]
            chosen[name] = self.within[name][place]
        return Choice({name: chosen[name] for name in names}, amounts)

    def _counted(self, start: Floats, every_figure: bool) -> list[int]:
        """The figures that decide between partial sums: the objective, and those that could run out.

        At first only logic and block memory beside it; what else runs out is looked at if nothing fits.
        """
        most = start + sum(self._most(name) for name in self.within)
        tight = [i for i in range(1, len(self.figures)) if most[i] > self.room[i]]
        main = ("lut", "bram18", "alm", "m20k", FINN_LUTS)
        if not every_figure:
            tight = [i for i in tight if self.figures[i] in main]
        return [0, *tight]

    # ---- what is added ----------------------------------------------------------------------

    def _additions(
        self, name: str, inputs: Sequence[str], lanes: Mapping[str, int]
    ) -> list[_Added]:
        """What a layer may add behind inputs of so many ``lanes``, for each number of its own lanes.

        An option that another with the same lanes undercuts in every figure is left out.
        """
        key = (name, tuple(lanes[source] for source in inputs))
        if key not in self._grouped:
            groups: dict[int, list[tuple[int, Floats]]] = {}
            for place, option in enumerate(self.within[name]):
                added = self._added(name, inputs, lanes, option)
                if added is not None:
                    groups.setdefault(option.lanes_out, []).append((place, added))
            found = []
            for lanes_out, entries in groups.items():
                places = np.array([place for place, _ in entries], np.int64)
                amounts = np.array([added for _, added in entries])
                rows = np.sort(undominated(amounts, len(entries))[0])
                found.append(_Added(lanes_out, places[rows], amounts[rows]))
            self._grouped[key] = found
        return self._grouped[key]

    def _added(
        self, name: str, inputs: Sequence[str], lanes: Mapping[str, int], option: FoldOption
    ) -> Floats | None:
        found = self._vector(name, option)
        for source, lanes_in in zip(inputs, option.lanes_in, strict=True):
            first = self.table.network.consumers[INPUT][:1]
            is_flat = source == INPUT and self.table.network.input.pixels == 1
            if is_flat and first and first[0][0] == name and lanes[source] != lanes_in:
                return None  # the source's words are those of its first reader
            joint = self._joint(source, lanes[source], name, lanes_in)
            if joint is None:
                return None
            found = found + joint
        for place, output in enumerate(self.table.network.outputs):
            if output != name:
                continue
            joint = self._joint(name, option.lanes_out, OTHER_SINK if place else SINK, 0)
            assert joint is not None
            found = found + joint
        return found

    def _joint(self, writer: str, lanes_out: int, reader: str, lanes_in: int) -> Floats | None:
        key = (writer, lanes_out, reader, lanes_in)
        if key not in self._joints:
            joint = self.table.joint(*key)
            joins = joint.items is not None and joint.cycles <= self.cycles
            self._joints[key] = self._sum(joint.items or ()) if joins else None
        return self._joints[key]

    def _vector(self, name: str, option: FoldOption) -> Floats:
        key = (name if FINN_LUTS in self.figures else "", id(option))
        if key not in self._vectors:
            found = self._sum(option.items)
            if FINN_LUTS in self.figures:
                found[self.figures.index(FINN_LUTS)] = self._finn_luts(name, option)
            self._vectors[key] = found
        return self._vectors[key]

    def _finn_luts(self, name: str, option: FoldOption) -> float:
        node, hardware = self.table.network.nodes.get(name), option.hardware
        if node is None or hardware is None or not (hardware.pe and hardware.simd):
            return 0.0
        lanes = option.lanes_in[0] if slides(node) else 0
        in_luts = hardware.weights == "lutram"
        return float(finn_luts(node, hardware.pe, hardware.simd, lanes, in_luts))

    def _sum(self, items: Sequence[Item]) -> Floats:
        return np.array(
            [
                sum(self._power(item) for item in items)
                if name == "power"
                else 0.0
                if name == FINN_LUTS
                else sum(getattr(amounts, name) for amounts, _ in items)
                for name in self.figures
            ],
            float,
        )

    def _power(self, item: Item) -> float:
        if item not in self._per_busy:
            amounts, busy = item
            share = min(1.0, busy / self.cycles)
            request = self.table.request
            power = power_of_amounts(amounts, request.device, request.clock_mhz, share)
            self._per_busy[item] = power.dynamic_w
        return self._per_busy[item]

    def _least(self, name: str) -> Floats:
        vectors = [self._vector(name, option) for option in self.within[name]]
        return np.min(vectors, axis=0) if vectors else np.zeros(len(self.figures))

    def _most(self, name: str) -> Floats:
        """The most that a layer and what joins it to its inputs may take."""
        options = self.within[name]
        most: Floats = np.max([self._vector(name, option) for option in options], axis=0)
        node = self.table.network.nodes.get(name)
        for place, source in enumerate(node.inputs if node else ()):
            pairs = itertools.product(
                {option.lanes_out for option in self.within[source]},
                {option.lanes_in[place] for option in options},
            )
            joints = [self._joint(source, out, name, lanes) for out, lanes in pairs]
            most = most + np.max([j for j in joints if j is not None] or [0 * most], axis=0)
        for output in self.table.network.outputs:
            if output == name:
                ends = [self._joint(name, o.lanes_out, OTHER_SINK, 0) for o in options]
                most = most + np.max([end for end in ends if end is not None], axis=0)
        return most

    def _platform(self) -> Floats:
        device = self.table.request.device
        tech = technology_of(device, default_coefficients())
        amounts = total(pipeline_platform(tech, device, "auto", False)).rounded(tech)
        return self._sum([(amounts, self.cycles)])


def _origin(part: tuple[State, Int64s, Floats], offset: int) -> tuple[State, int, int]:
    """The state, the option and the partial sum that a row of a part's sums comes from."""
    state, places, sums = part
    place, label = divmod(offset, len(sums) // len(places))
    return state, int(places[place]), label
