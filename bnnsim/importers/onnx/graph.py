"""A model's graph as the importer walks it: operators by plain name, constants as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.spec.faults import InputError

Array = npt.NDArray[Any]
KERAS = "bnnsim.keras"
"""Domain of graphs that stand for Keras models, whose maps have their channels last."""
FINN = "bnnsim.finn"
"""Domain of graphs that stand for FINN's dataflow graphs, and of units in them that no standard operator
is."""
ONNX = ""
"""The domain of the standard operators, also written ``ai.onnx``."""
QONNX = "qonnx.custom_op.general"
"""The domain of QONNX's quantisers, whatever name of it a file uses."""
CHANNELS_LAST = "qonnx.custom_op.channels_last"


@dataclass(frozen=True)
class Operator:
    """One node of the graph.

    ``channels_last`` marks QONNX's channels-last variants; ``place`` names the node in messages;
    ``domain`` is one of the above, or another tool's.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    place: str
    channels_last: bool = False
    domain: str = ONNX

    @property
    def output(self) -> str:
        return self.outputs[0]

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this operator."""
        return InputError(f"{self.place} ({self.kind})", expected, str(got))

    def real(self, key: str, default: float) -> Fraction:
        """A float attribute: a float32, whatever Python makes of it."""
        return Fraction(float(np.float32(self.attributes.get(key, default))))

    def has(self, position: int) -> bool:
        """Whether the optional input at ``position`` is given."""
        return position < len(self.inputs) and bool(self.inputs[position])


@dataclass(frozen=True)
class Grid:
    """A constant as integers times a scale: ``value = scale * (integers - zero)``, all of one shape."""

    integers: Array
    scale: Array
    zero: Array


@dataclass
class ModelGraph:
    """A model with one input and one output that matter.

    ``file`` stands in messages; ``input_shape`` is without the batch; ``input_kind`` is what the
    elements of the input are (``float``, ``uint8``, ...).
    """

    file: str
    operators: list[Operator]
    constants: dict[str, Array]
    input: str
    input_shape: tuple[int, ...]
    input_kind: str
    outputs: tuple[str, ...]
    opset: int
    batch: int = 1
    """Frames at once, where the model was exported for a fixed number of them."""
    grids: dict[str, Grid] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of tensors, the batch included, where they are known."""

    def readers(self) -> dict[str, int]:
        """How many operators read each tensor."""
        count: dict[str, int] = {}
        for operator in self.operators:
            for name in operator.inputs:
                count[name] = count.get(name, 0) + 1
        return count


def scalar(array: Array) -> float:
    """The one element of an array."""
    return float(np.asarray(array).reshape(-1)[0])
