"""The fastest way to run each layer whose mapping is left to the tool, by exact timing.

Of each turn, repeated by itself, every way that fits is timed, but for those that their work or their
transfers alone make slower than the best so far. In the frame the next best ways of each turn are tried
in its place as long as one helps; the programs as written stay where the frame is no slower with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import chain

from bnnsim.design.engine.kept_maps import rereads
from bnnsim.design.engine.layout import build_engine, build_turn, turns_of
from bnnsim.design.engine.passing import is_outside
from bnnsim.design.engine.patterns import as_written
from bnnsim.design.engine.program import EngineProgram, LayerProgram, Transfer, Work, counted
from bnnsim.design.network.network import Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Step
from bnnsim.spec.faults import Fault
from bnnsim.spec.load import Loaded, from_spec
from bnnsim.spec.workload import WeightedLayer
from bnnsim.timing.engine.mapping.free_steps import FreeSteps, free_steps
from bnnsim.timing.engine.mapping.known import Keys, Known
from bnnsim.timing.engine.mapping.nests import Mapper, Way, with_steps
from bnnsim.timing.engine.steady_state import longest_interval
from bnnsim.timing.engine.tables import TableBuilder

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
class Timed:
    """A way as steps, as a turn, and the cycles of that turn repeated by itself."""

    steps: tuple[Step, ...]
    turn: LayerProgram
    cycles: int
    words: int


Steps = Mapping[str, Sequence[Step]]
"""By layer."""


class KnownWays:
    """What was found for the specs of one file that were mapped before, of turns and of whole frames."""

    def __init__(self) -> None:
        self.turns: Known[list[Timed]] = Known()
        self.fits: Known[Sequence[Step]] = Known()
        self.misfits: Known[Fault] = Known()
        self.frames: Known[tuple[Steps | None, list[Fault]]] = Known()


def map_layers(
    architecture: Loaded[EngineArchitecture],
    network: Network,
    prefix: frozenset[str],
    known: KnownWays | None = None,
) -> tuple[Loaded[EngineArchitecture], list[Fault]]:
    """The architecture with programs for all layers of ``mapping: auto``, or the faults of those that
    leave no choice or that no way fits.

    ``known`` has what was found for specs of the same file and network, and takes in what is found.
    """
    written = replace(architecture, spec=as_written(architecture.spec))
    known = known or KnownWays()
    keys = Keys(written.spec, network)
    key = (keys.frame(), repr(architecture.spec.layers))
    found = known.frames.get(key)
    if found is None:
        chooser = _Chooser(written, network, keys, known)
        found = known.frames.keep(key, _chosen_steps(architecture, network, prefix, chooser))
    steps, faults = found
    if steps is None:
        return written, faults
    return replace(written, spec=with_steps(written.spec, steps)), faults


def fit_layers(
    architecture: Loaded[EngineArchitecture],
    network: Network,
    prefix: frozenset[str],
    known: KnownWays | None = None,
) -> tuple[Loaded[EngineArchitecture], list[Fault]]:
    """As :func:`map_layers` with the first way that fits each layer, and nothing timed: it has the same
    faults, and finds them in a fraction of the time."""
    written = replace(architecture, spec=as_written(architecture.spec))
    chooser = _Chooser(written, network, Keys(written.spec, network), known or KnownWays())
    fitting, faults = _fitting(architecture, network, prefix, chooser)
    steps = {names[0]: steps for names, (_, steps) in fitting.items()}
    return (written if faults else replace(written, spec=with_steps(written.spec, steps))), faults


def _fitting(
    architecture: Loaded[EngineArchitecture],
    network: Network,
    prefix: frozenset[str],
    chooser: _Chooser,
) -> tuple[dict[tuple[str, ...], tuple[FreeSteps, Sequence[Step]]], list[Fault]]:
    """Of each turn that leaves its loops open what is free, and steps that fit."""
    given, written = architecture.spec, chooser.written
    found: dict[tuple[str, ...], tuple[FreeSteps, Sequence[Step]]] = {}
    faults: list[Fault] = []
    for names in turns_of(written, network, prefix):
        node = network.nodes[names[0]]
        if given.layers[names[0]].mapping != "auto" or not isinstance(node.layer, WeightedLayer):
            continue
        free, wrong = free_steps(written.spec, written.source, names[0], node)
        faults += wrong
        if free is not None:
            fit = chooser.fit(names, free)
            if isinstance(fit, Fault):
                faults.append(fit)
            else:
                found[names] = free, fit
    return found, faults


def _chosen_steps(
    architecture: Loaded[EngineArchitecture],
    network: Network,
    prefix: frozenset[str],
    chooser: _Chooser,
) -> tuple[Steps | None, list[Fault]]:
    """The steps of each layer that leaves its loops open; None where they stay as written."""
    fitting, faults = _fitting(architecture, network, prefix, chooser)
    if faults or not fitting:
        return None, faults
    best = {names[0]: chooser.best(names, free) for names, (free, _) in fitting.items()}
    return _in_the_frame(chooser.written, network, prefix, best), []


class _Chooser:
    """The best ways of turns; turns of the same shape share them."""

    def __init__(
        self, written: Loaded[EngineArchitecture], network: Network, keys: Keys, known: KnownWays
    ) -> None:
        self.written = written
        self.network = network
        self.keys = keys
        self.known = known
        self._best_steps: dict[str, list[tuple[Step, ...]]] = {}
        self._fit: dict[str, Sequence[Step]] = {}

    def fit(self, names: tuple[str, ...], free: FreeSteps) -> Sequence[Step] | Fault:
        """Steps of a turn that fit, or a fault where no way does; the smallest tiles are tried first,
        nothing is timed."""
        key, shape = self.keys.turn(names), self._shape(names)
        fits, timed = self._fit.get(shape) or self.known.fits.get(key), self.known.turns.get(key)
        if fits is not None:
            return fits
        if timed:
            return timed[0].steps
        if (known := self.known.misfits.get(key)) is not None:
            return known
        mapper = self._mapper(names, free)
        smallest: Fault | None = None
        ways = (mapper.steps(way) for way in reversed(mapper.ways()))
        for steps in chain(ways, (self._own_steps(names),)):
            _, found = self._turn(names, steps)
            if not found:
                self._fit[shape] = self.known.fits.keep(key, steps)
                return steps
            smallest = smallest or found[0]
        assert smallest is not None
        place = ("layers", names[0], "mapping")
        where = f"{smallest.key} of " if smallest.key.startswith("buffers.") else ""
        asked = f"{where}{smallest.expected}, not {smallest.got}"
        got = f"none: even the smallest tiles ask for {asked}"
        fault = self.written.source.fault(place, f"a way to run {names[0]} that fits", got)
        return self.known.misfits.keep(key, fault)

    def best(self, names: tuple[str, ...], free: FreeSteps) -> list[Timed]:
        """The fastest ways of a turn that some way fits, the best first."""
        key, shape = self.keys.turn(names), self._shape(names)
        found = self.known.turns.get(key) or self.known.turns.keep(key, self._best(names, free, shape))
        self._best_steps.setdefault(shape, [one.steps for one in found])
        return found

    def _mapper(self, names: tuple[str, ...], free: FreeSteps) -> Mapper:
        return Mapper(self.written.spec, self.network, names[0], free)

    def _own_steps(self, names: tuple[str, ...]) -> Sequence[Step]:
        """Those that the program has as it is written."""
        return self.written.spec.programs[str(self.written.spec.layers[names[0]].program)].steps

    def _best(self, names: tuple[str, ...], free: FreeSteps, shape: str) -> list[Timed]:
        shared = (self._timed(names, steps) for steps in self._best_steps.get(shape, ()))
        if same := [one for one in shared if one is not None]:
            return same
        mapper = self._mapper(names, free)
        ways: list[Way | None] = [None, *mapper.ways()]  # the first as it is written
        waiting = [(mapper.least_cycles(way) if way else 0, i) for i, way in enumerate(ways)]
        heapify(waiting)
        built: dict[int, tuple[Sequence[Step], LayerProgram]] = {}
        timed: list[Timed] = []
        while waiting:  # by least cycles; those of a way that is not built are a guess from below
            least, i = heappop(waiting)
            if timed and least > _close(timed[0].cycles):
                break
            if i in built:
                steps, turn = built.pop(i)
                timed.append(Timed(tuple(steps), turn, self._cycles(turn), _words(turn)))
                timed.sort(key=lambda one: (one.cycles, one.words))
                continue
            way = ways[i]
            steps = self._own_steps(names) if way is None else mapper.steps(way)
            turn, found = self._turn(names, steps)
            if not found:
                built[i] = steps, turn
                heappush(waiting, (_least_cycles(turn), i))
        return [one for one in timed[:NEXT_BEST] if one.cycles <= _close(timed[0].cycles)]

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

    def _timed(self, names: tuple[str, ...], steps: tuple[Step, ...]) -> Timed | None:
        turn, faults = self._turn(names, steps)
        return None if faults else Timed(steps, turn, self._cycles(turn), _words(turn))

    def _cycles(self, turn: LayerProgram) -> int:
        spec = self.written.spec
        return longest_interval(_program(spec, (turn,)))

    def _shape(self, names: tuple[str, ...]) -> str:
        nodes = [self.network.nodes[name] for name in names]
        layers = [node.layer.model_dump(exclude={"name", "inputs"}) for node in nodes]
        shapes = [(node.input, node.output, node.groups) for node in nodes]
        spec = self.written.spec
        are_outside = is_outside(spec, "weights", names[0])
        return repr((spec.layers[names[0]].program, layers, shapes, are_outside))


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
    best: dict[str, list[Timed]],
) -> Steps | None:
    """The best ways of all turns together; None where they are no faster than what is written."""
    chosen = {name: ways[0] for name, ways in best.items()}
    found = replace(written, spec=with_steps(written.spec, {n: one.steps for n, one in chosen.items()}))
    program, _ = build_engine(found, network, prefix)
    before, _ = build_engine(written, network, prefix)
    if program is None:
        return {n: one.steps for n, one in chosen.items()} if before is None else None
    turns = {part.name: part for part in program.parts}
    builder = TableBuilder()
    least = longest_interval(program, builder)
    for _ in range(SWEEPS):
        is_better = False
        for name, ways in best.items():
            for way in ways:
                if way is chosen[name]:
                    continue
                parts = tuple({**turns, name: way.turn}.values())
                cycles = longest_interval(replace(program, parts=parts), builder)
                if cycles < least:
                    least, is_better = cycles, True
                    chosen[name], turns[name] = way, way.turn
        if not is_better:
            break
    if before is not None and longest_interval(before) <= least:
        return None
    return {n: one.steps for n, one in chosen.items()}
