"""What foldings of single layers and the joints between them take, in the figures that count."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.parts import total
from bnnsim.cost.blocks.platform import pipeline_platform
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.cost.power import power_of_amounts
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.network.network import INPUT
from bnnsim.design.streaming.stream_builder import SINK
from bnnsim.search.fold.options import OTHER_SINK, FoldOption, Item, Joint, OptionTable, amounts_of

FINN_LUTS = "finn_luts"
"""The figure that bounds FINN's own estimate (:mod:`bnnsim.search.fold.finn_rule`)."""


class LayerCosts:
    """What options that need at most ``cycles`` a frame take of each of the ``figures``.

    A figure is a resource, ``power`` or :data:`FINN_LUTS`. ``within`` holds those options by layer,
    ``rows`` what they take ``(options, figures)``.
    """

    def __init__(self, table: OptionTable, cycles: int, figures: Sequence[str]) -> None:
        self.table, self.cycles, self.figures = table, cycles, list(figures)
        self.within: dict[str, list[FoldOption]] = {}
        self.rows: dict[str, Floats] = {}
        self._every: dict[int, Floats] = {}
        self._joints: dict[tuple[object, int, str, int], Floats | None] = {}
        self._per_busy: dict[Item, float] = {}
        for name, options in table.options.items():
            places = [i for i, o in enumerate(options) if table.cycles(name, o) <= cycles]
            self.within[name] = [options[place] for place in places]
            self.rows[name] = self._all_rows(name)[places]

    def _all_rows(self, name: str) -> Floats:
        options = self.table.options[name]
        if id(options) not in self._every:
            known = self.table.amounts(name)
            rows = np.zeros((len(options), len(self.figures)))
            for column, figure in enumerate(self.figures):
                if figure == "power":
                    rows[:, column] = [sum(map(self._power, option.items)) for option in options]
                elif figure == FINN_LUTS:
                    rows[:, column] = self.table.finn_luts(name)
                else:
                    rows[:, column] = known[:, RESOURCES.index(figure)]
            self._every[id(options)] = rows
        return self._every[id(options)]

    def joint(self, writer: str, lanes_out: int, reader: str, lanes_in: int) -> Floats | None:
        """What lies between two layers' streams; None where they do not join."""
        network = self.table.network
        first = network.consumers[INPUT][:1]
        is_flat = writer == INPUT and network.input.pixels == 1
        if is_flat and first and first[0][0] == reader and lanes_out != lanes_in:
            return None  # the source's words are those of its first reader
        end = reader if reader in (SINK, OTHER_SINK) else ""
        key = (self.table.stream(writer), lanes_out, end, lanes_in)
        if key not in self._joints:
            joint = self.table.joint(writer, lanes_out, reader, lanes_in)
            joins = joint.items is not None and joint.cycles <= self.cycles
            self._joints[key] = self._of_joint(joint) if joins else None
        return self._joints[key]

    def ends(self, name: str, lanes_out: int) -> Floats:
        """What takes the frames of a layer that is an output of the network; zeros where it is none."""
        found = np.zeros(len(self.figures))
        for place, output in enumerate(self.table.network.outputs):
            if output == name:
                end = self.joint(name, lanes_out, OTHER_SINK if place else SINK, 0)
                assert end is not None
                found = found + end
        return found

    def _of_joint(self, joint: Joint) -> Floats:
        return self._of(joint.items or (), joint.amounts)

    def sum(self, items: Sequence[Item]) -> Floats:
        """What units and streams take together."""
        return self._of(items, amounts_of(items))

    def _of(self, items: Sequence[Item], amounts: Floats) -> Floats:
        """The figures of ``items``, which take these ``amounts`` ``(resources,)``."""
        return np.array(
            [
                sum(map(self._power, items))
                if name == "power"
                else 0.0
                if name == FINN_LUTS
                else amounts[RESOURCES.index(name)]
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

    def least(self, name: str) -> Floats:
        """The least that a layer's units take of each figure, whatever they take of the others."""
        rows = self.rows[name]
        least: Floats = rows.min(axis=0) if len(rows) else np.zeros(len(self.figures))
        return least

    def most(self, name: str) -> Floats:
        """The most that a layer and what joins it to its inputs may take."""
        options = self.within[name]
        most: Floats = self.rows[name].max(axis=0)
        node = self.table.network.nodes.get(name)
        for place, source in enumerate(node.inputs if node else ()):
            pairs = itertools.product(
                {option.lanes_out for option in self.within[source]},
                {option.lanes_in[place] for option in options},
            )
            joints = [self.joint(source, out, name, lanes) for out, lanes in pairs]
            most = most + np.max([j for j in joints if j is not None] or [0 * most], axis=0)
        ends = {option.lanes_out for option in options}
        with_ends: Floats = most + np.max([self.ends(name, lanes) for lanes in ends], axis=0)
        return with_ends

    def platform(self) -> Floats:
        """What a pipeline takes around its units."""
        device = self.table.request.device
        tech = technology_of(device, default_coefficients())
        amounts = total(pipeline_platform(tech, "auto", False)).rounded(tech)
        return self.sum([(amounts, self.cycles)])
