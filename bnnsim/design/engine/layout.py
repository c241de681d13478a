"""From a network and an engine architecture to the engine's program, with every misfit reported."""

from __future__ import annotations

from collections.abc import Mapping

from bnnsim.design.engine.fit import check_buffers, has_compute, loops_over
from bnnsim.design.engine.keeping import check_keeping
from bnnsim.design.engine.loops import Scope, layer_scope
from bnnsim.design.engine.order import check_order
from bnnsim.design.engine.passing import parts_of
from bnnsim.design.engine.program import (
    EngineProgram,
    LayerProgram,
    Op,
    Repeat,
)
from bnnsim.design.engine.steps import StepResolver
from bnnsim.design.engine.traffic import check_loads, check_size, check_traffic
from bnnsim.design.network.network import Network, Node
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import (
    LayerMapping,
    Loop,
    Step,
)
from bnnsim.spec.faults import Fault, near_names
from bnnsim.spec.load import Loaded
from bnnsim.spec.workload import WeightedLayer

Key = tuple[str | int, ...]
NO_TURNS: Mapping[str, LayerProgram] = {}


def build_engine(
    architecture: Loaded[EngineArchitecture],
    network: Network,
    prefix: frozenset[str] = frozenset(),
    turns: Mapping[str, LayerProgram] = NO_TURNS,
) -> tuple[EngineProgram | None, list[Fault]]:
    """The program of ``network`` without its ``prefix`` layers; None where faults bar it.

    ``turns`` are those that :func:`build_turn` built of the same steps without a fault, by their first
    layer.
    """
    return _Builder(architecture, network, prefix).run(turns)


def turns_of(
    architecture: Loaded[EngineArchitecture], network: Network, prefix: frozenset[str] = frozenset()
) -> list[tuple[str, ...]]:
    """The layers of each turn, the leading one first; none where that is at fault."""
    builder = _Builder(architecture, network, prefix)
    found = builder.groups()
    return [] if builder.faults else found


def build_turn(
    architecture: Loaded[EngineArchitecture], network: Network, names: tuple[str, ...]
) -> tuple[LayerProgram, list[Fault]]:
    """One turn by itself, with its faults: loops that leave something out, weights that are not brought
    or do not fit, partial sums without a place."""
    builder = _Builder(architecture, network, frozenset())
    body = builder.layer(names)
    if not builder.faults:
        spec, text = builder.spec, builder.text
        builder.faults += check_buffers(spec, text, network, [names])
        builder.faults += check_loads(spec, text, network, parts_of(spec, [body]))
        builder.faults += check_order(spec, text, network, [body])
        builder.faults += check_size(spec, text, [body])
    return body, builder.faults


