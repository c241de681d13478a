"""A space as a study keeps it: plain data with its network, and read again."""

from __future__ import annotations

import json
from typing import Any

from bnnsim.search.space.aims import read_aims
from bnnsim.search.space.alternatives import Alternatives, AlternativesSpec, SearchSpace
from bnnsim.search.space.space import Space
from bnnsim.search.space.space_reader import read_space
from bnnsim.spec.load import from_spec
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.source import SourceText


def space_data(space: SearchSpace) -> dict[str, Any]:
    """A space with its network, or its alternatives with theirs, as plain data."""
    explore = space.explore.model_dump(mode="json")
    data = {"file": space.source.file, "space": {**space.source.data, "explore": explore}}
    if isinstance(space, Alternatives):
        members = {name: space_data(member) for name, member in space.members.items()}
        return {**data, "workload": None, "members": members}
    return {**data, "workload": space.workload.spec.model_dump(mode="json", exclude_unset=True)}


def stored_space(data: dict[str, Any]) -> SearchSpace:
    """The space that :func:`space_data` gave."""
    source = SourceText(data["file"], data["space"])
    if "members" not in data:
        workload = from_spec(Workload.model_validate_json(json.dumps(data["workload"])))
        return read_space(source, workload)
    head = {key: value for key, value in source.data.items() if key != "explore"}
    explore = read_aims(AlternativesSpec, source, source.data["explore"])
    members = {name: stored_space(member) for name, member in data["members"].items()}
    plain = {name: member for name, member in members.items() if isinstance(member, Space)}
    return Alternatives(str(head["name"]), SourceText(source.file, head), explore, plain)
