"""A workload with every shape, type and matrix size worked out: what both hardware and bits follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bnnsim.design.network.node import INPUT as INPUT
from bnnsim.design.network.node import Node as Node
from bnnsim.design.network.resolve import resolve
from bnnsim.design.network.tensor import RESIDUAL_SUM as RESIDUAL_SUM
from bnnsim.design.network.tensor import Shape as Shape
from bnnsim.design.network.tensor import Tensor as Tensor
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.load import Loaded, from_spec
from bnnsim.spec.workload import TopKLayer, Workload


@dataclass(frozen=True)
class Network:
    """A workload as a graph in topological order.

    ``nodes`` maps layer names to nodes, every node behind its inputs; the file's order is kept where
    the graph leaves a choice. ``outputs`` names the layers whose values leave, at least one.
    """

    workload: Workload
    input: Tensor
    nodes: Mapping[str, Node]
    outputs: tuple[str, ...]

    @property
    def output(self) -> str:
        """The first output: the layer whose values are the scores that predictions are made of."""
        return self.outputs[0]

    @property
    def classes(self) -> int:
        """How many classes a prediction chooses from: those named, else what the (first) output tells."""
        if self.workload.classes:
            return len(self.workload.classes)
        node = self.nodes[self.output]
        return node.input.channels if self.puts_out_labels else node.output.elements

    @property
    def puts_out_labels(self) -> bool:
        """Whether the (first) output is positions of scores, the best first, and not scores."""
        return isinstance(self.nodes[self.output].layer, TopKLayer)

    def tensor(self, name: str) -> Tensor:
        """What layer ``name`` (or ``input``) puts out."""
        return self.input if name == INPUT else self.nodes[name].output

    @cached_property
    def consumers(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """For every edge source the (layer, input position) pairs that read it, in order."""
        readers: dict[str, list[tuple[str, int]]] = {INPUT: [], **{n: [] for n in self.nodes}}
        for node in self.nodes.values():
            for position, source in enumerate(node.inputs):
                readers[source].append((node.name, position))
        return {name: tuple(entries) for name, entries in readers.items()}

    @property
    def macs(self) -> int:
        """Multiply-accumulates a frame; two operations each."""
        return sum(node.macs for node in self.nodes.values())


def resolve_network(workload: Loaded[Workload] | Workload) -> Network:
    """Work out shapes and types. Raises :class:`SpecError` with every fault found."""
    loaded = workload if isinstance(workload, Loaded) else from_spec(workload)
    network, faults = check_network(loaded)
    if faults or network is None:
        raise SpecError([*loaded.faults, *faults])
    return network


def check_network(loaded: Loaded[Workload]) -> tuple[Network | None, list[Fault]]:
    """As :func:`resolve_network`, with the faults returned; the network is None where they bar it."""
    resolved, faults = resolve(loaded)
    if resolved is None:
        return None, faults
    return Network(loaded.spec, resolved.input, resolved.nodes, resolved.outputs), []
