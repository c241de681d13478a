"""From a network and an engine architecture to the engine's program, with every misfit reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bnnsim.design.build import completed_budget, device_of
from bnnsim.design.engine_fit import check_buffers, uncovered, waiting_sums
from bnnsim.design.engine_loops import FRAME, Scope, layer_scope
from bnnsim.design.engine_memory import threshold_words, weight_words
from bnnsim.design.engine_program import (
    Beside,
    EngineProgram,
    LayerProgram,
    Op,
    Repeat,
    ResolvedLoop,
    Transfer,
    Work,
)
from bnnsim.design.network import Network, Node, check_network
from bnnsim.spec.architecture import Architecture, Budget, EngineArchitecture
from bnnsim.spec.device import Device
from bnnsim.spec.engine import (
    BesideStep,
    Buffer,
    CallsStep,
    ComputeStep,
    LayerMapping,
    OverheadStep,
    RepeatStep,
    StageStep,
    Step,
    TransferStep,
)
from bnnsim.spec.faults import Fault, SpecError, divisors_of, near_names
from bnnsim.spec.load import Loaded, from_spec
from bnnsim.spec.workload import WeightedLayer, Workload

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class EngineDesign:
    """An engine architecture x network with everything resolved and checked."""

    architecture: EngineArchitecture
    network: Network
    device: Device
    program: EngineProgram

    @property
    def name(self) -> str:
        return f"{self.architecture.name} x {self.network.workload.name}"

    @property
    def budget(self) -> Budget:
        """The architecture's budget, completed with what the device holds."""
        return completed_budget(self.architecture, self.device)


def build_engine_design(
    architecture: Loaded[Architecture] | Architecture,
    workload: Loaded[Workload] | Workload,
) -> EngineDesign:
    """Fit a network onto an engine.

    Raises :class:`SpecError` with every fault of both files and of the fit.
    """
    given = architecture if isinstance(architecture, Loaded) else from_spec(architecture)
    if not isinstance(given.spec, EngineArchitecture):
        raise SpecError([given.source.fault(("style",), "engine", given.spec.style)])
    arch = Loaded(given.spec, given.source, given.path, given.faults)
    work = workload if isinstance(workload, Loaded) else from_spec(workload)
    faults: list[Fault] = [*arch.faults, *work.faults]
    device = device_of(arch.spec.device, arch.source, faults)
    network, network_faults = check_network(work)
    faults += network_faults
    program = None
    if network is not None:
        program, found = build_engine(arch, network)
        faults += found
    if faults or network is None or program is None or device is None:
        raise SpecError(faults)
    return EngineDesign(arch.spec, network, device, program)


def build_engine(
    architecture: Loaded[EngineArchitecture], network: Network
) -> tuple[EngineProgram | None, list[Fault]]:
    """The program of ``network`` on ``architecture``; None where faults bar it."""
    return _Builder(architecture, network).run()


