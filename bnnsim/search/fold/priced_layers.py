"""The layers of a folding as tables that have prices put on: equal layers share one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.design.network.network import INPUT
from bnnsim.search.fold.labels import undominated
from bnnsim.search.fold.layer_costs import LayerCosts
from bnnsim.search.fold.priced import LayerTable, PricedLayer, PricedNetwork


def priced_network(costs: LayerCosts, start: Floats) -> PricedNetwork:
    """The network of a request with what its layers take, beside ``start`` that everything takes."""
    network = costs.table.network
    names = [INPUT, *network.nodes]
    readers = {name: len(network.consumers[name]) for name in names}
    lanes = {name: sorted({option.lanes_out for option in costs.within[name]}) for name in names}
    tables: dict[object, LayerTable] = {}
    layers: list[PricedLayer] = []
    for name in names:
        inputs = () if name == INPUT else network.nodes[name].inputs
        for source in inputs:
            readers[source] -= 1
        sources = tuple(dict.fromkeys(inputs))
        closed = [source for source in sources if not readers[source]]
        closed += [] if readers[name] else [name]
        key = (
            id(costs.table.options[name]),
            tuple(place == 0 for place, output in enumerate(network.outputs) if output == name),
            tuple(sources.index(source) for source in inputs),
            tuple((costs.table.stream(s), tuple(lanes[s]), s == INPUT and name) for s in sources),
            tuple(map(id, costs.within[name])),
        )
        if key not in tables:
            tables[key] = _layer_table(costs, name, inputs, lanes)
        layers.append(PricedLayer(name, sources, tuple(closed), tables[key]))
    return PricedNetwork(layers, start)


def _layer_table(
    costs: LayerCosts, name: str, inputs: Sequence[str], lanes: dict[str, list[int]]
) -> LayerTable:
    within, every = costs.within[name], costs.rows[name]
    ways = list(dict.fromkeys(option.lanes_in for option in within))
    own = lanes[name]
    of_cell: dict[int, list[int]] = {}
    for place, option in enumerate(within):
        cell = ways.index(option.lanes_in) * len(own) + own.index(option.lanes_out)
        of_cell.setdefault(cell, []).append(place)
    cells: list[int] = []
    places: list[int] = []
    for cell, members in sorted(of_cell.items()):
        kept = np.sort(undominated(every[members], len(members))[0])
        cells += [cell] * len(kept)
        places += [members[row] for row in kept]
    joints: list[tuple[Floats, ...]] = []
    joins: list[tuple[Floats, ...]] = []
    for way in ways:
        found = [
            _joints(costs, name, source, lanes[source], wanted)
            for source, wanted in _by_source(inputs, way).items()
        ]
        joints.append(tuple(amounts for amounts, _ in found))
        joins.append(tuple(is_open for _, is_open in found))
    return LayerTable(
        tuple(joints),
        tuple(joins),
        every[places],
        np.array(cells, np.int64),
        np.array(places, np.int64),
        np.array([costs.ends(name, count) for count in own]),
    )


def _by_source(inputs: Sequence[str], way: Sequence[int]) -> dict[str, list[int]]:
    """The lanes that a layer wants of each stream that it reads, of some more than once."""
    found: dict[str, list[int]] = {}
    for source, lanes_in in zip(inputs, way, strict=True):
        found.setdefault(source, []).append(lanes_in)
    return found


def _joints(
    costs: LayerCosts, name: str, source: str, lanes: Sequence[int], wanted: Sequence[int]
) -> tuple[Floats, Floats]:
    """What lies behind a stream by its lanes, and for each infinity where it does not join, or 0."""
    amounts = np.zeros((len(lanes), len(costs.figures)))
    closed = np.zeros(len(lanes))
    for row, lanes_out in enumerate(lanes):
        for lanes_in in wanted:
            joint = costs.joint(source, lanes_out, name, lanes_in)
            if joint is None:
                closed[row] = np.inf
            else:
                amounts[row] += joint
    return amounts, closed
