"""Windows as ONNX says them: strides, dilations and padding."""

from __future__ import annotations

from collections.abc import Sequence

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
    sides: list[tuple[int, int]] = []
    for extent, k, s, d in zip(extents, kernel, stride, dilation, strict=True):
        total = max(0, (-(-extent // s) - 1) * s + (k - 1) * d + 1 - extent)
        small, large = total // 2, total - total // 2
        sides.append((small, large) if auto == "SAME_UPPER" else (large, small))
    (top, bottom), (left, right) = sides
    return top, left, bottom, right


def pair(operator: Operator, key: str) -> tuple[int, int]:
    """An attribute of rows and columns; (1, 1) where it is not given. Raises :class:`InputError`."""
    values = [int(v) for v in operator.attributes.get(key, (1, 1))]
    if len(values) != 2 or min(values) < 1:
        raise operator.fault(f"two {key}", values)
    return values[0], values[1]
