"""A space as a study keeps it: plain data with its network, read again under the names of today."""

from __future__ import annotations

import json
from typing import Any

from bnnsim.search.space.aims import read_aims
from bnnsim.search.space.alternatives import Alternatives, AlternativesSpec, SearchSpace
from bnnsim.search.space.fields import path_name
from bnnsim.search.space.space import Space
from bnnsim.search.space.space_reader import read_space
from bnnsim.spec.architecture import architecture_model
from bnnsim.spec.faults import InputError, KeyPath, key_text
from bnnsim.spec.load import from_spec
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.renamed import current
from bnnsim.spec.yaml.source import SourceText


def space_data(space: SearchSpace) -> dict[str, Any]:
    """A space with its network, or its alternatives with theirs, as plain data."""
    explore = space.explore.model_dump(mode="json")
    data = {"file": space.source.file, "space": {**space.source.data, "explore": explore}}
    if isinstance(space, Alternatives):
        members = {name: space_data(member) for name, member in space.members.items()}
        return {**data, "workload": None, "members": members}
    return {**data, "workload": space.workload.spec.model_dump(mode="json", exclude_unset=True)}


def with_current_keys(data: dict[str, Any]) -> dict[str, Any]:
    """A stored space, or a plan with its space, with today's keys of architectures."""
    result = {**data, "space": _current(data).data}
    if "members" in data:
        members = data["members"].items()
        result["members"] = {name: with_current_keys(member) for name, member in members}
    return result


def stored_space(data: dict[str, Any]) -> SearchSpace:
    """The space that :func:`space_data` gave, of today's keys."""
    source = SourceText(data["file"], data["space"])
    if "members" not in data:
        workload = from_spec(Workload.model_validate_json(json.dumps(data["workload"])))
        return read_space(source, workload)
    head = {key: value for key, value in source.data.items() if key != "explore"}
    explore = read_aims(AlternativesSpec, source, source.data["explore"])
    members = {name: stored_space(member) for name, member in data["members"].items()}
    plain = {name: member for name, member in members.items() if isinstance(member, Space)}
    return Alternatives(str(head["name"]), SourceText(source.file, head), explore, plain)


def check_names(data: dict[str, Any], space: SearchSpace, place: str) -> None:
    """Raise :class:`InputError` where free fields of a stored space had other names or words.

    Its trials have them still: as other parameters, or as other designs than those of today.
    """
    if isinstance(space, Alternatives):
        found = [
            one
            for name, member in space.members.items()
            for one in _former(data["members"][name], member)
        ]
    else:
        found = _former(data, space)
    if found:
        expected = (
            "a study whose free fields have today's names "
            "(begin a new one, or go on with the bnnsim that stored it)"
        )
        raise InputError(place, expected, ", ".join(dict.fromkeys(found)))


def _former(data: dict[str, Any], space: Space) -> list[str]:
    """The free fields of a space that its stored ``data`` calls otherwise, or their words."""
    source = _current(data)
    found = []
    for field in space.fields:
        if field.knob != path_name(field.path):  # a knob of the space: its name and values are the user's
            continue
        written = source.written_path(field.path)
        if written != field.path:
            found.append(f"'{key_text(written)}' free, which is now '{key_text(field.path)}'")
        before, now = _choices(data["space"], written), _choices(source.data, field.path)
        words = [
            f"'{old}' is now '{new}'" for old, new in zip(before, now, strict=True) if old != new
        ]
        if words:
            found.append(f"'{key_text(field.path)}' free in old words: {', '.join(words)}")
    return found


def _choices(data: Any, path: KeyPath) -> list[Any]:
    """The values that the free field at ``path`` names, in order."""
    for part in path:
        data = data[part]
    return list(data.get("choose", ())) if isinstance(data, dict) else []


def _current(data: dict[str, Any]) -> SourceText:
    source = SourceText(data["file"], data["space"])
    return current(source, architecture_model(source))
