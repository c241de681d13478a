"""Shipped designs whose whole is too large for a test's simulator, on fewer channels."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.simulation import RunOptions
from bnnsim.spec.load import load_architecture, load_workload
from tests.hardware.benches import assert_equal, needs, run, write_benched

FEWER = 16
"""One channel stands for so many."""
FULLY_UNROLLED = {
    "conv0": (4, 27), "conv1": (4, 36), "conv2": (8, 36), "conv3": (8, 72), "conv4": (16, 72),
    "conv5": (16, 144), "fc0": (2, 4), "fc1": (2, 4), "fc2": (1, 4),
}  # fmt: skip
"""PE and SIMD by layer: every convolution a window a cycle, as in the shipped design."""


def shrunken_redkar() -> Design:
    """``redkar`` on a CNV of a sixteenth of the channels: a pixel a cycle, 1,024 cycles a frame."""
    architecture, workload = load_architecture("redkar").spec, load_workload("cnv").spec
    layers = [
        layer.model_copy(update={"out": layer.out // FEWER}) if hasattr(layer, "out") else layer
        for layer in workload.layers
    ]
    hardware = {
        name: options.model_copy(
            update=dict(zip(("pe", "simd"), FULLY_UNROLLED.get(name, (None, None)), strict=True))
        )
        for name, options in architecture.layers.items()
    }
    return build_streaming_design(
        architecture.model_copy(update={"layers": hardware}),
        workload.model_copy(update={"layers": layers}),
    )


@pytest.mark.long
def test_redkar_of_fewer_channels_equals_the_simulation_in_hardware(tmp_path: Path) -> None:
    needs("icarus")
    design = shrunken_redkar()
    simulation = write_benched(design, None, RunOptions(frames=2, weights_seed=1), tmp_path)
    assert simulation.initiation_interval_cycles == 1024
    assert_equal(run(tmp_path, "icarus"))
