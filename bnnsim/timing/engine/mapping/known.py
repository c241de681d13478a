"""What was found of turns and frames before, for whoever maps many specs that have much in common.

Equal keys mean equal findings: a key has everything of a spec that loops, their checks and their cycles
depend on. What a unit is built from (styles, circuits) is not among it, nor, as long as no time is stated
in seconds, the clock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from bnnsim.design.engine.fit import all_steps, used_buffers
from bnnsim.design.network.network import Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import CallsStep, StageStep, TransferStep
from bnnsim.spec.model import SpecModel

MOST_TURNS = 2_000
"""Findings that are kept, those that were asked for last."""
Found = TypeVar("Found")
Key = tuple[object, ...]
_BUILT_FROM = {"source", "style", "circuits", "adapters", "ports", "writers", "readers", "rom", "fitted"}


class Known(Generic[Found]):
    """Findings by key."""

    def __init__(self, most: int = MOST_TURNS) -> None:
        self.most = most
        self._found: OrderedDict[Key, Found] = OrderedDict()

    def get(self, key: Key) -> Found | None:
        if key in self._found:
            self._found.move_to_end(key)
        return self._found.get(key)

    def keep(self, key: Key, found: Found) -> Found:
        self._found[key] = found
        if len(self._found) > self.most:
            self._found.popitem(last=False)
        return found

    def __len__(self) -> int:
        return len(self._found)


class Keys:
    """Keys of the turns of one spec, and of its frame."""

    def __init__(self, spec: EngineArchitecture, network: Network) -> None:
        self.spec = spec
        self.network = network
        self.arrays, self.stages = _dumped(spec.arrays), _dumped(spec.stages)
        self.buffers, self.ports = _dumped(spec.buffers), _dumped(spec.ports)
        self.room = {name: buffer.capacity_bits for name, buffer in spec.buffers.items()}
        self.shaped = _dumped(spec.buffers, _BUILT_FROM | {"words"})
        self.programs = {name: repr(program) for name, program in spec.programs.items()}
        in_seconds = spec.host is not None or any(port.dram for port in spec.ports.values())
        clock = spec.clock_mhz if in_seconds else None
        self.all_turns: Key = (repr(spec.host), clock, repr(spec.outside), self.network.workload.name)
        self._programs: dict[str, tuple[Key, list[str]]] = {}

    def turn(self, names: Sequence[str]) -> Key:
        """Of the layers ``names``, done in one turn."""
        called = str(self.spec.layers[names[0]].program)
        of_program, buffers = self._of_program(called)
        return (tuple(names), of_program, *((name, self.buffers.get(name)) for name in buffers))

    def pace(self, names: Sequence[str], shape: str) -> Key:
        """Of what layers of a ``shape`` do in one turn, in whatever ways: neither their names nor the
        sizes of buffers are among it."""
        of_program, buffers = self._of_program(str(self.spec.layers[names[0]].program))
        return (shape, of_program, *((name, self.spec.buffers[name].double) for name in buffers))

    def sizes(self, names: Sequence[str]) -> tuple[Key, tuple[int, ...]]:
        """Of the buffers of a turn all but their words, and their words."""
        _, buffers = self._of_program(str(self.spec.layers[names[0]].program))
        words = tuple(self.spec.buffers[name].words for name in buffers)
        return tuple(self.shaped[name] for name in buffers), words

    def _of_program(self, called: str) -> tuple[Key, list[str]]:
        """Of a program, its array, its stages and ports; and the names of its buffers."""
        if called not in self._programs:
            program = self.spec.programs[called]
            array = program.array or ""
            steps = list(all_steps(program.steps))
            stages = dict.fromkeys(step.unit for step in steps if isinstance(step, StageStep))
            ports = dict.fromkeys(step.port for step in steps if isinstance(step, TransferStep))
            key = (
                *self.all_turns, called, self.programs[called], array, self.arrays.get(array),
                *((name, self.stages.get(name)) for name in stages),
                *((name, self.ports.get(name)) for name in ports),
            )  # fmt: skip
            self._programs[called] = key, used_buffers(self.spec, program)
        return self._programs[called]

    def frame(self) -> Key:
        """Of all turns together, behind a prefix if there is one."""
        return (self._frame(), tuple(self.buffers.items()))

    def frame_pace(self) -> Key:
        """Of what all turns together do, as far as the sizes of buffers do not matter: calls take as much
        as fits."""
        every = (all_steps(program.steps) for program in self.spec.programs.values())
        if any(isinstance(step, CallsStep) for steps in every for step in steps):
            return self.frame()
        buffers = ((name, buffer.double) for name, buffer in self.spec.buffers.items())
        return (self._frame(), tuple(buffers))

    def _frame(self) -> Key:
        units = (self.arrays, self.stages, self.ports, self.programs)
        layers = {name: repr(entry) for name, entry in self.spec.layers.items()}
        every = (tuple(part.items()) for part in (*units, layers))
        return (*self.all_turns, *every, repr(self.spec.frame), repr(self.spec.streaming_prefix))


def _dumped(units: Mapping[str, SpecModel], without: set[str] = _BUILT_FROM) -> dict[str, str]:
    return {name: repr(unit.model_dump(exclude=without)) for name, unit in units.items()}
