"""Ways to run a layer: loop orders and tiles around a program's steps.

What happens is the program's: one load of weights, one compute step, stages and stores behind it, with
their depths and intervals. Its loops are not: they are written anew, each way a list of steps.

Sums that come out one by one pass a stage that keeps up as they come; sums that wait for the last tile of
input channels pass it afterwards, and so do those of a stage that does not keep up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from bnnsim.design.engine.loops import layer_extents
from bnnsim.design.network.network import Network
from bnnsim.spec.bounds import MAX_NAME
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import (
    Array,
    Loop,
    Program,
    RepeatStep,
    StageStep,
    Step,
    TransferStep,
)
from bnnsim.timing.engine.mapping.free_steps import FreeSteps

Tile = tuple[str, int]
"""A dimension and how many of its indices a trip takes."""
WEIGHTS = ("out_channels", "in_channels", "kernel_rows", "kernel_columns")
REDUCED = ("planes", "kernel_rows", "kernel_columns", "in_channels")


@dataclass(frozen=True)
class Way:
    """Tiles outside, the outermost first, and of input channels inside them; the load of weights stands
    inside ``load_inside`` of the outer ones, or inside all where input channels are split."""

    outer: tuple[Tile, ...]
    split: int | None
    load_inside: int


Room = Mapping[str, int]
"""Bits, by buffer."""


class Mapper:
    """Every way to run a layer, written as steps, and the room that its weights and sums ask for; of
    those that there is room for the checks say which fit. The sizes of the spec's buffers do not count.
    """

    def __init__(self, spec: EngineArchitecture, network: Network, name: str, free: FreeSteps) -> None:
        self.free = free
        self.spec = spec
        self.node = network.nodes[name]
        program: Program = spec.programs[str(spec.layers[name].program)]
        self.array: Array = spec.arrays[str(program.array)]
        self.lanes: Mapping[str, int] = {
            str(key): count for key, count in self.array.spatial_unrolling.items()
        }
        self.extents = layer_extents(self.node, self.node, self.array.iteration_space == "every_pixel")
        self.map_dimensions = ("pixels",) if "pixels" in self.lanes else ("rows", "columns")
        self.has_groups = self.node.groups > 1 and "groups" in self.lanes
        self.bits = free.load.bits or 0 if free.load is not None else 0
        named = [name for name in program.buffers if name in spec.buffers]
        self._whole: dict[str, Loop] = {}
        self.sums = [name for name in named if spec.buffers[name].holds == "partial_sums"]

    def every(self) -> Iterator[Way]:
        """Every way, those with the smallest tiles last."""
        walked = self.map_dimensions[0]
        outputs, walks = self._tiles("out_channels"), self._tiles(walked)
        inputs = self._tiles("in_channels")[:-1]  # the last is all of them: no split
        load = int(self.free.load is not None)
        yield Way((), None, 0)
        for split in (None, *reversed(inputs)):
            if split is not None:
                yield Way((), split, 0)
            for rows in reversed(walks[:-1]):
                yield Way(((walked, rows),), split, 0)
            for tile in reversed(outputs[:-1]):
                yield Way((("out_channels", tile),), split, load)
                for rows in reversed(walks[:-1]):
                    outer, across = ("out_channels", tile), (walked, rows)
                    yield Way((outer, across), split, load)
                    yield Way((across, outer), split, 2 * load)

    def asked(self, way: Way) -> Room:
        """The room that the weights of a load take, and the sums that wait."""
        left = {**self.extents, **{name: min(tile, self.extents[name]) for name, tile in way.outer}}
        held = dict(self.extents)
        inside = way.outer if way.split is not None else way.outer[: way.load_inside]
        for name, tile in inside:
            held[name] = min(tile, held[name])
        held["in_channels"] = min(way.split or held["in_channels"], held["in_channels"])
        groups = self.lanes["groups"] if self.has_groups else 1
        weights = groups * prod(held[name] for name in WEIGHTS) * self.bits
        asked = {self.free.load.buffer: weights} if self.free.load is not None else {}
        if way.split is None:
            return asked
        pixels = left["pixels"]
        if self.map_dimensions[0] == "rows":
            pixels = left["rows"] * left["columns"]
        waiting = pixels * left["out_channels"] * left["planes"]
        bits = waiting * (self.array.accumulator_bits or self.node.sum_type.bits)
        return {**asked, **dict.fromkeys(self.sums, bits)}

    def _tiles(self, dimension: str) -> list[int]:
        """What the array takes at once, times powers of two, and all."""
        extent, lanes = self.extents[dimension], self.lanes.get(dimension, 1)
        tiles = []
        tile = lanes
        while tile < extent:
            tiles.append(tile)
            tile *= 2
        return [*tiles, extent]

    # ---- a way as steps -------------------------------------------------------------------------

    def steps(self, way: Way) -> list[Step]:
        left = dict(self.extents)
        for dimension, tile in way.outer:
            left[dimension] = min(tile, left[dimension])
        load = [self._load] if self.free.load is not None else []
        core: list[Step] = [self._compute]
        behind = self._behind(left, is_split=way.split is not None)
        if way.split is not None:
            loops = [self._loop("in_channels", way.split)]
            core = [RepeatStep(op="repeat", loops=loops, steps=[*load, *core])]
        nest: list[Step] = [*core, *behind]
        for depth in range(len(way.outer), -1, -1):
            if depth < len(way.outer):
                loops = [self._loop(*way.outer[depth])]
                nest = [RepeatStep(op="repeat", loops=loops, steps=nest)]
            if way.split is None and depth == way.load_inside:
                nest = [*load, *nest]
        if self.has_groups:
            nest = [RepeatStep(op="repeat", loops=[Loop(dimension="groups")], steps=nest)]
        return [*self.free.before, *nest, *self.free.after]

    def _loop(self, dimension: str, tile: int) -> Loop:
        if tile == self.lanes.get(dimension, 1):
            return self._over(dimension)
        return Loop.model_validate({"dimension": dimension, "tile": tile})

    def _over(self, dimension: str) -> Loop:
        if dimension not in self._whole:
            self._whole[dimension] = Loop.model_validate({"dimension": dimension})
        return self._whole[dimension]

    @cached_property
    def _load(self) -> Step:
        assert self.free.load is not None
        return self.free.load.model_copy(update={"loops": [self._over(d) for d in self.weights()]})

    def weights(self) -> tuple[str, ...]:
        return ("groups", *WEIGHTS) if self.has_groups else WEIGHTS

    @cached_property
    def _compute(self) -> Step:
        reduced = [name for name in REDUCED if name != "planes" or self.extents["planes"] > 1]
        walked = [*self.map_dimensions, "out_channels", *reduced]
        return self.free.compute.model_copy(update={"loops": [self._over(d) for d in walked]})

    def _behind(self, left: Mapping[str, int], is_split: bool) -> list[Step]:
        steps: list[Step] = []
        for step in self.free.behind:
            if isinstance(step, TransferStep):
                steps.append(step)
                continue
            names = self.passed(step, left, is_split)
            steps.append(step.model_copy(update={"loops": [self._over(d) for d in names]}))
        return steps

    def passed(self, step: StageStep, left: Mapping[str, int], is_split: bool) -> tuple[str, ...]:
        """What a stage loops over: sums that wait for it pass it one by one."""
        waits = is_split or not self._keeps_up(step, left)
        return (*self.map_dimensions, "out_channels") if waits else ()

    def _keeps_up(self, step: StageStep, left: Mapping[str, int]) -> bool:
        """Whether a stage takes the sums that the array finishes at once before the next are there."""
        takes = self.takes(step)
        at_once = prod(
            -(-min(self.lanes.get(name, 1), left[name]) // takes.get(name, 1))
            for name in ("out_channels", *self.map_dimensions)
        )
        trips = trips_over(REDUCED, self.extents, self.lanes)
        return at_once * step.interval <= trips * self.free.compute.interval

    def takes(self, step: StageStep) -> Mapping[str, int]:
        """What a stage takes in a cycle."""
        unit = self.spec.stages.get(step.unit)
        return {str(key): count for key, count in unit.spatial_unrolling.items()} if unit else {}


def trips_over(names: Iterable[str], left: Mapping[str, int], lanes: Mapping[str, int]) -> int:
    """Trips of loops that take ``lanes`` at once of what is ``left`` of each dimension."""
    return prod(-(-left[name] // lanes.get(name, 1)) for name in names)


def with_steps(spec: EngineArchitecture, chosen: Mapping[str, Sequence[Step]]) -> EngineArchitecture:
    """The spec where each layer of ``chosen`` runs a program of those steps; layers with the same steps
    of the same program share one, and programs that nobody runs any more are left out."""
    programs = dict(spec.programs)
    layers = dict(spec.layers)
    made: dict[str, list[str]] = {}
    for name, steps in chosen.items():
        old = str(layers[name].program)
        program = spec.programs[old].model_copy(update={"steps": list(steps)})
        same = next((known for known in (old, *made.get(old, ())) if programs[known] == program), None)
        if same is None:
            same = _free_name(f"{old}_{name}"[: MAX_NAME - 4], programs)
            programs[same] = program
            made.setdefault(old, []).append(same)
        layers[name] = layers[name].model_copy(update={"program": same, "mapping": None})
    gone = {str(spec.layers[name].program) for name in chosen}
    gone -= {str(entry.program) for entry in layers.values()}
    kept = {name: program for name, program in programs.items() if name not in gone}
    return spec.model_copy(update={"programs": kept, "layers": layers})


def _free_name(wanted: str, taken: Mapping[str, object]) -> str:
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name
