"""Ways to make the importer faulty: while a fault is planted, import and check both have it.

The reference of ``check`` is not touched: it shares no code with what is changed here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from bnnsim.importers.onnx import network
from bnnsim.importers.onnx.graph import ModelGraph, Operator
from bnnsim.importers.onnx.network import LoweredModel

Plant = Callable[[pytest.MonkeyPatch], None]
Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Fault:
    """``plant`` makes the importer faulty where it reads ``network``."""

    name: str
    network: str
    plant: Plant


# ---- the model is misread --------------------------------------------------------------------------


def misread(change: Callable[[ModelGraph], ModelGraph]) -> Plant:
    """The importer sees ``change`` of the model's graph."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        read = network.read_graph
        patch.setattr(network, "read_graph", lambda model, file: change(read(model, file)))

    return plant


def _nth(graph: ModelGraph, kind: str, number: int) -> Operator:
    return [one for one in graph.operators if one.kind == kind][number]


def _with(graph: ModelGraph, old: Operator, *new: Operator) -> ModelGraph:
    operators: list[Operator] = []
    for one in graph.operators:
        operators += new if one is old else [one]
    return replace(graph, operators=operators)


def attribute(kind: str, number: int, **values: Any) -> Plant:
    """Attributes of the ``number``-th operator of a kind are read as ``values``."""

    def change(graph: ModelGraph) -> ModelGraph:
        found = _nth(graph, kind, number)
        return _with(graph, found, replace(found, attributes={**found.attributes, **values}))

    return misread(change)


def constant(kind: str, number: int, position: int, function: Change) -> Plant:
    """A constant input of an operator is read as ``function`` of it."""

    def change(graph: ModelGraph) -> ModelGraph:
        name = _nth(graph, kind, number).inputs[position]
        values = function(graph.constants[name]).astype(graph.constants[name].dtype)
        return replace(graph, constants={**graph.constants, name: values})

    return misread(change)


def dropped(kind: str, number: int) -> Plant:
    """An operator is passed over: what reads it reads its first input."""

    def change(graph: ModelGraph) -> ModelGraph:
        found = _nth(graph, kind, number)
        renamed = {found.outputs[0]: found.inputs[0]}
        operators = [
            replace(one, inputs=tuple(renamed.get(name, name) for name in one.inputs))
            for one in graph.operators
            if one is not found
        ]
        return replace(graph, operators=operators)

    return misread(change)


def rewired(kind: str, number: int, inputs: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Plant:
    """An operator reads other inputs."""

    def change(graph: ModelGraph) -> ModelGraph:
        found = _nth(graph, kind, number)
        return _with(graph, found, replace(found, inputs=inputs(found.inputs)))

    return misread(change)


def reads_that_of(kind: str, number: int, other: int) -> Plant:
    """An operator reads the data of another of its kind."""

    def change(graph: ModelGraph) -> ModelGraph:
        found, wrong = _nth(graph, kind, number), _nth(graph, kind, other)
        return _with(graph, found, replace(found, inputs=(wrong.inputs[0], *found.inputs[1:])))

    return misread(change)


def renamed(kind: str, number: int, new: str) -> Plant:
    """An operator is taken for one of another kind."""

    def change(graph: ModelGraph) -> ModelGraph:
        found = _nth(graph, kind, number)
        return _with(graph, found, replace(found, kind=new))

    return misread(change)


# ---- the result is wrong ---------------------------------------------------------------------------


def rewritten(change: Callable[[LoweredModel], LoweredModel]) -> Plant:
    """The importer writes ``change`` of what it should."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        lowered = network._lowered

        def faulty(*given: Any) -> LoweredModel:
            return change(lowered(*given))

        patch.setattr(network, "_lowered", faulty)

    return plant


def array(key: str, function: Change) -> Plant:
    """An array of the workload is written as ``function`` of it."""

    def change(lowered: LoweredModel) -> LoweredModel:
        values = lowered.arrays[key]
        wrong = function(values.astype(np.int64)).astype(values.dtype)
        assert wrong.shape == values.shape and not np.array_equal(wrong, values), key
        return replace(lowered, arrays={**lowered.arrays, key: wrong})

    return rewritten(change)


def layer(name: str, **values: Any) -> Plant:
    """A layer of the workload is written with other settings."""

    def change(lowered: LoweredModel) -> LoweredModel:
        layers = [
            one.model_copy(update=values) if one.name == name else one
            for one in lowered.workload.layers
        ]
        return replace(lowered, workload=lowered.workload.model_copy(update={"layers": layers}))

    return rewritten(change)


def output(number: int, **values: Any) -> Plant:
    """What the importer says of an output is wrong."""

    def change(lowered: LoweredModel) -> LoweredModel:
        outputs = list(lowered.outputs)
        outputs[number] = replace(outputs[number], **values)
        return replace(lowered, outputs=tuple(outputs))

    return rewritten(change)


def function(module: Any, name: str, wrong: Callable[..., Any]) -> Plant:
    """``wrong(right, *arguments)`` stands for a function of the importer."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = getattr(module, name)
        patch.setattr(module, name, lambda *given, **more: wrong(right, *given, **more))

    return plant
