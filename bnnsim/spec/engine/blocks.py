"""Engine architectures: PE arrays that execute a network's layers in turn (``style: engine``).

An engine is hardware plus what its controller makes the hardware do: for each kind of layer a program of
nested loops. A loop runs over one dimension of the layer in tiles; inside it the dimension has the
tile's size. What an array unrolls in space it does in one cycle.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from bnnsim.spec.bounds import MAX_COUNT
from bnnsim.spec.device import Amount
from bnnsim.spec.engine.circuits import Adapter, Circuit
from bnnsim.spec.engine.dram import Dram
from bnnsim.spec.model import Count, Name, SpecModel

Dimension = Literal[
    "out_channels",
    "in_channels",
    "planes",
    "groups",
    "kernel_rows",
    "kernel_columns",
    "rows",
    "columns",
    "pixels",
    "in_rows",
    "in_columns",
    "out_rows",
    "out_columns",
]
"""``rows`` and ``columns`` are those of the map that is computed (with
``iteration_space: every_pixel`` that of stride 1, kept in part), ``pixels`` their product; ``out_rows``
and ``out_columns`` those of the map that is kept; ``planes`` the binary planes of an input element.
``groups`` are a convolution's; its channels are those of one group. A program without a loop over them
turns once for each."""

Paced = TypeVar("Paced", "ComputeStep", "StageStep", "TransferStep")
Text = Annotated[str, Field(min_length=1)]
Payload = Literal["weights", "thresholds", "activations", "shortcut", "image", "results"]


def _in_all(unrolled: dict[Dimension, int]) -> dict[Dimension, int]:
    if math.prod(unrolled.values()) > MAX_COUNT:
        raise ValueError(f"at most {MAX_COUNT} indices a cycle in all")
    return unrolled


Unrolling = Annotated[dict[Dimension, Count], AfterValidator(_in_all)]
"""Indices of each dimension that one cycle takes; their product bounds what a circuit has of anything."""


class Loop(SpecModel):
    """One loop: ``ceil(extent / tile) + extra`` trips, or a fixed number of ``trips``."""

    dimension: Dimension | None = None
    """The dimension that the loop runs over."""
    trips: Count | None = None
    """Runs so often whatever the layer (a pass whose result is not used, a scan of the whole memory)."""
    tile: Count | Literal["group"] | None = None
    """Indices a trip takes; default what the unit unrolls, ``group`` what its partial sums hold."""
    within_group: bool = False
    """Runs over one group instead of the whole dimension."""
    extra: Annotated[int, Field(ge=-64, le=64)] = 0
    """Trips more than the extent asks for: the ring around a map, a buffer's look-ahead."""

    @model_validator(mode="after")
    def _one_kind(self) -> Loop:
        if (self.dimension is None) == (self.trips is None):
            raise ValueError("either 'dimension' or 'trips'")
        if self.trips is not None and (self.tile or self.extra or self.within_group):
            raise ValueError("'trips' alone, or 'dimension' with tile, extra, within_group")
        return self


class RepeatStep(SpecModel):
    """``steps`` in turn, for every trip of ``loops`` (outermost first)."""

    op: Literal["repeat"]
    """This kind of step."""
    loops: Annotated[list[Loop], Field(min_length=1)]
    """Its loops, outermost first."""
    steps: Annotated[list[Step], Field(min_length=1)]
    """What happens in a trip."""


def _pace_has_source(step: Paced) -> Paced:
    if (step.interval != 1 or getattr(step, "depth", 0) != 0) and not step.source:
        raise ValueError("a step that says where its depth or interval comes from (key source)")
    return step


class ComputeStep(SpecModel):
    """The array's pipelined loop: trips x interval + depth cycles."""

    op: Literal["compute"]
    """This kind of step."""
    loops: list[Loop] = []
    """Its loops, outermost first; none: one trip."""
    interval: Count = 1
    """Cycles from one trip to the next."""
    depth: Amount = 0
    """Cycles of the pipeline beyond the trips."""
    source: str = ""
    """Where depth and interval come from."""
    _sourced = model_validator(mode="after")(_pace_has_source)


