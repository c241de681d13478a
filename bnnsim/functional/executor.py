"""The reference executor: a network's bits on whole tensors, exactly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.network.network import INPUT, Network, Node
from bnnsim.functional.activations import Activations, Outputs
from bnnsim.functional.input.frames import check_frames
from bnnsim.functional.layers.joins import joined, largest, matrix_product, repeated
from bnnsim.functional.layers.pooling import pooled
from bnnsim.functional.layers.residual import codes_of
from bnnsim.functional.layers.scaled_layers import is_scaled, run_scaled, scaled_parameters
from bnnsim.functional.layers.threshold import ThresholdStep
from bnnsim.functional.layers.weighted import WeightedStep
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.functional.tensors.elements import integer_dtype
from bnnsim.functional.tensors.feature_map import FeatureMap, IntegerMap, concatenated, from_frames
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.workload import (
    AveragePoolLayer,
    ConcatLayer,
    MatmulLayer,
    MaxPoolLayer,
    RepeatLayer,
    SumPoolLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
)

_MOST_SUM_BITS = 63
"""An int64 holds such sums and the one beyond the last, which a threshold that never fires needs."""


def execute(
    network: Network,
    parameters: Parameters,
    frames: Integers,
    threads: int = 1,
    keep_sums: bool = False,
) -> Activations:
    """What every layer puts out for ``frames``; see :meth:`Executor.run`."""
    return Executor(network, parameters).run(frames, threads, keep_sums)


class Executor:
    """A network with its parameters laid out for the kernels, ready for any number of frames.

    Bipolar layers on bipolar inputs work on packed bits (XNOR and popcount), others on integers;
    nothing is rounded and nothing overflows.
    """

    def __init__(self, network: Network, parameters: Parameters) -> None:
        """Raises :class:`SpecError` where a layer's sums need more than 63 bits, ``ValueError`` for
        parameters of another network."""
        too_wide = [node for node in network.nodes.values() if node.sum_type.bits > _MOST_SUM_BITS]
        if too_wide:
            expected = f"sums of at most {_MOST_SUM_BITS} bits"
            raise SpecError(
                Fault(network.workload.name, 0, f"layers.{node.name}", expected, f"{node.sum_type}")
                for node in too_wide
            )
        self.network = network
        self._weighted: dict[str, WeightedStep] = {}
        self._thresholds: dict[str, ThresholdStep] = {}
        self._scaled: dict[str, Mapping[str, Integers]] = {}
        for name, node in network.nodes.items():
            thresholds = parameters.thresholds[name] if node.threshold_count else None
            if thresholds is not None:
                _check_shape(
                    f"{name}.thresholds", thresholds, (node.output.channels, node.threshold_count)
                )
            if is_scaled(node):
                self._scaled[name] = parameters.values.get(name, {})
                for key, (shape, _) in scaled_parameters(node).items():
                    _check_shape(f"{name}.{key}", self._scaled[name][key], shape)
                if thresholds is not None:
                    self._thresholds[name] = ThresholdStep(node, thresholds)
            elif isinstance(node.layer, WeightedLayer):
                _check_shape(f"{name}.weights", parameters.weights[name], node.weight_shape)
                self._weighted[name] = WeightedStep(node, parameters.weights[name], thresholds)
            elif isinstance(node.layer, ThresholdLayer):
                assert thresholds is not None
                self._thresholds[name] = ThresholdStep(node, thresholds)

    def run(
        self,
        frames: Integers,
        threads: int = 1,
        keep_sums: bool = False,
        keep_outputs: bool = True,
    ) -> Activations:
        """Execute ``frames``: elements ``(n, channels, height, width)`` as
        :func:`~bnnsim.functional.input.frames.frames_from_images` gives them.

        ``threads`` cores share each layer. Without ``keep_outputs`` only the network's outputs stay in
        memory. Raises :class:`InputError` for frames that are not elements of the network's input.
        """
        check_frames(self.network, frames)
        maps: dict[str, FeatureMap] = {INPUT: from_frames(frames, self.network.input.type)}
        sums: dict[str, Integers] = {}
        waiting = {name: len(readers) for name, readers in self.network.consumers.items()}
        for name in self.network.outputs:
            waiting[name] += 1  # whoever asked for it
        for name, node in self.network.nodes.items():
            given = [maps[source] for source in node.inputs]
            if name in self._weighted:
                maps[name], kept = self._weighted[name].run(given[0], threads, keep_sums)
                if keep_sums and kept is not None:
                    sums[name] = kept.transpose(1, 0, 2, 3)
            else:
                maps[name] = self._unweighted(node, given, threads)
            if node.output.type.has_integer_means and isinstance(node.layer, WeightedLayer):
                levels = node.output.type.bits
                maps[name] = IntegerMap(codes_of(maps[name].integers(), levels).astype(np.int32))
            for source in node.inputs:
                waiting[source] -= 1
                if not keep_outputs and waiting[source] == 0:
                    del maps[source]
        kept_maps: Mapping[str, FeatureMap] = {name: maps[name] for name in maps if name != INPUT}
        return Activations(self.network, kept_maps, Outputs(kept_maps), sums)

    def _unweighted(self, node: Node, given: list[FeatureMap], threads: int) -> FeatureMap:
        layer = node.layer
        if node.name in self._scaled:
            values = run_scaled(node, self._scaled[node.name], [one.integers() for one in given])
            if node.name in self._thresholds:
                return self._thresholds[node.name].run(IntegerMap(values), threads)
            return IntegerMap(values.astype(integer_dtype(node.output.type)))
        if isinstance(layer, ThresholdLayer):
            return self._thresholds[node.name].run(given[0], threads)
        if isinstance(layer, MaxPoolLayer | AveragePoolLayer | SumPoolLayer):
            return pooled(node, given[0], threads)
        if isinstance(layer, ConcatLayer):
            return concatenated(given)
        if isinstance(layer, MatmulLayer):
            return matrix_product(node, *given)
        if isinstance(layer, RepeatLayer):
            return repeated(node, given[0])
        if isinstance(layer, TopKLayer):
            return largest(node, given[0])
        return joined(node, given)


def _check_shape(name: str, array: Integers, shape: tuple[int, ...]) -> None:
    """The kernels trust shapes: a wrong one would read memory that is not theirs."""
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {list(shape)}, got {list(array.shape)}")
