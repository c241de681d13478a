"""What a way's turn cannot be faster than, from sizes alone: no step is written, no operation built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

from bnnsim.design.engine.loops import Scope, layer_scope
from bnnsim.design.engine.program import LayerProgram, Op, Transfer, Work, counted
from bnnsim.design.engine.steps import StepResolver, moved_words
from bnnsim.design.network.network import Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Loop, StageStep, Step, TransferStep
from bnnsim.spec.load import Loaded
from bnnsim.timing.engine.mapping.nests import REDUCED, Mapper, Way, trips_over


@dataclass(frozen=True, order=True)
class Bound:
    """Cycles that a turn cannot be faster than, all that its controller does or one of its ports, and
    the words that its transfers move."""

    cycles: int
    words: int


@dataclass(frozen=True)
class Spent:
    """Cycles of the controller and of each port, and words, of operations done once."""

    controller: int
    ports: Mapping[str, int]
    words: int

    def bound(self) -> Bound:
        return Bound(max(self.controller, *self.ports.values(), 0), self.words)


def spent_by(ops: Iterable[tuple[Op, int]]) -> Spent:
    """What operations, each so many times, take: what runs beside the controller takes none of it."""
    controller = words = 0
    ports: dict[str, int] = {}
    for op, times in ops:
        if isinstance(op, Transfer):
            cycles = op.cycles * times
            controller += 0 if op.double else cycles
            ports[op.port] = ports.get(op.port, 0) + cycles
            words += op.words * times
        elif isinstance(op, Work):
            controller += op.cycles * times
    return Spent(controller, ports, words)


def turn_bound(turn: LayerProgram) -> Bound:
    """Of a turn that is built."""
    return spent_by(counted(turn.ops)).bound()


class Bounds:
    """Bounds of the ways of one turn, equal to those of the turns that are built from their steps.

    What a way takes is a sum over its steps, and each step depends on a few of its tiles.
    """

    def __init__(
        self,
        architecture: Loaded[EngineArchitecture],
        network: Network,
        names: Sequence[str],
        mapper: Mapper,
    ) -> None:
        self.mapper = mapper
        self.spec = architecture.spec
        self.free = mapper.free
        node = mapper.node
        scope, _ = layer_scope(node, network.nodes[names[-1]], mapper.array)
        self.resolver = StepResolver(architecture.spec, architecture.source, [])
        self.turns = 1
        inside = scope
        if node.groups > 1:
            loop, inside = scope.enter(Loop(dimension="groups"), scope.unrolls)
            self.turns = loop.trips
        around = scope if mapper.has_groups else inside
        fixed = self._resolved([*self.free.before, *self.free.after], around)
        each = 1 if mapper.has_groups else self.turns
        self.fixed = spent_by((op, times * each) for op, times in counted(fixed))
        self.scope = inside
        load = [self.free.load] if self.free.load is not None else []
        self.load = next(iter(self._resolved(load, inside)), None)
        self.behind = [
            (step, next(iter(self._resolved([step], inside)), None)) for step in self.free.behind
        ]
        self._behind: dict[tuple[int, int, bool], tuple[Spent, Mapping[str, int]]] = {}
        self._loads: dict[tuple[int, int], Spent] = {}

    def _resolved(self, steps: Sequence[Step], scope: Scope) -> tuple[Op, ...]:
        return self.resolver.resolve((), list(steps), scope, None, "")

    def of(self, way: Way) -> Bound:
        """Of one way."""
        mapper, walked = self.mapper, self.mapper.map_dimensions[0]
        turns = loads = self.turns
        outputs, walks = mapper.extents["out_channels"], mapper.extents[walked]
        held_outputs = outputs
        for depth, (name, tile) in enumerate(way.outer):
            if name == "out_channels":
                trips, outputs = -(-outputs // tile), min(tile, outputs)
            else:
                trips, walks = -(-walks // tile), min(tile, walks)
            turns *= trips
            if way.split is not None or depth < way.load_inside:
                loads, held_outputs = loads * trips, outputs
        inputs, parts = mapper.extents["in_channels"], 1
        if way.split is not None:
            parts, inputs = -(-inputs // way.split), min(way.split, inputs)
            loads *= parts
        trips = self._compute_trips(outputs, walks, inputs)
        compute = self.free.compute
        spent = [
            (self.fixed, 1),
            (self._done_behind(outputs, walks, way.split is not None)[0], turns),
            (self._spent_loading(held_outputs, inputs), loads),
        ]
        controller = turns * parts * (trips * compute.interval + compute.depth)
        ports: dict[str, int] = {}
        words = 0
        for one, times in spent:
            controller += one.controller * times
            words += one.words * times
            for port, cycles in one.ports.items():
                ports[port] = ports.get(port, 0) + cycles * times
        return Spent(controller, ports, words).bound()

    def _left(self, outputs: int, walks: int) -> Scope:
        inner = self.scope.narrowed("out_channels", outputs)
        walked = self.mapper.map_dimensions[0]
        return inner if walks == inner.extents[walked] else inner.narrowed(walked, walks)

    def _compute_trips(self, outputs: int, walks: int, inputs: int) -> int:
        taken = {
            "out_channels": outputs, self.mapper.map_dimensions[0]: walks, "in_channels": inputs
        }  # fmt: skip
        lanes = self.mapper.lanes
        return self._other_trips * prod(-(-left // lanes.get(name, 1)) for name, left in taken.items())

    @cached_property
    def _other_trips(self) -> int:
        """Of the compute step's loops over dimensions that no way tiles."""
        mapper = self.mapper
        names = {*mapper.map_dimensions[1:], *REDUCED} - {"in_channels"}
        return trips_over(names, mapper.extents, mapper.lanes)

    def moved(self, way: Way) -> Mapping[str, int]:
        """Bits that one transfer behind the array moves to or from its buffer, the most of each."""
        left = dict(self.mapper.extents)
        for name, tile in way.outer:
            left[name] = min(tile, left[name])
        walks = left[self.mapper.map_dimensions[0]]
        return self._done_behind(left["out_channels"], walks, way.split is not None)[1]

    def _done_behind(
        self, outputs: int, walks: int, is_split: bool
    ) -> tuple[Spent, Mapping[str, int]]:
        key = outputs, walks, is_split
        if key not in self._behind:
            scope = self._left(outputs, walks)
            ops = [self._op_behind(step, op, scope, is_split) for step, op in self.behind]
            moved: dict[str, int] = {}
            for op in ops:
                if isinstance(op, Transfer):
                    bits = op.words * self.spec.ports[op.port].width_bits
                    moved[op.buffer] = max(bits, moved.get(op.buffer, 0))
            self._behind[key] = spent_by((op, 1) for op in ops if op is not None), moved
        return self._behind[key]

    def _op_behind(
        self, step: StageStep | TransferStep, op: Op | None, scope: Scope, is_split: bool
    ) -> Op | None:
        """The operation of a step behind the array, where ``scope`` is left, from another place's."""
        if isinstance(step, StageStep) and isinstance(op, Work):
            names = self.mapper.passed(step, scope.extents, is_split)
            trips = trips_over(names, scope.extents, self.mapper.takes(step))
            return replace(op, cycles=trips * step.interval + step.depth)
        if isinstance(step, TransferStep) and isinstance(op, Transfer):
            trips = 1
            for loop in step.loops:
                resolved, scope = scope.enter(loop, {})
                trips *= resolved.trips
            return replace(op, words=moved_words(step, trips, self.spec.ports[step.port]))
        return None

    def _spent_loading(self, outputs: int, inputs: int) -> Spent:
        key = outputs, inputs
        if key not in self._loads:
            step, op = self.free.load, self.load
            ops: list[tuple[Op, int]] = []
            if step is not None and isinstance(op, Transfer):
                extents = {**self.scope.extents, "out_channels": outputs, "in_channels": inputs}
                trips = prod(extents[name] for name in self.mapper.weights())
                ops = [(replace(op, words=moved_words(step, trips, self.spec.ports[step.port])), 1)]
            self._loads[key] = spent_by(ops)
        return self._loads[key]
