"""Specs written as text load back as the same specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.spec.library import shipped_names
from bnnsim.spec.load import load_architecture, load_device, load_workload
from bnnsim.spec.yaml.write import architecture_text


@pytest.mark.parametrize("name", shipped_names("architecture"))
def test_written_architecture_loads_back_equal(name: str, tmp_path: Path) -> None:
    spec = load_architecture(name).spec
    path = tmp_path / "a.yaml"
    path.write_text(architecture_text(spec, ["why it was written"]))
    assert load_architecture(path).spec == spec
    path.write_text(architecture_text(spec, with_defaults=True))
    assert load_architecture(path).spec == spec


@pytest.mark.parametrize("name", shipped_names("device"))
def test_every_shipped_device_loads_and_names_its_source(name: str) -> None:
    device = load_device(name).spec
    assert device.name == name
    assert device.source


@pytest.mark.parametrize("name", shipped_names("workload"))
def test_every_shipped_workload_loads_under_its_name(name: str) -> None:
    assert load_workload(name).spec.name == name
