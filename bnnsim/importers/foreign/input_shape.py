"""The shape of a model's input, where its file leaves sizes open and the user says them."""

from __future__ import annotations

from collections.abc import Sequence

from bnnsim.spec.faults import InputError

SHAPE_WAY = "--input-shape says one, such as 3,32,32"
"""What to do where a file says no shape."""


def said_shape(place: str, own: Sequence[int | None], said: Sequence[int]) -> tuple[int, ...]:
    """The sizes ``said``, for those of a file without the batch, ``own``, of which None are open.

    Raises :class:`InputError` where the two do not fit each other.
    """
    fits = len(own) == len(said) and all(a in (None, b) for a, b in zip(own, said, strict=True))
    if not fits:
        expected = f"sizes of its input as the file says them, {_shown(own)}"
        raise InputError(place, expected, _shown(said))
    return tuple(said)


def _shown(sizes: Sequence[int | None]) -> str:
    return ",".join("?" if size is None else str(size) for size in sizes)
