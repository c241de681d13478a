"""A cheap folding of a deep network: each resource has a price, and prices are moved until all fits.

Partial sums of a network of a hundred layers are too many to keep (:mod:`bnnsim.search.fold.cheapest`).
With a price on each resource a folding has one cost, and the least cost of all foldings is found layer
by layer, exactly: for the lanes of the streams that are still unread one number is kept. Prices rise
where an answer takes more than there is room for (a Lagrangian dual, by Polyak's step). What comes out
fits, and the prices bound how much cheaper any folding can be, or prove that none fits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.arrays import Floats, Int64s

MOST_CELLS = 1 << 21
"""Numbers that are kept at once: the ways to choose the lanes of streams that are unread."""
FITTING_ROUNDS, CHEAPER_ROUNDS = 30, 16
"""Sets of prices that are tried until something fits, and from then on to find what is cheaper."""
NEAR = 1.002
"""How near the bound a folding's objective is good enough."""
_PASSES = 3


@dataclass(frozen=True, eq=False)
class LayerTable:
    """What a layer's options take, shared by equal layers.

    A way is the lanes that its inputs have. ``joints[way][axis]`` ``(lanes, figures)`` says what lies
    between a stream that it reads, by that stream's lanes, and the layer; ``joins`` is infinite where
    they do not join. ``rows`` ``(options, figures)`` are sorted by ``cells`` ``way * lanes + own lanes``,
    and ``places`` says which options they are; ``ends`` ``(own lanes, figures)`` is what an output's end
    takes.
    """

    joints: tuple[tuple[Floats, ...], ...]
    joins: tuple[tuple[Floats, ...], ...]
    rows: Floats
    cells: Int64s
    places: Int64s
    ends: Floats

    @property
    def lanes(self) -> int:
        """How many numbers of lanes its own stream may have."""
        return len(self.ends)

    @cached_property
    def starts(self) -> Int64s:
        """Where the options of each cell that has some begin."""
        return np.flatnonzero(np.concatenate([[True], self.cells[1:] != self.cells[:-1]]))

    def span(self, cell: int) -> slice:
        """The options of a cell."""
        first, last = np.searchsorted(self.cells, [cell, cell + 1])
        return slice(int(first), int(last))

    def costs(self, prices: Floats) -> tuple[Floats, Int64s]:
        """The least cost ``(lanes of each stream read ..., own lanes)``, and the way that has it."""
        least = np.full(len(self.joints) * self.lanes, np.inf)
        least[self.cells[self.starts]] = np.minimum.reduceat(self.rows @ prices, self.starts)
        own = least.reshape(len(self.joints), self.lanes) + self.ends @ prices
        found = []
        for way, (joints, joins) in enumerate(zip(self.joints, self.joins, strict=True)):
            cost = own[way]
            for axis in range(len(joints) - 1, -1, -1):
                each = joints[axis] @ prices + joins[axis]
                shape = (len(each),) + (1,) * (len(joints) - axis)
                cost = each.reshape(shape) + cost
            found.append(cost)
        stacked = np.array(found)
        ways = stacked.argmin(axis=0)
        return np.take_along_axis(stacked, ways[None], axis=0)[0], ways

    def cheapest_row(self, way: int, lanes: int, prices: Floats) -> int:
        """The option of least cost with these lanes."""
        span = self.span(way * self.lanes + lanes)
        return int(span.start + np.argmin(self.rows[span] @ prices))

    def joint_amounts(self, row: int, lanes_read: Sequence[int]) -> Floats:
        """What lies around an option: in front of it, and behind it where it ends the network."""
        way, own = divmod(int(self.cells[row]), self.lanes)
        amounts: Floats = self.ends[own]
        for axis, lanes in enumerate(lanes_read):
            amounts = amounts + self.joints[way][axis][lanes]
        return amounts


@dataclass(frozen=True)
class PricedLayer:
    """A layer: the streams that it reads, each once, and those that nothing reads any more behind it."""

    name: str
    sources: tuple[str, ...]
    closed: tuple[str, ...]
    table: LayerTable


@dataclass(frozen=True)
class Answer:
    """A folding: the row of each layer's table, and what all takes."""

    rows: Mapping[str, int]
    total: Floats


