"""``check`` can fail: every fault planted in the importer is found, and no network is called wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")

from tests.mutations.faults import FAULTS
from tests.mutations.networks import NETWORKS
from tests.mutations.planting import Fault
from tests.mutations.trial import checked, tried


@pytest.mark.parametrize("network", NETWORKS)
def test_an_importer_without_a_fault_gives_an_equal_network(network: str, tmp_path: Path) -> None:
    report = checked(network, tmp_path)
    assert report.verdict == "equal", str(report)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Fault, tmp_path: Path) -> None:
    report = tried(fault, tmp_path)
    assert report.verdict == "wrong", str(report)


def test_there_are_at_least_fifty_faults_and_none_twice() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 50
