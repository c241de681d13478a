"""What a draft reaches in fixed point on drawn frames, where what it could reach says nothing."""

from __future__ import annotations

from fractions import Fraction

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.functional.input.frames import random_frames
from bnnsim.functional.parameters.parameters import check_parameters
from bnnsim.importers.draft.draft import INPUT, NetworkDraft
from bnnsim.importers.draft.passes import canonicalise
from bnnsim.importers.draft.workload import to_workload
from bnnsim.spec.bounds import MAX_RUN_BYTES
from bnnsim.spec.faults import SpecError
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import WeightedLayer

_FRAMES, _SEED = 4, 0
_MOST_PRODUCTS = 1 << 36
"""Of weights and elements in all frames: some forty frames of ResNet-18 at 224 x 224 have as many."""


def measured_reach(
    draft: NetworkDraft, outputs: list[str], word: ValueType, file: str
) -> Fraction | None:
    """The greatest magnitude of what the draft's layers of ``word`` put out on drawn frames.

    None where one of them saturates, or the draft cannot be run as it is, or is too large to be.
    ``outputs`` are the layers that the model's outputs are made of; ``file`` stands in faults. The draft
    is brought into its canonical form, and can be thrown away.
    """
    from bnnsim.functional.executor import execute  # compiled kernels: few imports wait for them

    draft.outputs = [name for name in dict.fromkeys(outputs) if name != INPUT]
    if draft.input_type is None or not draft.outputs:
        return None
    canonicalise(draft)
    try:
        workload, arrays = to_workload(draft, "draft", file)
        network = resolve_network(workload)
        parameters = check_parameters(network, arrays, file)
    except SpecError:
        return None  # the network with its own word says what is at fault
    frames = _affordable_frames(network)
    if not frames:
        return None
    made = execute(network, parameters, random_frames(network, frames, _SEED)).outputs
    most = 0
    for layer in draft.layers.values():
        if layer.kind in ("affine", "prelu") and layer.activation == word:
            values = made[layer.name]
            most = max(most, -int(values.min()), int(values.max()))
    return None if most >= word.maximum else Fraction(most, 1 << word.fraction_bits)


def _affordable_frames(network: Network) -> int:
    """How many frames' maps and products are within bounds, none to four of them."""
    nodes = network.nodes.values()
    words = network.input.elements + sum(node.output.elements for node in nodes)
    products = sum(
        node.matrix_height * node.matrix_width * node.output.pixels
        for node in nodes
        if isinstance(node.layer, WeightedLayer)
    )
    return min(_FRAMES, MAX_RUN_BYTES // (8 * words), _MOST_PRODUCTS // max(1, products))
