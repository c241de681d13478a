"""The fastest way to run each layer whose mapping is left to the tool, by exact timing.

Of each turn, repeated by itself, every way that fits is timed, but for those that their work or their
transfers alone make slower than the best so far, or than the last of those that are kept. In the frame
the next best ways of each turn are tried in its place as long as one helps; the programs as written stay
where the frame is no slower with them.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from operator import attrgetter

from bnnsim.design.engine.kept_maps import rereads
from bnnsim.design.engine.layout import build_engine, build_turn, turns_of
from bnnsim.design.engine.passing import is_outside
from bnnsim.design.engine.patterns import as_written
from bnnsim.design.engine.program import EngineProgram, LayerProgram
from bnnsim.design.network.network import Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Step
from bnnsim.spec.faults import Fault
from bnnsim.spec.load import Loaded, from_spec
from bnnsim.spec.workload import WeightedLayer
from bnnsim.timing.engine.mapping.bounds import turn_bound
from bnnsim.timing.engine.mapping.free_steps import FreeSteps, free_steps
from bnnsim.timing.engine.mapping.known import Keys, Known
from bnnsim.timing.engine.mapping.nests import with_steps
from bnnsim.timing.engine.mapping.turn_ways import OWN, Timed, TurnWays
from bnnsim.timing.engine.steady_state import interval_below, longest_interval
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


Steps = Mapping[str, Sequence[Step]]
"""By layer."""
Best = Mapping[str, Sequence[Timed]]
"""The fastest ways of each turn, by its first layer, the best first."""
Mapped = tuple[Loaded[EngineArchitecture], EngineProgram | None, list[Fault]]
"""The architecture with programs for all layers, the program of a frame if it was built, and faults."""


class KnownWays:
    """What was found for the specs of one file that were mapped before, of turns and of whole frames."""

    def __init__(self) -> None:
        self.shapes: dict[tuple[str, ...], str] = {}
        self.ways: Known[TurnWays] = Known()
        self.turns: Known[Sequence[Timed]] = Known()
        self.fits: Known[Sequence[Step]] = Known()
        self.misfits: Known[Fault] = Known()
        self.swept: Known[_Swept] = Known()
        self.frames: Known[_Frame] = Known()
        self.tables = TableBuilder()

    def __reduce__(self) -> tuple[type[KnownWays], tuple[()]]:
        """Another process begins with nothing."""
        return KnownWays, ()


@dataclass(frozen=True)
class _Frame:
    """The steps of each layer that leaves its loops open, None where they stay as written; the frame's
    program if it was built; or faults."""

    steps: Steps | None
    program: EngineProgram | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class _Swept:
    """The place of each turn's way in its list, and the cycles of the frame with these and as written."""

    chosen: tuple[int, ...]
    cycles: int
    own_cycles: int


def map_layers(
    architecture: Loaded[EngineArchitecture],
    network: Network,
    prefix: frozenset[str],
    known: KnownWays | None = None,
) -> Mapped:
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
        chooser = _Chooser(written, network, prefix, keys, known)
        found = known.frames.keep(key, chooser.frame(architecture.spec))
    if found.steps is None:
        return written, found.program, list(found.faults)
    return replace(written, spec=with_steps(written.spec, found.steps)), found.program, []


def fit_layers(
    architecture: Loaded[EngineArchitecture],
    network: Network,
    prefix: frozenset[str],
    known: KnownWays | None = None,
) -> Mapped:
    """As :func:`map_layers` with the first way that fits each layer, and nothing timed: it has the same
    faults, and finds them in a fraction of the time."""
    written = replace(architecture, spec=as_written(architecture.spec))
    keys = Keys(written.spec, network)
    chooser = _Chooser(written, network, prefix, keys, known or KnownWays())
    faults: list[Fault] = []
    steps: dict[str, Sequence[Step]] = {}
    for names, free in chooser.free_turns(architecture.spec, faults):
        fit = chooser.fit(names, free)
        if isinstance(fit, Fault):
            faults.append(fit)
        else:
            steps[names[0]] = fit
    found = written if faults else replace(written, spec=with_steps(written.spec, steps))
    return found, None, faults


