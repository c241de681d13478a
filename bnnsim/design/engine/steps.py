"""A program's steps in whole numbers for one layer, with every misfit reported."""

from __future__ import annotations

from bnnsim.design.engine.fit import has_compute, uncovered, waiting_sums
from bnnsim.design.engine.loops import Scope
from bnnsim.design.engine.memory import dram_pace, threshold_words, weight_words
from bnnsim.design.engine.program import (
    Beside,
    Op,
    Repeat,
    ResolvedLoop,
    Transfer,
    Work,
    leaves,
)
from bnnsim.design.network.network import Node
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import (
    BesideStep,
    Buffer,
    CallsStep,
    ComputeStep,
    Loop,
    OverheadStep,
    Port,
    RepeatStep,
    StageStep,
    Step,
    TransferStep,
)
from bnnsim.spec.faults import Fault, divisors_of, near_names
from bnnsim.spec.yaml.source import SourceText

Key = tuple[str | int, ...]

_HOLDERS: dict[str, tuple[str, ...]] = {
    "weights": ("weights",),
    "thresholds": ("thresholds",),
    "activations": ("activations",),
    "shortcut": ("shortcut",),
    "image": ("activations",),
    "results": ("activations", "shortcut", "partial_sums"),
}
"""What a buffer must hold for each payload."""


