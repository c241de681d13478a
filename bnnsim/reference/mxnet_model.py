"""An MXNet symbol with its parameters as a graph of steps, channels first.

Operators as MXNet's and BMXNet's sources define them: a quantised layer takes the signs (0 is +1) of
its input with the border of zeros around it, and of its weights, and gives (sum + products) / 2.
"""

from __future__ import annotations

import ast
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.reference.graph import Array, ReferenceGraph, Step
from bnnsim.reference.keras.layers import softmax
from bnnsim.reference.onnx_operators import refusing
from bnnsim.reference.windows import convolved, maxima, means, windows
from bnnsim.spec.faults import InputError

_BYTES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}
Settings = Mapping[str, Any]


def read_mxnet_model(
    symbol: str | Path, parameters: str | Path, shape: tuple[int, ...]
) -> ReferenceGraph:
    """The model of two files; tensors have the nodes' names, the sum of a quantised layer ``node/sum``.

    ``shape``: of the input where the symbol does not say it. Raises :class:`InputError`.
    """
    content = json.loads(Path(symbol).read_text(encoding="utf-8"))
    constants = _parameters(Path(parameters).read_bytes())
    nodes = content["nodes"]
    names = [str(node["name"]) for node in nodes]
    steps: list[Step] = []
    quantised: dict[tuple[str, int], str] = {}
    data = ""
    for node in nodes:
        name, kind = str(node["name"]), str(node["op"])
        settings = {k: _value(v) for k, v in _settings(node).items()}
        if kind == "null":
            if name not in constants and "label" not in name:
                data = name
                shape = tuple(settings.get("__shape__", (1, *shape))[1:])
            continue
        given = [names[int(one[0])] for one in node["inputs"]]
        if kind == "_full":
            constants[name] = np.full(settings["shape"], settings["value"], np.float32)
            continue
        if constants.keys() >= set(given) and kind in _FUNCTIONS:
            stored = [constants[one].astype(np.float32) for one in given]
            constants[name] = np.asarray(_FUNCTIONS[kind][1](settings, *stored), np.float32)
            continue
        if kind in ("SoftmaxOutput", "Softmax"):
            given = given[:1]  # the label is for training
        place = f"{symbol}: {name}"
        made = _steps(kind, name, given, settings, place)
        if kind in _QUANTISED or kind.startswith("BinaryInference"):
            made = _read_once(made, quantised, (given[0], int(settings.get("act_bit", 1))))
        steps += made
    outputs = tuple(names[int(one[0])] for one in content["heads"])
    return ReferenceGraph(str(symbol), data, shape, outputs, tuple(steps), constants)


def _read_once(
    made: list[Step], known: dict[tuple[str, int], str], what: tuple[str, int]
) -> list[Step]:
    """A layer's steps, the first of which quantises ``what`` (a tensor, to so many bits): layers that
    read one tensor read one quantised tensor, whose flips are those of all."""
    own = made[0].outputs[0]
    first = known.setdefault(what, own)
    if first == own:
        return made
    return [replace(s, inputs=tuple(first if n == own else n for n in s.inputs)) for s in made[1:]]


def _settings(node: Mapping[str, Any]) -> Mapping[str, str]:
    for key in ("attrs", "attr", "param"):
        if node.get(key):
            return dict(node[key])
    return {}


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _parameters(content: bytes) -> dict[str, Array]:
    """Numbers in float64; words of packed bits, which cannot be told here, keep their bytes too."""
    at = 24
    (count,) = struct.unpack_from("<Q", content, 16)
    arrays = []
    for _ in range(count):
        (word,) = struct.unpack_from("<I", content, at)
        at += 4
        size = "I"
        if word >= 0xF993FAC8:
            at += 4 if word > 0xF993FAC8 else 0
            (word,) = struct.unpack_from("<I", content, at)
            at, size = at + 4, "q"
        shape = struct.unpack_from(f"<{word}{size}", content, at)
        at += struct.calcsize(f"<{word}{size}") + 8
        (kind,) = struct.unpack_from("<i", content, at)
        dtype = np.dtype(_BYTES[kind])
        total = int(np.prod(shape)) if word else 0
        arrays.append(np.frombuffer(content, dtype, total, at + 4).reshape(shape))
        at += 4 + total * dtype.itemsize
    at += 8
    found = {}
    for array in arrays:
        (length,) = struct.unpack_from("<Q", content, at)
        name = content[at + 8 : at + 8 + length].decode()
        at += 8 + length
        found[name.partition(":")[2] or name] = array
    return found


