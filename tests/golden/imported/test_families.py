"""Every family of binary networks: scores of the imported network against the model's own, in float32;
all bits of a pipeline that ``fold`` finds and of a first engine.

The families are graphs of 2 to 6 layers, one for each kind of network in two reviews of the field; they
are looked for beside the project. Scores come from onnxruntime on the whole graph, or from qonnx.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest

from bnnsim import fold, import_onnx, simulate
from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import execute
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import check_parameters
from bnnsim.importers.onnx.network import import_options, lower_model
from bnnsim.search.template.choice import new_engine
from bnnsim.spec.faults import SpecError

_BESIDE = Path(__file__).parents[4] / "shared" / "families"
_BUILD = Path(os.environ.get("BNNSIM_FAMILIES", _BESIDE)) / "build.py"
pytestmark = pytest.mark.skipif(
    not _BUILD.exists(), reason="no families of networks: BNNSIM_FAMILIES may name their folder"
)

REAL_INSIDE = [
    "birealnet",
    "birealnet-alpha-fc",
    "reactnet-signhead",
    "rebnet-m2",
    "groupnet",
    "mobinet",
    "binarydensenet",
    "benn-boost",
    "hardswish-prelu-neg",
    "dorefa-w1a2-qonnx",
]
"""Families with values that stay in fixed point on the way."""


NEW_UNITS = [
    *("xnornet-K", "horq", "fracbnn-gate", "seg-upsample", "seg-bilinear", "seg-transposed"),
    *("conv3d", "adabin-actonly", "alternating-pad", "layernorm"),
]
"""Families of which some layer is a product, a repeated map, a table, or has a border of its own."""
ATTENTION = ["softmax-attention", "benn-softmax-vote", "bibert-attention"]
REAL_WEIGHTS = ["birealnet-down-real", "birealnet-real-ends", "binarydensenet-realtrans", "real2bin"]
"""Families whose weights are real: imported where the user says how they are rounded."""
NO_GRAPHS = {"stem-7x7-maxpool3"}
"""Its last matrix does not fit the map in front: onnxruntime refuses the graph too."""
PART = "xczu3eg"


@cache
def _families() -> ModuleType:
    spec = importlib.util.spec_from_file_location("families", _BUILD)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compared(
    name: str, folder: Path, frames: int, **options: str
) -> tuple[Any, np.ndarray, np.ndarray] | None:
    """(output, its scores, the model's own) over drawn images; None where the import is refused or
    (with ``sign_of_zero``) asked to be another network than the operators say."""
    families = _families()
    model = families.build(name)
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    given = families.FAMILIES[name]["opts"]
    pairs = zip(given[::2], given[1::2], strict=True)
    keys = {k[2:].replace("-", "_"): v for k, v in pairs if k != "--fixed"}  # the default word
    try:
        lowered = lower_model(model, str(path), "net", import_options(**{**keys, **options}))
    except SpecError:
        return None
    if keys.get("sign_of_zero") == "plus":
        return None
    network, output = resolve_network(lowered.workload), lowered.outputs[0]
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
    images = np.random.default_rng(7).integers(0, 256, (frames, *shape), np.uint8)
    pixels = (images / 255.0).astype(np.float32)
    is_quantised = any(node.domain for node in model.graph.node)
    run = families._qonnx_scores if is_quantised else families._ort_scores
    real = run(path, pixels)[0].reshape(frames, -1).astype(np.float64)
    parameters = check_parameters(network, lowered.arrays, "here")
    frame = frames_from_images(network, images)
    scores = execute(network, parameters, frame).outputs[output.layer].astype(np.float64)
    return output, scores.reshape(frames, -1) * float(output.gain) + float(output.offset), real


def _score_figures(
    name: str, folder: Path, frames: int, **options: str
) -> tuple[float, float, float] | None:
    """(error, bound, span) of :func:`_compared`."""
    found = _compared(name, folder, frames, **options)
    if found is None:
        return None
    output, scores, real = found
    return float(np.abs(scores - real).max()), float(output.error), float(np.ptp(real))


def _is_met(error: float, bound: float, span: float) -> bool:
    """Whether the error is small, and the stated bound above it and near it, or itself a ten-thousandth
    of the span at most (exact scores have none; what float32 itself rounds away is no error)."""
    is_near = error <= bound <= max(10 * error, 1e-4 * span)
    return error <= 1e-3 * span and (is_near or (bound == 0 and error < 1e-6 * span))


@pytest.mark.parametrize("name", REAL_INSIDE)
def test_scores_stay_within_a_thousandth_and_the_bound_is_near_the_error(name, tmp_path):
    figures = _score_figures(name, tmp_path, 12)
    assert figures is not None and _is_met(*figures), figures


@pytest.mark.parametrize("word", ["fixed24.12", "fixed32.20"])
def test_a_finer_word_brings_scores_and_their_bound_nearer(word, tmp_path):
    figures = _score_figures("birealnet", tmp_path, 12, fixed=word)
    assert figures is not None
    error, bound, span = figures
    limit = {"fixed24.12": 1e-3, "fixed32.20": 1e-5}[word]
    assert error <= bound <= limit * span


@pytest.mark.long
def test_every_family_that_is_imported_keeps_its_scores(tmp_path):
    found = {name: _score_figures(name, tmp_path, 20) for name in _families().FAMILIES}
    imported = {name: figures for name, figures in found.items() if figures is not None}
    assert len(imported) >= 84
    assert {name: figures for name, figures in imported.items() if not _is_met(*figures)} == {}


@pytest.mark.parametrize("name", NEW_UNITS)
def test_gates_larger_maps_volumes_and_borders_keep_their_scores(name, tmp_path):
    figures = _score_figures(name, tmp_path, 12)
    assert figures is not None and _is_met(*figures), figures


@pytest.mark.parametrize("name", REAL_WEIGHTS)
def test_real_weights_of_sixteen_bits_keep_the_scores_of_most_images(name, tmp_path):
    """Rounding moves a sum by a ten-thousandth; where that flips a sign, a score moves with it."""
    found = _compared(name, tmp_path, 40, real_layers="int16")
    assert found is not None
    _, scores, real = found
    assert np.mean(np.abs(scores - real).max(axis=1) <= 1e-3 * np.ptp(real)) >= 0.9


@pytest.mark.parametrize("name", ["detect-two-heads", "aux-output-first"])
def test_every_output_of_a_family_with_several_is_kept_and_equal(name, tmp_path):
    families = _families()
    model, path = families.build(name), tmp_path / "net.onnx"
    onnx.save(model, path)
    lowered = lower_model(model, str(path), "net", import_options(input_type="uint8"))
    assert [one.output for one in lowered.outputs] == [value.name for value in model.graph.output]
    network = resolve_network(lowered.workload)
    assert network.outputs == tuple(one.layer for one in lowered.outputs)
    images = np.random.default_rng(3).integers(0, 256, (20, *network.input.shape), np.uint8)
    parameters = check_parameters(network, lowered.arrays, "here")
    found = execute(network, parameters, frames_from_images(network, images))
    real = families._ort_scores(path, (images / 255.0).astype(np.float32))
    assert len(real) == 2
    for output, values in zip(lowered.outputs, real, strict=True):
        scores = found.scores_of(output.layer) * float(output.gain) + float(output.offset)
        assert np.array_equal(scores, values.reshape(20, -1))


@pytest.mark.parametrize("name", ATTENTION)
def test_a_softmax_inside_and_products_of_activations_keep_their_scores(name, tmp_path):
    figures = _score_figures(name, tmp_path, 12)
    assert figures is not None
    error, bound, span = figures
    assert error <= max(bound, 1e-6 * span) and error <= 1e-3 * span


def _pipeline(workload: Path) -> str:
    return fold(workload, PART).text()


def _engine(workload: Path) -> str:
    return new_engine(workload, PART).text()


@pytest.mark.long
@pytest.mark.parametrize("first_design", [_pipeline, _engine])
def test_every_family_runs_bit_by_bit(first_design: Callable[[Path], str], tmp_path: Path) -> None:
    families, ran = _families(), set()
    for name, family in families.FAMILIES.items():
        path, given = tmp_path / f"{name}.onnx", family["opts"]
        onnx.save(families.build(name), path)
        said = {k[2:].replace("-", "_"): v for k, v in zip(given[::2], given[1::2], strict=True)}
        said |= {"real_layers": "int8"} if name in REAL_WEIGHTS else {}
        try:
            workload = import_onnx(path, tmp_path, **said).workload_path
        except SpecError:
            continue
        shape = onnx.load(path).graph.input[0].type.tensor_type.shape.dim[1:]
        pixels = np.random.default_rng(7).integers(0, 256, (2, *(d.dim_value for d in shape)), np.uint8)
        arch = tmp_path / f"{name}-arch.yaml"
        arch.write_text(first_design(workload))
        if simulate(arch, workload, images=pixels).bit_exact:
            ran.add(name)
    assert set(families.FAMILIES) - ran == NO_GRAPHS
