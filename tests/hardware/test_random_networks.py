"""Random small networks as Verilog: branches, pools, several bits, borders, residual levels."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st

from bnnsim.design.design import Design
from bnnsim.simulation import RunOptions
from bnnsim.spec.faults import InputError
from bnnsim.timing.streaming.result import DeadlockError
from tests.hardware.benches import assert_equal, needs, run, write_benched
from tests.property.examples import hold
from tests.property.networks import designs
from tests.property.test_residual_designs import residual_designs

FRAMES = 2
FEW_OR_ALL = [6, pytest.param(200, marks=pytest.mark.by_hand)]


def hardware_equals_the_simulation(design: Design, seed: int) -> None:
    """Words and cycles of every stream; a design that locks up in the simulation has none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            simulation = write_benched(design, None, RunOptions(frames=FRAMES, weights_seed=seed), folder)
        except DeadlockError:
            return
        except InputError as error:
            if "has modules for" not in str(error):  # units without a module are named
                raise
            return
        result = run(folder, "icarus")
        assert_equal(result)
        assert result.cycles == simulation.cycles_total


@pytest.mark.parametrize("examples", FEW_OR_ALL)
def test_random_networks_in_hardware_equal_the_simulation(examples: int) -> None:
    needs("icarus")
    hold(hardware_equals_the_simulation, designs(), st.integers(0, 99), examples=examples)


@pytest.mark.parametrize("examples", FEW_OR_ALL)
def test_random_residual_networks_in_hardware_equal_the_simulation(examples: int) -> None:
    needs("icarus")
    hold(hardware_equals_the_simulation, residual_designs(), st.integers(0, 99), examples=examples)
