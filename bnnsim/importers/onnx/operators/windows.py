"""Windows as ONNX says them: strides, dilations and padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Operator

Pads = tuple[int, int, int, int]
"""Top, left, bottom, right."""


def window_border(
    operator: Operator,
    extents: tuple[int, int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int] = (1, 1),
) -> Pads:
    """The padding that ``pads`` or ``auto_pad`` asks for around a map of ``extents`` (rows, columns).

    Raises :class:`InputError` on negative pads and unknown words.
    """
    auto = str(operator.attributes.get("auto_pad", "NOTSET"))
    if auto in ("NOTSET", ""):
        pads = [int(p) for p in operator.attributes.get("pads", (0, 0, 0, 0))]
        if len(pads) != 4 or min(pads) < 0:
            raise operator.fault("four pads of at least 0", pads)
        return pads[0], pads[1], pads[2], pads[3]
    if auto == "VALID":
        return 0, 0, 0, 0
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        raise operator.fault("auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    small, large = same_border(extents, reach, stride)
    (top, left), (bottom, right) = (small, large) if auto == "SAME_UPPER" else (large, small)
    return top, left, bottom, right


def same_border(
    extents: Sequence[int], reach: Sequence[int], stride: Sequence[int]
) -> tuple[list[int], list[int]]:
    """What SAME puts on both sides of each dimension, so that ``extent / stride`` windows (rounded up)
    fit: halves, and of odd ones the smaller and the larger. ``reach``: of a window, its dilation in it.
    """
    totals = [
        max(0, (-(-e // s) - 1) * s + r - e) for e, r, s in zip(extents, reach, stride, strict=True)
    ]
    return [total // 2 for total in totals], [total - total // 2 for total in totals]


def pair(operator: Operator, key: str) -> tuple[int, int]:
    """An attribute of rows and columns; (1, 1) where it is not given. Raises :class:`InputError`."""
    values = [int(v) for v in operator.attributes.get(key, (1, 1))]
    if len(values) != 2 or min(values) < 1:
        raise operator.fault(f"two {key}", values)
    return values[0], values[1]


def widened(operator: Operator, binding: TensorBinding) -> tuple[Operator, TensorBinding, int]:
    """An operator on steps in one dimension as one on maps of one row (or one column), on tokens in rows
    with their features behind as one on such maps with their channels last.

    Returns the position of the dimension that was put in, to be taken out of the result; 0 where the
    operator works on maps already.
    """
    if len(binding.dimensions) != 2:
        return operator, binding, 0
    channels, steps = binding.dimensions
    if operator.kind.startswith("Reduce") and channels and channels[0][0] == "H":  # tokens, features
        return operator, replace(binding, dimensions=(channels, (), steps)), 1
    is_rows = bool(steps) and steps[0][0][0] == "H"
    position = 2 if is_rows else 1
    attributes = dict(operator.attributes)
    for key, empty in (("kernel_shape", 1), ("strides", 1), ("dilations", 1), ("pads", 0)):
        given = attributes.get(key)
        if given is None:
            continue
        values = [int(one) for one in given]
        if len(values) != (2 if key == "pads" else 1):
            raise operator.fault(f"{key} of one dimension", values)
        attributes[key] = [v for one in values for v in ((one, empty) if is_rows else (empty, one))]
    dimensions = (channels, steps, ()) if is_rows else (channels, (), steps)
    wide = replace(binding, dimensions=dimensions)
    return replace(operator, attributes=attributes), wide, position


def narrowed(binding: TensorBinding, position: int) -> TensorBinding:
    """The result without the dimension that :func:`widened` put in."""
    if not position:
        return binding
    dimensions = binding.dimensions
    return replace(binding, dimensions=dimensions[:position] + dimensions[position + 1 :])
