"""Integer maps as small PNG pictures, without any imaging library."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Integers

Bytes = npt.NDArray[np.uint8]

GAP = 0
"""Palette entry between tiles: transparent."""
_DARK, _LIGHT = (18, 46, 92), (226, 236, 250)
_GREY, _PALETTE, _RGB = 0, 3, 2
MOST_SHADES = 255
FEW_SHADES = 15
"""As many as pixels of four bits have beside the gap."""


@dataclass(frozen=True)
class Picture:
    """A PNG of ``width`` x ``height`` pixels."""

    width: int
    height: int
    png: bytes

    @property
    def uri(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


def mosaic(
    values: Integers, low: int, high: int, columns: int, most_shades: int = MOST_SHADES
) -> Picture:
    """Tiles of a ``(tiles, height, width)`` map, ``columns`` a row, one transparent pixel between.

    ``low`` is dark, ``high`` light, with at most ``most_shades`` from one to the other.
    """
    tiles, height, width = values.shape
    rows = -(-tiles // columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), GAP, np.uint8)
    span = max(1, high - low)
    steps = min(span, most_shades - 1)
    shades = 1 + ((values.astype(np.int64) - low) * steps // span).clip(0, steps)
    for i in range(tiles):
        row, column = divmod(i, columns)
        top, left = row * (height + 1), column * (width + 1)
        sheet[top : top + height, left : left + width] = shades[i]
    bits = next(bits for bits in (2, 4, 8) if steps + 2 <= 1 << bits)
    png = _png(_dense(sheet, bits), sheet.shape[1], bits, steps + 1)
    return Picture(sheet.shape[1], sheet.shape[0], png)


def colour_picture(values: Integers, low: int, high: int) -> Picture:
    """A ``(3, height, width)`` map as red, green and blue, or ``(1, …)`` as grey."""
    levels = ((values.astype(np.int64) - low) * 255 // max(1, high - low)).clip(0, 255)
    pixels = levels.astype(np.uint8).transpose(1, 2, 0)
    height, width, channels = pixels.shape
    kind = _RGB if channels == 3 else _GREY
    return Picture(width, height, _png(pixels.reshape(height, -1), width, 8, kind=kind))


def _dense(sheet: Bytes, bits: int) -> Bytes:
    """Pixels of ``bits`` each, side by side in bytes, the first in the highest bits."""
    each = 8 // bits
    padded = np.pad(sheet, ((0, 0), (0, -sheet.shape[1] % each)))
    parts = padded.reshape(len(sheet), -1, each) << np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    return np.asarray(np.bitwise_or.reduce(parts, axis=2), np.uint8)


def _png(rows: Bytes, width: int, bits: int, shades: int = 0, kind: int = _PALETTE) -> bytes:
    """A PNG of ``bits`` a sample; ``rows`` ``(height, bytes)``."""
    filtered = np.zeros((len(rows), rows.shape[1] + 1), np.uint8)
    filtered[:, 1:] = rows
    parts = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), bits, kind, 0, 0, 0))]
    if kind == _PALETTE:
        shares = np.linspace(0, 1, shades)[:, None]
        ramp = np.array(_DARK) * (1 - shares) + np.array(_LIGHT) * shares
        palette = np.vstack([[[0, 0, 0]], ramp.round()]).astype(np.uint8)
        parts += [_chunk(b"PLTE", palette.tobytes()), _chunk(b"tRNS", b"\x00")]
    parts += [_chunk(b"IDAT", zlib.compress(filtered.tobytes(), 9)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
