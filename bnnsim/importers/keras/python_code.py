"""What a Lambda's Python code says, read as bytes: nothing of it is ever run."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

_ARGUMENT_BACK = (bytes.fromhex("7c005300"), bytes.fromhex("97007c005300"))
"""LOAD_FAST 0, RETURN_VALUE: Python 3.6 to 3.10; behind RESUME: 3.11 and 3.12."""
_COUNTS = (5, 6)
"""Numbers in front of the instructions, the first of them the arguments': six in Python 3.8 to 3.10."""
_WITHOUT_MARK = 0x7F


def returns_its_argument(function: Any) -> bool:
    """Whether code as Keras 2 (a list) or Keras 3 (a mapping) saves it is that of ``lambda x: x``.

    Code is ``marshal``'s, in base64: ``c``, the numbers, ``s`` and the length of the instructions, these.
    """
    if isinstance(function, dict):
        settings = function.get("config")
        function = [settings.get("code")] if isinstance(settings, dict) else None
    if not (isinstance(function, list) and function and isinstance(function[0], str)):
        return False
    try:
        code = base64.b64decode(function[0])
    except (binascii.Error, ValueError):
        return False
    if len(code) < 5 or code[0] & _WITHOUT_MARK != ord("c"):
        return False
    takes_one = struct.unpack_from("<i", code, 1) == (1,)
    return takes_one and any(_instructions(code[1 + 4 * n :]) in _ARGUMENT_BACK for n in _COUNTS)


def _instructions(code: bytes) -> bytes:
    """The bytes that stand first in marshalled ``code``; none where something else does."""
    if len(code) < 5 or code[0] & _WITHOUT_MARK != ord("s"):
        return b""
    (length,) = struct.unpack_from("<I", code, 1)
    return code[5 : 5 + length]