class StageStep(SpecModel):
    """A pre- or post-processing unit's pipelined loop, in sequence with the array."""

    op: Literal["stage"]
    """This kind of step."""
    unit: Name
    """A unit of ``stages``."""
    loops: list[Loop] = []
    """Its loops, outermost first; none: one trip."""
    interval: Count = 1
    """Cycles from one trip to the next."""
    depth: Amount = 0
    """Cycles of the pipeline beyond the trips."""
    source: str = ""
    """Where depth and interval come from."""
    _sourced = model_validator(mode="after")(_pace_has_source)


class OverheadStep(SpecModel):
    """Cycles in which no unit works, with their cause."""

    op: Literal["overhead"]
    """This kind of step."""
    cycles: Count
    """How many."""
    cause: Text
    """Why no unit works then."""
    source: Text
    """Where the number comes from."""


class TransferStep(SpecModel):
    """Words between a buffer and memory through a port.

    ``words`` of the port's width, or ``bits`` in as many words as needed, for each trip of ``loops``.
    """

    op: Literal["load", "store"]
    """Into the buffer (``load``) or out of it (``store``)."""
    payload: Payload
    """What the words are."""
    port: Name
    """A port of ``ports``."""
    buffer: Name
    """A buffer of ``buffers``."""
    words: Count | None = None
    """Words of the port's width."""
    bits: Count | None = None
    """Bits, in as many words as needed."""
    loops: list[Loop] = []
    """Its loops, outermost first; none: one trip."""
    burst_words: Count | None = None
    """Words a burst; default: the port's longest."""
    interval: Count = 1
    """Cycles a word."""
    source: str = ""
    """Where amount and interval come from."""

    @model_validator(mode="after")
    def _one_amount(self) -> TransferStep:
        if (self.words is None) == (self.bits is None):
            raise ValueError("either 'words' or 'bits'")
        return self

    _sourced = model_validator(mode="after")(_pace_has_source)


class CallsStep(SpecModel):
    """Calls by the host: as few as possible, each with as many output channels (a divisor of all) as
    ``fits`` the named buffers."""

    op: Literal["calls"]
    """This kind of step."""
    fits: Annotated[list[Name], Field(min_length=1)]
    """Buffers that a call's share must fit."""
    steps: Annotated[list[Step], Field(min_length=1)]
    """What happens in a call."""


class BesideStep(SpecModel):
    """Branches that run at the same time; the next step waits for the last. No transfers inside."""

    op: Literal["beside"]
    """This kind of step."""
    branches: Annotated[list[list[Step]], Field(min_length=2)]
    """Steps in turn, for each branch."""


Step = Annotated[
    RepeatStep | ComputeStep | StageStep | OverheadStep | TransferStep | CallsStep | BesideStep,
    Field(discriminator="op"),
]


class Group(SpecModel):
    """Input channels whose maps share the partial-sum memory at a time: as many as fill ``words``,
    each taking one word for every tile of ``pixels``."""

    words: Count
    """Words of the memory of partial sums."""


class Array(SpecModel):
    """A PE array."""

    spatial_unrolling: Unrolling
    """Indices of each dimension that one cycle takes; 1 where nothing is said."""
    iteration_space: Literal["outputs", "every_pixel"] = "outputs"
    """``every_pixel``: computes at stride 1 and keeps what the stride asks for."""
    group: Group | None = None
    """The memory of partial sums, where input channels share one."""
    accumulator_bits: Annotated[int, Field(ge=2, le=64)] | None = None
    """Width of a partial sum; must hold every sum of the layers it runs, unless it ``may_wrap``."""
    may_wrap: bool = False
    """Sums that do not fit wrap around, as in hardware whose designers knew its sums to be smaller."""
    supported_ops: Annotated[
        list[Literal["conv", "gated_conv", "linear", "fixed_linear"]], Field(min_length=1)
    ]
    """Layers it can run."""
    circuits: list[Circuit] | None = None
    """What it is built from; default: what its loops and the layers it runs ask for."""
    source: str = ""
    """Where its structure comes from."""


class StageUnit(SpecModel):
    """A unit before or behind an array: quantiser, batch-norm, pool, packer."""

    spatial_unrolling: Unrolling = {}
    """Indices of each dimension that one cycle takes; 1 where nothing is said."""
    circuits: list[Circuit] | None = None
    """What it is built from; default: an adder and a comparison for everything it unrolls."""
    source: str = ""
    """Where its structure comes from."""


