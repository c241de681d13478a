"""What is understood of MXNet's and BMXNet's operators: their names and settings.

Sources: ``src/operator`` of MXNet 0.9 to 1.9, ``smd_hpi/src`` of BMXNet, and of BMXNet 2
``src/operator/contrib/binary_inference`` and ``gluon/nn/binary_layers.py``.
"""

from __future__ import annotations

_WINDOW = (
    *("kernel", "num_filter", "pad", "stride", "dilate", "num_group", "no_bias", "layout"),
    "workspace",
)
_TUNING = ("cudnn_tune", "cudnn_off")
_QUANTISED = ("act_bit", "weight_bit", "binarized_weights_only", "scaling_mode", "gradient_update_mode")
SETTINGS: dict[str, tuple[str, ...]] = {
    "Activation": ("act_type",),
    "BinaryInferenceConvolution": (*_WINDOW, *_TUNING),
    "BinaryInferenceFullyConnected": ("num_hidden", "no_bias", "flatten"),
    "BatchNorm": (
        *("eps", "momentum", "fix_gamma", "use_global_stats", "output_mean_var", "axis", "cudnn_off"),
        *("min_calib_range", "max_calib_range"),
    ),
    "BlockGrad": (),
    "Concat": ("dim", "num_args"),
    "Convolution": (*_WINDOW, *_TUNING),
    "Dropout": ("p", "mode", "axes", "cudnn_off"),
    "Flatten": (),
    "FullyConnected": ("num_hidden", "no_bias", "flatten"),
    "LeakyReLU": ("act_type", "slope", "lower_bound", "upper_bound"),
    "Pad": ("mode", "pad_width", "constant_value"),
    "Pooling": (
        *("kernel", "stride", "pad", "pool_type", "global_pool", "pooling_convention"),
        *("count_include_pad", "layout", *_TUNING),
    ),
    "QActivation": ("act_bit", "backward_only"),
    "QConvolution": (*_WINDOW, *_TUNING, *_QUANTISED),
    "QFullyConnected": ("num_hidden", "no_bias", "flatten", *_QUANTISED),
    "SoftmaxOutput": (
        *("grad_scale", "ignore_label", "multi_output", "use_ignore", "preserve_shape"),
        *("normalization", "out_grad", "smooth_alpha"),
    ),
    "_contrib_gradcancel": ("threshold",),
    "_copy": (),
    "_div_scalar": ("scalar", "is_int"),
    "_full": ("shape", "value", "dtype", "ctx"),
    "_minus_scalar": ("scalar", "is_int"),
    "_mul_scalar": ("scalar", "is_int"),
    "_plus_scalar": ("scalar", "is_int"),
    "abs": (),
    "broadcast_div": (),
    "broadcast_mul": (),
    "clip": ("a_min", "a_max"),
    "det_sign": (),
    "elemwise_add": (),
    "max": ("axis", "keepdims", "exclude"),
    "mean": ("axis", "keepdims", "exclude"),
    "relu": (),
    "round_ste": (),
    "softmax": ("axis", "temperature", "dtype", "use_length"),
    "tanh": (),
    "transpose": ("axes",),
}
"""Operators that are read, and their settings; what begins with two underscores is for tools."""
ALIASES = {
    "Pad": ("pad",),
    "_copy": ("identity",),
    "BlockGrad": ("stop_gradient",),
    "Flatten": ("flatten",),
    "elemwise_add": ("_plus", "_Plus", "broadcast_add", "broadcast_plus", "ElementWiseSum", "add_n"),
    "QConvolution": ("QConvolution_v1",),
    "Pooling": ("Pooling_v1",),
    "Convolution": ("Convolution_v1",),
    "BatchNorm": ("BatchNorm_v1",),
    "_plus_scalar": ("_PlusScalar",),
    "_minus_scalar": ("_MinusScalar",),
    "_mul_scalar": ("_MulScalar",),
    "_div_scalar": ("_DivScalar",),
    "SoftmaxOutput": ("Softmax",),
    "softmax": ("log_softmax",),
    "_contrib_gradcancel": ("gradcancel",),
    "det_sign": ("approx_sign",),
}
KINDS = {alias: kind for kind, names in ALIASES.items() for alias in (kind, *names)}
"""Operators by all of their names."""
