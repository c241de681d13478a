"""Workload specs: a network as a graph of layers (``workloads/*.yaml``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, GetJsonSchemaHandler, field_validator, model_validator
from pydantic_core import CoreSchema

from bnnsim.spec.bounds import MAX_EXTENT
from bnnsim.spec.layers.base import Border, LayerBase, Pair, Sides, Window, pair, sides
from bnnsim.spec.layers.base import Compare as Compare
from bnnsim.spec.layers.maps import LookupLayer as LookupLayer
from bnnsim.spec.layers.maps import MatmulLayer as MatmulLayer
from bnnsim.spec.layers.maps import MultiplyLayer as MultiplyLayer
from bnnsim.spec.layers.maps import RepeatLayer as RepeatLayer
from bnnsim.spec.layers.maps import TopKLayer as TopKLayer
from bnnsim.spec.layers.pools import AveragePoolLayer as AveragePoolLayer
from bnnsim.spec.layers.pools import MaxPoolLayer as MaxPoolLayer
from bnnsim.spec.layers.pools import MeanPoolLayer as MeanPoolLayer
from bnnsim.spec.layers.pools import PoolLayer as PoolLayer
from bnnsim.spec.layers.pools import SumPoolLayer as SumPoolLayer
from bnnsim.spec.model import Count, Name, SpecModel
from bnnsim.spec.value_type import BIPOLAR, ValueType, ValueTypeField

Accumulator = Literal["dot", "popcount"]
Extent = Annotated[int, Field(ge=1, le=MAX_EXTENT)]
"""Channels, rows or columns."""


PixelRange = Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]
"""Two numbers for pixels 0 and 255."""


class InputSpec(SpecModel):
    """What one frame is and how a picture becomes one."""

    shape: Annotated[list[Extent], Field(min_length=1, max_length=3)]
    """``[channels, height, width]`` or ``[features]``."""
    type: ValueTypeField = BIPOLAR
    """Value set of one element."""
    image_range: Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)] | None = None
    """Pixels 0 .. 255 are mapped linearly onto these two numbers, then rounded half up to ``type``
    and clipped (bipolar: +1 iff >= 0). Without it a pixel is taken as the integer it is."""
    thermometer: Count | None = None
    """Each pixel becomes this many bipolar channels: bit b of a colour is +1 iff b < round_half_even(
    pixel x thermometer / 256); colour by colour, bit 0 first. ``shape`` counts the encoded channels."""
    pad_to: Extent | None = None
    """Features after padding a flat input at its end (hardware words that are wider than the data)."""
    pad_value: int = -1
    """What the padded features hold."""

    @field_validator("image_range")
    @classmethod
    def _image_range_tells_pixels_apart(cls, value: list[float] | None) -> list[float] | None:
        # A falling range is no mistake: it is a network that reads pictures inverted.
        if value is not None and value[0] == value[1]:
            raise ValueError("two different numbers")
        return value


class Activation(SpecModel):
    """Thresholds that turn an integer sum into an activation of few bits.

    The output is the number of thresholds that fire, plus ``lowest`` (bipolar: -1 or +1). There are as
    many thresholds as steps from ``lowest`` to ``highest``. ``residualM.W``: the levels' signs, the first
    (largest) level's being the number's upper bit; who reads them has what each is worth, an integer of W
    bits (``in_means``).
    """

    type: ValueTypeField = BIPOLAR
    compare: Compare = ">="
    """A threshold t fires on ``sum > t`` or on ``sum >= t``."""
    lowest: int | None = None
    """What is put out where no threshold fires; default: the type's minimum. -1 with int2 are the three
    values -1, 0 and +1, with two thresholds."""
    highest: int | None = None
    """What is put out where all fire; default: the type's maximum."""

    @model_validator(mode="before")
    @classmethod
    def _by_type_name(cls, data: object) -> object:
        """``activation: bipolar`` means ``activation: {type: bipolar}``."""
        return {"type": data} if isinstance(data, str | ValueType) else data

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [whole, whole["properties"]["type"]]}

    @model_validator(mode="after")
    def _levels_lie_within_the_type(self) -> Activation:
        given = [one for one in (self.lowest, self.highest) if one is not None]
        if given and self.type.kind not in ("uint", "int"):
            raise ValueError(f"no lowest and highest with {self.type}")
        low, high = self.type.minimum, self.type.maximum
        if given and not low <= self.least < self.most <= high:
            raise ValueError(f"lowest below highest within {low} .. {high}")
        return self

    @property
    def least(self) -> int:
        """The least value that is put out."""
        return self.type.minimum if self.lowest is None else self.lowest

    @property
    def most(self) -> int:
        """The greatest."""
        return self.type.maximum if self.highest is None else self.highest

    @property
    def thresholds(self) -> int:
        """Thresholds a channel; ReBNet's residual activations have none."""
        if self.type.is_residual and not self.type.has_integer_means:
            return 0
        return 1 if self.type.is_bipolar else self.most - self.least


