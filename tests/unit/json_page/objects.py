"""The objects of each command's JSON, each with the heading of its table in docs/json.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "json.md").read_text(encoding="utf-8")
RUNS = {
    "a pipeline with its bits": ["digits-7z020", "digits", "--frames", "2"],
    "a pipeline without its bits": ["pynq-tfc", "tfc", "--timing-only", "--advise"],
    "an engine": ["acce-bnn", "binarynet", "--weights-seed", "1"],
    "several outputs": ["heads-arch.yaml", "heads.yaml", "--weights-seed", "1"],
}


def rows_of(heading: str) -> dict[str, list[str]]:
    """The cells of a section's table, by key."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells] for cells in rows}


Objects = Iterator[tuple[str, dict[str, Any]]]
"""Objects of a JSON, each with the heading of its table."""


def _objects_of_validate(data: dict[str, Any]) -> Objects:
    yield "A validation", data
    yield "Counts of verdicts", data["counts"]
    yield from (("A cell of trust", cell) for cell in data["trust"])
    yield from (("A published number", entry) for entry in [*data["rows"], *data["review"]])
    yield from (("A bracket", bracket) for bracket in data["brackets"])
    for fit in data["leave_one_out"]:
        yield "A fit", fit
        yield from (("A prediction", entry) for entry in fit["rows"])


def _objects_of_compare(data: dict[str, Any]) -> Objects:
    yield "A comparison of designs", data
    yield from (("A difference", entry) for entry in [*data["differences"], *data["parts"]])
    yield from (("A quantity", entry) for entry in data["quantities"])


def _objects_of_compare_finn(data: dict[str, Any]) -> Objects:
    yield "A comparison with FINN", data
    yield from (("A node of FINN", entry) for entry in data["nodes"])
    yield from (("A full FIFO", entry) for entry in data["full_fifos"])


def _objects_of_fifos(data: dict[str, Any]) -> Objects:
    sizing = rows_of("A sizing of FIFOs")
    yield "A sizing of FIFOs", {k: v for k, v in data.items() if k in sizing}
    yield "The check of a sizing", {k: v for k, v in data.items() if k not in sizing}
    yield from (("A point of the curve", entry) for entry in data["curve"])


def _objects_of_check(data: dict[str, Any]) -> Objects:
    yield "A check", data
    yield from (("An output of a check", entry) for entry in data["outputs"])
    for layer in data["layers"]:
        yield "A layer of a check", layer
        yield "The flips of a layer", layer["flips"]


def _objects_of_evaluate(data: dict[str, Any]) -> Objects:
    simulated = rows_of("A simulation")
    yield "A simulation", {k: v for k, v in data.items() if k in simulated}
    yield "Costs", {k: v for k, v in data.items() if k not in simulated}
    lists = {
        "units": "A unit",
        "fifos": "A FIFO",
        "layers": "A layer of an engine",
        "violations": "A violation",
    }
    for key, heading in lists.items():
        yield from ((heading, entry) for entry in data[key])
    yield from (("An output", entry) for entry in data.get("outputs", []))
    if data["bottleneck"] is not None:
        yield "A bottleneck", data["bottleneck"]
        if data["bottleneck"]["pace"] is not None:
            yield "A circuit", data["bottleneck"]["pace"]
    if data["spending"] is not None:
        yield "Where an engine's cycles go", data["spending"]
        for key, heading in (
            ("resources", "A resource twice as fast"),
            ("ports", "A port of an engine"),
            ("layers", "A turn of the steady state"),
        ):
            yield from ((heading, entry) for entry in data["spending"][key])
    if data["memory_map"] is not None:
        yield "A memory map", data["memory_map"]
        for key, heading in (
            ("memories", "A memory"),
            ("places", "A place in a memory"),
            ("crossings", "A crossing"),
        ):
            yield from ((heading, entry) for entry in data["memory_map"][key])
    if data["advice"] is not None:
        yield "Tried advice", data["advice"]
        for entry in data["advice"]["advice"]:
            yield "An advice", entry
            yield from (("A change", change) for change in entry["changes"])
    yield "Resources", data["resources"]
    for entry in data["resources_by_unit"]:
        yield "Resources of a unit", {k: v for k, v in entry.items() if k not in data["resources"]}
    yield from (("An error bar", bar) for bar in data["error_bars"].values())
    yield "Parts of the power", data["power_parts_w"]
    bases = data["power_by_basis_w"]
    yield "Watts by basis", {key: w for key, w in bases.items() if not key.startswith("plug ")}


def _objects_of_explore(data: dict[str, Any]) -> Objects:
    yield "A search", data
    yield from (("A design found", entry) for entry in data["designs"])


def _objects_of_sweep(data: dict[str, Any]) -> Objects:
    yield "A grid", data
    yield from (("A design of a grid", entry) for entry in data["designs"])


def _objects_of_fold(data: dict[str, Any]) -> Objects:
    yield "A network on parts", data
    yield from (("A part", entry) for entry in data["parts"])


def _objects_of_list(data: dict[str, Any]) -> Objects:
    yield "What there is", data
    for entry in data["listings"]:
        yield "A list", entry
        yield from (("An entry of a list", one) for one in entry["entries"])


def _objects_of_files(data: dict[str, Any]) -> Objects:
    yield "What was written", data


OBJECTS = {
    **dict.fromkeys(RUNS, _objects_of_evaluate),
    "validate": _objects_of_validate,
    "compare": _objects_of_compare,
    "compare-finn": _objects_of_compare_finn,
    "fifos": _objects_of_fifos,
    "check": _objects_of_check,
    "rtl": lambda data: iter([("Hardware", data)]),
    **dict.fromkeys(("explore", "explore for one"), _objects_of_explore),
    "sweep": _objects_of_sweep,
    **dict.fromkeys(("fold", "fold for parts"), _objects_of_fold),
    **dict.fromkeys(("report", "trace", "vectors", "import", "new", "finn-folding"), _objects_of_files),
    "list": _objects_of_list,
}
