"""Every public name says what it takes, gives and raises, with an example that runs."""

from __future__ import annotations

import doctest
import inspect
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bnnsim
from tests.golden.networks import trained
from tests.unit.importers.bnn_pynq.parameter_folders import write_trained


def _defined(name: str) -> Any:
    """A public name where it is defined: two functions share theirs with a package."""
    return getattr(import_module(bnnsim._HOMES[name]), name)


FUNCTIONS = [name for name in bnnsim.__all__ if inspect.isfunction(_defined(name))]

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
    [example] = doctest.DocTestFinder(recurse=False).find(_defined(name), name, globs={})
    assert example.examples
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert result.failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_function_says_what_each_parameter_is_and_what_comes_out(name: str) -> None:
    function = _defined(name)
    text = inspect.getdoc(function)
    assert text is not None
    for section in ("Args:", "Returns:", "Raises:", "Example:"):
        assert f"\n{section}\n" in text, section
    listed = text.partition("\nArgs:\n")[2].partition("\nReturns:\n")[0]
    said = [line.partition(":")[0].strip() for line in listed.splitlines() if line.startswith("    ")]
    for parameter in inspect.signature(function).parameters:
        assert parameter in said, parameter


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_function_is_typed(name: str) -> None:
    signature = inspect.signature(_defined(name))
    annotations = [parameter.annotation for parameter in signature.parameters.values()]
    assert inspect.Signature.empty not in [*annotations, signature.return_annotation]


@pytest.mark.parametrize("name", ["report", "rtl"])
def test_a_function_named_as_its_package_is_called_either_way(name: str) -> None:
    package = import_module(f"bnnsim.{name}")
    assert getattr(bnnsim, name) is package  # once it is loaded, the package stands there
    with pytest.raises(bnnsim.SpecError, match="a shipped architecture, got 'no-such-arch'"):
        getattr(bnnsim, name)("no-such-arch", "digits", "out")
