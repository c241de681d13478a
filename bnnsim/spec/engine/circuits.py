"""What an engine's arrays, stages, ports and controller are built from, as far as its cost needs it.

Circuits are optional: an array without any is costed from its loops and the layers it runs. Where they
are given, sizes left out follow from what the array unrolls, so that a changed array changes its cost.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bnnsim.spec.device import Amount
from bnnsim.spec.model import Count, SpecModel

PopcountForm = Literal["tree", "swar"]


class CircuitModel(SpecModel):
    """One piece of hardware, ``count`` times."""

    name: Annotated[str, Field(min_length=1)] | None = None
    """How the piece is called in tables; default: what it is."""
    count: Count = 1
    """How often it is there."""
    source: Annotated[str, Field(min_length=1)]
    """Where its sizes come from."""


class Popcounts(CircuitModel):
    """XNOR-popcounts of whole words."""

    circuit: Literal["popcount"]
    """This kind of circuit."""
    words: Count | None = None
    """Words a cycle; default: everything unrolled, over ``word_bits``."""
    word_bits: Count | None = None
    """Default: the unrolled input channels."""
    form: PopcountForm = "tree"
    """``swar``: the shift-and-mask code that HLS takes literally."""


class TapSums(CircuitModel):
    """Sums of the popcounts of ``taps`` words for each output, added to a partial sum."""

    circuit: Literal["tap_sums"]
    """This kind of circuit."""
    outputs: Count | None = None
    """Default: unrolled output channels and pixels."""
    taps: Count | None = None
    """Default: unrolled kernel positions, times words of unrolled input channels."""
    word_bits: Count | None = None
    """Bits of a popcount's word; default: the unrolled input channels."""
    term_bits: Count
    """Bits of one popcount."""
    sum_bits: Count | None = None
    """Default: the array's ``accumulator_bits``."""
    offsets: bool = True
    """Each popcount p of K bits becomes 2 p - K before it is added."""
    masked: bool = True
    """Taps beyond the border are forced to zero."""


class TernaryConvolvers(CircuitModel):
    """Convolvers over {-1, 0, +1} from line buffers in registers."""

    circuit: Literal["ternary_convolvers"]
    """This kind of circuit."""
    convolvers: Count | None = None
    """Default: the unrolled input channels."""
    columns: Count | None = None
    """Sums of each a cycle; default: the unrolled pixels."""
    taps: Count | None = None
    """Default: the unrolled kernel positions."""
    line_bits: Count
    """Bits of a convolver's line buffer."""
    sources: Count
    """Values that each of its bits can be loaded with."""


class Accumulators(CircuitModel):
    """Adders of ``terms`` numbers to a partial sum, and its threshold."""

    circuit: Literal["accumulators"]
    """This kind of circuit."""
    columns: Count | None = None
    """Default: unrolled output channels and pixels."""
    terms: Count | None = None
    """Default: the unrolled input channels."""
    term_bits: Count
    """Bits of a number that is added."""
    sum_bits: Count | None = None
    """Default: the array's ``accumulator_bits``."""


class SignedTaps(CircuitModel):
    """Fixed-point inputs negated or not by +/-1 weights, added up and compared."""

    circuit: Literal["signed_taps"]
    """This kind of circuit."""
    taps: Count | None = None
    """Default: unrolled input channels and kernel positions."""
    bits: Count
    """Bits of an input."""
    sum_bits: Count | None = None
    """Default: the array's ``accumulator_bits``."""
    outputs: Count | None = None
    """Default: unrolled output channels and pixels."""


class LineRegisters(CircuitModel):
    """Line buffers and window in registers."""

    circuit: Literal["line_registers"]
    """This kind of circuit."""
    rows: Count
    """Rows that are held."""
    row_words: Count
    """Words of a row."""
    word_bits: Count
    """Bits of a word."""
    window_words: Count = 9
    """Words of the window that is read at once."""
    reads: Count | None = None
    """Read multiplexers over a row; default: one a row."""
    writers: Count = 1
    """Sources that a word can be loaded from."""


class BitAssembly(CircuitModel):
    """Words in registers that are filled bit by bit."""

    circuit: Literal["bit_assembly"]
    """This kind of circuit."""
    words: Count
    """Words that are filled."""
    word_bits: Count
    """Bits of a word."""
    ports: Count = 1
    """Read multiplexers."""


class Scaling(CircuitModel):
    """Fixed-point products, sums and selections of each channel (batch-norm, RPReLU, shortcut)."""

    circuit: Literal["scaling"]
    """This kind of circuit."""
    channels: Count | None = None
    """Default: the unrolled output channels."""
    multipliers: Amount = 0
    """Products a channel."""
    adders: Amount = 0
    """Sums a channel."""
    selects: Amount = 0
    """Selections a channel."""
    bits: Count
    """Bits of a value."""
    factor_bits: Count
    """Bits of a factor."""


class Quantizer(CircuitModel):
    """Values scaled and saturated to ``planes`` bits, inserted into packed words."""

    circuit: Literal["quantizer"]
    """This kind of circuit."""
    channels: Count | None = None
    """Default: the unrolled output channels."""
    bits: Count
    """Bits of a value."""
    planes: Count
    """Bits that are kept of it."""
    packed_bits: Count
    """Bits of the word it is inserted into."""


class AveragePool(CircuitModel):
    """Running sums."""

    circuit: Literal["average_pool"]
    """This kind of circuit."""
    channels: Count | None = None
    """Default: the unrolled output channels."""
    bits: Count
    """Bits of a value."""
    sum_bits: Count
    """Bits of a sum."""


class MultiplyAccumulate(CircuitModel):
    """Fixed-point multiply-accumulates in DSPs."""

    circuit: Literal["multiply_accumulate"]
    """This kind of circuit."""
    lanes: Count | None = None
    """Default: everything unrolled."""
    a_bits: Count
    """Bits of one factor."""
    b_bits: Count
    """Bits of the other."""
    sum_bits: Count
    """Bits of the sum."""


Circuit = Annotated[
    Popcounts
    | TapSums
    | TernaryConvolvers
    | Accumulators
    | SignedTaps
    | LineRegisters
    | BitAssembly
    | Scaling
    | Quantizer
    | AveragePool
    | MultiplyAccumulate,
    Field(discriminator="circuit"),
]


class Adapter(SpecModel):
    """What connects a port's users to memory."""

    kind: Literal["m_axi", "data_mover", "none"] = "m_axi"
    """``m_axi``: a master that HLS makes; ``data_mover``: SDSoC's DMA with its stream adapter; ``none``:
    outside the device or not counted."""
    width_bits: Count | None = None
    """Default: the port's."""
    reads: bool = True
    """Whether words come in through it."""
    writes: bool = True
    """Whether words go out through it."""
    count: Count = 1
    """How often it is there."""
    source: str = ""
    """Where this comes from."""


class Control(SpecModel):
    """The engine's controller: loop counters, address products and states."""

    counters: Count
    """Loop counters."""
    counter_bits: Count = 16
    """Bits of a counter."""
    products: Amount = 0
    """Address multiplications in DSPs."""
    states: Count
    """States of the state machine."""
    source: Annotated[str, Field(min_length=1)]
    """Where these numbers come from."""
