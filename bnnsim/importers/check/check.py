"""Does an imported workload compute what its model computes? Output by output, layer by layer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from bnnsim.design.network.network import INPUT, Network, resolve_network
from bnnsim.files.boundary import foreign_file
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.importers.check.claims import (
    Claim,
    OutputClaim,
    anchored_claims,
    layer_claims,
    output_claims,
    values_of,
)
from bnnsim.importers.check.comparison import Comparison, LayerTally
from bnnsim.importers.check.folders import folder_model
from bnnsim.importers.check.inputs import Inputs, chosen_inputs
from bnnsim.importers.check.matching import Match, matching_import, possible_options
from bnnsim.importers.check.outputs import DistanceTally, OutputTally
from bnnsim.importers.check.report import GRAVE, CheckReport, Distance, Flips
from bnnsim.importers.finn.build import as_built
from bnnsim.importers.foreign.formats import BNN_PYNQ, DABNN, KERAS, KERAS_JSON, TFLITE
from bnnsim.importers.model import found_model
from bnnsim.importers.onnx.lowering import RoundedWeights
from bnnsim.importers.onnx.network import ImageRange, LoweredModel
from bnnsim.reference.dabnn_model import read_dabnn_model
from bnnsim.reference.graph import ReferenceGraph
from bnnsim.reference.keras.model import read_keras_model
from bnnsim.reference.mxnet_model import read_mxnet_model
from bnnsim.reference.onnx_model import read_onnx
from bnnsim.reference.rounding import rounded_weights
from bnnsim.reference.tflite_model import read_tflite_model
from bnnsim.spec.faults import InputError, SpecError
from bnnsim.spec.load import read_workload
from bnnsim.spec.workload import TopKLayer, Workload

Array = npt.NDArray[Any]
_MOST_INPUTS, _MOST_BYTES = 100, 1 << 28
"""Inputs at once: all of the model's tensors are in memory for one chunk only."""


def check_model(
    model_path: str | Path,
    workload: str | Path,
    images: str | Path | None = None,
    random_inputs: int = 100,
    seed: int = 0,
    image_range: ImageRange | None = None,
) -> CheckReport:
    """Run a model and the workload imported from it, and compare every output and every layer.

    The model runs as its file says, in numpy and float64, by code that shares nothing with the
    importer; the workload in the functional executor. Where the import has rounded real weights, the
    model runs with weights that are rounded here once more, and as it is, for the distance.
    Values of layers in fixed point may differ by their stated bound, and a sign behind them where the
    real value is within it: such flips are counted, and what comes behind is compared with the
    flipped bits.

    Args:
        model_path: the model's file.
        workload: what an import made of it.
        images: a file of images (or of floats in the model's range) to run on; default: drawn inputs.
        random_inputs: how many to draw.
        seed: what they are drawn from.
        image_range: as the import was given it; default: as the workload says.

    Returns:
        A verdict for every output and input, and layer by layer what differs.

    Raises:
        SpecError: a file cannot be used, or the model cannot be imported.

    Example:
        >>> from bnnsim import check_model, import_onnx
        >>> imported = import_onnx("tfc.onnx", "networks")
        >>> check_model("tfc.onnx", imported.workload_path, random_inputs=20).verdict
        'equal'
    """
    both, lowered, said = _prepared(
        model_path, workload, images, random_inputs, seed, image_range
    )
    claims = layer_claims(lowered, both.network, both.graph)
    report = both.compared(claims, said)
    if report.verdict in ("undecided", "wrong") and lowered.errors:
        anchors, own, outputs = anchored_claims(claims, said, lowered)
        again = both.compared(own, outputs, anchors) if anchors else report
        if GRAVE.index(again.verdict) > GRAVE.index(report.verdict):
            return again
    return report


def model_distances(
    model_path: str | Path, workload: str | Path, random_inputs: int, seed: int = 0
) -> tuple[Distance, ...]:
    """How far a workload's scores are from the model's with its own real weights, on drawn inputs.

    Nothing else is compared. None where no weights were rounded. Raises as :func:`check_model`.
    """
    both, _, said = _prepared(model_path, workload, None, random_inputs, seed, None)
    return both.distances(said)


