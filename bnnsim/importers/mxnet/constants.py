"""Arithmetic of a symbol on parameters alone, in float32 as MXNet computes it: BMXNet 2 and Gluon write
the quantisers of weights as operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from bnnsim.importers.mxnet.file import Node
from bnnsim.importers.onnx.graph import Array

_MOST = 1 << 20
_Arithmetic = Callable[[Node, list[Array]], Array]


def computed(kind: str, node: Node, given: list[Array]) -> Array:
    """What an operator of :data:`CONSTANTS` makes of ``given``. Raises ``ValueError`` or ``IndexError``
    where they do not fit."""
    with np.errstate(all="ignore"):
        return np.asarray(CONSTANTS[kind](node, given), np.float32)


def _full(node: Node, given: list[Array]) -> Array:
    shape = tuple(node.setting("shape", ()))
    if prod(shape) > _MOST:
        raise ValueError(f"at most {_MOST} numbers")
    return np.full(shape, np.float32(node.setting("value", 0.0)))


def _axes(node: Node, rank: int) -> tuple[int, ...]:
    given = node.setting("axis", ())
    said = (given,) if isinstance(given, int) else tuple(given or range(rank))
    axes = tuple(one % rank for one in said)
    is_rest = node.setting("exclude", False) in (True, "True", 1)
    return tuple(one for one in range(rank) if one not in axes) if is_rest else axes


def _reduced(function: Callable[..., Array]) -> _Arithmetic:
    def made(node: Node, given: list[Array]) -> Array:
        keep = node.setting("keepdims", False) in (True, "True", 1)
        found = function(given[0], axis=_axes(node, given[0].ndim), keepdims=keep)
        return np.atleast_1d(found)

    return made


def _scalar(function: Callable[[Array, np.float32], Array]) -> _Arithmetic:
    return lambda node, given: function(given[0], np.float32(node.setting("scalar", 0.0)))


def rounded(x: Array) -> Array:
    """MXNet's: halves away from 0."""
    return np.asarray(np.copysign(np.floor(np.abs(x) + np.float32(0.5)), x))


CONSTANTS: Mapping[str, _Arithmetic] = {
    "BlockGrad": lambda node, given: given[0],
    "_copy": lambda node, given: given[0],
    "_contrib_gradcancel": lambda node, given: given[0],
    "_div_scalar": _scalar(np.divide),
    "_full": _full,
    "_minus_scalar": _scalar(np.subtract),
    "_mul_scalar": _scalar(np.multiply),
    "_plus_scalar": _scalar(np.add),
    "abs": lambda node, given: np.abs(given[0]),
    "broadcast_div": lambda node, given: given[0] / given[1],
    "broadcast_mul": lambda node, given: given[0] * given[1],
    "det_sign": lambda node, given: np.where(given[0] >= 0, 1.0, -1.0),
    "max": _reduced(np.max),
    "mean": _reduced(np.mean),
    "round_ste": lambda node, given: rounded(given[0]),
    "tanh": lambda node, given: np.tanh(given[0]),
    "transpose": lambda node, given: np.transpose(given[0], node.setting("axes", None) or None),
}
"""Operators that may stand between parameters and a layer's weights."""
