"""FINN's LabelSelect: the positions of the highest scores, as a layer."""

from __future__ import annotations

from bnnsim.importers.draft.draft import INPUT
from bnnsim.importers.exact.channel_function import ChannelFunction
from bnnsim.importers.onnx.binding import TensorBinding, dimension
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.monotone import negated
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.importers.onnx.outputs import End, classifier_end
from bnnsim.spec.value_type import ValueType


def label_select(state: Lowering, operator: Operator) -> TensorBinding | End:
    """A ``top_k`` on integers that stand for the scores, in the order of the scores.

    Where none do so exactly (a gain of its own for each class, fixed point in front) it is an end as a
    TopK is: the scores are kept. Raises :class:`InputError` where it does not go over all scores, or
    ``K`` is more than those.
    """
    binding = state.binding(operator)
    end = classifier_end(operator, binding, state.graph.opset)
    channels = binding.channels
    if binding.shape != (channels,):
        raise operator.fault("scores, one a class", f"shape {list(binding.shape)}")
    count = int(operator.attributes.get("K", 1))
    if not 1 <= count <= channels:
        raise operator.fault(f"K of 1 to {channels}, its Labels", count)
    found = quantised(state, operator, binding)
    step = found.function.shared_affine()
    if found.base == INPUT or step is None or not step.gain or state.draft.error_of(found.base):
        return end
    if step.gain < 0:
        base, _ = negated(state, found.base, found.function, [True])
        found = TensorBinding(base, ChannelFunction(), found.dimensions)
    layer = state.draft.append("top_k", [found.base], (count, 1, 1), 0, channels - 1)
    layer.options = {"k": count}
    layer.activation = ValueType("uint", max(1, (channels - 1).bit_length()))
    return TensorBinding(layer.name, ChannelFunction(), (dimension("C", count),))