class _Chooser:
    """The best ways of turns; turns of the same shape share them."""

    def __init__(
        self,
        written: Loaded[EngineArchitecture],
        network: Network,
        prefix: frozenset[str],
        keys: Keys,
        known: KnownWays,
    ) -> None:
        self.written = written
        self.network = network
        self.prefix = prefix
        self.keys = keys
        self.known = known

    def free_turns(
        self, given: EngineArchitecture, faults: list[Fault]
    ) -> Iterator[tuple[tuple[str, ...], FreeSteps]]:
        """Every turn that leaves its loops open, and what is free; ``faults`` grows by those that leave
        no choice."""
        written = self.written
        for names in turns_of(written, self.network, self.prefix):
            node = self.network.nodes[names[0]]
            if given.layers[names[0]].mapping != "auto" or not isinstance(node.layer, WeightedLayer):
                continue
            free, wrong = free_steps(written.spec, written.source, names[0], node)
            faults += wrong
            if free is not None:
                yield names, free

    # ---- a turn by itself ------------------------------------------------------------------------

    def fit(self, names: tuple[str, ...], free: FreeSteps) -> Sequence[Step] | Fault:
        """Steps of a turn that fit, or a fault where no way does; the smallest tiles are tried first,
        nothing is timed."""
        key = self.keys.turn(names)
        if (known := self.known.misfits.get(key) or self.known.fits.get(key)) is not None:
            return known
        ways = self._ways(names, free)
        places = [*reversed(ways.places(self.keys.room)), OWN]
        for place in places:
            if self._fits(names, ways, place):
                return self.known.fits.keep(key, ways.steps(place))
        _, (smallest, *_) = self._turn(names, ways.steps(places[0]))
        entry = ("layers", names[0], "mapping")
        where = f"{smallest.key} of " if smallest.key.startswith("buffers.") else ""
        asked = f"{where}{smallest.expected}, not {smallest.got}"
        got = f"none: even the smallest tiles ask for {asked}"
        fault = self.written.source.fault(entry, f"a way to run {names[0]} that fits", got)
        return self.known.misfits.keep(key, fault)

    def best(self, names: tuple[str, ...], free: FreeSteps) -> Sequence[Timed]:
        """The fastest ways of a turn, the best first; none where no way fits."""
        key = self.keys.turn(names)
        found = self.known.turns.get(key)
        return self.known.turns.keep(key, self._best(names, free)) if found is None else found

    def _best(self, names: tuple[str, ...], free: FreeSteps) -> Sequence[Timed]:
        ways = self._ways(names, free)
        places = ways.places(self.keys.room)
        bounds = [(ways.bound(place), place) for place in places]
        bounds.append((turn_bound(self._built(names, ways, OWN)), OWN))
        timed: list[Timed] = []
        for bound, place in sorted(bounds):
            if timed and bound.cycles > _close(timed[0].cycles):
                break
            least = bound.cycles, bound.words, bound.cycles, place
            if len(timed) >= NEXT_BEST and least > timed[NEXT_BEST - 1].rank:
                break
            if self._fits(names, ways, place):
                insort(timed, self._timed(names, ways, place), key=attrgetter("rank"))
        best = [one for one in timed[:NEXT_BEST] if one.cycles <= _close(timed[0].cycles)]
        return [replace(one, turn=ways.of_layers(one.place, names)) for one in best]

    def _ways(self, names: tuple[str, ...], free: FreeSteps) -> TurnWays:
        are_outside = is_outside(self.written.spec, "weights", names[0])
        key = (are_outside, self.keys.pace(names, self._shape(names)))
        ways = self.known.ways.get(key)
        if ways is None:
            ways = TurnWays(self.written, self.network, names, free, self._own_steps(names))
            self.known.ways.keep(key, ways)
        return ways

    def _own_steps(self, names: tuple[str, ...]) -> Sequence[Step]:
        """Those that the program has as it is written."""
        return self.written.spec.programs[str(self.written.spec.layers[names[0]].program)].steps

    def _fits(self, names: tuple[str, ...], ways: TurnWays, place: int) -> bool:
        buffers, words = self.keys.sizes(names)
        fits = ways.fits(place, buffers)
        known = fits.known(words)
        if known is None:
            steps = ways.steps(place)
            turn, found = self._turn(names, steps)
            ways.built.setdefault(place, (tuple(steps), turn))
            known = not found
            fits.keep(words, known)
        return known

    def _built(self, names: tuple[str, ...], ways: TurnWays, place: int) -> LayerProgram:
        """What a way does, whether or not it fits."""
        if place not in ways.built:
            self._fits(names, ways, place)
        if place not in ways.built:
            steps = ways.steps(place)
            ways.built[place] = tuple(steps), self._turn(names, steps)[0]
        return ways.built[place][1]

    def _timed(self, names: tuple[str, ...], ways: TurnWays, place: int) -> Timed:
        if place not in ways.timed:
            turn = self._built(names, ways, place)
            cycles = longest_interval(_program(self.written.spec, (turn,)))
            ways.timed[place] = Timed(place, ways.built[place][0], turn, turn_bound(turn), cycles)
        return ways.timed[place]

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

    def _shape(self, names: tuple[str, ...]) -> str:
        if names not in self.known.shapes:
            nodes = [self.network.nodes[name] for name in names]
            layers = [node.layer.model_dump(exclude={"name", "inputs"}) for node in nodes]
            shapes = [(node.input, node.output, node.groups) for node in nodes]
            self.known.shapes[names] = repr((layers, shapes))
        return self.known.shapes[names]

    # ---- all turns together ----------------------------------------------------------------------

    def frame(self, given: EngineArchitecture) -> _Frame:
        """The best ways of all turns together, or faults."""
        faults: list[Fault] = []
        best: dict[str, Sequence[Timed]] = {}
        own: dict[str, LayerProgram] = {}
        for names, free in self.free_turns(given, faults):
            found = self.best(names, free) if not faults else ()
            if found:
                best[names[0]] = found
                ways = self._ways(names, free)
                self._built(names, ways, OWN)
                own[names[0]] = ways.of_layers(OWN, names)
            elif isinstance(fault := self.fit(names, free), Fault):
                faults.append(fault)
        if faults or not best:
            return _Frame(None, None, tuple(faults))
        return self._in_the_frame(best, own)

    def _in_the_frame(self, best: Best, own: Mapping[str, LayerProgram]) -> _Frame:
        """None where they are no faster than what is written."""
        chosen = {name: ways[0] for name, ways in best.items()}
        program = self._program(chosen)
        if program is None:
            before, _ = build_engine(self.written, self.network, self.prefix)
            steps = {name: one.steps for name, one in chosen.items()} if before is None else None
            return _Frame(steps, before)
        key = (self.keys.frame_pace(), *((n, *(way.place for way in ways)) for n, ways in best.items()))
        swept = self.known.swept.get(key)
        if swept is None:
            swept = self.known.swept.keep(key, _swept(program, best, own, self.known.tables))
        if swept.own_cycles <= swept.cycles:
            before, _ = build_engine(self.written, self.network, self.prefix)
            if before is not None:
                return _Frame(None, before)
        chosen = {n: ways[i] for (n, ways), i in zip(best.items(), swept.chosen, strict=True)}
        steps = {name: one.steps for name, one in chosen.items()}
        return _Frame(steps, self._program(chosen) if any(swept.chosen) else program)

    def _program(self, chosen: Mapping[str, Timed]) -> EngineProgram | None:
        spec = with_steps(self.written.spec, {name: one.steps for name, one in chosen.items()})
        turns = {name: one.turn for name, one in chosen.items()}
        return build_engine(replace(self.written, spec=spec), self.network, self.prefix, turns)[0]