class PricedNetwork:
    """The layers of a network in its order, and what everything takes besides."""

    def __init__(self, layers: Sequence[PricedLayer], start: Floats) -> None:
        self.layers = layers
        self.start = start

    @cached_property
    def most_cells(self) -> int:
        """The numbers that are kept at once at most."""
        lanes = {layer.name: layer.table.lanes for layer in self.layers}
        is_open: list[str] = []
        most = 0
        for layer in self.layers:
            is_open.append(layer.name)
            ways = len(layer.table.joints) * math.prod(lanes[name] for name in layer.sources)
            most = max(most, math.prod(lanes[name] for name in is_open), ways * layer.table.lanes)
            is_open = [name for name in is_open if name not in layer.closed]
        return most

    def cheapest(self, prices: Floats) -> tuple[float, Answer]:
        """The folding that costs least at these prices, and its cost; infinite where none joins."""
        costs = {id(layer.table): layer.table.costs(prices) for layer in self.layers}
        held: list[str] = []
        least: Floats = np.zeros(())
        steps: list[tuple[list[str], list[str], tuple[int, ...], Int64s]] = []
        for layer in self.layers:
            added = costs[id(layer.table)][0]
            axes = (*layer.sources, layer.name)
            held = [*held, layer.name]
            order = sorted(range(len(axes)), key=lambda axis: held.index(axes[axis]))
            sizes = dict(zip(axes, added.shape, strict=True))
            shape = [sizes.get(name, 1) for name in held]
            least = least[..., None] + added.transpose(order).reshape(shape)
            closed = [name for name in held if name in layer.closed]
            kept = [name for name in held if name not in layer.closed]
            least = least.transpose([held.index(name) for name in (*kept, *closed)])
            ends = least.shape[len(kept) :]
            flat = least.reshape(*least.shape[: len(kept)], -1)
            best = flat.argmin(axis=-1)
            steps.append((kept, closed, ends, best))
            least = np.take_along_axis(flat, best[..., None], axis=-1)[..., 0]
            held = kept
        if not np.isfinite(least):
            return math.inf, Answer({}, self.start)
        lanes: dict[str, int] = {}
        for kept, closed, ends, best in reversed(steps):
            chosen = int(best[tuple(lanes[name] for name in kept)])
            lanes.update(zip(closed, map(int, np.unravel_index(chosen, ends)), strict=True))
        return float(least), self._answer(lanes, costs, prices)

    def _answer(
        self, lanes: Mapping[str, int], costs: Mapping[int, tuple[Floats, Int64s]], prices: Floats
    ) -> Answer:
        rows: dict[str, int] = {}
        total = self.start
        for layer in self.layers:
            read = tuple(lanes[name] for name in layer.sources)
            way = int(costs[id(layer.table)][1][(*read, lanes[layer.name])])
            row = layer.table.cheapest_row(way, lanes[layer.name], prices)
            rows[layer.name] = row
            total = total + layer.table.rows[row] + layer.table.joint_amounts(row, read)
        return Answer(rows, total)

    def mended(self, answer: Answer, room: Floats) -> Answer:
        """An answer with single layers' options changed, lanes kept: nearer to fit, then cheaper."""
        weight = 1 / np.maximum(room, 1)
        rows, total = dict(answer.rows), answer.total
        for _ in range(_PASSES):
            is_better = False
            for layer in self.layers:
                table, row = layer.table, rows[layer.name]
                span = table.span(int(table.cells[row]))
                if span.stop - span.start == 1:
                    continue
                totals = total - table.rows[row] + table.rows[span]
                over = np.maximum(totals - room, 0) @ weight
                best = int(np.lexsort((totals[:, 0], over))[0])
                now = float(np.maximum(total - room, 0) @ weight), float(total[0])
                if (float(over[best]), float(totals[best, 0])) < now:
                    rows[layer.name], total = span.start + best, totals[best]
                    is_better = True
            if not is_better:
                break
        return Answer(rows, total)


def cheapest_by_prices(network: PricedNetwork, room: Floats) -> tuple[Answer | None, bool]:
    """A folding within the ``room``, of the first figure as little as found, and whether that is proven.

    None: nothing fits, or (where it is not proven) nothing that was found.
    """
    search = _Search(network, room)
    return search.best, search.is_proven


class _Search:
    def __init__(self, network: PricedNetwork, room: Floats) -> None:
        self.network, self.room = network, room
        self.known = np.where(np.isfinite(room), room, 0.0)
        self.scale = np.where(np.isfinite(room), np.maximum(room, 1), np.inf)
        self.best: Answer | None = None
        self.is_proven = False
        objective = np.zeros(len(room))
        objective[0] = 1
        cost, first = network.cheapest(objective)
        if not first.rows or self._take(first):
            self.is_proven = True
            return
        if self.best is None:
            self._fit()
        if self.best is not None:
            self._cheapen(objective, first, cost + network.start[0])

    def _take(self, answer: Answer) -> bool:
        """Notes an answer, mended; whether it fits as it is."""
        fits = bool(np.all(answer.total <= self.room))
        mended = self.network.mended(answer, self.room)
        is_within = bool(np.all(mended.total <= self.room))
        if is_within and (self.best is None or mended.total[0] < self.best.total[0]):
            self.best = mended
        return fits

    def _fit(self) -> None:
        """Raises the prices of what runs out until an answer fits, or its cost proves that none does."""
        weights = np.isfinite(self.room).astype(float)
        for _ in range(FITTING_ROUNDS):
            weights = weights / weights.sum()
            prices = weights / self.scale
            cost, answer = self.network.cheapest(prices)
            if cost + prices @ self.network.start > prices @ self.known * (1 + 1e-9):
                self.is_proven = True
                return
            self._take(answer)
            if self.best is not None:
                return
            used = answer.total / self.scale
            weights = weights * np.clip(used, 0.05, 20.0)

    def _cheapen(self, objective: Floats, answer: Answer, bound: float) -> None:
        """Moves prices to where the bound on the objective is highest, and keeps the cheapest answer."""
        raised = np.zeros(len(self.room))
        highest = bound
        for _ in range(CHEAPER_ROUNDS):
            assert self.best is not None
            if self.best.total[0] <= highest * NEAR:
                return
            over = (answer.total - self.known) / self.scale
            over = np.where((raised <= 0) & (over < 0), 0.0, over)
            length = float(over @ over)
            if not length:
                return
            raised = np.maximum(0.0, raised + (self.best.total[0] - bound) / length * over)
            prices = objective + raised / self.scale
            cost, answer = self.network.cheapest(prices)
            bound = cost + prices @ self.network.start - raised / self.scale @ self.known
            highest = max(highest, bound)
            self._take(answer)