class WeightedLayer(LayerBase):
    out: Count
    """Output channels or neurons."""
    weight: ValueTypeField = BIPOLAR
    """Value set of a weight."""
    accumulator: Accumulator = "dot"
    """What thresholds and scores count: the dot product, or the number of matching bits
    P = (dot + K) / 2 (bipolar weights and inputs only)."""
    activation: Activation | None = None
    """Thresholds behind the sum; without it the sum itself leaves the layer."""


class ConvBase(WeightedLayer):
    """What every convolution has.

    Weights ``(out, in_channels / groups, kernel_height, kernel_width)``.
    """

    kernel: Window
    """Height and width, or one number for both."""
    stride: Window = 1
    """Rows and columns from one window to the next, or one number for both."""
    dilation: Window = 1
    """Distance of a window's pixels, or one number for both."""
    groups: Count = 1
    """Groups of channels that do not see each other; as many as input channels: depthwise."""
    pad: Border = 0
    """Border in pixels on all four sides, or ``[top, left, bottom, right]``."""
    pad_value: int | None = None
    """What the border holds; default -1 for bipolar inputs (the hardware's bit 0), else 0.
    0 on a bipolar input is a true zero: the tap adds nothing. The same for levels worth integers
    (``residualM.W``); around ReBNet's residual activations 0 is every level at -1, and the greatest code
    every level at +1."""

    @property
    def kernel_hw(self) -> Pair:
        return pair(self.kernel)

    @property
    def stride_hw(self) -> Pair:
        return pair(self.stride)

    @property
    def dilation_hw(self) -> Pair:
        return pair(self.dilation)

    @property
    def pad_tlbr(self) -> Sides:
        return sides(self.pad)


class ConvLayer(ConvBase):
    """Convolution with one plane of inputs."""

    op: Literal["conv"]
    """A convolution."""
    codebook: Annotated[int, Field(ge=2, le=1 << 16)] | None = None
    """How many different kernels there are at most (Sub-bit networks): an MVAU whose lanes divide the
    channels then keeps a number for each pair of channels, and the kernels once. Bipolar weights;
    default: each kernel is kept itself."""

    @model_validator(mode="after")
    def _has_kernels_of_signs(self) -> ConvLayer:
        if self.codebook is not None and not (self.weight.is_bipolar and self.kernel_hw != (1, 1)):
            raise ValueError("bipolar weights and a kernel of more than 1 x 1 beside codebook")
        return self


class GatedConvLayer(ConvBase):
    """Gated convolution of two planes: FracBNN's, with all of its block.

    ``inputs: [x, shortcut]``, fixed-point maps. x is quantised to 0 .. 3, its upper bit weighing 2/3 and
    its lower 1/3, both as +-1; the lower plane's sum counts only where 2/3 of the upper plane's exceeds
    the channel's gate threshold. Then batch norm, RPReLU, the shortcut's addition and an affine map,
    rounded half up and saturated to ``type`` after every statement (parameters: fixed12.8).
    Parameters by name: ``weights``, ``gate_thresholds``, ``bn_scale``, ``bn_bias``, ``rprelu_x``,
    ``rprelu_slope``, ``rprelu_y``, ``post_scale``, ``post_bias``.
    """

    op: Literal["gated_conv"]
    """A gated convolution of two planes."""
    type: ValueTypeField = ValueType("fixed", 16, 7)
    """Value set of the maps."""

    @model_validator(mode="after")
    def _ungrouped_without_thresholds(self) -> GatedConvLayer:
        if self.groups != 1 or self.activation is not None or self.accumulator != "dot":
            raise ValueError("a gated_conv without groups, activation or popcount accumulator")
        return self


class LinearLayer(WeightedLayer):
    """Fully connected; weights ``(out, in)``. A map is flattened pixel by pixel, channel fastest."""

    op: Literal["linear"]
    """A fully connected layer."""


class FixedLinearLayer(WeightedLayer):
    """Fully connected in fixed point, with a bias.

    The sum is rounded to ``type`` after each term. Parameters ``weights`` ``(out, in)`` and ``bias``
    ``(out,)``, integers of ``weight``'s type.
    """

    op: Literal["fixed_linear"]
    """A fully connected layer in fixed point."""
    weight: ValueTypeField = ValueType("fixed", 16, 7)
    type: ValueTypeField = ValueType("fixed", 16, 7)
    """Value set of the scores."""

    @model_validator(mode="after")
    def _puts_out_scores(self) -> FixedLinearLayer:
        if self.activation is not None or self.accumulator != "dot":
            raise ValueError("a fixed_linear without activation or popcount accumulator")
        return self