def _steps(
    kind: str, name: str, given: list[str], s: Settings, place: str
) -> list[Step]:
    def step(made: str, of: Sequence[str], part: str, run: Callable[..., Array], **more: Any) -> Step:
        def all_of(arrays: Sequence[Array]) -> list[Array]:
            return [np.asarray(run(*(np.asarray(one) for one in arrays)))]

        return Step(part, tuple(of), (made,), refusing(all_of), place, **more)

    if kind.startswith("BinaryInference"):  # BMXNet 2's packed layers are those of BMXNet
        s = {**s, "binarized_weights_only": True}
    if kind in _QUANTISED:
        is_conv = not kind.endswith("FullyConnected")
        function = _quantised_convolution if is_conv else _quantised_dense
        taken = f"{name}/input"
        more = {"is_elementwise": True, "is_on_step": lambda arrays: np.asarray(arrays[0] == 0)}
        signs = step(taken, given[:1], "quantiser", lambda x: _bits_of(x, s), **more)
        parts = [signs]
        if is_conv and any(_how(s)["pads"]):
            parts.append(step(f"{name}/border", [taken], "pad", partial(_bordered, s)))
            taken = f"{name}/border"
        parts.append(step(f"{name}/sum", [taken, given[1]], "conv", partial(function, s)))
        bits = int(s.get("act_bit", 1)) == int(s.get("weight_bit", 1)) == 1
        count = partial(_counted, s, bits, is_conv)
        rest = given[2:] if s.get("no_bias", True) in (False, "False", 0) else []
        return [*parts, step(name, [f"{name}/sum", given[1], given[0], *rest], "count", count)]
    if kind not in _FUNCTIONS:
        raise InputError(place, "an operator whose meaning is known", kind)
    part, function = _FUNCTIONS[kind]
    is_activation = kind == "QActivation" and not s.get("backward_only")
    is_sign = kind in ("det_sign", "approx_sign") or is_activation
    on_step = (lambda arrays: np.asarray(arrays[0] == 0)) if is_sign else None
    is_elementwise = part in ("element", "sigmoid", "tanh", "Identity")
    return [
        step(name, given, part, partial(function, s), is_elementwise=is_elementwise, is_on_step=on_step)
    ]


def _is_on(s: Settings, key: str, default: bool = False) -> bool:
    return s.get(key, default) in (True, "True", 1)


def _two(value: Any) -> list[int]:
    return [int(value)] * 2 if isinstance(value, int) else [int(one) for one in value]


def _how(s: Settings) -> dict[str, Any]:
    pads = _two(s.get("pad") or (0, 0))
    return {
        "strides": _two(s.get("stride") or (1, 1)),
        "dilations": _two(s.get("dilate") or (1, 1)),
        "pads": [*pads, *pads],
    }


def _levels(x: Array, bits: int) -> Array:
    steps = 2.0**bits - 1
    return np.asarray(np.floor(np.clip(x, 0, 1) * steps + 0.5) / steps)


def _bits_of(x: Array, s: Settings) -> Array:
    bits = int(s.get("act_bit", 1))
    return np.where(x >= 0, 1.0, -1.0) if bits == 1 else _levels(x, bits)


def _weights(stored: Array, s: Settings, shape: tuple[int, ...], by_columns: bool) -> Array:
    if _is_on(s, "binarized_weights_only"):
        width = stored.dtype.itemsize * 8
        words = stored.reshape(-1).view("<u8" if width == 64 else "<u4")
        one = np.array(1, words.dtype)
        bits = np.stack([(words >> np.array(b, words.dtype)) & one for b in range(width)])
        signs = bits.astype(np.float64) * 2 - 1  # (bit, word)
        if by_columns:
            return signs.reshape(width, -1, shape[0]).transpose(2, 1, 0).reshape(shape)
        return signs.T.reshape(shape)
    bits_wanted = int(s.get("weight_bit", 1))
    if bits_wanted == 1:
        return np.where(stored >= 0, 1.0, -1.0)
    bent = np.tanh(stored.astype(np.float64))
    return 2 * _levels(bent / (2 * np.abs(bent).max()) + 0.5, bits_wanted) - 1


