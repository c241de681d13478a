"""docs/json.md says of every key of ``--json`` what it is, as the records do."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, is_typeddict

import pytest
import typer.main

from bnnsim.cli.app import COMMANDS, GROUPS, build_app, run
from bnnsim.cli.look.list import Entry, Listing, Listings
from bnnsim.cli.records.costs import Costs, PowerByBasis, PowerParts, ResourceAmounts, Taker
from bnnsim.cli.records.keys import keys_of
from bnnsim.cli.records.tables import FitTables, SizingCheck, ValidationTables
from bnnsim.cli.records.written import WrittenFiles
from bnnsim.cost.error_bars import ErrorBar
from bnnsim.cost.second_opinion import SynthesisedUnit, SynthesisReport
from bnnsim.cost.usage import Capped
from bnnsim.design.memory_map import Crossing, Memory, MemoryMap, MemoryPlace
from bnnsim.evaluation import Advice, AdviceReport, Violation
from bnnsim.evaluation.advice.record import SpecChange
from bnnsim.evaluation.wide_words import WideWord
from bnnsim.exploration.found import FoundDesign, FoundFront
from bnnsim.files.schema_version import SCHEMA_VERSION
from bnnsim.finn.comparison import FinnComparison, FullFifo, NodeRow
from bnnsim.importers.check.report import CheckReport, Distance, Flips, LayerCheck, OutputCheck
from bnnsim.report.comparison.comparison import ComparisonInfo, Quantity
from bnnsim.report.comparison.spec_differences import Difference
from bnnsim.rtl.handover.record import HardwareCheck
from bnnsim.search.fifos.sizing import CurvePoint, FifoSizing
from bnnsim.search.fold.parts import FoldedPart, FoldedParts
from bnnsim.search.sweep.grid import Grid, GridDesign
from bnnsim.simulation import FifoReport, LayerReport, OutputReport, Simulation, UnitReport
from bnnsim.timing.bottleneck import Bottleneck, Circuit
from bnnsim.timing.engine.spending import Doubled, LayerSpending, Spending
from bnnsim.timing.engine.traffic import PortTraffic
from bnnsim.validation.bracket import Bracket
from bnnsim.validation.comparison import Comparison, Verdict
from bnnsim.validation.fit import Prediction
from bnnsim.validation.trust import TrustCell
from tests.unit.json_page.conftest import COMMANDS_RUN, IMPORTED
from tests.unit.json_page.objects import OBJECTS, PAGE, rows_of

RECORDS: dict[str, type] = {
    "A simulation": Simulation,
    "An output": OutputReport,
    "A unit": UnitReport,
    "A FIFO": FifoReport,
    "A layer of an engine": LayerReport,
    "A bottleneck": Bottleneck,
    "A circuit": Circuit,
    "Where an engine's cycles go": Spending,
    "A resource twice as fast": Doubled,
    "A port of an engine": PortTraffic,
    "A turn of the steady state": LayerSpending,
    "A memory map": MemoryMap,
    "A memory": Memory,
    "A place in a memory": MemoryPlace,
    "A crossing": Crossing,
    "A violation": Violation,
    "An error bar": ErrorBar,
    "Tried advice": AdviceReport,
    "An advice": Advice,
    "A change": SpecChange,
    "A second opinion": SynthesisReport,
    "A synthesised module": SynthesisedUnit,
    "A capped resource": Capped,
    "A wide word": WideWord,
    "A comparison of designs": ComparisonInfo,
    "A difference": Difference,
    "A quantity": Quantity,
    "A published number": Comparison,
    "A prediction": Prediction,
    "A cell of trust": TrustCell,
    "A bracket": Bracket,
    "A sizing of FIFOs": FifoSizing,
    "A point of the curve": CurvePoint,
    "A check": CheckReport,
    "An output of a check": OutputCheck,
    "A distance of a check": Distance,
    "A layer of a check": LayerCheck,
    "The flips of a layer": Flips,
    "Hardware": HardwareCheck,
    "A comparison with FINN": FinnComparison,
    "A node of FINN": NodeRow,
    "A full FIFO": FullFifo,
    "A search": FoundFront,
    "A design found": FoundDesign,
    "A grid": Grid,
    "A design of a grid": GridDesign,
    "A network on parts": FoldedParts,
    "A part": FoldedPart,
    "What was written": WrittenFiles,
    "What there is": Listings,
    "A list": Listing,
    "An entry of a list": Entry,
}
UNITS = {
    "cycles": "cycles", "us": "µs", "fps": "frames/s", "mhz": "MHz", "words": "words", "bits": "bits",
    "frames": "frames", "uj": "µJ", "w": "W", "bram18": "BRAM18",
}  # fmt: skip
SOMETIMES = {"outputs"}
"""Keys that are left out where there is nothing to say."""
UNITS_BY_HAND: dict[str, type] = {
    "Costs": Costs,
    "Resources": ResourceAmounts,
    "Resources of a unit": Taker,
    "Parts of the power": PowerParts,
    "Watts by basis": PowerByBasis,
    "A validation": ValidationTables,
    "A fit": FitTables,
    "The check of a sizing": SizingCheck,
}
"""Their keys' names do not all say their units."""
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def _type_text(kind: Any) -> str:
    """A type of Python as the JSON has it."""
    if kind in PLAIN:
        return PLAIN[kind]
    if is_dataclass(kind) or is_typeddict(kind) or get_origin(kind) is Mapping:
        return "object"
    if get_origin(kind) is Literal:
        return "string"
    if get_origin(kind) is tuple:
        inner = _type_text(get_args(kind)[0])
        return f"list of {inner}s" if " " not in inner else f"list of {inner.replace('list', 'lists', 1)}"
    kinds = {_type_text(k) for k in get_args(kind) if k is not types.NoneType}
    (only,) = kinds - {"integer"} or kinds  # a whole number is a number
    return only


