"""One fault: imported with it, checked with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.importers.check.check import check_model
from bnnsim.importers.check.report import CheckReport
from bnnsim.importers.keras.network import import_keras
from bnnsim.importers.onnx.network import import_onnx
from tests.mutations.networks import NETWORKS
from tests.mutations.planting import Fault

INPUTS = 20


def checked(network: str, folder: Path) -> CheckReport:
    """What ``check`` says of a network's import."""
    path = NETWORKS[network](folder)
    if network == "keras":
        given = {"input_type": "uint8", "image_range": (-1.0, 1.0)}
        imported = import_keras(path, folder, force=True, **given)
        return check_model(path, imported.workload_path, None, INPUTS, 0, given["image_range"])
    imported = import_onnx(path, folder, force=True)
    return check_model(path, imported.workload_path, random_inputs=INPUTS)


def tried(fault: Fault, folder: Path) -> CheckReport:
    """The same with a fault in the importer."""
    with pytest.MonkeyPatch.context() as patch:
        fault.plant(patch)
        return checked(fault.network, folder)


def figures(report: CheckReport) -> tuple[str, str, str, str]:
    """Verdict, inputs that are wrong, how far scores are off, and the first layer that differs."""
    wrong = max(output.verdicts.count("wrong") for output in report.outputs)
    worst = max(output.worst for output in report.outputs)
    reason = next((output.reason for output in report.outputs if output.reason), "")
    found = report.first_difference
    where = reason if found is None else f"{found.layer} ({found.differing} of {found.elements})"
    return report.verdict, f"{wrong} of {report.inputs}", f"{worst:.3g}", where
