"""Who makes layers of an operator: by its domain and kind, never by its name alone."""

from __future__ import annotations

from collections.abc import Mapping

from bnnsim.importers.onnx.graph import CHANNELS_LAST, FINN, ONNX, QONNX
from bnnsim.importers.onnx.lowering import Handler
from bnnsim.importers.onnx.operators import (
    elementwise,
    layers,
    linear_quantisers,
    orders,
    pools,
    qonnx,
    shapes,
)
from bnnsim.importers.onnx.operators.joins import concat
from bnnsim.importers.onnx.operators.maps import resizing
from bnnsim.importers.onnx.operators.maps.labels import label_select
from bnnsim.importers.onnx.operators.maps.norms import group_normalization, layer_normalization
from bnnsim.importers.onnx.operators.maps.reductions import reduce_mean
from bnnsim.importers.onnx.operators.maps.repeats import expand
from bnnsim.importers.onnx.operators.maps.softmax import softmax
from bnnsim.importers.onnx.operators.orders import by_element

_STANDARD: Mapping[str, Handler] = {
    "Abs": elementwise.absolute,
    "Add": elementwise.add,
    "ArgMax": layers.classifier,
    "AveragePool": pools.average_pool,
    "BatchNormalization": elementwise.batch_norm,
    "Cast": elementwise.cast,
    "Ceil": elementwise.round_whole,
    "Clip": elementwise.clip,
    "Concat": concat,
    "Conv": layers.conv,
    "ConvTranspose": resizing.transposed_conv,
    "DepthToSpace": resizing.depth_to_space,
    "DequantizeLinear": linear_quantisers.dequantize_linear,
    "Div": elementwise.divide,
    "Dropout": elementwise.dropout,
    "Expand": expand,
    "Flatten": shapes.flatten,
    "Floor": elementwise.round_whole,
    "Gemm": layers.gemm,
    "GlobalAveragePool": pools.average_pool,
    "GlobalMaxPool": pools.max_pool,
    "Greater": elementwise.compare,
    "GreaterOrEqual": elementwise.compare,
    "GroupNormalization": group_normalization,
    "HardSigmoid": elementwise.hard_sigmoid,
    "Identity": elementwise.same,
    "InstanceNormalization": group_normalization,
    "LayerNormalization": layer_normalization,
    "LeakyRelu": elementwise.leaky_relu,
    "Less": elementwise.compare,
    "LessOrEqual": elementwise.compare,
    "LogSoftmax": layers.classifier,
    "MatMul": layers.matmul,
    "Max": elementwise.limit,
    "MaxPool": pools.max_pool,
    "Min": elementwise.limit,
    "Mul": elementwise.multiply,
    "Neg": elementwise.negate,
    "PRelu": elementwise.prelu,
    "Pad": shapes.pad,
    "QuantizeLinear": linear_quantisers.quantize_linear,
    "ReduceMax": pools.max_pool,
    "ReduceMean": reduce_mean,
    "Relu": elementwise.relu,
    "Reshape": shapes.reshape,
    "Resize": resizing.resize,
    "Round": elementwise.round_whole,
    "Shape": shapes.shape,
    "Sigmoid": layers.squashed,
    "Sign": elementwise.sign,
    "Slice": orders.slice_map,
    "Softmax": softmax,
    "Squeeze": shapes.squeeze,
    "Sub": elementwise.subtract,
    "Sum": elementwise.add,
    "Tanh": layers.squashed,
    "TopK": layers.classifier,
    "Transpose": shapes.transpose,
    "Unsqueeze": shapes.unsqueeze,
    "Upsample": resizing.resize,
    "Where": elementwise.where,
}
_QUANTISED: Mapping[str, Handler] = {
    "BipolarQuant": qonnx.bipolar_quant,
    "DebugMarker": elementwise.same,
    "IntQuant": qonnx.quant,
    "MultiThreshold": qonnx.multi_threshold,
    "Quant": qonnx.quant,
    "Trunc": qonnx.trunc,
    "XnorPopcountMatMul": layers.xnor_popcount_matmul,
}
HANDLERS: dict[tuple[str, str], Handler] = {
    **{(ONNX, kind): by_element(handler) for kind, handler in _STANDARD.items()},
    **{(QONNX, kind): by_element(handler) for kind, handler in _QUANTISED.items()},
    (CHANNELS_LAST, "BatchNormalization"): by_element(elementwise.batch_norm),
    (CHANNELS_LAST, "Conv"): layers.conv,
    (CHANNELS_LAST, "MaxPool"): pools.max_pool,
    (FINN, "LabelSelect"): label_select,
}
