"""Fuzzed integers: any that a spec has or may have, as large as it lets them, alone and in threes."""

from __future__ import annotations

import functools
from pathlib import Path
from random import Random
from typing import Any

from bnnsim.spec.schema import spec_schema
from tests.fuzz.case import Case
from tests.fuzz.mutation import damaged_data, entry_at, places
from tests.fuzz.pairs import PAIRS, yaml_text
from tests.fuzz.specs import LOOKS, RUNS, case_of

_KINDS = ("arch", "workload")
_TIMED = tuple(
    words
    for words in (*RUNS, *LOOKS)
    if not {"simpy", "--weights-seed"} & {*words} and words[0] not in ("trace", "vectors")
)
"""What does not go word by word: a large design takes it no longer than a small one."""
_LARGE = (64, 255, 4096, 65_537, 1_000_003, 1 << 20, 1 << 24, 1 << 28, (1 << 31) - 1, 1 << 31)


def integers(random: Random, folder: Path) -> Case:
    """A right pair with one to three integers large, those among them that nobody wrote down."""
    pair = [damaged_data(one, random, times=(0,)) for one in random.choice(PAIRS)]
    for _ in range(random.choice((1, 1, 2, 3))):
        which = random.randrange(2)
        path = random.choice(_integer_places(pair[which], _KINDS[which]))
        around, large = entry_at(pair[which], path[:-1]), random.choice(_LARGE)
        is_known = isinstance(around, list) or path[-1] in around
        if (is_known and isinstance(around[path[-1]], list)) or (not is_known and random.random() < 0.2):
            around[path[-1]] = random.sample([large, random.choice((1, 3, large))], 2)
        else:
            around[path[-1]] = large
    words = random.choice(_TIMED if random.random() < 0.9 else (*RUNS, *LOOKS))
    command = [word.format(out=folder / "made") for word in words]
    return case_of(folder, [yaml_text(one).encode() for one in pair], command)


def _integer_places(data: Any, kind: str) -> list[tuple[Any, ...]]:
    """Where integers are, and where the schema lets one be written."""
    found = []
    for path in ((), *places(data)):
        entry = entry_at(data, path)
        if type(entry) is int:
            found.append(path)
        elif isinstance(entry, dict):
            names = {key for model in _models(kind) if _fits(entry, model) for key in model["integers"]}
            found += [(*path, name) for name in sorted(names - entry.keys())]
            found += [(*path, name) for name in sorted(names & entry.keys()) if type(entry[name]) is list]
    return found


def _fits(entry: dict[Any, Any], model: dict[str, Any]) -> bool:
    """Whether a mapping may be of this model: it has no other keys, and what makes one of its kind."""
    names = {key: one["const"] for key, one in model["properties"].items() if "const" in one}
    is_named = all(entry.get(key, name) == name for key, name in names.items())
    return is_named and entry.keys() <= model["properties"].keys()


@functools.cache
def _models(kind: str) -> tuple[dict[str, Any], ...]:
    """The schema's objects, each with the names of its integers."""
    objects = [one for one in spec_schema(kind)["$defs"].values() if "properties" in one]
    return tuple(
        {**one, "integers": [key for key, value in one["properties"].items() if _is_integer(value)]}
        for one in objects
    )


def _is_integer(schema: Any) -> bool:
    """Whether a value may be an integer, or a list of them."""
    if not isinstance(schema, dict):
        return False
    below = [*schema.get("anyOf", ()), schema.get("items"), *schema.get("prefixItems", ())]
    return schema.get("type") == "integer" or any(_is_integer(one) for one in below)
