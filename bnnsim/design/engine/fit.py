"""What must hold between an engine and a network: loops cover the layer, data fit the buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bnnsim.design.engine.loops import Scope, layer_extents
from bnnsim.design.engine.memory import map_bits, threshold_words, weight_words
from bnnsim.design.engine.program import Beside, LayerProgram, Op, Repeat, ResolvedLoop, Work
from bnnsim.design.network.network import Network, Node
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import (
    BesideStep,
    Buffer,
    CallsStep,
    ComputeStep,
    OverheadStep,
    Program,
    RepeatStep,
    Step,
    TransferStep,
)
from bnnsim.spec.faults import Fault
from bnnsim.spec.workload import WeightedLayer
from bnnsim.spec.yaml.source import SourceText

_REDUCED = ("in_channels", "kernel_rows", "kernel_columns")
_COVERED = ("groups", "out_channels", "planes", *_REDUCED, "rows", "columns")


def uncovered(inner: Scope) -> tuple[str, int, int] | None:
    """The first dimension of which more is left than the array takes in a cycle, if any."""
    for dimension in _COVERED:
        extent = inner.extents[dimension]
        unrolled = inner.unrolls.get(dimension, 1)
        if extent > unrolled:
            if dimension in ("rows", "columns") and (
                inner.extents["pixels"] <= inner.unrolls.get("pixels", 1)
            ):
                continue
            return dimension, extent, unrolled
    return None


def waiting_sums(step: ComputeStep, scope: Scope, node: Node) -> int:
    """Partial sums that must be kept while a reduction goes on: those of a tile that loops over input
    channels or kernel positions come back to, for every plane."""
    full = layer_extents(node, node, False)
    if any(scope.extents[name] < full[name] for name in _REDUCED):
        return _sums(scope, full["planes"])
    for loop in step.loops:
        resolved, inner = scope.enter(loop, scope.unrolls)
        if resolved.dimension in _REDUCED and resolved.trips > 1:
            return _sums(scope, full["planes"])
        scope = inner
    return 0


def waiting_in(part: LayerProgram) -> int:
    """The most partial sums that wait at any compute step of a turn, by the rule of
    :func:`waiting_sums`."""
    return _most_waiting(part.ops, dict(part.extents), part.extents)


def _most_waiting(ops: Sequence[Op], left: dict[str, int], full: Mapping[str, int]) -> int:
    most = 0
    for op in ops:
        if isinstance(op, Repeat):
            most = max(most, _most_waiting(op.body, _inside(left, op.loops), full))
        elif isinstance(op, Beside):
            most = max([most, *(_most_waiting(branch, left, full) for branch in op.branches)])
        elif isinstance(op, Work) and op.kind == "compute":
            most = max(most, _waiting(left, op.loops, full))
    return most


def _waiting(left: dict[str, int], loops: Sequence[ResolvedLoop], full: Mapping[str, int]) -> int:
    is_waiting = any(left[name] < full[name] for name in _REDUCED)
    for loop in loops:
        if is_waiting or (loop.dimension in _REDUCED and loop.trips > 1):
            break
        left = _inside(left, (loop,))
    else:
        if not is_waiting:
            return 0
    return left["pixels"] * left["out_channels"] * left["groups"] * full["planes"]


def _inside(left: dict[str, int], loops: Sequence[ResolvedLoop]) -> dict[str, int]:
    inner = dict(left)
    for loop in loops:
        if loop.dimension:
            inner[loop.dimension] = min(inner[loop.dimension], loop.tile)
        if loop.dimension == "pixels":
            inner["rows"] = inner["columns"] = 1
        elif loop.dimension in ("rows", "columns"):
            inner["pixels"] = inner["rows"] * inner["columns"]
    return inner


def _sums(scope: Scope, planes: int) -> int:
    extents = scope.extents
    return extents["pixels"] * extents["out_channels"] * extents["groups"] * planes


def check_buffers(
    spec: EngineArchitecture, text: SourceText, network: Network, groups: list[tuple[str, ...]]
) -> list[Fault]:
    """Faults of every layer whose data do not fit the buffers of its program."""
    faults: list[Fault] = []
    kept: dict[str, int] = {}
    for names in groups:
        program_name = str(spec.layers[names[0]].program)
        program = spec.programs[program_name]
        for i, buffer_name in enumerate(program.buffers):
            if buffer_name not in spec.buffers:
                known = ", ".join(spec.buffers) or "none declared"
                key = ("programs", program_name, "buffers", i)
                faults.append(text.fault(key, f"a buffer of this spec ({known})", repr(buffer_name)))
        for buffer_name in used_buffers(spec, program):
            buffer = spec.buffers[buffer_name]
            faults += _check(spec, text, network, names, buffer_name, buffer, kept)
            if buffer.holds == "weights" and buffer.residency != "network":
                faults += _check_traffic(text, network, names, program_name, program, buffer_name)
    return faults


def _check(
    spec: EngineArchitecture,
    text: SourceText,
    network: Network,
    names: tuple[str, ...],
    buffer_name: str,
    buffer: Buffer,
    kept: dict[str, int],
) -> list[Fault]:
    node = network.nodes[names[0]]
    program = spec.programs[str(spec.layers[names[0]].program)]
    array = spec.arrays.get(program.array or "")
    key = ("buffers", buffer_name, "words")
    is_listed = buffer_name in program.buffers
    if buffer.residency == "tile" and (buffer.holds in ("weights", "thresholds") or not is_listed):
        return []  # each transfer is held against it instead
    if buffer.holds in ("activations", "shortcut"):
        brings = _brings_input(program, buffer_name)
        bits = map_bits(buffer, network.nodes, names, brings, _sends_output(program))
        words = -(-bits // (buffer.banks * buffer.width_bits))
        what = f"the maps of {names[0]}"
    elif not isinstance(node.layer, WeightedLayer):
        return []
    elif buffer.holds == "weights":
        words = weight_words(buffer, node, array, node.layer.out)
        what = f"the weights of {names[0]}"
    elif buffer.holds == "thresholds":
        words = threshold_words(buffer, node.layer.out)
        what = f"the thresholds of {names[0]}"
    else:
        return []
    if buffer.residency == "network":
        before = kept.get(buffer_name, 0)
        kept[buffer_name] = words = before + words
        what = f"{what} and of the layers before" if before else what
        if before > buffer.words:
            return []
    if words > buffer.words:
        return [text.fault(key, f"at least {words} ({what})", buffer.words)]
    return []


def _brings_input(program: Program, buffer_name: str) -> bool:
    """Whether the program itself loads its input there, in tiles that are checked on their own."""
    return any(
        isinstance(step, TransferStep)
        and step.op == "load"
        and step.payload in ("image", "activations")
        and step.buffer == buffer_name
        for step in all_steps(program.steps)
    )


def _sends_output(program: Program) -> bool:
    """Whether the program itself stores what it makes: that it is all is checked where it is read."""
    return any(
        isinstance(step, TransferStep)
        and step.op == "store"
        and step.payload in ("results", "activations", "shortcut")
        for step in all_steps(program.steps)
    )


def _check_traffic(
    text: SourceText,
    network: Network,
    names: tuple[str, ...],
    program_name: str,
    program: Program,
    buffer_name: str,
) -> list[Fault]:
    if not isinstance(network.nodes[names[0]].layer, WeightedLayer):
        return []
    if any(
        isinstance(step, TransferStep) and step.payload == "weights" and step.op == "load"
        for step in all_steps(program.steps)
    ):
        return []
    return [
        text.fault(
            ("programs", program_name, "steps"),
            f"a load of weights through a port ({buffer_name} does not keep the network's)",
            "none",
        )
    ]


def used_buffers(spec: EngineArchitecture, program: Program) -> list[str]:
    """The buffers a program lists, and those its steps use without saying so."""
    names = [*program.buffers]
    for step in all_steps(program.steps):
        if isinstance(step, TransferStep):
            names.append(step.buffer)
        elif isinstance(step, CallsStep):
            names += step.fits
    return [name for name in dict.fromkeys(names) if name in spec.buffers]


def all_steps(steps: list[Step]) -> Iterator[Step]:
    """Every step once, those inside others too."""
    for step in steps:
        yield step
        if isinstance(step, RepeatStep | CallsStep):
            yield from all_steps(step.steps)
        elif isinstance(step, BesideStep):
            for branch in step.branches:
                yield from all_steps(branch)


def loops_over(steps: list[Step], dimension: str) -> bool:
    """Whether a loop of or around one of the steps runs over a dimension."""
    return any(
        loop.dimension == dimension
        for step in all_steps(steps)
        if not isinstance(step, OverheadStep | CallsStep | BesideStep)
        for loop in step.loops
    )


def has_compute(steps: list[Step]) -> bool:
    """Whether an array works in them."""
    return any(isinstance(step, ComputeStep) for step in all_steps(steps))