class _Builder:
    def __init__(self, architecture: Loaded[EngineArchitecture], network: Network) -> None:
        self.spec = architecture.spec
        self.text = architecture.source
        self.network = network
        self.faults: list[Fault] = []
        self.calls = 0

    def run(self) -> tuple[EngineProgram | None, list[Fault]]:
        groups = self._groups()
        if self.faults:
            return None, self.faults
        parts = [self._frame("before")]
        parts += [self._layer(names) for names in groups]
        parts.append(self._frame("after"))
        if not self.faults:
            self.faults += check_buffers(self.spec, self.text, self.network, groups)
        if self.faults:
            return None, self.faults
        return EngineProgram(
            parts=tuple(part for part in parts if part.ops),
            arrays=tuple(self.spec.arrays),
            stages=tuple(self.spec.stages),
            buffers=tuple(self.spec.buffers),
            ports=tuple(self.spec.ports),
            host=self.spec.host is not None,
        ), []

    def _fault(self, key: Key, expected: str, got: object, near: tuple[str, ...] = ()) -> None:
        self.faults.append(self.text.fault(key, expected, got, near))

    # ---- which layer runs where ------------------------------------------------------------

    def _groups(self) -> list[tuple[str, ...]]:
        """Layers by the program they run in, in the network's order, the leading layer first."""
        for name in self.spec.layers:
            if name not in self.network.nodes:
                known = list(self.network.nodes)
                workload = self.network.workload.name
                near = near_names(name, known)
                self._fault(("layers", name), f"a layer of workload {workload}", f"'{name}'", near)
        leaders: dict[str, str] = {}
        groups: dict[str, list[str]] = {}
        for name, node in self.network.nodes.items():
            mapping = self.spec.layers.get(name)
            if mapping is None:
                programs = ", ".join(self.spec.programs)
                expected = f"a program ({programs}) for layer {name} ({node.layer.op})"
                self._fault(("layers", name), expected, "none")
            elif mapping.within is not None:
                if mapping.within not in leaders:
                    near = near_names(mapping.within, leaders)
                    expected = "a layer before this one that has a program"
                    self._fault(("layers", name, "within"), expected, repr(mapping.within), near)
                    continue
                leaders[name] = leaders[mapping.within]
                groups[leaders[name]].append(name)
            else:
                self._check_program(name, node, mapping)
                leaders[name] = name
                groups[name] = [name]
        return [tuple(names) for names in groups.values()]

    def _check_program(self, name: str, node: Node, mapping: LayerMapping) -> None:
        key = ("layers", name, "program")
        program = self.spec.programs.get(str(mapping.program))
        if program is None:
            near = near_names(str(mapping.program), self.spec.programs)
            known = ", ".join(self.spec.programs)
            self._fault(key, f"one of the programs {known}", repr(mapping.program), near)
            return
        if isinstance(node.layer, WeightedLayer):
            array = self.spec.arrays.get(program.array or "")
            if array is None:
                known = ", ".join(self.spec.arrays)
                got = repr(program.array) if program.array else "none"
                near = near_names(program.array or "", self.spec.arrays)
                self._fault(
                    ("programs", str(mapping.program), "array"), f"one of {known}", got, near
                )
            elif node.layer.op not in array.executes:
                runs = ", ".join(array.executes)
                expected = f"a program whose array runs a {node.layer.op}"
                self._fault(
                    key, expected, f"{mapping.program} on {program.array}, which runs {runs}"
                )
            elif array.accumulator_bits and not array.may_wrap and (
                node.sum_type.bits > array.accumulator_bits
            ):
                self._fault(
                    ("arrays", program.array or "", "accumulator_bits"),
                    f"at least {node.sum_type.bits} (sums of {name} are {node.sum_type})",
                    array.accumulator_bits,
                )
            elif node.groups > 1:
                self._fault(key, "a layer without groups", f"{node.groups} groups in {name}")

    # ---- one part of the frame -------------------------------------------------------------

    def _frame(self, side: str) -> LayerProgram:
        scope = Scope({}, {}, None)
        steps: list[Step] = getattr(self.spec.frame, side)
        ops = self._steps(("frame", side), steps, scope, None, "")
        return LayerProgram(f"frame.{side}", (), "", ops, {})

    def _layer(self, names: tuple[str, ...]) -> LayerProgram:
        node = self.network.nodes[names[0]]
        program_name = str(self.spec.layers[names[0]].program)
        program = self.spec.programs[program_name]
        array = self.spec.arrays[program.array] if program.array else None
        last = self.network.nodes[names[-1]]
        scope, fault = layer_scope(node, last, array)
        if fault:
            self._fault(("arrays", program.array or "", "group"), *fault)
            return LayerProgram(names[0], names, "", (), {})
        self.calls = 0
        extents = dict(scope.extents)
        ops = self._steps(
            ("programs", program_name, "steps"), program.steps, scope, node, program.array or ""
        )
        return LayerProgram(names[0], names, program.array or "", ops, extents, self.calls)

    def _steps(
        self, key: Key, steps: list[Step], scope: Scope, node: Node | None, array: str
    ) -> tuple[Op, ...]:
        return tuple(
            op
            for i, step in enumerate(steps)
            for op in self._step((*key, i), step, scope, node, array)
        )

    def _step(
        self, key: Key, step: Step, scope: Scope, node: Node | None, array: str
    ) -> tuple[Op, ...]:
        if isinstance(step, OverheadStep):
            return (Work("", "overhead", step.cycles),)
        if isinstance(step, RepeatStep):
            loops, inner = self._loops(key, step.loops, scope, scope.unrolls)
            return (Repeat(loops, self._steps((*key, "steps"), step.steps, inner, node, array)),)
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
        self, key: Key, loops: list[Any], scope: Scope, unrolls: dict[str, int]
    ) -> tuple[tuple[ResolvedLoop, ...], Scope]:
        resolved = []
        for i, loop in enumerate(loops):
            if loop.over is not None and loop.over not in scope.extents:
                known = ", ".join(scope.extents) or "trips (a frame has no dimensions)"
                self._fault((*key, "loops", i, "over"), known, repr(loop.over))
                return (), scope
            result, scope = scope.enter(loop, unrolls)
            resolved.append(result)
        return tuple(resolved), scope

    def _compute(
        self, key: Key, step: ComputeStep, scope: Scope, node: Node | None, array: str
    ) -> tuple[Op, ...]:
        if node is None or not array:
            self._fault(key, "a compute step in a program with an array", "none")
            return ()
        self._check_partial_sums(step, scope, node, array)
        loops, inner = self._loops(key, step.loops, scope, scope.unrolls)
        left = uncovered(inner)
        if left:
            dimension, extent, unrolled = left
            self._fault(
                (*key, "loops"),
                f"loops that cover {dimension} of {node.name} (its tile here is {extent})",
                f"an array that unrolls {unrolled} of them, and no loop over the rest",
            )
        return (Work(array, "compute", _trips(loops) * step.interval + step.depth, loops),)

    def _check_partial_sums(
        self, step: ComputeStep, scope: Scope, node: Node, array: str
    ) -> None:
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
        unit = self.spec.stages.get(step.on)
        if unit is None:
            near = near_names(step.on, self.spec.stages)
            known = ", ".join(self.spec.stages) or "none declared"
            self._fault((*key, "on"), f"one of the stages ({known})", repr(step.on), near)
            return ()
        loops, _ = self._loops(key, step.loops, scope, {str(k): v for k, v in unit.unrolls.items()})
        cycles = _trips(loops) * step.interval + step.depth
        return (Work(step.on, "stage", cycles, loops),)

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
        words = (
            items * step.words if step.words else -(-items * (step.bits or 0) // port.width_bits)
        )
        self._check_transfer(key, step, buffer, words * port.width_bits)
        if words == 0:
            return ()
        burst = min(step.burst_words or port.max_burst_words, port.max_burst_words)
        return (
            Transfer(
                step.what,
                step.do,
                step.buffer,
                step.port,
                words,
                burst,
                port.latency_cycles,
                step.interval,
                buffer.double,
            ),
        )

    def _check_transfer(self, key: Key, step: TransferStep, buffer: Buffer, bits: int) -> None:
        """A load must fit its buffer. A fixed number of words may bring other buffers' data along."""
        if step.bits is not None and bits > buffer.capacity_bits:
            self._fault(
                (*key, "buffer"),
                f"a buffer of at least {bits} bits (what one {step.do} moves)",
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
        body = self._steps((*key, "steps"), step.steps, inner, node, array)
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
            self._steps((*key, "branches", i), branch, scope, node, array)
            for i, branch in enumerate(step.branches)
        )
        if any(_transfers(branch) for branch in branches):
            self._fault(key, "branches without transfers", "a load or store")
        return (Beside(branches),)


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


__all__ = ["FRAME", "EngineDesign", "build_engine", "build_engine_design"]