class StepResolver:
    """Resolves steps; ``faults`` grows by what is wrong, ``calls`` counts the host's calls."""

    def __init__(self, spec: EngineArchitecture, text: SourceText, faults: list[Fault]) -> None:
        self.spec = spec
        self.text = text
        self.faults = faults
        self.calls = 0

    def _fault(self, key: Key, expected: str, got: object, near: tuple[str, ...] = ()) -> None:
        self.faults.append(self.text.fault(key, expected, got, near))

    def resolve(
        self, key: Key, steps: list[Step], scope: Scope, node: Node | None, array: str
    ) -> tuple[Op, ...]:
        return tuple(
            op for i, step in enumerate(steps) for op in self._step((*key, i), step, scope, node, array)
        )

    def _step(self, key: Key, step: Step, scope: Scope, node: Node | None, array: str) -> tuple[Op, ...]:
        if isinstance(step, OverheadStep):
            return (Work("", "overhead", step.cycles),)
        if isinstance(step, RepeatStep):
            loops, inner = self._loops(
                key, step.loops, scope, scope.unrolls, whole=has_compute(step.steps)
            )
            return (Repeat(loops, self.resolve((*key, "steps"), step.steps, inner, node, array)),)
        if isinstance(step, ComputeStep):
            return self._compute(key, step, scope, node, array)
        if isinstance(step, StageStep):
            return self._stage(key, step, scope)
        if isinstance(step, TransferStep):
            return self._transfer(key, step, scope)
        if isinstance(step, CallsStep):
            return self._calls(key, step, scope, node, array)
        return self._beside(key, step, scope, node, array)

    def _loops(
        self,
        key: Key,
        loops: list[Loop],
        scope: Scope,
        unrolls: dict[str, int],
        whole: bool = False,
    ) -> tuple[tuple[ResolvedLoop, ...], Scope]:
        """The loops in whole numbers and the scope inside; ``whole``: none may leave indices out."""
        resolved = []
        for i, loop in enumerate(loops):
            if loop.dimension is not None and loop.dimension not in scope.extents:
                known = ", ".join(scope.extents) or "trips (a frame has no dimensions)"
                self._fault((*key, "loops", i, "dimension"), known, repr(loop.dimension))
                return (), scope
            result, inner = scope.enter(loop, unrolls)
            if whole and loop.dimension is not None:
                self._check_whole((*key, "loops", i), loop, result, scope)
            resolved.append(result)
            scope = inner
        return tuple(resolved), scope

    def _check_whole(self, key: Key, loop: Loop, resolved: ResolvedLoop, scope: Scope) -> None:
        """A loop of or around a compute step takes every index: no layer is computed in part."""
        if loop.extra < 0:
            expected = f"a number >= 0 (what is computed must cover {loop.dimension})"
            self._fault((*key, "extra"), expected, loop.extra)
        extent = scope.extents[str(loop.dimension)]
        if resolved.extent < extent:
            expected = f"a loop over all {extent} {loop.dimension} that are left here"
            self._fault((*key, "within_group"), expected, f"one over {resolved.extent}")

    def _compute(
        self, key: Key, step: ComputeStep, scope: Scope, node: Node | None, array: str
    ) -> tuple[Op, ...]:
        if node is None or not array:
            self._fault(key, "a compute step in a program with an array", "none")
            return ()
        self._check_partial_sums(step, scope, node, array)
        loops, inner = self._loops(key, step.loops, scope, scope.unrolls, whole=True)
        left = uncovered(inner)
        if left:
            dimension, extent, unrolled = left
            self._fault(
                (*key, "loops"),
                f"loops that cover {dimension} of {node.name} (its tile here is {extent})",
                f"an array that unrolls {unrolled} of them, and no loop over the rest",
            )
        return (Work(array, "compute", _trips(loops) * step.interval + step.depth, loops, step.interval),)

    def _check_partial_sums(self, step: ComputeStep, scope: Scope, node: Node, array: str) -> None:
        program = self.spec.programs[str(self.spec.layers[node.name].program)]
        bits = self.spec.arrays[array].accumulator_bits or node.sum_type.bits
        sums = waiting_sums(step, scope, node)
        for name in program.buffers:
            buffer = self.spec.buffers.get(name)
            if buffer is None or buffer.holds != "partial_sums":
                continue
            words = -(-sums * bits // (buffer.banks * buffer.width_bits))
            if words > buffer.words:
                expected = f"at least {words} (the partial sums of a tile of {node.name})"
                self._fault(("buffers", name, "words"), expected, buffer.words)

    def _stage(self, key: Key, step: StageStep, scope: Scope) -> tuple[Op, ...]:
        unit = self.spec.stages.get(step.unit)
        if unit is None:
            near = near_names(step.unit, self.spec.stages)
            known = ", ".join(self.spec.stages) or "none declared"
            self._fault((*key, "unit"), f"one of the stages ({known})", repr(step.unit), near)
            return ()
        unrolls = {str(k): v for k, v in unit.spatial_unrolling.items()}
        loops, _ = self._loops(key, step.loops, scope, unrolls)
        cycles = _trips(loops) * step.interval + step.depth
        return (Work(step.unit, "stage", cycles, loops),)

    def _transfer(self, key: Key, step: TransferStep, scope: Scope) -> tuple[Op, ...]:
        port = self.spec.ports.get(step.port)
        buffer = self.spec.buffers.get(step.buffer)
        for name, found, kind, known in (
            (step.port, port, "port", list(self.spec.ports)),
            (step.buffer, buffer, "buffer", list(self.spec.buffers)),
        ):
            if found is None:
                shown = ", ".join(known) or "none declared"
                expected = f"a {kind} of this spec ({shown})"
                self._fault((*key, kind), expected, repr(name), near_names(name, known))
        loops, _ = self._loops(key, step.loops, scope, {})
        if port is None or buffer is None:
            return ()
        items = _trips(loops)
        words = moved_words(step, items, port)
        self._check_transfer(key, step, buffer, words * port.width_bits)
        if words == 0:
            return ()
        burst = min(step.burst_words or port.max_burst_words, port.max_burst_words)
        return (
            Transfer(
                step.payload,
                step.op,
                step.buffer,
                step.port,
                words,
                burst,
                port.latency_cycles,
                step.interval,
                buffer.double,
                loops,
                dram_pace(port, self.spec.clock_mhz, step.op == "store"),
            ),
        )

    def _check_transfer(self, key: Key, step: TransferStep, buffer: Buffer, bits: int) -> None:
        """What a transfer moves is what its buffer holds, and fits it.

        A fixed number of words of weights may bring other buffers' data along, or padding.
        """
        if buffer.holds not in _HOLDERS[step.payload]:
            holders = " or ".join(_HOLDERS[step.payload])
            got = f"{step.buffer}, which holds {buffer.holds}"
            self._fault((*key, "buffer"), f"a buffer that holds {holders}", got)
            return
        brings_others = step.words is not None and step.payload == "weights"
        if bits > buffer.capacity_bits and not brings_others:
            self._fault(
                (*key, "buffer"),
                f"a buffer of at least {bits} bits (what one {step.op} moves)",
                f"{step.buffer} of {buffer.capacity_bits} bits",
            )

    def _calls(
        self, key: Key, step: CallsStep, scope: Scope, node: Node | None, array: str
    ) -> tuple[Op, ...]:
        if node is None or self.spec.host is None:
            self._fault(key, "a host (key host) that makes the calls", "none")
            return ()
        total = scope.extents["out_channels"]
        batch = self._batch(key, step, node, array, total)
        loop = ResolvedLoop("out_channels", total // batch, batch, total)
        inner = scope.narrowed("out_channels", batch)
        body = self.resolve((*key, "steps"), step.steps, inner, node, array)
        cycles = round(self.spec.host.call_us * self.spec.clock_mhz)
        self.calls += loop.trips
        call = (Work("host", "host", cycles),) if cycles else ()
        return (Repeat((loop,), (*call, *body)),)

    def _batch(self, key: Key, step: CallsStep, node: Node, array: str, total: int) -> int:
        """Most output channels, a divisor of all, that fit every named buffer."""
        candidates = divisors_of(total)[::-1]
        for i, name in enumerate(step.fits):
            buffer = self.spec.buffers.get(name)
            if buffer is None:
                near = near_names(name, self.spec.buffers)
                known = ", ".join(self.spec.buffers)
                self._fault((*key, "fits", i), f"one of the buffers {known}", repr(name), near)
                return 1
            unit = self.spec.arrays.get(array)
            needs = {
                n: weight_words(buffer, node, unit, n)
                if buffer.holds == "weights"
                else threshold_words(buffer, n)
                for n in candidates
            }
            candidates = [n for n in candidates if needs[n] <= buffer.words]
            if not candidates:
                self._fault(
                    ("buffers", name, "words"),
                    f"at least {needs[min(needs)]} (one output channel of {node.name})",
                    buffer.words,
                )
                return 1
        return candidates[0]

    def _beside(
        self, key: Key, step: BesideStep, scope: Scope, node: Node | None, array: str
    ) -> tuple[Op, ...]:
        branches = tuple(
            self.resolve((*key, "branches", i), branch, scope, node, array)
            for i, branch in enumerate(step.branches)
        )
        if any(_transfers(branch) for branch in branches):
            self._fault(key, "branches without transfers", "a load or store")
        used = [{op.unit for op in leaves(branch) if isinstance(op, Work)} for branch in branches]
        names = sorted(unit for units in used for unit in units if unit)
        shared = sorted({name for name in names if names.count(name) > 1})
        if shared:
            self._fault(key, "branches that share no unit", ", ".join(shared))
        return (Beside(branches),)


def moved_words(step: TransferStep, items: int, port: Port) -> int:
    """Words of a port that a transfer of so many trips of its loops moves."""
    return items * step.words if step.words else -(-items * (step.bits or 0) // port.width_bits)


def _transfers(ops: tuple[Op, ...]) -> bool:
    return any(
        isinstance(op, Transfer)
        or (isinstance(op, Repeat) and _transfers(op.body))
        or (isinstance(op, Beside) and any(_transfers(branch) for branch in op.branches))
        for op in ops
    )


def _trips(loops: tuple[ResolvedLoop, ...]) -> int:
    trips = 1
    for loop in loops:
        trips *= loop.trips
    return trips
