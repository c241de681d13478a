"""``bnnsim schema``: what editors check a file against accepts what bnnsim accepts."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bnnsim.cli import main
from bnnsim.cli.networks.schema import schema
from bnnsim.spec.library import shipped_folder

FOLDERS = {"arch": "architecture", "workload": "workload", "device": "device", "space": "space"}
FILES = [
    pytest.param(kind, path, id=f"{kind}-{path.stem}")
    for kind, folder in FOLDERS.items()
    for path in sorted(shipped_folder(folder).glob("*.yaml"))
]


@pytest.fixture(scope="module")
def validators() -> dict[str, Draft202012Validator]:
    return {kind: Draft202012Validator(schema(kind)) for kind in FOLDERS}


@pytest.mark.parametrize(("kind", "path"), FILES)
def test_every_shipped_file_is_valid(
    validators: dict[str, Draft202012Validator], kind: str, path: Any
) -> None:
    data = yaml.safe_load(path.read_text())
    assert [error.message for error in validators[kind].iter_errors(data)] == []


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_schema_is_one_has_a_name_and_describes_every_property(kind: str) -> None:
    found = schema(kind)
    Draft202012Validator.check_schema(found)
    assert found["$id"] == f"urn:bnnsim:schema:{kind}"
    models = {kind: found, **found.get("$defs", {})}
    bare = [
        (model, name)
        for model, body in models.items()
        for name, value in body.get("properties", {}).items()
        if not value.get("description")
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("kind", "file", "path", "value"),
    [
        ("arch", "pynq-cnv", ("layers", "conv0", "pe"), "divisors"),
        ("arch", "pynq-cnv", ("clok",), 3),
        ("arch", "acce-bnn", ("buffers", "wt_mem", "holds"), "weigths"),
        ("workload", "cnv", ("layers", 0, "op"), "convolution"),
        ("workload", "cnv", ("layers", 0, "activation"), "bipolr"),
        ("workload", "cnv", ("input", "shape"), [3, 32, 32, 1]),
        ("device", "xc7z020", ("lut",), -1),
        ("space", "cnv-7z020", ("clock_mhz",), {"choose": []}),
        ("space", "cnv-7z020", ("clock_mhz",), {"range": [1, 2], "step": 1, "factor": 2}),
        ("space", "cnv-7z020", ("explore", "objektives"), ["lut"]),
        ("space", "binarynet-engine", ("buffers", "wt_mem", "banks"), {"knob": "a", "tims": 2}),
        ("space", "cnv-streaming-or-engine", ("explore", "alternatives"), []),
    ],
)
def test_what_bnnsim_refuses_is_invalid(
    validators: dict[str, Draft202012Validator],
    kind: str,
    file: str,
    path: tuple[str | int, ...],
    value: object,
) -> None:
    data = yaml.safe_load((shipped_folder(FOLDERS[kind]) / f"{file}.yaml").read_text())
    assert validators[kind].is_valid(copy.deepcopy(data))
    here = data
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    assert not validators[kind].is_valid(data)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["schema", "space"])
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out) == schema("space")
