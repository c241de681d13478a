"""Technologies and the shipped CNV design for the cost tests."""

import pytest

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.design.build import build_streaming_design
from bnnsim.spec.load import load_architecture, load_device, load_workload


@pytest.fixture(scope="session")
def plain():
    """7Z020 with fitted factors of one, so that counts are whole LUTs of the equations."""
    factors = {"logic_factor": 1.0, "pipeline_ff_per_lut": 0.0}
    values = default_coefficients().replaced(factors, "test")
    return technology_of(load_device("xc7z020").spec, values)


@pytest.fixture(scope="session")
def z7020():
    return technology_of(load_device("xc7z020").spec, default_coefficients())


@pytest.fixture(scope="session")
def zu3eg():
    return technology_of(load_device("xczu3eg").spec, default_coefficients())


@pytest.fixture(scope="session")
def stratix():
    return technology_of(load_device("5sgsd8").spec, default_coefficients())


@pytest.fixture(scope="session")
def cnv():
    return build_streaming_design(load_architecture("pynq-cnv"), load_workload("cnv"))
