"""Import, fold, simulate: every word of every layer on the folded accelerator equals the network's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.build import build_streaming_design  # noqa: E402
from bnnsim.design.design import Design  # noqa: E402
from bnnsim.importers.model import import_model  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.search.fold.fold import fold  # noqa: E402
from bnnsim.simulation import RunOptions, Stimulus, datapaths_for, stimulate  # noqa: E402
from bnnsim.spec.load import load_architecture, load_workload  # noqa: E402
from bnnsim.timing.streaming.programs.graph import build_timing  # noqa: E402
from bnnsim.timing.streaming.reference.executor import run_simpy  # noqa: E402
from tests.golden.imported import onnx_models  # noqa: E402
from tests.golden.imported.onnx_models import Builder, brevitas_model  # noqa: E402
from tests.golden.imported.test_larq_files import larq_zoo_file, larq_zoo_frames  # noqa: E402
from tests.golden.networks import trained  # noqa: E402


def _folded(workload: Path, fps: float, folder: Path, device: str = "xc7z020") -> Design:
    path = folder / "folded.yaml"
    path.write_text(fold(workload, device, fps).text())
    return build_streaming_design(load_architecture(path), load_workload(workload))


def _frame_ends(design: Design, folder: Path, images: Any) -> tuple[int, ...]:
    """Simulate ``images``; the datapaths raise at the first word that differs from the network's."""
    stimulus = stimulate(design, folder, RunOptions(images))
    assert isinstance(stimulus, Stimulus)
    datapaths = datapaths_for(design, stimulus)
    return run_simpy(build_timing(design.graph), len(images), datapaths).frame_end_cycles


def test_finn_s_tfc_is_simulated_bit_exact_on_its_folded_accelerator(tmp_path):
    imported = import_onnx(trained("qonnx") / "model.onnx", tmp_path)
    design = _folded(imported.workload_path, 50_000, tmp_path)
    digits = np.load(trained("qonnx") / "input.npy").astype(np.uint8)
    ends = _frame_ends(design, tmp_path, digits)
    assert ends[-1] - ends[-2] <= 100e6 / 50_000


def test_brevitas_cnv_is_simulated_bit_exact_on_its_folded_accelerator(tmp_path):
    path = tmp_path / "cnv.onnx"
    onnx.save(brevitas_model("cnv_1w1a", seed=11), path)
    imported = import_onnx(path, tmp_path)
    design = _folded(imported.workload_path, 2000, tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (1, 3, 32, 32), np.uint8)
    assert len(_frame_ends(design, tmp_path, images)) == 1


@pytest.mark.parametrize(
    ("build", "side"),
    [
        (onnx_models.residual, 8),
        (onnx_models.depthwise_separable, 12),
        (onnx_models.reactnet, 8),
        (onnx_models.dense, 8),
    ],
)
def test_branched_network_is_simulated_bit_exact_at_the_rate_asked_for(build, side, tmp_path):
    builder = Builder((1, 3, side, side), seed=1)
    path = builder.save(build(builder), tmp_path / "net.onnx")
    imported = import_onnx(path, tmp_path)
    design = _folded(imported.workload_path, 5000, tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (3, 3, side, side), np.uint8)
    ends = _frame_ends(design, tmp_path, images)
    assert ends[2] - ends[1] <= 20_000


LONG = ("MeliusNet", "BinaryDenseNet", "RealToBinaryNet")


@pytest.mark.parametrize(
    "name", ["QuickNet", *(pytest.param(name, marks=pytest.mark.long) for name in LONG)]
)
def test_a_network_of_larq_zoo_is_simulated_bit_exact(name, tmp_path):
    path = larq_zoo_file(name, tmp_path)
    options = {"input_type": "uint8", "image_range": (0, 255), "real_layers": "int8"}
    imported = import_model(path, tmp_path, "net", **options)
    design = _folded(imported.workload_path, 1000, tmp_path, "xcu250")
    frames = np.moveaxis(larq_zoo_frames(imported.workload.input.shape[1])[:1], -1, 1)
    assert len(_frame_ends(design, tmp_path, frames)) == 1
