"""A network while it is being imported: integer weights and thresholds, open to change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.spec.value_type import BIPOLAR, ValueType, integer_type

INPUT = "input"
Shape = tuple[int, int, int]
Kind = Literal[
    "conv", "linear", "threshold", "max_pool", "sum_pool", "majority", "add", "concat", "affine", "prelu",
    "multiply", "matmul", "repeat", "lookup", "negate", "top_k",
]  # fmt: skip
_STEMS = {"linear": "fc", "max_pool": "pool", "sum_pool": "pool", "affine": "scale", "threshold": "sign"}


@dataclass
class LayerDraft:
    """One layer of the coming workload.

    ``weights``: ``(out, in / groups, kh, kw)`` or ``(out, in)``, columns in the workload's order.
    ``thresholds``: ``(channels, count)``, each firing on ``sum >= t``. ``signs``: +1 or -1 a channel
    (``negate`` only). ``means``: what each level of residual codes is worth; its elements are the sums of
    +-means here, codes in the workload. ``arrays``: other parameters by name. ``low`` and ``high`` bound
    every element that the layer puts out. ``error_steps`` is by how many steps of its integers a
    fixed-point layer rounds, ``steepness`` how many steps one of its input's may become, ``reach`` the
    greatest magnitude of its real values. ``is_free``: what it puts out may be anything, the model's
    values are the same.
    """

    name: str
    kind: Kind
    inputs: list[str]
    shape: Shape
    low: int
    high: int
    options: dict[str, Any] = field(default_factory=dict)
    weights: Int64s | None = None
    thresholds: Int64s | None = None
    activation: ValueType | None = None
    means: tuple[int, ...] = ()
    signs: Int64s | None = None
    arrays: dict[str, Int64s] = field(default_factory=dict)
    error_steps: Fraction = Fraction(0)
    steepness: Fraction = Fraction(1)
    reach: Fraction = Fraction(0)
    is_free: bool = False

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def is_weighted(self) -> bool:
        return self.kind in ("conv", "linear")


def weight_type(weights: Int64s) -> ValueType:
    """The narrowest type that a workload has for weights."""
    if np.all(np.abs(weights) == 1):
        return BIPOLAR
    found = integer_type(int(weights.min()), int(weights.max()))
    if found.kind == "uint" and found.bits < 8:
        return found
    signed = integer_type(min(-1, int(weights.min())), int(weights.max()))
    return signed if signed.bits <= 8 else ValueType("fixed", signed.bits, 0)


def is_copied(layer: LayerDraft) -> bool:
    """Whether all that a layer puts out are elements of its input."""
    return layer.kind == "repeat" and layer.options["fill"] == "nearest"


class NetworkDraft:
    """Layers in the order in which they were made, each behind its inputs."""

    def __init__(self, input_shape: Shape) -> None:
        self.input_shape = input_shape
        self.input_type: ValueType | None = None
        self.image_range: tuple[float, float] | None = None
        self.layers: dict[str, LayerDraft] = {}
        self.outputs: list[str] = []
        """Layers whose values leave the network."""
        self._numbers: dict[str, int] = {}
        self._type_bounds: dict[str, tuple[int, int]] = {}

    def free_name(self, kind: Kind) -> str:
        """``conv0``, ``conv1``, ``fc0``, ... as one would write by hand."""
        stem = _STEMS.get(kind, kind)
        number = self._numbers.get(stem, 0)
        self._numbers[stem] = number + 1
        return f"{stem}{number}"

    def append(self, kind: Kind, inputs: Sequence[str], shape: Shape, low: int, high: int) -> LayerDraft:
        """A new layer at the end."""
        layer = LayerDraft(self.free_name(kind), kind, list(inputs), shape, low, high)
        self.layers[layer.name] = layer
        return layer

    def shape_of(self, name: str) -> Shape:
        """Shape of what a layer (or the input) puts out."""
        return self.input_shape if name == INPUT else self.layers[name].shape

    def bounds_of(self, name: str) -> tuple[int, int]:
        """Least and greatest integer of a layer's elements (or the input's)."""
        if name != INPUT:
            return self.layers[name].low, self.layers[name].high
        assert self.input_type is not None
        return self.input_type.minimum, self.input_type.maximum

    def type_of(self, name: str) -> ValueType | None:
        """Value set of a layer's elements, None where they are plain sums."""
        if name == INPUT:
            return self.input_type
        layer = self.layers[name]
        if layer.kind == "max_pool" or (layer.kind == "repeat" and layer.activation is None):
            return self.type_of(layer.inputs[0])
        if layer.kind == "concat":
            types = {self.type_of(source) for source in layer.inputs}
            return types.pop() if len(types) == 1 else None
        return layer.activation

    def means_of(self, name: str) -> tuple[int, ...]:
        """What the levels of a layer's codes are worth; nothing where it has none."""
        layer = self.layers.get(name)
        if layer is None or layer.means or layer.kind != "max_pool":
            return () if layer is None else layer.means
        return self.means_of(layer.inputs[0])

    def type_bounds_of(self, name: str) -> tuple[int, int]:
        """Least and greatest integer of the type that a layer's elements have in the workload.

        Of sums it follows from the types in front and is wider than :meth:`bounds_of`. Layers that exist
        already must not change any more.
        """
        if name not in self._type_bounds:
            found = self.type_of(name) or integer_type(*self._sum_bounds(self.layers[name]))
            reach = found.bits * found.mean_type.maximum if found.has_integer_means else 0
            self._type_bounds[name] = (-reach, reach) if reach else (found.minimum, found.maximum)
        return self._type_bounds[name]

    def _sum_bounds(self, layer: LayerDraft) -> tuple[int, int]:
        given = [self.type_bounds_of(source) for source in layer.inputs]
        lows, highs = zip(*given, strict=True)
        if layer.weights is not None:
            weight = weight_type(layer.weights)
            products = [w * x for w in (weight.minimum, weight.maximum) for x in given[0]]
            return layer.weights[0].size * min(products), layer.weights[0].size * max(products)
        if layer.kind in ("multiply", "matmul"):
            products = [self.terms_of(layer) * a * b for a in given[0] for b in given[1]]
            return min(products), max(products)
        if layer.kind == "add":
            return sum(lows), sum(highs)
        if layer.kind == "sum_pool":
            area = int(np.prod(layer.options["kernel"]))
            return area * lows[0], area * highs[0]
        return min(lows), max(highs)

    def terms_of(self, layer: LayerDraft) -> int:
        """How many products a sum of a ``matmul`` has; of a ``multiply`` one."""
        if layer.kind == "multiply":
            return 1
        heads: int = layer.options["heads"]
        return self.shape_of(layer.inputs[0])[0] // heads

    def parity_of(self, name: str) -> int | None:
        """Whether a layer's sums are all even (0) or all odd (1); None where they are both.

        A sum of K products of +-1 has the parity of K.
        """
        if name == INPUT:
            return None
        layer = self.layers[name]
        if layer.kind in ("negate", "max_pool") or is_copied(layer):
            return self.parity_of(layer.inputs[0])
        value_type = self.type_of(layer.inputs[0])
        if layer.kind == "sum_pool" and not layer.options.get("pad"):
            rows, columns = layer.options["kernel"]
            return rows * columns % 2 if value_type is not None and value_type.is_bipolar else None
        if layer.kind == "matmul":
            types = [self.type_of(source) for source in layer.inputs]
            are_signs = all(one is not None and one.is_bipolar for one in types)
            return self.terms_of(layer) % 2 if are_signs else None
        has_zeros = any(layer.options.get("pad", ())) and layer.options["pad_value"] == 0
        is_binary = value_type is not None and value_type.is_bipolar and not has_zeros
        if layer.weights is None or not is_binary or not np.all(np.abs(layer.weights) == 1):
            return None
        return int(layer.weights[0].size % 2)

    def is_rounded(self, name: str) -> bool:
        """Whether a layer's integers are real values of the model that were rounded."""
        made = (self.layers.get(one) for one in self.seen_through(name, lambda x: x.activation is None))
        return any(layer is not None and layer.kind in ("affine", "prelu", "lookup") for layer in made)

    def seen_through(self, name: str, passes: Callable[[LayerDraft], bool]) -> Iterator[str]:
        """``name`` and whatever stands in front of it behind layers that ``passes``, each once: branches
        that join again and again have many ways."""
        waiting, seen = [name], set[str]()
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                yield one
                layer = self.layers.get(one)
                waiting += layer.inputs if layer is not None and passes(layer) else []

    def error_of(self, name: str) -> Fraction:
        """How many steps a layer's integers may lie from the model's values, where no bit has flipped
        on the way."""
        return self._error_of(name, {INPUT: Fraction(0)})

    def error_behind(self, name: str, exact: Collection[str]) -> Fraction:
        """The same where the layers ``exact`` in front of it hold the model's values exactly."""
        known = dict.fromkeys((INPUT, *(one for one in exact if one != name)), Fraction(0))
        return self._error_of(name, known)

    def _error_of(self, name: str, known: dict[str, Fraction]) -> Fraction:
        """The same, each layer looked at once."""
        if name not in known:
            layer = self.layers[name]
            passes = layer.kind in ("affine", "prelu", "lookup", "repeat")
            keeps = passes or (layer.activation is None and not layer.is_free)
            given = [self._error_of(source, known) for source in layer.inputs] if keeps else []
            known[name] = self._own_error(layer, given) if keeps else Fraction(0)
        return known[name]

    def _own_error(self, layer: LayerDraft, given: list[Fraction]) -> Fraction:
        """The error of a layer whose inputs are ``given`` off."""
        if layer.kind == "add":
            return sum(given, Fraction(0))
        if layer.kind in ("multiply", "matmul"):
            reach = [max(abs(bound) for bound in self.bounds_of(source)) for source in layer.inputs]
            one = reach[0] * given[1] + reach[1] * given[0] + given[0] * given[1]
            return self.terms_of(layer) * one
        if layer.kind == "sum_pool":
            return int(layer.options["kernel"][0] * layer.options["kernel"][1]) * given[0]
        if layer.weights is not None:
            rows = np.abs(layer.weights.reshape(len(layer.weights), -1)).sum(axis=1)
            return int(rows.max()) * given[0]
        return layer.error_steps + layer.steepness * max(given)

    def readers(self, name: str) -> list[LayerDraft]:
        """The layers that read ``name``, once for each input position."""
        return [layer for layer in self.layers.values() for one in layer.inputs if one == name]

    def rewire(self, old: str, new: str) -> None:
        """Let everything that reads ``old`` read ``new``."""
        for layer in self.layers.values():
            if old in layer.inputs:
                layer.inputs = [new if name == old else name for name in layer.inputs]
        self.outputs = list(dict.fromkeys(new if name == old else name for name in self.outputs))

    def put_behind(self, name: str, layer: LayerDraft) -> None:
        """Move ``layer`` to the place right behind layer ``name``."""
        del self.layers[layer.name]
        items = list(self.layers.items())
        place = list(self.layers).index(name) + 1
        self.layers = dict([*items[:place], (layer.name, layer), *items[place:]])

    def drop_unread(self) -> None:
        """Remove every layer that no output depends on."""
        needed, waiting = set(), list(self.outputs)
        while waiting:
            name = waiting.pop()
            if name != INPUT and name not in needed:
                needed.add(name)
                waiting += self.layers[name].inputs
        self.layers = {name: layer for name, layer in self.layers.items() if name in needed}
