"""What a published or planned engine leaves to others: said once, shown with every figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from bnnsim.spec.model import Name, SpecModel

OutsidePayload = Literal["image", "weights", "activations", "results"]
"""What an engine must bring and keep."""


class Outside(SpecModel):
    """Something that the engine neither brings nor keeps: no cycle and no memory is counted for it."""

    payload: OutsidePayload
    """What it is: the image, weights, maps between layers, the last layer's results."""
    layers: Annotated[list[Name], Field(min_length=1)] | None = None
    """Whose weights, or whose output maps; default: all layers'."""
    source: Annotated[str, Field(min_length=1)]
    """Where it is instead, or why it costs nothing."""

    def __str__(self) -> str:
        of = f" of {', '.join(self.layers)}" if self.layers else ""
        return f"{self.payload}{of}: {self.source}"


def outside_of(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """What a spec, as plain data that was checked, says of it; a pipeline says nothing."""
    return tuple(str(Outside.model_validate(entry)) for entry in spec.get("outside") or ())