class _Builder:
    def __init__(
        self, architecture: Loaded[EngineArchitecture], network: Network, prefix: frozenset[str]
    ) -> None:
        self.prefix = prefix
        self.spec = architecture.spec
        self.text = architecture.source
        self.network = network
        self.faults: list[Fault] = []
        self.steps = StepResolver(self.spec, self.text, self.faults)

    def run(self, turns: Mapping[str, LayerProgram]) -> tuple[EngineProgram | None, list[Fault]]:
        groups = self.groups()
        if self.faults:
            return None, self.faults
        parts = [self._frame("before")]
        parts += [turns.get(names[0]) or self.layer(names) for names in groups]
        parts.append(self._frame("after"))
        if not self.faults:
            self.faults += check_buffers(self.spec, self.text, self.network, groups)
            self.faults += check_traffic(self.spec, self.text, self.network, parts)
            self.faults += check_keeping(self.spec, self.text, self.network, parts)
            self.faults += check_order(self.spec, self.text, self.network, parts)
            self.faults += check_size(self.spec, self.text, parts)
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

    def groups(self) -> list[tuple[str, ...]]:
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
            if name in self.prefix:
                if mapping is not None:
                    self._fault(("layers", name), "no entry: this layer streams", "one")
                continue
            if mapping is None:
                programs = ", ".join(self.spec.programs)
                expected = f"a program ({programs}) for layer {name} ({node.layer.op})"
                self._fault(("layers", name), expected, "none")
            elif mapping.within is not None:
                if isinstance(node.layer, WeightedLayer):
                    expected = "a program of its own for a layer with weights"
                    self._fault(("layers", name, "within"), expected, repr(mapping.within))
                if mapping.within not in leaders:
                    near = near_names(mapping.within, leaders)
                    expected = "a layer before this one that has a program"
                    self._fault(("layers", name, "within"), expected, repr(mapping.within), near)
                    continue
                leaders[name] = leaders[mapping.within]
                self._check_inputs_come_before(name, node, leaders, list(groups))
                groups[leaders[name]].append(name)
            else:
                self._check_program(name, node, mapping)
                leaders[name] = name
                groups[name] = [name]
        return [tuple(names) for names in groups.values()]

    def _check_inputs_come_before(
        self, name: str, node: Node, leaders: dict[str, str], turns: list[str]
    ) -> None:
        """A layer that runs within another's turn reads nothing that is made in a later one."""
        turn = turns.index(leaders[name])
        for given in node.inputs:
            if given in leaders and turns.index(leaders[given]) > turn:
                expected = f"{leaders[given]} or a later layer, for {name} reads {given}"
                self._fault(("layers", name, "within"), expected, repr(leaders[name]))

    def _check_program(self, name: str, node: Node, mapping: LayerMapping) -> None:
        key = ("layers", name, "program")
        program = self.spec.programs.get(str(mapping.program))
        if program is None:
            near = near_names(str(mapping.program), self.spec.programs)
            known = ", ".join(self.spec.programs)
            self._fault(key, f"one of the programs {known}", repr(mapping.program), near)
            return
        if isinstance(node.layer, WeightedLayer):
            if not has_compute(program.steps):
                expected = f"a program with a compute step for {name} ({node.layer.op})"
                self._fault(key, expected, f"{mapping.program} without one")
            array = self.spec.arrays.get(program.array or "")
            if array is None:
                known = ", ".join(self.spec.arrays)
                got = repr(program.array) if program.array else "none"
                near = near_names(program.array or "", self.spec.arrays)
                self._fault(("programs", str(mapping.program), "array"), f"one of {known}", got, near)
            elif node.layer.op not in array.supported_ops:
                runs = ", ".join(array.supported_ops)
                expected = f"a program whose array runs a {node.layer.op}"
                self._fault(key, expected, f"{mapping.program} on {program.array}, which runs {runs}")
            elif (
                array.accumulator_bits
                and not array.may_wrap
                and (node.sum_type.bits > array.accumulator_bits)
            ):
                self._fault(
                    ("arrays", program.array or "", "accumulator_bits"),
                    f"at least {node.sum_type.bits} (sums of {name} are {node.sum_type})",
                    array.accumulator_bits,
                )

    # ---- one part of the frame -------------------------------------------------------------

    def _frame(self, side: str) -> LayerProgram:
        scope = Scope({}, {}, None)
        steps: list[Step] = getattr(self.spec.frame, side)
        ops = self.steps.resolve(("frame", side), steps, scope, None, "")
        return LayerProgram(f"frame.{side}", (), "", ops, {})

    def layer(self, names: tuple[str, ...]) -> LayerProgram:
        node = self.network.nodes[names[0]]
        program_name = str(self.spec.layers[names[0]].program)
        program = self.spec.programs[program_name]
        array = self.spec.arrays[program.array] if program.array else None
        last = self.network.nodes[names[-1]]
        scope, fault = layer_scope(node, last, array)
        if fault:
            self._fault(("arrays", program.array or "", "group"), *fault)
            return LayerProgram(names[0], names, "", (), {})
        self.steps.calls = 0
        extents = dict(scope.extents)
        key = ("programs", program_name, "steps")
        if node.groups > 1 and not loops_over(program.steps, "groups"):
            loop, inner = scope.enter(Loop(dimension="groups"), scope.unrolls)
            body = self.steps.resolve(key, program.steps, inner, node, program.array or "")
            self.steps.calls *= loop.trips
            ops: tuple[Op, ...] = (Repeat((loop,), body),)
        else:
            ops = self.steps.resolve(key, program.steps, scope, node, program.array or "")
        return LayerProgram(names[0], names, program.array or "", ops, extents, self.steps.calls)