def table(record: type) -> list[list[str]]:
    """The cells of the page for a record: name, type, unit, meaning, and when it is null."""
    rows = []
    for key in keys_of(record):
        words = key.name.split("_")
        unit = UNITS.get(words[-1], UNITS.get(words[0], "")) if key.kind is not str else ""
        kind = _type_text(key.kind)
        unit = "" if kind == "list of objects" else unit
        rows.append([f"`{key.name}`", kind, unit, key.meaning, key.null])
    return rows


@pytest.mark.parametrize("heading", RECORDS)
def test_the_page_says_of_each_key_what_its_record_says(heading: str) -> None:
    assert list(rows_of(heading).values()) == table(RECORDS[heading])


@pytest.mark.parametrize("heading", UNITS_BY_HAND)
def test_the_page_says_of_each_key_of_costs_and_tables_what_its_record_says(heading: str) -> None:
    found = table(UNITS_BY_HAND[heading])
    told = list(rows_of(heading).values())
    assert [[*row[:2], *row[3:]] for row in told] == [[*row[:2], *row[3:]] for row in found]


def test_every_table_of_the_page_is_that_of_records() -> None:
    headings = set(re.findall(r"^## (.*)$", PAGE, re.M)) - {"The first key"}
    assert headings == {*RECORDS, *UNITS_BY_HAND, "Counts of verdicts"}
    assert tuple(rows_of("Counts of verdicts")) == get_args(Verdict)


@pytest.mark.parametrize("name", OBJECTS)
def test_every_key_of_a_command_has_a_row_and_a_value_of_its_type(
    name: str, written: dict[str, dict[str, Any]]
) -> None:
    kinds = {"string": str, "integer": int, "number": int | float, "boolean": bool}
    data = {k: v for k, v in written[name].items() if k not in rows_of("The first key")}
    for heading, entry in OBJECTS[name](data):
        rows = rows_of(heading)
        assert list(entry) == [key for key in rows if key in entry or key not in SOMETIMES], heading
        for key, value in entry.items():
            _, kind, _, _, null = rows[key]
            if value is None:
                assert null, f"{heading}: {key} is null"
            else:
                first = kind.split()[0]
                assert isinstance(value, kinds.get(first, list if first == "list" else dict)), key


def test_every_command_says_what_it_did_as_json() -> None:
    app = typer.main.get_command(build_app(None))
    silent = []
    for name in (*COMMANDS, *GROUPS):
        command = app.commands[name]
        for one in getattr(command, "commands", {name: command}).values():
            if not any("--json" in option.opts for option in one.params):
                silent.append(f"{name} {one.name}")
    assert silent == []


@pytest.mark.parametrize("command", [*COMMANDS_RUN, *IMPORTED, "simulate", "evaluate"])
def test_the_version_comes_first_in_the_json_of_each_command(
    command: str, tmp_path: Path, written: dict[str, dict[str, Any]]
) -> None:
    if command in (*COMMANDS_RUN, *IMPORTED):
        data = written[command]
    else:
        target = tmp_path / "out.json"
        assert run([command, "pynq-tfc", "tfc", "--timing-only", "--json", str(target)]) == 0
        data = json.loads(target.read_text())
    assert next(iter(data.items())) == ("schema_version", SCHEMA_VERSION)
    assert rows_of("The first key")["schema_version"][1] == "integer"
