"""Which tests are quick, and that all draw the same examples in every run.

``pytest -m quick`` gives the widest confidence that a minute can buy.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A drawn example that fails must fail in every run, however busy the machine: no chance, no clock.
settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=False,
)
settings.load_profile("fixed")

TESTS = Path(__file__).parent
QUICK = (  # folders and files
    "cli/faults/test_bad_architecture.py",
    "cli/faults/test_bad_specs.py",
    "cli/faults/test_bad_workload.py",
    "golden/bits/test_digits.py",
    "golden/bits/test_networks.py",
    "golden/cycles",
    "property/test_executors_agree.py",
    "unit/cost",
    "unit/design",
    "unit/spec",
    "unit/test_documents.py",
    "unit/test_floors.py",
    "unit/test_house.py",
    "unit/test_public_names.py",
    "unit/test_tracked_files.py",
    "unit/test_unit_kinds.py",
    "unit/timing/test_deadlock_report.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as quick what is listed here and is not long."""
    for path in QUICK:
        if not (TESTS / path).exists():
            raise pytest.UsageError(f"tests/conftest.py: QUICK names {path}, which is not there")
    for item in items:
        listed = any(item.path.is_relative_to(TESTS / path) for path in QUICK)
        if listed and item.get_closest_marker("long") is None:
            item.add_marker(pytest.mark.quick)
