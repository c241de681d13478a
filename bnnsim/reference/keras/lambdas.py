"""Lambdas that give back what they are given, told by the bytes of their code, which is not run."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

_IDENTITY = re.compile(
    rb"[c\xe3]\x01\0\0\0"  # code of one argument
    rb".{16}(.{4})?"  # four or five numbers more, by Python's version
    rb"[s\xf3](\x04\0\0\0|\x06\0\0\0\x97\0)"  # so many bytes of instructions, RESUME from 3.11 on
    rb"\x7c\0\x53\0.*",  # LOAD_FAST of the argument, RETURN_VALUE
    re.DOTALL,
)


def gives_argument_back(config: Mapping[str, Any]) -> bool:
    """Whether a Lambda's configuration holds the code of ``lambda x: x``."""
    said = config.get("function")
    text = said["config"]["code"] if isinstance(said, Mapping) else said[0] if said else ""
    return _IDENTITY.fullmatch(base64.b64decode(text)) is not None
