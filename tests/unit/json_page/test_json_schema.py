"""``bnnsim schema json COMMAND``: real outputs are valid, and what differs from them is not."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bnnsim.cli.app import COMMANDS, GROUPS, run
from bnnsim.cli.networks.schema import schema
from bnnsim.cli.records.json_schema import WRITES, json_schema
from bnnsim.files.schema_version import SCHEMA_VERSION
from tests.unit.json_page.conftest import COMMANDS_RUN, IMPORTED
from tests.unit.json_page.objects import OBJECTS, RUNS

OF_A_RUN = {
    **dict.fromkeys(RUNS, "evaluate"),
    **{name: arguments[0] for name, arguments in COMMANDS_RUN.items()},
    **{name: name for name in IMPORTED},
}
"""The command of each run."""


def _validator(command: str) -> Draft202012Validator:
    return Draft202012Validator(json_schema(command))


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    """All objects in it, a list's first two entries alone."""
    if isinstance(data, dict):
        yield data
    for value in data.values() if isinstance(data, dict) else data[:2] if isinstance(data, list) else ():
        yield from _objects(value)


def test_every_command_that_writes_json_has_a_schema() -> None:
    assert {*WRITES} == {*COMMANDS, *GROUPS} - {"schema"}


@pytest.mark.parametrize("command", WRITES)
def test_a_schema_is_one_has_a_name_and_describes_every_key(command: str) -> None:
    found = json_schema(command)
    Draft202012Validator.check_schema(found)
    assert found["$id"] == f"urn:bnnsim:schema:json:{command}"
    for body in (found, *found["$defs"].values()):
        assert all(value["description"] for value in body["properties"].values())
        assert body["additionalProperties"] is False


@pytest.mark.parametrize("name", OBJECTS)
def test_what_a_command_writes_is_valid(name: str, written: dict[str, dict[str, Any]]) -> None:
    errors = _validator(OF_A_RUN[name]).iter_errors(written[name])
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("name", ["a pipeline without its bits", "an engine", "explore", "check"])
def test_a_key_more_or_less_and_a_value_of_another_type_is_invalid(
    name: str, written: dict[str, dict[str, Any]]
) -> None:
    checks = _validator(OF_A_RUN[name])
    free = {"counts", "figures", "knobs", "intervals", "more", "speedups", "bytes_by_payload"}
    free |= {"utilisation", "error_bars", "energy_by_layer_uj", "commands"}
    data = copy.deepcopy(written[name])
    named = [data, *(o for key, v in data.items() if key not in free for o in _objects(v))]
    tried = 0
    for one in named:
        if not {"name", "key", "text", "output", "layer", "schema_version"} & one.keys():
            continue  # its keys are names of units, layers, resources
        for key in list(one):
            value = one.pop(key)
            assert not checks.is_valid(data), f"{key} left out"
            one[key] = {"of": "another type"}
            if not isinstance(value, dict):
                assert not checks.is_valid(data), f"{key} of another type"
            one[key] = value
            tried += 1
        one["furtehr"] = 1
        assert not checks.is_valid(data), "a further key"
        del one["furtehr"]
    assert tried > 20 and checks.is_valid(data)


def test_simulate_writes_the_first_keys_of_evaluate(written: dict[str, dict[str, Any]]) -> None:
    keys = json_schema("simulate")["properties"]
    data = {key: value for key, value in written["an engine"].items() if key in keys}
    assert _validator("simulate").is_valid(data) and data["schema_version"] == SCHEMA_VERSION
    assert not _validator("simulate").is_valid(written["an engine"])


def test_the_command_prints_it_and_refuses_what_writes_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "json", "fold"]) == 0
    assert json.loads(capsys.readouterr().out) == schema("json", "fold") == json_schema("fold")
    for arguments in (["schema", "json"], ["schema", "json", "schema"], ["schema", "arch", "fold"]):
        assert run(arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1
