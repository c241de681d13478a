"""What is understood of every Keras and Larq layer: its weights in order, and each of its settings.

Sources: ``get_config`` and ``save_own_variables`` of Keras 2.12 to 2.15 and 3.0 to 3.16, of Larq 0.13,
and of the BinaryNet and TernaryNet layers of DingKe/nn_playground, which hls4ml reads. The table in
docs/import-settings.md is written from this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bnnsim.importers.foreign.settings import (
    Settings,
    every,
    is_number,
    only,
    such,
    without_effect,
)

_TRAINING = without_effect("acts in training only")
_NAME = without_effect("a name")
_KERNEL = ("initializer", "regularizer", "constraint")
_REAL = such("a finite number", is_number)
_FLAG = only(True, False)
_BATCH_SHAPE = such(
    "the input's shape, fixed but for the batch",
    lambda value: value is None or isinstance(value, list | tuple),
)


def _are_numbers(value: Any) -> bool:
    """Whether a setting is a finite number, nested lists of such, or none."""
    if isinstance(value, list | tuple):
        return all(_are_numbers(one) for one in value)
    return value is None or is_number(value)


def _pair(value: Any) -> bool:
    parts = value if isinstance(value, list | tuple) else [value]
    return len(parts) in (1, 2) and all(type(part) is int and part >= 1 for part in parts)


_PAIR = such("one or two numbers of at least 1", _pair)
_COUNT = such("a number of at least 1", lambda value: type(value) is int and value >= 1)


def _is_single_or_double(value: Any) -> bool:
    if isinstance(value, dict):  # a policy, as Keras 3 writes it
        value = value.get("config", {}).get("name") if value.get("class_name") == "DTypePolicy" else ""
    return value in (None, "float32", "float64")


_COMMON: Settings = {
    "name": _NAME,
    "trainable": _TRAINING,
    "dtype": such("float32 or float64", _is_single_or_double),
    "batch_input_shape": _BATCH_SHAPE,
    "batch_shape": _BATCH_SHAPE,
    "activity_regularizer": _TRAINING,
}
_LAST = only("channels_last", None)


def _trained(*weights: str) -> Settings:
    """Initialisers, regularisers and constraints of weights."""
    return {f"{weight}_{part}": _TRAINING for weight in weights for part in _KERNEL}


ACTIVATIONS = (
    *("linear", "relu", "relu1", "relu6", "leaky_relu", "hard_tanh", "softmax", "sigmoid", "tanh"),
    *("binary_tanh", "binary_sigmoid", "ternary_tanh"),
)
"""Activation functions by name, beside Larq's quantisers; the last three and relu1 are BinaryNet's."""
SIGNS = {
    "SteSign": "ste_sign",
    "ApproxSign": "approx_sign",
    "SwishSign": "swish_sign",
    "SteHeaviside": "ste_heaviside",
    "MagnitudeAwareSign": "magnitude_aware_sign",
    "SteTern": "ste_tern",
    "NoOp": "no_op",
    "DoReFa": "dorefa_quantizer",
}
"""Larq's quantisers: class and alias."""
_QUANTISER: Settings = {
    **{key: _COMMON[key] for key in ("name", "trainable", "dtype", "batch_input_shape", "batch_shape")},
    "metrics": _TRAINING,
}
_GRADIENT = without_effect("acts on gradients only")
QUANTISERS: Mapping[str, Settings] = {
    "SteSign": {**_QUANTISER, "clip_value": _GRADIENT},
    "ApproxSign": _QUANTISER,
    "SwishSign": {**_QUANTISER, "beta": _GRADIENT},
    "SteHeaviside": {**_QUANTISER, "clip_value": _GRADIENT},
    "MagnitudeAwareSign": {**_QUANTISER, "clip_value": _GRADIENT},
    "SteTern": {
        **_QUANTISER,
        "clip_value": _GRADIENT,
        "threshold_value": _REAL,
        "ternary_weight_networks": _FLAG,
    },
    "NoOp": {**_QUANTISER, "precision": without_effect("a mark for optimisers")},
    "DoReFa": {
        **_QUANTISER,
        "k_bit": such("1 to 7", lambda value: type(value) is int and 1 <= value <= 7),
        "mode": only("activations", "weights"),
    },
}
"""Settings of Larq's quantisers."""

