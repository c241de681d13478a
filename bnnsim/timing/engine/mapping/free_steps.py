"""What a program does, without its loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bnnsim.design.network.node import Node
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import (
    ComputeStep,
    OverheadStep,
    RepeatStep,
    StageStep,
    Step,
    TransferStep,
)
from bnnsim.spec.faults import Fault
from bnnsim.spec.workload import WeightedLayer
from bnnsim.spec.yaml.source import SourceText

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class FreeSteps:
    """A program's steps without their loops: those ``before`` all work, those of the nest, those
    ``after``."""

    before: tuple[Step, ...]
    load: TransferStep | None
    compute: ComputeStep
    behind: tuple[StageStep | TransferStep, ...]
    after: tuple[Step, ...]


def free_steps(
    spec: EngineArchitecture, text: SourceText, name: str, node: Node
) -> tuple[FreeSteps | None, list[Fault]]:
    """What a program does, where its loops may be chosen; None and a fault where they may not."""
    called = str(spec.layers[name].program)
    program = spec.programs.get(called)
    key = ("programs", called, "steps")
    if program is None or program.array not in spec.arrays:
        return None, []  # reported as such
    array = spec.arrays[program.array]
    if array.group is not None:
        expected = f"an array without group for {name}, whose mapping is auto"
        return None, [text.fault(("arrays", program.array, "group"), expected, array.group.words)]
    reader = _Reader(text, name, key)
    reader.read(key, program.steps, is_inside=False)
    return reader.found(spec, node)


class _Reader:
    """Steps in their order, without repeats."""

    def __init__(self, text: SourceText, name: str, key: Key) -> None:
        self.text = text
        self.name = name
        self.key = key
        self.faults: list[Fault] = []
        self.before: list[Step] = []
        self.load: TransferStep | None = None
        self.compute: ComputeStep | None = None
        self.behind: list[StageStep | TransferStep] = []
        self.after: list[Step] = []

    def read(self, key: Key, steps: Sequence[Step], is_inside: bool) -> None:
        for i, step in enumerate(steps):
            self._read((*key, i), step, is_inside)

    def _fault(self, key: Key, expected: str, got: str) -> None:
        expected = f"{expected} for {self.name}, whose mapping is auto"
        self.faults.append(self.text.fault(key, expected, got))

    def _read(self, key: Key, step: Step, is_inside: bool) -> None:
        plain = [] if isinstance(step, OverheadStep) else list(getattr(step, "loops", []))
        for k, loop in enumerate(plain):
            if loop.trips or loop.extra or loop.within_group or loop.tile == "group":
                self._fault((*key, "loops", k), "a loop over a dimension, with nothing else", "more")
        if isinstance(step, RepeatStep):
            self.read((*key, "steps"), step.steps, True)
        elif isinstance(step, ComputeStep):
            if self.compute is not None:
                self._fault(key, "one compute step", "another one")
            self.compute = step
        elif isinstance(step, TransferStep) and step.payload == "weights":
            if self.load is not None or self.compute is not None or step.op != "load":
                self._fault(key, "one load of weights, before the compute step", "another one")
            self.load = step
        elif self.compute is not None and (
            isinstance(step, StageStep) or (isinstance(step, TransferStep) and step.loops)
        ):
            self.behind.append(step)
        elif isinstance(step, TransferStep | OverheadStep) and not is_inside:
            (self.before if self.compute is None else self.after).append(step)
        else:
            self._fault(
                key,
                "a load of weights, a compute step, stages behind it, transfers and overheads outside "
                "all loops",
                f"{step.op} here",
            )

    def found(self, spec: EngineArchitecture, node: Node) -> tuple[FreeSteps | None, list[Fault]]:
        if self.compute is None:
            self._fault(self.key, "a compute step", "none")
        if self.load is not None:
            assert isinstance(node.layer, WeightedLayer)
            buffer = spec.buffers.get(self.load.buffer)
            bits = (buffer and buffer.element_bits) or node.layer.weight.bits
            if self.load.bits != bits:
                got = f"{self.load.words} words" if self.load.words else f"{self.load.bits} bits"
                self._fault(self.key, f"a load of weights of bits: {bits} each", got)
        if any(isinstance(step, StageStep) for step in self.after):
            self._fault(self.key, "stages before the last transfers", "one after them")
        if self.faults or self.compute is None:
            return None, self.faults
        return FreeSteps(
            tuple(self.before), self.load, self.compute, tuple(self.behind), tuple(self.after)
        ), []
