"""Every public name says what it takes, gives and raises, with an example that runs."""

from __future__ import annotations

import doctest
import inspect
import shutil
from pathlib import Path

import numpy as np
import pytest

import bnnsim
from tests.golden.networks import trained
from tests.unit.importers.bnn_pynq_folders import write_trained

FUNCTIONS = [name for name in bnnsim.__all__ if inspect.isfunction(getattr(bnnsim, name))]

FINN_BUILDS = Path(__file__).resolve().parents[1] / "golden" / "imported" / "finn"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the examples read."""
    folder: Path = tmp_path_factory.mktemp("models")
    cnv = np.load(trained("cnvW1A1_cifar10.npz"))
    np.savez(folder / "deer.npz", images_u8=cnv["images_u8"][:1], labels=cnv["labels"][:1])
    write_trained(folder / "cifar10" / "cnvW1A1", trained("cnvW1A1_cifar10.npz"))
    shutil.copytree(FINN_BUILDS / "mlp", folder / "mlp-build")
    return folder


@pytest.mark.parametrize("name", bnnsim.__all__)
def test_example_of_a_public_name_runs(
    name: str, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(models)
    if name in ("import_onnx", "import_model", "check_model"):
        onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
        from tests.golden.imported.onnx_models import brevitas_model

        onnx.save(brevitas_model("tfc_1w1a", 0), models / "tfc.onnx")
    elif name == "import_keras":
        pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")
        from tests.unit.importers.keras.keras_models import binarynet

        binarynet(scale=True).save_h5(models / "larq.h5")
    [example] = doctest.DocTestFinder(recurse=False).find(getattr(bnnsim, name), name, globs={})
    assert example.examples
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert result.failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_function_says_what_each_parameter_is_and_what_comes_out(name: str) -> None:
    function = getattr(bnnsim, name)
    text = inspect.getdoc(function)
    assert text is not None
    for section in ("Args:", "Returns:", "Raises:", "Example:"):
        assert f"\n{section}\n" in text, section
    listed = text.partition("\nArgs:\n")[2].partition("\nReturns:\n")[0]
    said = [line.partition(":")[0].strip() for line in listed.splitlines() if line.startswith("    ")]
    for parameter in inspect.signature(function).parameters:
        assert parameter in said, parameter