class AffineLayer(LayerBase):
    """Scale and bias a channel (a batch norm), saturated to ``type``.

    With ``parameters`` scale and bias share one format and the point of the input: their exact sum is
    rounded half up once. With ``multiplier_bits`` each has its own, and integers go through as in
    hardware: multiply, shift right with rounding half up, add, saturate; an integer of the input, x,
    becomes ``floor(x * scale / 2**shift_bits + 1/2) + bias`` steps of ``type``. The shift holds
    every point, so the input's own does not count. Parameters ``scale`` and ``bias`` ``(channels,)``.
    """

    op: Literal["affine"]
    """Scale and bias a channel."""
    type: ValueTypeField = ValueType("fixed", 16, 7)
    parameters: ValueTypeField = ValueType("fixed", 12, 8)
    """One format for scale and bias."""
    multiplier_bits: Annotated[int, Field(ge=2, le=32)] | None = None
    """Bits of ``scale``, a two's complement integer."""
    shift_bits: Annotated[int, Field(ge=0, le=93)] | None = None
    """How far the product is shifted right."""
    bias_bits: Annotated[int, Field(ge=2, le=32)] | None = None
    """Bits of ``bias``, a two's complement integer in steps of ``type``."""

    @model_validator(mode="after")
    def _one_format_or_two(self) -> AffineLayer:
        own = [getattr(self, key) is not None for key in ("multiplier_bits", "shift_bits", "bias_bits")]
        if any(own) and (not all(own) or "parameters" in self.model_fields_set):
            raise ValueError(
                "an affine with either parameters or all of multiplier_bits, shift_bits, bias_bits"
            )
        return self

    @property
    def scale_type(self) -> ValueType:
        """Value set of ``scale``; with a shift, its point as far left as the shift says."""
        if self.multiplier_bits is None or self.shift_bits is None:
            return self.parameters
        return ValueType("fixed", self.multiplier_bits, self.shift_bits)

    @property
    def bias_type(self) -> ValueType:
        """Value set of ``bias``."""
        if self.bias_bits is None:
            return self.parameters
        return ValueType("fixed", self.bias_bits, self.type.fraction_bits)


class PreluLayer(LayerBase):
    """Leaky ReLU with a slope a channel, saturated to ``type``.

    x where it is not negative, else slope x x, rounded half up. Parameter ``slope`` ``(channels,)``
    of ``parameters``' type; a slope of 0 is a ReLU.
    """

    op: Literal["prelu"]
    """A leaky ReLU with a slope a channel."""
    type: ValueTypeField = ValueType("fixed", 16, 7)
    parameters: ValueTypeField = ValueType("fixed", 12, 8)


class ThresholdLayer(LayerBase):
    """Thresholds on integer sums, one set a channel."""

    op: Literal["threshold"]
    """Thresholds."""
    activation: Activation
    """The thresholds."""


class AddLayer(LayerBase):
    """Element-wise integer sum of two or more equal shapes (a shortcut)."""

    op: Literal["add"]
    """A sum of maps."""


class ConcatLayer(LayerBase):
    """Joins maps along the channels, first input first."""

    op: Literal["concat"]
    """Maps one behind the other."""


Layer = Annotated[
    ConvLayer
    | GatedConvLayer
    | LinearLayer
    | FixedLinearLayer
    | AffineLayer
    | PreluLayer
    | LookupLayer
    | ThresholdLayer
    | PoolLayer
    | AddLayer
    | MultiplyLayer
    | MatmulLayer
    | ConcatLayer
    | RepeatLayer
    | TopKLayer,
    Field(discriminator="op"),
]


class ImportSettings(SpecModel):
    """What a user decided when a model was imported, as ``bnnsim import`` takes it."""

    fixed: str | None = None
    """The word of layers in fixed point; default: auto."""
    input_type: ValueTypeField | None = None
    """The type of an image's elements; default: what the model says."""
    image_range: PixelRange | list[PixelRange] | None = None
    """The numbers that pixels 0 and 255 stand for at the model's input, or such a pair for each channel;
    default: what the model says."""
    sign_of_zero: Literal["exact", "plus"] = "exact"
    """What a plain Sign of 0 counts as."""
    output: str | None = None
    """The only output that was kept; default: all."""
    real_layers: str | None = None
    """The type to which real-valued weights were rounded; default: there were none."""
    input_shape: Annotated[list[Count], Field(min_length=1, max_length=4)] | None = None
    """The sizes of one input as the model takes it; default: what its file says."""


class Workload(SpecModel):
    """A network: its input, its layers, and where its weights are."""

    name: Name
    """What the network is called."""
    source: str = ""
    """Where the topology (and the weights) come from."""
    input: InputSpec
    """What one frame is."""
    layers: Annotated[list[Layer], Field(min_length=1)]
    """The layers, each below those that it reads."""
    outputs: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of the layers whose values leave the network; others may read them too. The first gives the
    scores that predictions are made of. Default: the one layer that no other reads."""
    weights: str | None = None
    """An .npz beside this file with ``<layer>.weights`` and ``<layer>.thresholds``."""
    images: str | None = None
    """An .npz beside this file with ``images_u8`` and ``labels``, used where the user names none."""
    classes: list[str] | None = None
    """Names of the (first output's) scores, first score first."""
    imported_with: ImportSettings | None = None
    """Where an import was told more than the model says: ``bnnsim check`` imports again with the same."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A file may have ``blocks`` too, which are written out before it is checked."""
        schema = handler.resolve_ref_schema(handler(core))
        schema["properties"]["blocks"] = {
            "type": "object",
            "description": "Layers that stand together again and again, by name.",
        }
        return schema