class Buffer(SpecModel):
    """On-chip memory of ``banks x words x width_bits``, twice that if ``double``.

    A transfer into or out of a double buffer runs beside the array, one tile ahead or behind.
    """

    holds: Literal["weights", "thresholds", "activations", "partial_sums", "shortcut"]
    """What it is for."""
    words: Count
    """Words of a bank."""
    width_bits: Count
    """Bits of a word."""
    banks: Count = 1
    """Memories that are read and written at once."""
    copies: Count = 1
    """Equal memories side by side: a layer reads one and writes another."""
    double: bool = False
    """Two halves: one is filled or emptied while the array uses the other."""
    pack: Literal["dense", "whole_kernels"] = "dense"
    """``whole_kernels``: a word holds only complete kernels (7 of 3 x 3 bits in 64), each bank the
    kernels of its own input channels."""
    residency: Literal["network", "layer", "tile"] = "layer"
    """What must fit at once: everything (loaded before the first frame), one layer's share, or only
    what one transfer brings or one call takes."""
    element_bits: Count | None = None
    """Bits an element takes; default: those of its type."""
    in_place: bool = False
    """A layer's output may take the place of its input: the array reads on ahead of what it writes."""
    style: Literal["bram", "lutram", "registers"] = "bram"
    """What it is built from."""
    ports: Literal["single", "simple_dual", "true_dual"] = "simple_dual"
    """How a bank can be used in one cycle."""
    writers: Count = 1
    """Units that write to it in turn, through a multiplexer (of ``registers``: sets of values)."""
    readers: Count = 1
    """Units that read it in turn, through a multiplexer."""
    rom: bool = False
    """Constants: where the device runs out of blocks, synthesis builds them from LUTs."""
    source: str = ""
    """Where its sizes come from."""

    @property
    def capacity_bits(self) -> int:
        """Bits of one copy."""
        return self.banks * self.words * self.width_bits

    @property
    def whole_bits(self) -> int:
        """Bits of all copies and halves."""
        return self.capacity_bits * self.copies * (2 if self.double else 1)


class Port(SpecModel):
    """A way to memory, used by one transfer at a time; who asks first is served first."""

    width_bits: Count
    """Bits of a word, one a cycle at most."""
    latency_cycles: Amount
    """From a burst's request to its first word."""
    max_burst_words: Count = 1 << 20
    """Words of the longest burst."""
    dram: Dram | None = None
    """The memory behind it; default: it gives a word whenever the port takes one."""
    fitted: bool = False
    """True where the latency was chosen so that a reported speed comes out."""
    adapters: list[Adapter] | None = None
    """The logic that connects it, for its cost; default: one HLS master of the port's width."""
    source: Text
    """Where its figures come from."""


class Host(SpecModel):
    """The processor that starts the engine."""

    call_us: Annotated[float, Field(ge=0, le=1e6)]
    """Cost of a call, in microseconds, transfers not included."""
    source: Text
    """Where the cost comes from."""


class Program(SpecModel):
    """What happens for one layer."""

    array: Name | None = None
    """The array of its compute steps; None for layers without weights."""
    buffers: list[Name] = []
    """Buffers that the layer's data must fit."""
    steps: Annotated[list[Step], Field(min_length=1)]
    """What happens, in turn."""


class LayerMapping(SpecModel):
    """Where a layer runs: as a program of its own, or inside the program of another layer."""

    program: Name | None = None
    """A program of ``programs``."""
    within: Name | None = None
    """The layer whose program does this one's work too; ``above``: whichever the network has above it."""
    mapping: Literal["auto"] | None = None
    """``auto``: loops around the program's load of weights, compute step and stages are chosen by the
    tool, those of the fastest way that fits; what is printed or written has them as a program."""

    @model_validator(mode="after")
    def _one_place(self) -> LayerMapping:
        if (self.program is None) == (self.within is None):
            raise ValueError("either 'program' or 'within'")
        if self.mapping == "auto" and self.program is None:
            raise ValueError("'mapping: auto' with 'program'")
        return self


class Frame(SpecModel):
    """What happens once a frame, before the first and after the last layer."""

    before: list[Step] = []
    """Steps before the first layer."""
    after: list[Step] = []
    """Steps after the last layer."""


for _model in (RepeatStep, CallsStep, BesideStep, Program, Frame):
    _model.model_rebuild()