def _swept(
    program: EngineProgram, best: Best, own: Mapping[str, LayerProgram], builder: TableBuilder
) -> _Swept:
    """The next best ways of each turn in its place in a frame's ``program``, as long as one helps."""
    turns = {part.name: part for part in program.parts}
    chosen = dict.fromkeys(best, 0)
    written = tuple(part for part in {**turns, **own}.values() if part.ops)
    least = longest_interval(program, builder)
    others = [(name, i) for name, ways in best.items() for i in range(len(ways))]
    changed = 0  # how many were tried when the last one helped
    tried = range(SWEEPS * len(others))
    for k, (name, i) in zip(tried, cycle(others), strict=False):
        if k - changed >= len(others):
            break
        if i == chosen[name]:
            continue
        way = best[name][i]
        parts = tuple({**turns, name: way.turn}.values())
        cycles = interval_below(replace(program, parts=parts), least, builder)
        if cycles is not None:
            least, changed, chosen[name], turns[name] = cycles, k, i, way.turn
    own_cycles = longest_interval(replace(program, parts=written), builder)
    return _Swept(tuple(chosen.values()), least, own_cycles)


def _close(cycles: int) -> int:
    more, of, plus = CLOSE
    return cycles * more // of + plus


def _program(spec: EngineArchitecture, parts: tuple[LayerProgram, ...]) -> EngineProgram:
    units = tuple(spec.arrays), tuple(spec.stages), tuple(spec.buffers), tuple(spec.ports)
    return EngineProgram(parts, *units, spec.host is not None)