_QUANTISED = every("a quantiser of Larq (table below)")
_FUNCTION = every(f"{', '.join(ACTIVATIONS)} or a sign of Larq")
_MERGED = without_effect("merged into the kernel when saved")
_BIASED: Settings = {
    "use_bias": _FLAG,
    "activation": _FUNCTION,
    **_trained("bias"),
    "lora_rank": _MERGED,
    "lora_alpha": _MERGED,
    "quantization_config": only(None),
}
_WINDOW: Settings = {
    "kernel_size": _PAIR,
    "strides": _PAIR,
    "padding": only("valid", "same"),
    "data_format": _LAST,
    "dilation_rate": _PAIR,
}
_CONV: Settings = {
    **_COMMON,
    **_BIASED,
    **_WINDOW,
    **_trained("kernel"),
    "filters": _COUNT,
    "groups": _COUNT,
}
_DENSE: Settings = {**_COMMON, **_BIASED, **_trained("kernel"), "units": _COUNT}
_BORDER: Settings = {"pad_values": _REAL}
_QUANT_KERNEL: Settings = {"input_quantizer": _QUANTISED, "kernel_quantizer": _QUANTISED}
_LATENT: Settings = {
    "H": such("a number above 0", lambda value: is_number(value) and value > 0),
    **dict.fromkeys(("kernel_lr_multiplier", "bias_lr_multiplier"), _TRAINING),
}
"""Of BinaryNet's layers: weights are -H and H, TernaryNet's 0 too."""
_DEPTHWISE: Settings = {
    **_COMMON,
    **_BIASED,
    **_WINDOW,
    **_trained("depthwise"),
    "depth_multiplier": _COUNT,
    "groups": only(1),
}
_POOL: Settings = {
    **_COMMON,
    "pool_size": _PAIR,
    "strides": such("one or two numbers, or none", lambda value: value is None or _pair(value)),
    "padding": only("valid", "same"),
    "data_format": _LAST,
}
_GLOBAL: Settings = {**_COMMON, "data_format": _LAST, "keepdims": _FLAG}
_DROPOUT: Settings = {
    **_COMMON,
    **dict.fromkeys(("rate", "noise_shape", "seed", "stddev"), _TRAINING),
    "data_format": without_effect("acts in training only"),
}
_LAMBDA: Settings = {
    **_COMMON,
    "function": every("code of the forms in docs/import.md, read and never run"),
    "function_type": only("lambda"),
    **dict.fromkeys(("module", "output_shape_type", "output_shape_module"), _NAME),
    "output_shape": without_effect("the input's"),
    "mask": only(None),
    "arguments": only({}),
}
_AXIS = every("the channels, which come last")
_CAUSAL = only("valid", "same", "causal")


