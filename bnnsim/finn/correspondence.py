"""Two networks that are one: the layers of a FINN model and those of a design, pair by pair."""

from __future__ import annotations

from bnnsim.design.network.network import Network, Node
from bnnsim.spec.faults import InputError
from bnnsim.spec.workload import TopKLayer, WeightedLayer


def layer_pairs(model: Network, design: Network, file: str) -> dict[str, str]:
    """The design's layer by the model's, in their order; ``file`` is the model's.

    The labels that a design puts out behind the model's last layer, which FINN adds where it is asked
    to, have no pair. Raises :class:`InputError` at the first layer that has another operation or size.
    """
    theirs, ours = list(model.nodes.values()), list(design.nodes.values())
    if len(ours) == len(theirs) + 1 and isinstance(ours[-1].layer, TopKLayer):
        ours.pop()
    for one, other in zip(theirs, ours, strict=False):
        if _size(one) != _size(other):
            expected = f"the network of workload {design.workload.name}, {_said(other)}"
            raise InputError(file, expected, _said(one))
    if len(theirs) != len(ours):
        expected = f"the {len(ours)} layers of workload {design.workload.name}"
        raise InputError(file, expected, str(len(theirs)))
    pairs = {one.name: other.name for one, other in zip(theirs, ours, strict=True)}
    return {"input": "input", **pairs}


def _size(node: Node) -> tuple[object, ...]:
    matrix: tuple[int, ...] = ()
    if isinstance(node.layer, WeightedLayer):
        matrix = (node.matrix_height, node.matrix_width, node.groups)
    return (node.layer.op, node.output.shape, matrix)


def _said(node: Node) -> str:
    shape = " x ".join(map(str, node.output.shape))
    if isinstance(node.layer, WeightedLayer):
        return f"{node.name} ({node.layer.op}, {node.matrix_height} x {node.matrix_width}, {shape} out)"
    return f"{node.name} ({node.layer.op}, {shape} out)"
