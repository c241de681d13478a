"""Pages of the site that the code writes: commands, YAML keys, Python names."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer.main

import bnnsim
from bnnsim.cli.app import SECTIONS, build_app
from bnnsim.cli.networks.schema import schema

KINDS = {"workload": "A network", "arch": "An architecture", "device": "A device", "space": "A space"}


def commands() -> str:
    """Every command with its arguments and options, as a page."""
    lines = [
        "# Commands\n",
        "From the command line itself; each command says the same with `--help`.",
    ]
    whole: Any = typer.main.get_command(build_app(None))
    for title, names in SECTIONS.items():
        lines.append(f"\n## {title}")
        for name in names:
            lines += _command(f"bnnsim {name}", whole.commands[name])
    return "\n".join(lines) + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"\n### {name}\n"
    yield "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    rows = [_row(parameter) for parameter in command.params]
    if rows:
        yield "\n| | what | default |\n|---|---|---|"
        yield from rows
    for inner, subcommand in getattr(command, "commands", {}).items():
        yield from _command(f"{name} {inner}", subcommand)


def _row(parameter: Any) -> str:
    names = f"`{'`, `'.join(parameter.opts)}`"
    if parameter.param_type_name == "argument":
        names = parameter.metavar or parameter.name.upper()
    default = parameter.default
    said = "" if default in (None, False, ()) or not isinstance(default, str | int | float) else default
    return f"| {names} | {_cell(getattr(parameter, 'help', '') or '')} | {said} |"


def keys() -> str:
    """Every key of the files that a user writes, as a page."""
    lines = [
        "# YAML keys\n",
        "From the schemas; `bnnsim schema arch|workload|device|space` prints them for editors.",
    ]
    for kind, title in KINDS.items():
        lines.append(f"\n## {title}")
        found = schema(kind)
        lines += _object("", found)
        for name, part in sorted(found.get("$defs", {}).items()):
            lines += _object(name, part)
    return "\n".join(lines) + "\n"


def _object(name: str, part: dict[str, Any]) -> Iterator[str]:
    properties = part.get("properties")
    if not properties:
        return
    if name:
        yield f"\n### {name}"
    yield "\n| key | type | meaning | default |\n|---|---|---|---|"
    for key, entry in properties.items():
        said = entry.get("default", "")
        default = "" if said is None or isinstance(said, dict | list) else f"{said}"
        yield f"| `{key}` | {_type(entry)} | {_cell(entry.get('description', ''))} | {default} |"


def _type(entry: dict[str, Any]) -> str:
    """What may stand there, in a few words."""
    if "enum" in entry:
        return _cell(", ".join(f"`{value}`" for value in entry["enum"]))
    if "const" in entry:
        return f"`{entry['const']}`"
    if "$ref" in entry:
        return entry["$ref"].rpartition("/")[2]
    for several in ("anyOf", "oneOf"):
        if several in entry:
            kinds = dict.fromkeys(_type(one) for one in entry[several] if one.get("type") != "null")
            return " or ".join(kinds)
    kind = entry.get("type", "")
    if kind == "array" and isinstance(entry.get("items"), dict):
        return f"list of {_type(entry['items'])}"
    return str(kind)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def names() -> str:
    """Every public name of Python with what its docstring says."""
    lines = ["# Python names\n", "From the docstrings; `help(bnnsim.fold)` says the same."]
    for name in bnnsim.__all__:
        found = getattr(import_module(bnnsim._HOMES[name]), name)
        shown = f"{name}{inspect.signature(found)}" if inspect.isfunction(found) else f"class {name}"
        lines += [f"\n## {name}\n", f"```\n{shown}\n```\n", f"```\n{inspect.getdoc(found)}\n```"]
    return "\n".join(lines) + "\n"


PAGES = {
    "reference/commands.md": commands,
    "reference/keys.md": keys,
    "reference/names.md": names,
}
"""Who writes which page."""
