"""What an execution leaves: every layer's outputs, unpacked when looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Network
from bnnsim.functional.tensors.feature_map import FeatureMap, PackedMap


class Outputs(Mapping[str, Integers]):
    """Elements of each kept layer, ``(n, channels, height, width)``, by name.

    uint8 bits {0,1} where the layer's output is bipolar (1 is +1), else int32 or int64 values.
    Packed layers are unpacked on first access.
    """

    def __init__(self, maps: Mapping[str, FeatureMap]) -> None:
        self._maps = maps
        self._elements: dict[str, Integers] = {}

    def __getitem__(self, name: str) -> Integers:
        if name not in self._elements:
            self._elements[name] = self._maps[name].elements()
        return self._elements[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._maps)

    def __len__(self) -> int:
        return len(self._maps)


@dataclass(frozen=True)
class Activations:
    """What each layer put out for each of ``n`` frames.

    ``outputs`` by layer name (the output layer alone where the execution was told to forget the
    rest); ``sums`` the accumulators before thresholds of weighted layers, ``(n, channels, height,
    width)`` in the layer's ``accumulator`` form, empty unless asked for.
    """

    network: Network
    maps: Mapping[str, FeatureMap]
    outputs: Mapping[str, Integers]
    sums: Mapping[str, Integers]

    def packed(self, name: str) -> NDArray[np.uint64]:
        """A bipolar layer's bits as words, uint64 ``(n, height, width, ceil(channels / 64))``, channel
        0 in the lowest bit, zero tails."""
        feature_map = self.maps[name]
        if not isinstance(feature_map, PackedMap):
            raise ValueError(f"layer {name} puts out integers, which are not packed")
        return feature_map.pixel_words()

    @property
    def scores(self) -> Integers:
        """The (first) output's values, int ``(n, channels * height * width)``; bipolar ones as -1, +1."""
        return self.scores_of(self.network.output)

    def scores_of(self, output: str) -> Integers:
        """As :attr:`scores`, of the output layer ``output``."""
        elements = self.outputs[output]
        flat = elements.reshape(len(elements), -1)
        is_bipolar = self.network.tensor(output).type.is_bipolar
        return flat.astype(np.int32) * 2 - 1 if is_bipolar else flat

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The index of each frame's highest score, int64 ``(n,)``; the first of equals.

        Of a map each pixel has its own: the index of its highest channel, ``(n, height, width)``.
        Where the workload names its classes, scores behind the last name (hardware's spare rows) do
        not count. Where positions leave in place of scores (``top_k``), the first of them.
        """
        if self.network.puts_out_labels:
            first: NDArray[np.int64] = self.outputs[self.network.output][:, 0].astype(np.int64)
            return first if first[0].size > 1 else first[:, 0, 0]
        classes = self.network.workload.classes
        output = self.network.tensor(self.network.output)
        if output.pixels > 1:
            maps = self.scores.reshape(-1, *output.shape)
            each: NDArray[np.int64] = np.argmax(maps[:, : len(classes) if classes else None], axis=1)
            return each
        scores = self.scores if classes is None else self.scores[:, : len(classes)]
        first_highest: NDArray[np.int64] = np.argmax(scores, axis=1)
        return first_highest
