"""Lambdas: Python code is never run; code that returns its argument is known by its bytes."""

from __future__ import annotations

import base64
import marshal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx")
pytest.importorskip("h5py")

from bnnsim.importers import import_keras
from bnnsim.importers.check.check import check_model
from bnnsim.importers.keras.python_code import returns_its_argument
from bnnsim.reference.keras.lambdas import gives_argument_back
from bnnsim.spec.faults import InputError
from tests.unit.importers.keras.keras_models import KerasModel, binarynet

OF_LARQ_ZOO = (
    "4wEAAAAAAAAAAAAAAAEAAAATAAAA8wYAAACXAHwAUwCpAU6pACkB2gF4cwEAAAAg+gR6LnB5+gg8bGFt\n"
    "YmRhPvoIPGxhbWJkYT4KAQAAcwYAAACAALABgADzAAAAAA==\n"
)
"""As TensorFlow 2.15 under Python 3.11 saves ``lambda x: x`` of larq-zoo's Real-to-Binary network."""
OF_PYTHON_3_8 = b"\xe3" + b"".join(n.to_bytes(4, "little") for n in (1, 0, 0, 1, 1, 67))
OF_PYTHON_3_7 = b"\xe3" + b"".join(n.to_bytes(4, "little") for n in (1, 0, 1, 1, 67))
BACK = b"s\x04\0\0\0|\0S\0)\x01N\xa9\0"


def _saved(code: bytes) -> list[Any]:
    return [base64.encodebytes(code).decode(), None, None]


def _of(function: Callable[..., Any]) -> list[Any]:
    return _saved(marshal.dumps(function.__code__))


def _alike(function: Any) -> bool:
    """What the importer says, which the reference has to say too."""
    found = returns_its_argument(function)
    assert gives_argument_back({"function": function}) == found
    return found


def test_code_that_returns_its_argument_is_known_in_the_forms_of_every_python() -> None:
    assert _alike([OF_LARQ_ZOO, None, None])
    assert _alike(_saved(OF_PYTHON_3_8 + BACK)) and _alike(_saved(OF_PYTHON_3_7 + BACK))
    kept = {"code": OF_LARQ_ZOO, "defaults": None, "closure": None}
    assert _alike({"class_name": "__lambda__", "config": kept})


@pytest.mark.parametrize(
    "function",
    [
        lambda x: -x,
        lambda x: x + 1,
        lambda x, y: x,
        lambda x, y: y,
        lambda *x: x,
        lambda: None,
        lambda x: x.real,
    ],
)
def test_any_other_code_is_not(function: Callable[..., Any]) -> None:
    assert not _alike(_of(function))


@pytest.mark.parametrize("function", [None, [], [3], ["@@"], [""], "eval", {"config": None}, {}])
def test_what_is_no_code_is_not(function: Any) -> None:
    assert not returns_its_argument(function)


def test_bytes_that_end_early_are_not() -> None:
    code = OF_PYTHON_3_8 + BACK
    assert not any(_alike(_saved(code[:n])) for n in range(len(OF_PYTHON_3_8) + 9))


def _with_lambda(**config: Any) -> KerasModel:
    """A small network with a Lambda between two layers."""
    model = binarynet(scale=True)
    rest, model.layers = model.layers[4:], model.layers[:4]
    given = {"function": [OF_LARQ_ZOO, None, None], "function_type": "lambda", "arguments": {}}
    model.add("Lambda", **given | config)
    model.layers += rest
    return model


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_lambda_that_returns_its_argument_is_passed_over(tmp_path: Path, suffix: str) -> None:
    model = _with_lambda()
    path = tmp_path / f"net.{suffix}"
    model.save_h5(path) if suffix == "h5" else model.save_keras(path)
    imported = import_keras(path, tmp_path / "out", input_type="uint8")
    without = binarynet(scale=True).save_h5(tmp_path / "without.h5")
    plain = import_keras(without, tmp_path / "plain", input_type="uint8")
    assert imported.workload.layers == plain.workload.layers
    assert check_model(path, imported.workload_path, random_inputs=20).verdict == "equal"


def test_a_lambda_of_other_code_or_with_arguments_is_refused(tmp_path: Path) -> None:
    other = _with_lambda(function=_of(lambda x: -x)).save_h5(tmp_path / "other.h5")
    with pytest.raises(InputError, match=r"\(Lambda\): .* got Python code, which is never run"):
        import_keras(other, tmp_path / "out", input_type="uint8")
    more = _with_lambda(arguments={"y": 1}).save_h5(tmp_path / "more.h5")
    with pytest.raises(InputError, match=r"\(Lambda\): expected arguments \{\}"):
        import_keras(more, tmp_path / "out", input_type="uint8")