def _prepared(
    model_path: str | Path,
    workload: str | Path,
    images: str | Path | None,
    random_inputs: int,
    seed: int,
    image_range: ImageRange | None,
) -> tuple[_Both, LoweredModel, list[OutputClaim]]:
    """Both sides of a comparison, what the import says, and of which outputs."""
    from bnnsim.functional.executor import (
        Executor,
    )  # compiled kernels: only who checks waits for them

    found = found_model(model_path)
    loaded = read_workload(workload)
    if loaded.faults:
        raise SpecError(loaded.faults)
    network = resolve_network(loaded)
    if loaded.spec.weights is None:
        raise InputError(str(workload), "a workload with weights", "none")
    weights = _beside(workload, loaded.spec.weights)
    if not weights.exists():
        got = f"'{loaded.spec.weights}', which is not there"
        raise SpecError([loaded.source.fault(("weights",), "an .npz file beside the workload", got)])
    executor = Executor(network, load_parameters(network, weights))
    options: Mapping[str, Any] = {}
    if found.format is BNN_PYNQ:
        graph, lowered = folder_model(found.file, network)
        original = graph
    else:
        match = _match(model_path, loaded.spec, image_range, weights)
        lowered, options = match.lowered, match.options
        original, graph = _references(model_path, loaded.spec, lowered.rounded)
    inputs = chosen_inputs(network, lowered, graph, images, random_inputs, seed)
    said = list(output_claims(lowered, graph))
    is_chosen = options.get("output") is not None
    left_out = tuple(one.output for one in said if is_chosen and one.claim is None)
    said = [one for one in said if one.output not in left_out]
    both = _Both(
        network,
        lambda frames: executor.run(frames).outputs,
        graph,
        original if lowered.rounded else None,
        inputs,
        str(model_path),
        options.get("sign_of_zero") == "plus",
        left_out,
        {name: lowered.draft.means_of(name) for name in network.nodes},
    )
    return both, lowered, said


def _match(
    path: str | Path, workload: Workload, image_range: ImageRange | None, weights: Path
) -> Match:
    """The import of a model that the workload came from."""
    model = found_model(path).model(_sizes(workload))
    declared = [value.name for value in model.graph.output]
    candidates = possible_options(workload, image_range, declared)
    return matching_import(model, str(path), workload, candidates, weights)


def _references(
    path: str | Path, workload: Workload, rounded: Mapping[str, RoundedWeights]
) -> tuple[ReferenceGraph, ReferenceGraph]:
    """The model as it is, and as it was imported: with its real weights rounded."""
    shape, sizes = tuple(workload.input.shape), _sizes(workload)
    original = reference_of(path, None, shape, sizes)
    graph = reference_of(path, rounded, shape, sizes) if rounded else original
    if math.prod(graph.input_shape) != math.prod(shape):
        expected = f"an input of {math.prod(shape)} elements, as {workload.name} has"
        raise InputError(str(path), expected, str(list(graph.input_shape)))
    return original, graph


def _sizes(workload: Workload) -> Sequence[int] | None:
    """What the import was told where a file leaves sizes of its input open."""
    told = workload.imported_with
    return None if told is None else told.input_shape


