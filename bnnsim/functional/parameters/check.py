"""What is wrong with a network's weights and thresholds: every fault of a file at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Network, Node
from bnnsim.functional.layers.scaled_layers import is_scaled, scaled_parameters
from bnnsim.functional.tensors.codebook import codebook_of
from bnnsim.spec.faults import Fault, SpecError, near_names
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import ConvLayer, WeightedLayer


class ParameterCheck:
    """Walks the nodes once, gathering faults; ``place`` names the arrays in messages."""

    def __init__(self, network: Network, arrays: Mapping[str, Integers], place: str) -> None:
        self.network = network
        self.arrays = arrays
        self.place = place
        self.faults: list[Fault] = []
        self.wanted = [
            *(f"{node.name}.weights" for node in self._weighted()),
            *(f"{node.name}.thresholds" for node in self._thresholded()),
            *(
                f"{node.name}.{name}"
                for node in network.nodes.values()
                for name in scaled_parameters(node)
            ),
        ]

    def run(
        self,
    ) -> tuple[
        dict[str, Integers], dict[str, NDArray[np.int64]], dict[str, dict[str, Integers]]
    ]:
        """Weights, thresholds, and what scaled layers name, by layer. Raises :class:`SpecError`."""
        missing = [key for key in self.wanted if key not in self.arrays]
        for key in self.arrays:
            if key not in self.wanted:
                near = near_names(key, missing or self.wanted)
                self._fault(key, "only keys of this network's layers", "an unknown key", near)
        weights = {node.name: self._weights(node) for node in self._weighted()}
        thresholds = {node.name: self._thresholds(node) for node in self._thresholded()}
        values = {
            node.name: {
                name: self._named(f"{node.name}.{name}", shape, value_type)
                for name, (shape, value_type) in scaled_parameters(node).items()
            }
            for node in self.network.nodes.values()
            if scaled_parameters(node)
        }
        if self.faults:
            raise SpecError(self.faults)
        return (
            {name: array for name, array in weights.items() if array is not None},
            {name: array for name, array in thresholds.items() if array is not None},
            {
                name: {key: array for key, array in named.items() if array is not None}
                for name, named in values.items()
            },
        )

    def _weighted(self) -> list[Node]:
        nodes = self.network.nodes.values()
        return [
            node for node in nodes if isinstance(node.layer, WeightedLayer) and not is_scaled(node)
        ]

    def _thresholded(self) -> list[Node]:
        return [node for node in self.network.nodes.values() if node.threshold_count]

    def _fault(self, key: str, expected: str, got: str, near: tuple[str, ...] = ()) -> None:
        self.faults.append(Fault(self.place, 0, key, expected, got, near))

    def _integers(self, key: str, shapes: tuple[tuple[int, ...], ...]) -> Integers | None:
        """The array of ``key`` where it is there, of integers and in one of ``shapes``."""
        if key not in self.arrays:
            unknown = [name for name in self.arrays if name not in self.wanted]
            self._fault(key, "this key", "none", near_names(key, unknown))
            return None
        array = self.arrays[key]
        right = True
        if array.dtype.kind not in "iu":
            self._fault(key, "integers", f"{array.dtype}")
            right = False
        if array.shape not in shapes:
            expected = " or ".join(str(list(shape)) for shape in shapes)
            self._fault(key, f"shape {expected}", f"{list(array.shape)}")
            right = False
        return array if right else None

    def _weights(self, node: Node) -> Integers | None:
        assert isinstance(node.layer, WeightedLayer)
        found = self._named(f"{node.name}.weights", node.weight_shape, node.layer.weight)
        most = node.layer.codebook if isinstance(node.layer, ConvLayer) else None
        if found is not None and most is not None:
            count = len(codebook_of(found)[0])
            if count > most:
                expected = f"at most {most} different kernels (codebook)"
                self._fault(f"{node.name}.weights", expected, f"{count}")
        return found

    def _named(self, key: str, shape: tuple[int, ...], value_type: ValueType) -> Integers | None:
        array = self._integers(key, (shape,))
        if array is None:
            return None
        bits = value_type.is_bipolar
        low, high = (0, 1) if bits else (value_type.minimum, value_type.maximum)
        wrong = array[(array < low) | (array > high)]
        if wrong.size:
            meaning = "0 or 1 (-1 or +1)" if bits else f"{low} .. {high}"
            others = f" and {wrong.size - 1} more" if wrong.size > 1 else ""
            kind = "weights" if key.endswith(".weights") else "values"
            self._fault(key, f"{value_type} {kind}, {meaning}", f"{wrong[0]}{others}")
            return None
        return np.ascontiguousarray(array, np.uint8 if bits else np.int32)

    def _thresholds(self, node: Node) -> NDArray[np.int64] | None:
        key = f"{node.name}.thresholds"
        channels, count = node.output.channels, node.threshold_count
        full = (channels, count)
        array = self._integers(key, ((channels,), full) if count == 1 else (full,))
        if array is None:
            return None
        if array.dtype == np.uint64 and array.size and int(array.max()) > np.iinfo(np.int64).max:
            self._fault(key, "thresholds that fit int64", f"{array.max()}")
            return None
        return np.ascontiguousarray(array.reshape(full), np.int64)
