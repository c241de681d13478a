"""What would make an engine faster: more unrolling, second buffers, wider ports and longer bursts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.engine.program import Transfer, leaves
from bnnsim.evaluation.advice.record import Advice
from bnnsim.evaluation.advice.trials import WORTHWHILE, Change, Path, Trials, Tried
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import CallsStep, Dimension, RepeatStep, Step, TransferStep

MOST_ADVICE = 3
_ARRAYS: tuple[Dimension, ...] = ("out_channels", "in_channels", "pixels")
_STAGES: tuple[Dimension, ...] = ("out_channels", "pixels")


def engine_advice(trials: Trials, base: Tried) -> Iterator[Advice]:
    """The changes that bring most, one entry each; where the checks ask for it, a buffer's with it."""
    design = base.design
    assert isinstance(design, EngineDesign)
    found: list[tuple[Tried, list[Change]]] = []
    for changes, built in _built(trials, design):
        tried = None if built is None else trials.time(built, changes)
        if tried is not None and tried.fps >= WORTHWHILE * base.fps:
            found.append((tried, changes))
    found.sort(key=lambda item: (bool(item[0].exceeds), -item[0].fps))
    for tried, changes in found[:MOST_ADVICE]:
        yield trials.advice(base, tried, changes)


def _built(
    trials: Trials, design: EngineDesign
) -> Iterator[tuple[list[Change], Design | EngineDesign | None]]:
    """Changes, and the design with them; None where the checks refuse it."""
    for changes in _options(design):
        built = trials.build(design, changes)
        yield changes, built
        if built is None and changes[0].path[0] == "arrays":
            for buffer, memory in design.architecture.buffers.items():
                # more at once may need more at once of these
                banks = Change(("buffers", buffer, "banks"), memory.banks, 2 * memory.banks)
                yield [*changes, banks], trials.build(design, [*changes, banks])


def _options(design: EngineDesign) -> Iterator[list[Change]]:
    """What is changed together, each by itself."""
    spec = design.architecture
    for name, array in spec.arrays.items():
        yield from _unrolled(("arrays", name), array.spatial_unrolling, _ARRAYS)
    for name, stage in spec.stages.items():
        yield from _unrolled(("stages", name), stage.spatial_unrolling, _STAGES)
    transfers = [
        op for part in design.program.parts for op in leaves(part.ops) if isinstance(op, Transfer)
    ]
    moved = dict.fromkeys(op.buffer for op in transfers)
    for name in moved:
        if not spec.buffers[name].double:
            yield [Change(("buffers", name, "double"), False, True)]
    for name in dict.fromkeys(op.port for op in transfers):
        port = spec.ports[name]
        yield _wider(spec, name)
        if any(op.bursts > 1 for op in transfers if op.port == name):
            words = port.max_burst_words
            yield [Change(("ports", name, "max_burst_words"), words, 2 * words)]
    if any(part.calls for part in design.program.parts):
        for name in moved:
            memory = spec.buffers[name]
            yield [Change(("buffers", name, "words"), memory.words, 2 * memory.words)]


def _wider(spec: EngineArchitecture, name: str) -> list[Change]:
    """A port twice as wide, through which as much goes: what is said in its words is said anew."""
    port = spec.ports[name]
    changes = [Change(("ports", name, "width_bits"), port.width_bits, 2 * port.width_bits)]
    lists: list[tuple[Path, list[Step]]] = [
        (("programs", program, "steps"), body.steps) for program, body in spec.programs.items()
    ]
    lists += [(("frame", side), getattr(spec.frame, side)) for side in ("before", "after")]
    for path, steps in lists:
        for place, step in _transfer_steps(path, steps):
            if step.port == name and step.words is not None:
                changes.append(Change((*place, "words"), step.words, -(-step.words // 2)))
    return changes


def _transfer_steps(path: Path, steps: list[Step]) -> Iterator[tuple[Path, TransferStep]]:
    """Every transfer with its path, those inside other steps too; nothing moves in a beside step."""
    for i, step in enumerate(steps):
        if isinstance(step, TransferStep):
            yield (*path, i), step
        elif isinstance(step, RepeatStep | CallsStep):
            yield from _transfer_steps((*path, i, "steps"), step.steps)


def _unrolled(
    path: tuple[str, ...], unrolling: Mapping[Dimension, int], dimensions: tuple[Dimension, ...]
) -> Iterator[list[Change]]:
    for dimension in dict.fromkeys((*unrolling, *dimensions)):
        now = unrolling.get(dimension, 1)
        yield [Change((*path, "spatial_unrolling", dimension), now, 2 * now)]