def _quantised_convolution(s: Settings, x: Array, stored: Array) -> Array:
    groups = int(s.get("num_group", 1))
    shape = (int(s["num_filter"]), x.shape[1] // groups, *_two(s["kernel"]))
    weights = _weights(stored, s, shape, False)
    return convolved(x, weights, **{**_how(s), "pads": [0] * 4}, groups=groups)


def _bordered(s: Settings, x: Array) -> Array:
    """With the zeros that stood around what was read, as they are quantised: the sign of 0 is +1."""
    top, left, bottom, right = _how(s)["pads"]
    border = float(int(s.get("act_bit", 1)) == 1)
    return np.pad(x, [(0, 0), (0, 0), (top, bottom), (left, right)], constant_values=border)


def _quantised_dense(s: Settings, x: Array, stored: Array) -> Array:
    flat = x.reshape(len(x), -1)
    weights = _weights(stored, s, (int(s["num_hidden"]), flat.shape[1]), True)
    return np.asarray(flat @ weights.T)


def _counted(
    s: Settings, bits: bool, is_conv: bool, sums: Array, stored: Array, x: Array, *bias: Array
) -> Array:
    if bits:
        products = int(np.prod(x.shape[1:]))
        if is_conv:
            products = x.shape[1] // int(s.get("num_group", 1)) * int(np.prod(_two(s["kernel"])))
        sums = (sums + products) / 2
    if bias:
        return np.asarray(sums + bias[0].reshape(1, -1, *[1] * (sums.ndim - 2)))
    return sums


def _convolution(s: Settings, x: Array, weights: Array, *bias: Array) -> Array:
    sums = convolved(x, weights.astype(np.float64), **_how(s), groups=int(s.get("num_group", 1)))
    return np.asarray(sums + bias[0].reshape(1, -1, 1, 1)) if bias else sums


def _dense(s: Settings, x: Array, weights: Array, *bias: Array) -> Array:
    sums = x.reshape(len(x), -1) @ weights.T.astype(np.float64)
    return np.asarray(sums + bias[0] if bias else sums)


def _batch_norm(s: Settings, x: Array, gamma: Array, beta: Array, mean: Array, variance: Array) -> Array:
    form = (1, -1, *[1] * (x.ndim - 2))
    gain, shift, centre, spread = (
        one.astype(np.float64).reshape(form) for one in (gamma, beta, mean, variance)
    )
    if _is_on(s, "fix_gamma", True):
        gain = np.ones_like(gain)
    epsilon = float(np.float32(s.get("eps", 1e-3)))
    return np.asarray((x - centre) / np.sqrt(spread + epsilon) * gain + shift)


def _pooling(s: Settings, x: Array) -> Array:
    is_max = s.get("pool_type", "max") == "max"
    if _is_on(s, "global_pool"):
        return np.asarray((np.max if is_max else np.mean)(x, axis=(2, 3), keepdims=True))
    kernel, how = _two(s["kernel"]), _how(s)
    if is_max:
        return maxima(x, kernel, **how)
    if not _is_on(s, "count_include_pad", True):
        return means(x, kernel, **how)
    return np.asarray(windows(x, kernel, **how).sum(axis=(-2, -1)) / np.prod(kernel))


def _activation(s: Settings, x: Array) -> Array:
    kinds: dict[str, Callable[[Array], Array]] = {
        "relu": lambda v: np.maximum(v, 0.0),
        "tanh": np.tanh,
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
    }
    return kinds[s.get("act_type", "relu")](x)


def _leaky(s: Settings, x: Array, *slopes: Array) -> Array:
    slope: Any = float(np.float32(s.get("slope", 0.25)))
    if slopes:
        slope = slopes[0].reshape(1, -1, *[1] * (x.ndim - 2))
    return np.where(x >= 0, x, slope * x)


def _padded(s: Settings, x: Array) -> Array:
    width = [int(one) for one in s["pad_width"]]
    pairs = list(zip(width[::2], width[1::2], strict=True))
    return np.pad(x, pairs, constant_values=float(s.get("constant_value", 0.0)))


def _same(s: Settings, x: Array) -> Array:
    return x


def _sign(s: Settings, x: Array) -> Array:
    return np.where(x >= 0, 1.0, -1.0)


def _ended(s: Settings, x: Array, *label: Array) -> Array:
    return softmax(x)


def _over(reduce: Callable[..., Array], s: Settings, x: Array) -> Array:
    """A reduction, as MXNet's ``axis``, ``exclude`` and ``keepdims`` say."""
    said = s.get("axis", ())
    listed = [said] if isinstance(said, int) else list(said or range(x.ndim))
    axes = [one % x.ndim for one in listed]
    if _is_on(s, "exclude"):
        axes = [one for one in range(x.ndim) if one not in axes]
    return np.atleast_1d(reduce(x, axis=tuple(axes), keepdims=_is_on(s, "keepdims")))


def _nearest(s: Settings, x: Array) -> Array:
    """Halves away from 0."""
    return np.asarray(np.trunc(x + np.where(x < 0, -0.5, 0.5).astype(x.dtype)))


_QUANTISED = (
    *("QConvolution", "QConvolution_v1", "QFullyConnected"),
    *("BinaryInferenceConvolution", "BinaryInferenceFullyConnected"),
)
_FUNCTIONS: dict[str, tuple[str, Callable[..., Array]]] = {
    "Activation": ("element", _activation),
    "QActivation": (
        "element",
        lambda s, x: x if _is_on(s, "backward_only") else _bits_of(x, s),
    ),
    "LeakyReLU": ("element", _leaky),
    "Concat": ("concat", lambda s, *x: np.concatenate(x, axis=1)),
    "FullyConnected": ("dense", _dense),
    "det_sign": ("element", _sign),
    "approx_sign": ("element", _sign),
    "round_ste": ("element", _nearest),
    "tanh": ("element", lambda s, x: np.tanh(x)),
    "abs": ("element", lambda s, x: np.abs(x)),
    "max": ("reduce", partial(_over, np.max)),
    "mean": ("reduce", partial(_over, np.mean)),
    "transpose": ("transpose", lambda s, x: x.transpose(s.get("axes") or None)),
    "broadcast_div": ("element", lambda s, x, y: x / y),
    "broadcast_mul": ("element", lambda s, x, y: x * y),
    "relu": ("element", lambda s, x: np.maximum(x, 0.0)),
    "clip": ("element", lambda s, x: np.clip(x, float(s["a_min"]), float(s["a_max"]))),
    **dict.fromkeys(("Convolution", "Convolution_v1"), ("conv", _convolution)),
    **dict.fromkeys(("BatchNorm", "BatchNorm_v1"), ("element", _batch_norm)),
    **dict.fromkeys(("Pooling", "Pooling_v1"), ("pool", _pooling)),
    **dict.fromkeys(("Flatten", "flatten"), ("Flatten", lambda s, x: x.reshape(len(x), -1))),
    **dict.fromkeys(("Pad", "pad"), ("pad", _padded)),
    **dict.fromkeys(("_copy", "identity", "BlockGrad", "stop_gradient"), ("Identity", _same)),
    **dict.fromkeys(("Dropout", "_contrib_gradcancel", "gradcancel"), ("Identity", _same)),
    **dict.fromkeys(("SoftmaxOutput", "Softmax", "softmax", "log_softmax"), ("softmax", _ended)),
    **dict.fromkeys(
        (
            *("elemwise_add", "_plus", "_Plus", "broadcast_add", "broadcast_plus"),
            *("ElementWiseSum", "add_n"),
        ),
        ("add", lambda s, *x: np.sum(x, axis=0)),
    ),
    **dict.fromkeys(("_plus_scalar", "_PlusScalar"), ("element", lambda s, x: x + float(s["scalar"]))),
    **dict.fromkeys(("_minus_scalar", "_MinusScalar"), ("element", lambda s, x: x - float(s["scalar"]))),
    **dict.fromkeys(("_mul_scalar", "_MulScalar"), ("element", lambda s, x: x * float(s["scalar"]))),
    **dict.fromkeys(("_div_scalar", "_DivScalar"), ("element", lambda s, x: x / float(s["scalar"]))),
}
