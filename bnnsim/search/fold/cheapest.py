"""The cheapest folding within budgets: a knapsack over all layers and the joints between them.

Layers are taken in the network's order. What later layers see of the earlier ones is how many lanes the
streams have that are still unread; for each such state the partial sums are kept that no other undercuts
in what counts (the objective and every resource that could run out). So on chains, and on any graph
where nothing is cut, the result is exact: nothing else fits, or is cheaper. The joints make it more than
a knapsack of layers: two layers that do not share a width pay for a converter. Deep networks are folded
by prices on the resources instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bnnsim.arrays import Floats, Int64s
from bnnsim.design.network.network import INPUT
from bnnsim.search.fold.labels import undominated
from bnnsim.search.fold.layer_costs import FINN_LUTS, LayerCosts
from bnnsim.search.fold.options import FoldOption, OptionTable
from bnnsim.search.fold.priced import MOST_CELLS, PricedNetwork, cheapest_by_prices
from bnnsim.search.fold.priced_layers import priced_network

MOST_LABELS = 400
MOST_LABELS_DEEP = 60
DEEP_LAYERS = 40
"""Partial sums that are kept of a state, fewer where watts or FINN's opinion count besides; networks of
more layers are folded by prices (:mod:`bnnsim.search.fold.priced`)."""
State = tuple[tuple[str, int], ...]
"""The lanes of each layer whose stream is not read by all its readers yet."""


@dataclass(frozen=True)
class Choice:
    """A folding: an option of a ``table`` for each layer, and what it takes by resource, FIFOs of two
    words."""

    table: OptionTable
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
    return _Knapsack(table, cycles, budget, objective).solve()


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
        self.network = table.network
        self.figures = [objective, *(name for name in budget if name != objective)]
        self.room = np.array([budget.get(name, np.inf) for name in self.figures])
        self.costs = LayerCosts(table, cycles, self.figures)
        self._grouped: dict[tuple[str, tuple[int, ...]], list[_Added]] = {}

    def solve(self) -> Outcome:
        names = [INPUT, *self.network.nodes]
        least = {name: self.costs.least(name) for name in names}
        start = self.costs.platform()
        rest = np.sum(list(least.values()), axis=0)
        floor = dict(zip(self.figures, start + rest, strict=True))
        if any(not self.costs.within[name] for name in names) or np.any(start + rest > self.room):
            return Outcome(None, True, floor)
        if len(names) > DEEP_LAYERS:
            priced = priced_network(self.costs, start)
            if priced.most_cells <= MOST_CELLS:
                return self._by_prices(priced, floor)
        found = self._by_sums(names, least, start, every_figure=False)
        if found.choice is None:
            found = self._by_sums(names, least, start, every_figure=True)
        return replace(found, least=floor)

    def _by_prices(self, priced: PricedNetwork, floor: Mapping[str, float]) -> Outcome:
        answer, is_proven = cheapest_by_prices(priced, self.room)
        if answer is None:
            return Outcome(None, is_proven, floor)
        chosen = {
            layer.name: self.costs.within[layer.name][layer.table.places[answer.rows[layer.name]]]
            for layer in priced.layers
        }
        amounts = dict(zip(self.figures, answer.total.tolist(), strict=True))
        return Outcome(Choice(self.costs.table, chosen, amounts), is_proven, floor)

    def _by_sums(
        self, names: Sequence[str], least: Mapping[str, Floats], start: Floats, every_figure: bool
    ) -> Outcome:
        network = self.network
        rest = np.sum(list(least.values()), axis=0)
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
                return Outcome(None, not is_cut and every_figure, {})
        return Outcome(self._best(names, states, steps), not is_cut, {})

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
            chosen[name] = self.costs.within[name][place]
        return Choice(self.costs.table, {name: chosen[name] for name in names}, amounts)

    def _counted(self, start: Floats, every_figure: bool) -> list[int]:
        """The figures that decide between partial sums: the objective, and those that could run out.

        At first only logic and block memory beside it; what else runs out is looked at if nothing fits.
        """
        most = start + sum(self.costs.most(name) for name in self.costs.within)
        tight = [i for i in range(1, len(self.figures)) if most[i] > self.room[i]]
        main = ("lut", "bram18", "alm", "m20k", FINN_LUTS)
        if not every_figure:
            tight = [i for i in tight if self.figures[i] in main]
        return [0, *tight]

    # ---- what is added ----------------------------------------------------------------------

    def _additions(self, name: str, inputs: Sequence[str], lanes: Mapping[str, int]) -> list[_Added]:
        """What a layer may add behind inputs of so many ``lanes``, for each number of its own lanes.

        An option that another with the same lanes undercuts in every figure is left out.
        """
        key = (name, tuple(lanes[source] for source in inputs))
        if key not in self._grouped:
            groups: dict[int, list[tuple[int, Floats]]] = {}
            for place, option in enumerate(self.costs.within[name]):
                joints = self._joints(name, inputs, lanes, option)
                if joints is not None:
                    added = self.costs.rows[name][place] + joints
                    groups.setdefault(option.lanes_out, []).append((place, added))
            found = []
            for lanes_out, entries in groups.items():
                places = np.array([place for place, _ in entries], np.int64)
                amounts = np.array([added for _, added in entries])
                rows = np.sort(undominated(amounts, len(entries))[0])
                found.append(_Added(lanes_out, places[rows], amounts[rows]))
            self._grouped[key] = found
        return self._grouped[key]

    def _joints(
        self, name: str, inputs: Sequence[str], lanes: Mapping[str, int], option: FoldOption
    ) -> Floats | None:
        """What lies around an option's units; None where streams do not join."""
        found = self.costs.ends(name, option.lanes_out)
        for source, lanes_in in zip(inputs, option.lanes_in, strict=True):
            joint = self.costs.joint(source, lanes[source], name, lanes_in)
            if joint is None:
                return None
            found = found + joint
        return found


def _origin(part: tuple[State, Int64s, Floats], offset: int) -> tuple[State, int, int]:
    """The state, the option and the partial sum that a row of a part's sums comes from."""
    state, places, sums = part
    place, label = divmod(offset, len(sums) // len(places))
    return state, int(places[place]), label