@dataclass(frozen=True)
class LayerKind:
    """A layer that is read: its settings, and the names of its weights in the order in which Keras
    keeps them; ``if_set`` maps a weight to the setting (true by default) that must be on for it; where
    the setting ``unless`` has a value there are none."""

    settings: Settings
    weights: tuple[str, ...] = ()
    if_set: tuple[tuple[str, str], ...] = ()
    unless: str = ""

    def weight_names(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """The weights of a layer with this configuration."""
        if self.unless and config.get(self.unless) is not None:
            return ()
        off = {weight for weight, key in self.if_set if not config.get(key, True)}
        return tuple(weight for weight in self.weights if weight not in off)


_WITH_BIAS = (("bias", "use_bias"),)
_KERNEL_AND_BIAS = ("kernel", "bias")

_SEPARABLE = {
    **_DEPTHWISE,
    **_trained("kernel", "pointwise"),  # Keras 2 writes a kernel's too, though there is none
    "filters": _COUNT,
}
LAYERS: dict[str, LayerKind] = {
    "Activation": LayerKind({**_COMMON, "activation": _FUNCTION}),
    "Add": LayerKind(_COMMON),
    "AveragePooling2D": LayerKind(_POOL),
    "BatchNormalization": LayerKind(
        {
            **_COMMON,
            **_trained("beta", "gamma"),
            "moving_mean_initializer": _TRAINING,
            "moving_variance_initializer": _TRAINING,
            "axis": _AXIS,
            "momentum": _TRAINING,
            "epsilon": _REAL,
            "center": _FLAG,
            "scale": _FLAG,
            "renorm": only(False),
            "renorm_clipping": _TRAINING,
            "renorm_momentum": _TRAINING,
            "fused": without_effect("how it is computed"),
            "synchronized": _TRAINING,
            "virtual_batch_size": only(None),
        },
        ("gamma", "beta", "moving_mean", "moving_variance"),
        (("gamma", "scale"), ("beta", "center")),
    ),
    "BinaryConv2D": LayerKind({**_CONV, **_LATENT}, _KERNEL_AND_BIAS, _WITH_BIAS),
    "BinaryDense": LayerKind({**_DENSE, **_LATENT}, _KERNEL_AND_BIAS, _WITH_BIAS),
    "Concatenate": LayerKind({**_COMMON, "axis": _AXIS}),
    "Conv2D": LayerKind(_CONV, _KERNEL_AND_BIAS, _WITH_BIAS),
    "Dense": LayerKind(_DENSE, _KERNEL_AND_BIAS, _WITH_BIAS),
    "DepthwiseConv2D": LayerKind(_DEPTHWISE, ("depthwise_kernel", "bias"), _WITH_BIAS),
    "Dropout": LayerKind(_DROPOUT),
    "DropoutNoScale": LayerKind(_DROPOUT),
    "Flatten": LayerKind({**_COMMON, "data_format": _LAST}),
    "GaussianNoise": LayerKind(_DROPOUT),
    "GlobalAveragePooling2D": LayerKind(_GLOBAL),
    "Lambda": LayerKind(_LAMBDA),
    "InputLayer": LayerKind(
        {
            **_COMMON,
            "dtype": without_effect("--input-type and --image-range say what the numbers are"),
            "sparse": only(False, None),
            "ragged": only(False, None),
            "optional": only(False, None),
        }
    ),
    "LeakyReLU": LayerKind({**_COMMON, "alpha": _REAL, "negative_slope": _REAL}),
    "MaxPooling2D": LayerKind(_POOL),
    "Multiply": LayerKind(_COMMON),
    "PReLU": LayerKind(
        {**_COMMON, **_trained("alpha"), "shared_axes": every("read off the slopes' shape")}, ("alpha",)
    ),
    "QuantConv2D": LayerKind({**_CONV, **_QUANT_KERNEL, **_BORDER}, _KERNEL_AND_BIAS, _WITH_BIAS),
    "QuantDense": LayerKind({**_DENSE, **_QUANT_KERNEL}, _KERNEL_AND_BIAS, _WITH_BIAS),
    "QuantDepthwiseConv2D": LayerKind(
        {**_DEPTHWISE, **_BORDER, "input_quantizer": _QUANTISED, "depthwise_quantizer": _QUANTISED},
        ("depthwise_kernel", "bias"),
        _WITH_BIAS,
    ),
    "QuantSeparableConv2D": LayerKind(
        {
            **_SEPARABLE,
            **_BORDER,
            "input_quantizer": _QUANTISED,
            "depthwise_quantizer": _QUANTISED,
            "pointwise_quantizer": _QUANTISED,
        },
        ("depthwise_kernel", "pointwise_kernel", "bias"),
        _WITH_BIAS,
    ),
    "ReLU": LayerKind(
        {
            **_COMMON,
            "max_value": such("a number or none", lambda value: value is None or is_number(value)),
            "negative_slope": such("a number or none", lambda value: value is None or is_number(value)),
            "threshold": only(0.0, None),
        }
    ),
    "Normalization": LayerKind(
        {
            **_COMMON,
            "axis": every("the channels, which come last, or none: one mean for all"),
            "mean": such("numbers, or none: found by adapt", _are_numbers),
            "variance": such("numbers, or none: found by adapt", _are_numbers),
            "invert": _FLAG,
        },
        ("mean", "variance", "count"),
        unless="mean",
    ),
    "Rescaling": LayerKind({**_COMMON, "scale": _REAL, "offset": _REAL}),
    "SeparableConv2D": LayerKind(
        _SEPARABLE, ("depthwise_kernel", "pointwise_kernel", "bias"), _WITH_BIAS
    ),
    "Softmax": LayerKind({**_COMMON, "axis": _AXIS}),
    "SpatialDropout2D": LayerKind(_DROPOUT),
    "ZeroPadding2D": LayerKind(
        {**_COMMON, "padding": every("one number, two, or two pairs"), "data_format": _LAST}
    ),
    "GlobalMaxPooling2D": LayerKind(_GLOBAL),
    "Reshape": LayerKind({**_COMMON, "target_shape": every("features, or rows, columns, channels")}),
    "Subtract": LayerKind(_COMMON),
    "TernaryConv2D": LayerKind({**_CONV, **_LATENT}, _KERNEL_AND_BIAS, _WITH_BIAS),
    "TernaryDense": LayerKind({**_DENSE, **_LATENT}, _KERNEL_AND_BIAS, _WITH_BIAS),
    **{kind: LayerKind(settings) for kind, settings in QUANTISERS.items()},
}
for _kind in ("AveragePooling", "GlobalAveragePooling", "GlobalMaxPooling", "MaxPooling", "ZeroPadding"):
    LAYERS[f"{_kind}1D"] = LAYERS[f"{_kind}2D"]
LAYERS["SpatialDropout1D"] = LAYERS["SpatialDropout2D"]
for _kind in ("Conv", "QuantConv", "QuantSeparableConv", "SeparableConv"):
    _known = LAYERS[f"{_kind}2D"]
    LAYERS[f"{_kind}1D"] = replace(_known, settings={**_known.settings, "padding": _CAUSAL})
"""Every layer that is read, by its class."""

OPERATIONS: Mapping[str, str] = {
    **dict.fromkeys(("math.add", "__operators__.add", "ops.Add"), "Add"),
    **dict.fromkeys(("math.subtract", "ops.Subtract"), "Sub"),
    **dict.fromkeys(("math.multiply", "ops.Multiply"), "Mul"),
    **dict.fromkeys(("math.truediv", "math.divide", "ops.Divide", "ops.TrueDivide", "realdiv"), "Div"),
    **dict.fromkeys(("math.negative", "ops.Negative"), "Neg"),
    **dict.fromkeys(("math.sign", "sign", "ops.Sign"), "Sign"),
    **dict.fromkeys(("nn.relu", "ops.Relu"), "Relu"),
    **dict.fromkeys(("nn.sigmoid", "math.sigmoid", "ops.Sigmoid"), "Sigmoid"),
    **dict.fromkeys(("math.tanh", "nn.tanh", "ops.Tanh"), "Tanh"),
    **dict.fromkeys(("nn.softmax", "ops.Softmax"), "Softmax"),
    **dict.fromkeys(("clip_by_value", "ops.Clip"), "Clip"),
    "nn.relu6": "Relu6",
    "ops.Relu6": "Relu6",
    **dict.fromkeys(("math.maximum", "ops.Maximum"), "Max"),
    **dict.fromkeys(("math.minimum", "ops.Minimum"), "Min"),
    **dict.fromkeys(("math.greater", "ops.Greater"), "Greater"),
    **dict.fromkeys(("math.greater_equal", "ops.GreaterEqual"), "GreaterOrEqual"),
    **dict.fromkeys(("math.less", "ops.Less"), "Less"),
    **dict.fromkeys(("math.less_equal", "ops.LessEqual"), "LessOrEqual"),
    **dict.fromkeys(("cast", "ops.Cast"), "Cast"),
    **dict.fromkeys(("identity", "stop_gradient", "ops.StopGradient", "ops.Identity"), "Identity"),
    **dict.fromkeys(("concat", "ops.Concatenate"), "Concat"),
    "split": "Split",
    "compat.v1.pad": "Pad",  # as Keras writes tf.pad
    "__operators__.getitem": "Slice",
    **dict.fromkeys(("nn.max_pool2d", "nn.max_pool"), "MaxPool"),
    **dict.fromkeys(("nn.avg_pool2d", "nn.avg_pool"), "AveragePool"),
    **dict.fromkeys(("math.reduce_mean", "ops.Mean"), "ReduceMean"),
    **dict.fromkeys(("math.reduce_max", "ops.Max"), "ReduceMax"),
}
"""Functions of TensorFlow and of Keras 3 that may be called on a layer's output: ONNX's name of each."""

MODEL: Settings = {
    "name": _NAME,
    "trainable": _TRAINING,
    "dtype": _COMMON["dtype"],
    "layers": every("the layers of this table"),
    "input_layers": every("one input"),
    "output_layers": every("layers of the model"),
    "build_input_shape": without_effect("the first layer says it"),
}
"""Settings of a Sequential or Functional model."""
