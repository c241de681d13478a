"""The fastest way to run each layer whose mapping is left to the tool, by exact timing.

Of each turn, repeated by itself, every way that fits is timed, but for those that their work or their
transfers alone make slower than the best so far. In the frame the next best ways of each turn are tried
in its place as long as one helps; the programs as written stay where the frame is no slower with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bnnsim.design.engine.kept_maps import rereads
from bnnsim.design.engine.layout import build_engine, build_turn, turns_of
from bnnsim.design.engine.patterns import as_written
from bnnsim.design.engine.program import EngineProgram, LayerProgram, Transfer, Work, counted
from bnnsim.design.network.network import Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Step
from bnnsim.spec.faults import Fault
from bnnsim.spec.load import Loaded, from_spec
from bnnsim.spec.workload import WeightedLayer
from bnnsim.timing.engine.mapping.free_steps import FreeSteps, free_steps
from bnnsim.timing.engine.mapping.nests import Mapper, with_steps
from bnnsim.timing.engine.steady_state import longest_interval

NEXT_BEST = 3
"""Ways of a turn that are tried in the frame, if their cycles by themselves are no more than ``CLOSE``
allows: beside other turns' loads a slower one may be the better."""
CLOSE = (101, 100, 64)
"""A hundredth more than the best, and 64 cycles."""
SWEEPS = 4
"""How often all turns are gone through, at most."""


def with_free_loops(spec: EngineArchitecture, network: Network) -> EngineArchitecture:
    """The spec with ``mapping: auto`` at every layer whose program leaves a choice."""
    loaded = from_spec(spec)
    layers = dict(spec.layers)
    for name, entry in spec.layers.items():
        if entry.program is None or not isinstance(network.nodes[name].layer, WeightedLayer):
            continue
        free, _ = free_steps(spec, loaded.source, name, network.nodes[name])
        if free is not None:
            layers[name] = entry.model_copy(update={"mapping": "auto"})
    return spec.model_copy(update={"layers": layers})


@dataclass(frozen=True)
class _Timed:
    """A way as steps, as a turn, and the cycles of that turn repeated by itself."""

    steps: tuple[Step, ...]
    turn: LayerProgram
    cycles: int
    words: int


def map_layers(
    architecture: Loaded[EngineArchitecture], network: Network, prefix: frozenset[str]
) -> tuple[Loaded[EngineArchitecture], list[Fault]]:
    """The architecture with programs for all layers of ``mapping: auto``, or the faults of those that
    leave no choice or that no way fits."""
    given = architecture.spec
    written = replace(architecture, spec=as_written(given))
    chooser = _Chooser(written, network)
    best: dict[str, list[_Timed]] = {}
    faults: list[Fault] = []
    for names in turns_of(written, network, prefix):
        node = network.nodes[names[0]]
        if given.layers[names[0]].mapping != "auto" or not isinstance(node.layer, WeightedLayer):
            continue
        free, found = free_steps(written.spec, written.source, names[0], node)
        faults += found
        if free is not None:
            best[names[0]], found = chooser.best(names, free)
            faults += found
    if faults or not best:
        return written, faults
    return _in_the_frame(written, network, prefix, best), []


