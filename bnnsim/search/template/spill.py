"""Which maps of a network wait in DRAM where an engine's own memory is too small for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bnnsim.design.network.network import INPUT, Network
from bnnsim.spec.workload import WeightedLayer


@dataclass(frozen=True)
class Turn:
    """What a layer's turn moves of maps: bits of its operand, of other maps that it reads, of those that
    it makes; 0: none of them is in DRAM."""

    operand_bits: int = 0
    read_bits: int = 0
    made_bits: int = 0


@dataclass(frozen=True)
class Spill:
    """``maps`` that are in DRAM; the others need ``kept_bits`` at most at once. ``turns`` by leading
    layer, those alone that move something."""

    maps: frozenset[str]
    kept_bits: int
    turns: dict[str, Turn]


def spill_to_fit(network: Network, room_bits: int) -> Spill | None:
    """The maps to spill, the largest first, until the others fit; None where nothing helps."""
    return _Spiller(network).run(room_bits)


def leaders(network: Network) -> dict[str, str]:
    """The layer in whose turn each layer is done: one with a matrix, or the network's first."""
    found: dict[str, str] = {}
    leader = ""
    for name, node in network.nodes.items():
        if node.has_matrix or not leader:
            leader = name
        found[name] = leader
    return found


class _Spiller:
    def __init__(self, network: Network) -> None:
        self.network = network
        of = leaders(network)
        self.turns = list(dict.fromkeys(of.values()))
        position = {name: i for i, name in enumerate(self.turns)}
        self.made = {INPUT: -1} | {name: position[leader] for name, leader in of.items()}
        self.readers: dict[str, set[int]] = {name: set() for name in self.made}
        for name, node in network.nodes.items():
            for given in node.inputs:
                if self.made[given] != self.made[name]:
                    self.readers[given].add(self.made[name])
        for name in network.outputs:
            self.readers[name].add(len(self.turns))
        self.ends = {self.made[o] for o in network.outputs if self.readers[o] == {len(self.turns)}}
        """Turns of outputs that no other turn reads: these leave as a whole."""

    @cached_property
    def passed(self) -> list[str]:
        """Every map that another turn reads, or that leaves."""
        return [name for name, readers in self.readers.items() if readers]

    def bits(self, name: str) -> int:
        tensor = self.network.tensor(name)
        return tensor.elements * tensor.type.bits

    def operand(self, turn: int) -> str:
        return self.network.nodes[self.turns[turn]].inputs[0]

    def may_spill(self, name: str) -> bool:
        """The image and the results are moved as a whole, and what has no array moves nothing."""
        if name == INPUT or self.made[name] in self.ends:
            return False
        turns = {self.made[name], *self.readers[name]}
        leads = (
            self.network.nodes[self.turns[turn]].layer for turn in turns if turn < len(self.turns)
        )
        return all(isinstance(layer, WeightedLayer) for layer in leads)

    def run(self, room_bits: int) -> Spill | None:
        spilled: set[str] = set()
        while True:
            sums = [self._here(turn, spilled) for turn in range(len(self.turns))]
            over = [i for i, bits in enumerate(sums) if bits > room_bits]
            if not over:
                return self._spill(spilled, max(sums))
            here = [name for name in self._alive(over[0]) if name not in spilled]
            free = [n for n in here if self.may_spill(n) and self._helps(n, over[0])]
            if not free:
                return None
            spilled.add(max(free, key=self.bits))
            self._close(spilled)

    def _alive(self, turn: int) -> list[str]:
        return [n for n in self.passed if self.made[n] <= turn <= max(self.readers[n])]

    def _helps(self, name: str, turn: int) -> bool:
        return name != self.operand(turn)

    def _here(self, turn: int, spilled: set[str]) -> int:
        """Bits on chip in a turn: maps that stay, and a spilled operand as a whole."""
        kept = sum(self.bits(name) for name in self._alive(turn) if name not in spilled)
        operand = self.operand(turn)
        return kept + (self.bits(operand) if operand in spilled else 0)

    def _close(self, spilled: set[str]) -> None:
        """A turn that loads its operand loads all that turns which store something have made for it; one
        that loads other maps, all of those."""
        makers = {self.made[name] for name in spilled}
        before = -1
        while before != len(spilled):
            before = len(spilled)
            for turn in range(len(self.turns)):
                operand = self.operand(turn)
                read = [
                    n for n in self.passed if turn in self.readers[n] and self.made[n] in makers
                ]
                others = [name for name in read if name != operand and self.may_spill(name)]
                if operand in spilled or any(name in spilled for name in others):
                    spilled.update(others)
            makers = {self.made[name] for name in spilled}

    def _spill(self, spilled: set[str], kept_bits: int) -> Spill:
        turns = {}
        for position, leader in enumerate(self.turns):
            operand = self.operand(position)
            read = [n for n in spilled if position in self.readers[n] and n != operand]
            made = [n for n in spilled if self.made[n] == position]
            turn = Turn(
                self.bits(operand) if operand in spilled else 0,
                sum(map(self.bits, read)),
                sum(map(self.bits, made)),
            )
            if turn != Turn():
                turns[leader] = turn
        return Spill(frozenset(spilled), kept_bits, turns)
