"""What all spec models share: frozen, strict, no unknown keys."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bnnsim.spec.bounds import MAX_COUNT, MAX_DEPTH_WORDS, MAX_NAME
from bnnsim.spec.faults import InputError


class SpecModel(BaseModel):
    """Base of every spec: immutable, strict about keys and types, every number finite."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
    )


NAME_PATTERN = rf"^[A-Za-z0-9_][A-Za-z0-9_.\-]{{0,{MAX_NAME - 1}}}$"
NAME_TEXT = (
    f"a name of at most {MAX_NAME} letters, digits, _ . and -, the first a letter, digit or _"
)
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Count = Annotated[int, Field(ge=1, le=MAX_COUNT)]
"""Bounded, so that a slip of the keyboard is a fault and not an endless run."""
Depth = Annotated[int, Field(ge=1, le=MAX_DEPTH_WORDS)]


def check_name(name: str, place: str) -> str:
    """``name`` where it is one that a spec can have. Raises :class:`InputError` with ``place``."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise InputError(place, NAME_TEXT, repr(name))
    return name