class _Chooser:
    """The best ways of turns; turns of the same shape share them."""

    def __init__(self, written: Loaded[EngineArchitecture], network: Network) -> None:
        self.written = written
        self.network = network
        self._known: dict[str, list[tuple[Step, ...]]] = {}

    def best(self, names: tuple[str, ...], free: FreeSteps) -> tuple[list[_Timed], list[Fault]]:
        """The fastest ways of a turn, the best first."""
        shape = self._shape(names)
        shared = (self._timed(names, steps) for steps in self._known.get(shape, ()))
        if same := [one for one in shared if one is not None]:
            return same, []
        mapper = Mapper(self.written.spec, self.network, names[0], free)
        own = self.written.spec.programs[str(self.written.spec.layers[names[0]].program)].steps
        bounded: list[tuple[int, int, tuple[Step, ...], LayerProgram]] = []
        refused: list[Fault] = []
        for tried in (own, *(mapper.steps(way) for way in mapper.ways())):
            turn, found = self._turn(names, tried)
            refused = found or refused
            if not found:
                bounded.append((_least_cycles(turn), len(bounded), tuple(tried), turn))
        timed: list[_Timed] = []
        for least, _, steps, turn in sorted(bounded, key=lambda one: one[:2]):
            if timed and least > _close(timed[0].cycles):
                break
            timed.append(_Timed(steps, turn, self._cycles(turn), _words(turn)))
            timed.sort(key=lambda one: (one.cycles, one.words))
        timed = [one for one in timed[:NEXT_BEST] if one.cycles <= _close(timed[0].cycles)]
        self._known[shape] = [one.steps for one in timed]
        if not timed:
            why = refused[0]  # of the way with the smallest tiles
            place = ("layers", names[0], "mapping")
            where = f"{why.key} of " if why.key.startswith("buffers.") else ""
            got = f"none: even the smallest tiles ask for {where}{why.expected}, not {why.got}"
            return [], [self.written.source.fault(place, f"a way to run {names[0]} that fits", got)]
        return timed, []

    def _turn(self, names: tuple[str, ...], steps: Sequence[Step]) -> tuple[LayerProgram, list[Fault]]:
        spec = self.written.spec
        called = str(spec.layers[names[0]].program)
        program = spec.programs[called].model_copy(update={"steps": list(steps)})
        tried = spec.model_copy(update={"programs": {**spec.programs, called: program}})
        turn, faults = build_turn(replace(self.written, spec=tried), self.network, names)
        in_place = [name for name in program.buffers if spec.buffers[name].in_place]
        if not faults and in_place and rereads(turn.ops):
            key = ("buffers", in_place[0], "in_place")
            expected = f"false, for {names[0]} reads its input again for later outputs"
            faults = [self.written.source.fault(key, expected, "true")]
        return turn, faults

    def _timed(self, names: tuple[str, ...], steps: tuple[Step, ...]) -> _Timed | None:
        turn, faults = self._turn(names, steps)
        return None if faults else _Timed(steps, turn, self._cycles(turn), _words(turn))

    def _cycles(self, turn: LayerProgram) -> int:
        spec = self.written.spec
        return longest_interval(_program(spec, (turn,)))

    def _shape(self, names: tuple[str, ...]) -> str:
        nodes = [self.network.nodes[name] for name in names]
        layers = [node.layer.model_dump(exclude={"name", "inputs"}) for node in nodes]
        shapes = [(node.input, node.output, node.groups) for node in nodes]
        return repr((self.written.spec.layers[names[0]].program, layers, shapes))


def _close(cycles: int) -> int:
    more, of, plus = CLOSE
    return cycles * more // of + plus


def _program(spec: EngineArchitecture, parts: tuple[LayerProgram, ...]) -> EngineProgram:
    units = tuple(spec.arrays), tuple(spec.stages), tuple(spec.buffers), tuple(spec.ports)
    return EngineProgram(parts, *units, spec.host is not None)


def _least_cycles(turn: LayerProgram) -> int:
    """Cycles that a turn cannot be faster than: all that its controller does, or one of its ports."""
    controller = 0
    ports: dict[str, int] = {}
    for op, times in counted(turn.ops):
        if isinstance(op, Work) or not op.double:
            controller += op.cycles * times
        if isinstance(op, Transfer):
            ports[op.port] = ports.get(op.port, 0) + op.cycles * times
    return max(controller, *ports.values(), 0)


def _words(turn: LayerProgram) -> int:
    return sum(op.words * times for op, times in counted(turn.ops) if isinstance(op, Transfer))


def _in_the_frame(
    written: Loaded[EngineArchitecture],
    network: Network,
    prefix: frozenset[str],
    best: dict[str, list[_Timed]],
) -> Loaded[EngineArchitecture]:
    """The best ways of all turns together."""
    chosen = {name: ways[0] for name, ways in best.items()}
    found = replace(written, spec=with_steps(written.spec, {n: one.steps for n, one in chosen.items()}))
    program, _ = build_engine(found, network, prefix)
    before, _ = build_engine(written, network, prefix)
    if program is None:
        return found if before is None else written
    turns = {part.name: part for part in program.parts}
    least = longest_interval(program)
    for _ in range(SWEEPS):
        is_better = False
        for name, ways in best.items():
            for way in ways:
                if way is chosen[name]:
                    continue
                parts = tuple({**turns, name: way.turn}.values())
                cycles = longest_interval(replace(program, parts=parts))
                if cycles < least:
                    least, is_better = cycles, True
                    chosen[name], turns[name] = way, way.turn
        if not is_better:
            break
    if before is not None and longest_interval(before) <= least:
        return written
    return replace(written, spec=with_steps(written.spec, {n: one.steps for n, one in chosen.items()}))
