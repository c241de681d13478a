"""Engine architectures (``style: engine``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bnnsim.spec.accelerator import ArchitectureBase
from bnnsim.spec.engine.blocks import (
    Array,
    Buffer,
    Frame,
    Host,
    LayerMapping,
    Port,
    Program,
    StageUnit,
)
from bnnsim.spec.engine.circuits import Control
from bnnsim.spec.engine.outside import Outside
from bnnsim.spec.prefix import StreamingPrefix


class EngineArchitecture(ArchitectureBase):
    """Arrays that execute the layers in turn, from on-chip buffers or through memory ports."""

    style: Literal["engine"]
    """This kind of architecture."""
    streaming_prefix: StreamingPrefix | None = None
    """First layers that stream; without it every layer runs on the engine."""
    arrays: Annotated[dict[str, Array], Field(min_length=1)]
    """PE arrays by name."""
    stages: dict[str, StageUnit] = {}
    """Units before or behind arrays, by name."""
    buffers: dict[str, Buffer] = {}
    """On-chip memories by name."""
    ports: dict[str, Port] = {}
    """Ways to memory by name."""
    host: Host | None = None
    """The processor that starts it; none where it starts itself."""
    programs: Annotated[dict[str, Program], Field(min_length=1)]
    """What happens for a layer, by name; ``layers`` says which layer runs which."""
    frame: Frame = Frame()
    """What happens once a frame, outside all layers."""
    control: Control | None = None
    """The controller, for its cost; default: a counter a loop and a state a step of the programs."""
    outside: list[Outside] = []
    """What the engine neither brings nor keeps, with the reason; all else must have its place."""
    layers: dict[str, LayerMapping]
    """Where each layer of the network runs, by its name or by a pattern: ``*`` stands for any text,
    ``?`` for a character. A layer's own entry goes first, then the first pattern that fits."""
