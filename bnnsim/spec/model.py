"""What all spec models share: frozen, strict, no unknown keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class SpecModel(BaseModel):
    """Base of every spec: immutable, strict about keys and types, every number finite."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$")]
Count = Annotated[int, Field(ge=1, le=1 << 31)]
"""Bounded, so that a slip of the keyboard is a fault and not an endless run."""
Depth = Annotated[int, Field(ge=1, le=1 << 24)]