@dataclass(frozen=True)
class _Both:
    """A network and the reference of its model, to be run on the same inputs and compared."""

    network: Network
    execute: Callable[[Any], Mapping[str, Array]]
    """All layers' integers for frames."""
    graph: ReferenceGraph
    original: ReferenceGraph | None
    """With the model's own weights, where the import has rounded some."""
    inputs: Inputs
    model_path: str
    is_plus: bool
    left_out: tuple[str, ...]
    means: Mapping[str, tuple[int, ...]]
    """What each level of a layer's codes is worth, by layer."""

    def compared(
        self,
        claims: Mapping[str, Claim],
        said: Sequence[OutputClaim],
        anchors: Collection[str] = (),
    ) -> CheckReport:
        """What these claims come to. Behind the layers ``anchors`` the reference goes on with the
        workload's values."""
        network, graph, inputs = self.network, self.graph, self.inputs
        tallies = {
            name: LayerTally(claim, _sources(name, network, claims), self.is_plus or name == INPUT)
            for name, claim in claims.items()
        }
        outputs = [OutputTally(one, graph, self._holds_labels(one)) for one in said]
        distances = self._distance_tallies(said)
        count = len(inputs)
        for start, end in self._chunks():
            frames, reals = inputs.frames(start, end), inputs.reals(start, end)
            made = self.execute(frames)
            means = self.means
            values = {n: values_of(network, made, n, means.get(n, ())) for n in network.nodes}
            values[INPUT] = values_of(network, {INPUT: frames}, INPUT)
            comparison = Comparison(graph, tallies, values, start, anchors)
            tensors = graph.run(reals, comparison)
            is_own = not comparison.flipped and not anchors
            plain = tensors if is_own else graph.run(reals)
            for output in outputs:
                output.add(values, tensors, plain, comparison, start)
            unrounded = self.original.run(reals) if self.original is not None and distances else {}
            for distance in distances:
                distance.add(values, unrounded)
        found = [tally.result() for tally in tallies.values() if tally.elements]
        layers = tuple(
            one for one in found if one.layer != INPUT or one.differing or one.flips != Flips()
        )
        results = tuple(output.result(count) for output in outputs)
        far = tuple(distance.result() for distance in distances)
        name = network.workload.name
        return CheckReport(
            self.model_path, name, count, results, layers, self.left_out, far, bool(anchors)
        )

    def distances(self, said: Sequence[OutputClaim]) -> tuple[Distance, ...]:
        """How far the scores are from those of the model with its own weights, and nothing else."""
        tallies = self._distance_tallies(said)
        for start, end in self._chunks() if tallies else ():
            made = self.execute(self.inputs.frames(start, end))
            assert self.original is not None
            tensors = self.original.run(self.inputs.reals(start, end))
            for tally in tallies:
                tally.add({tally.layer: values_of(self.network, made, tally.layer)}, tensors)
        return tuple(tally.result() for tally in tallies)

    def _holds_labels(self, said: OutputClaim) -> bool:
        node = None if said.claim is None else self.network.nodes.get(said.claim.layer)
        return node is not None and isinstance(node.layer, TopKLayer)

    def _distance_tallies(self, said: Sequence[OutputClaim]) -> list[DistanceTally]:
        """None where all weights are the model's own."""
        there = [one for one in said if one.claim is not None and one.claim.layer in self.network.nodes]
        return [DistanceTally(one) for one in there if self.original is not None]

    def _chunks(self) -> Iterator[tuple[int, int]]:
        """First input and the one behind the last, as many at once as there is room for."""
        at_once, count = self.graph.batch_size(_MOST_BYTES, _MOST_INPUTS), len(self.inputs)
        for start in range(0, count, at_once):
            yield start, min(count, start + at_once)


def reference_of(
    path: str | Path,
    rounded: Mapping[str, RoundedWeights] | None = None,
    shape: tuple[int, ...] = (),
    said: Sequence[int] | None = None,
) -> ReferenceGraph:
    """The file's model, read once more by the reference alone, with the weights in ``rounded`` rounded
    by the reference. ``shape``: of the network's input, which MXNet's files need not say; ``said``: what
    the import was told where a file leaves sizes open. Raises :class:`InputError`."""
    found = found_model(path)
    given = rounded or {}
    with foreign_file(path, "a model that the reference reads"):
        if found.format in (KERAS, KERAS_JSON):
            names = {re.sub(r"\d+$", "", name): one.bits for name, one in given.items()}
            return read_keras_model(found.file, names, found.weights, said)
        if found.format is TFLITE:
            graph = read_tflite_model(found.file)
        elif found.format is DABNN:
            graph = read_dabnn_model(found.file)
        elif found.weights is not None:
            graph = read_mxnet_model(found.file, found.weights, tuple(said or shape))
        else:
            graph = read_onnx(found.file, as_built(found.file), said)
        for name, one in given.items():
            values = graph.constants[name]
            graph.constants[name] = rounded_weights(values, (one.row_axis,), one.bits)
        return graph


def _beside(workload: str | Path, name: str) -> Path:
    from bnnsim.spec.library import find_spec

    return find_spec(workload, "workload").parent / name


def _sources(layer: str, network: Network, claims: Mapping[str, Claim]) -> list[Claim]:
    """Claims of the nearest fixed-point layers in front of ``layer``."""
    found: list[Claim] = []
    waiting = list(network.nodes[layer].inputs) if layer in network.nodes else []
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name == INPUT:
            continue
        seen.add(name)
        if name not in claims:
            waiting += network.nodes[name].inputs
        elif claims[name].bound:
            found.append(claims[name])
    return found
