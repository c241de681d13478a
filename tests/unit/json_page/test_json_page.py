"""docs/json.md says of every key of ``--json`` what it is, as the records do."""

from __future__ import annotations

import ast
import inspect
import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import typer.main

from bnnsim.cli.app import COMMANDS, GROUPS, build_app, run
from bnnsim.cli.look.list import Entry, Listing, Listings
from bnnsim.cli.records.grid import Grid, GridDesign
from bnnsim.cli.records.parts import FoldedPart, FoldedParts
from bnnsim.cli.records.search import FoundDesign, FoundFront
from bnnsim.cli.records.written import WrittenFiles
from bnnsim.cost.error_bars import ErrorBar
from bnnsim.cost.second_opinion import SynthesisedUnit, SynthesisReport
from bnnsim.cost.usage import Capped
from bnnsim.design.memory_map import Crossing, Memory, MemoryMap, MemoryPlace
from bnnsim.evaluation import Advice, AdviceReport, Violation
from bnnsim.evaluation.advice.record import SpecChange
from bnnsim.evaluation.wide_words import WideWord
from bnnsim.files.schema_version import SCHEMA_VERSION
from bnnsim.finn.comparison import FinnComparison, FullFifo, NodeRow
from bnnsim.importers.check.report import CheckReport, Distance, Flips, LayerCheck, OutputCheck
from bnnsim.report.comparison.comparison import ComparisonInfo, Quantity
from bnnsim.report.comparison.spec_differences import Difference
from bnnsim.rtl.handover.record import HardwareCheck
from bnnsim.search.fifos.sizing import CurvePoint, FifoSizing
from bnnsim.simulation import FifoReport, LayerReport, OutputReport, Simulation, UnitReport
from bnnsim.timing.bottleneck import Bottleneck, Circuit
from bnnsim.timing.engine.spending import Doubled, LayerSpending, Spending
from bnnsim.timing.engine.traffic import PortTraffic
from bnnsim.validation.comparison import Comparison
from bnnsim.validation.fit import Prediction
from bnnsim.validation.trust import TrustCell
from tests.designs import HEADS_ARCHITECTURE, HEADS_WORKLOAD
from tests.unit.json_page.objects import OBJECTS, RUNS, rows_of

FINN_BUILDS = Path(__file__).resolve().parents[2] / "golden" / "imported" / "finn"
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
NOT_WRITTEN = {
    *("is_tie", "turn_cycles", "best", "holders", "is_complete"),
    *("first_difference", "is_equal", "_summary", "limiting_units", "what_limits", "lines"),
    *("ratio", "short_way"),
    *("sentence", "memory_cycles"),
}
"""Properties that the JSON leaves to its reader."""
UNITS = {
    "cycles": "cycles", "us": "µs", "fps": "frames/s", "mhz": "MHz", "words": "words", "bits": "bits",
    "frames": "frames", "uj": "µJ", "w": "W", "bram18": "BRAM18",
}  # fmt: skip
SOMETIMES = {"outputs"}
"""Keys that are left out where there is nothing to say."""
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
OTHERS = {
    "validate": ["validate"],
    "compare": ["compare", "digits-7z020:digits", "acce-bnn:binarynet"],
    "compare-finn": ["compare-finn", str(FINN_BUILDS / "mlp")],
    "fifos": ["fifos", "digits-7z020", "digits"],
    "rtl": ["rtl", "digits-7z020", "digits", "--frames", "1", "--no-check", "--out", "hardware"],
    "explore": ["explore", "pynq-tfc", "tfc", "--trials", "4", "--jobs", "1", "--baseline", "0"],
    "explore for one": [
        *("explore", "pynq-tfc", "tfc", "--trials", "4", "--jobs", "1", "--verify", "none"),
        *("--minimise", "lut"),
    ],
    "sweep": ["sweep", "pynq-tfc", "tfc", "--knob", "layers.fc1.pe=8,7"],
    "fold": ["fold", "tfc", "--device", "xc7z020", "--fps", "1000", "--out", "folded.yaml"],
    "fold for parts": ["fold", "tfc", "--devices", "xc7z010,xc7z020", "--fps", "3e6"],
    "report": ["report", "pynq-tfc", "tfc", "--out", "page.html"],
    "trace": ["trace", "pynq-tfc", "tfc", "--vcd", "run.vcd", "--to", "9"],
    "vectors": ["vectors", "digits-7z020", "digits", "--frames", "1", "--out", "words"],
    "list": ["list"],
}


def _type_text(kind: Any) -> str:
    """A type of Python as the JSON has it."""
    if kind in PLAIN:
        return PLAIN[kind]
    if is_dataclass(kind) or get_origin(kind) is Mapping:
        return "object"
    if get_origin(kind) is Literal:
        return "string"
    if get_origin(kind) is tuple:
        inner = _type_text(get_args(kind)[0])
        return f"list of {inner}s" if " " not in inner else f"list of {inner.replace('list', 'lists', 1)}"
    kinds = {_type_text(k) for k in get_args(kind) if k is not types.NoneType}
    (only,) = kinds - {"integer"} or kinds  # a whole number is a number
    return only


def _said(record: type) -> dict[str, str]:
    """Docstrings of the fields and properties of a record, by name."""
    (body,) = ast.parse(inspect.getsource(record)).body
    assert isinstance(body, ast.ClassDef)
    said: dict[str, str] = {}
    for statement, after in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(after, ast.Expr):
            said[ast.unparse(statement.target)] = ast.literal_eval(after.value)
        elif isinstance(statement, ast.FunctionDef) and statement.decorator_list:
            said[statement.name] = ast.get_docstring(statement) or ""
    return {name: " ".join(text.split()).replace("``", "`") for name, text in said.items()}


def table(record: type) -> str:
    """The rows of the page for a record: name, type, unit, meaning, and when it is null."""
    hints = get_type_hints(record)
    said = _said(record)
    rows = []
    for name in (*(field.name for field in fields(record)), *(n for n in said if n not in hints)):
        if name in NOT_WRITTEN:
            continue
        kind = hints.get(name) or get_type_hints(getattr(record, name).fget)["return"]
        meaning, _, null = said.get(name, "").partition("; null ")
        assert meaning, f"{record.__name__}.{name} has no docstring"
        words = name.split("_")
        unit = UNITS.get(words[-1], UNITS.get(words[0], "")) if kind is not str else ""
        rows.append(
            f"| `{name}` | {_type_text(kind)} | {unit} | {meaning.rstrip('.')} | {null.rstrip('.')} |"
        )
    return "\n".join(rows)


@pytest.mark.parametrize("heading", RECORDS)
def test_the_page_says_of_each_key_what_its_record_says(heading: str) -> None:
    rows = "\n".join(f"| {' | '.join(cells)} |" for cells in rows_of(heading).values())
    assert rows == table(RECORDS[heading])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The JSON of four runs of evaluate, which holds that of simulate, and of the other commands."""
    folder = tmp_path_factory.mktemp("json")
    (folder / "heads.yaml").write_text(HEADS_WORKLOAD)
    (folder / "heads-arch.yaml").write_text(HEADS_ARCHITECTURE)
    commands = {name: ["evaluate", *arguments] for name, arguments in RUNS.items()} | OTHERS
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        commands["check"] = ["check", str(_imported(folder)), "net.yaml", "--random-inputs", "5"]
        commands["import"] = ["import", "net.onnx", "--out", "again"]
        for name, arguments in commands.items():
            assert run([*arguments, "--json", "out.json"]) == 0, name
            found[name] = json.loads((folder / "out.json").read_text())
    return found


def _imported(folder: Path) -> Path:
    """A model of one layer; its workload is net.yaml beside it."""
    pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
    from tests.golden.imported.onnx_models import Builder

    builder = Builder((1, 6))
    scores = builder.op("MatMul", builder.bipolar("x"), builder.signs(6, 3))
    model = builder.save(scores, folder / "net.onnx")
    assert run(["import", "onnx", str(model), "--out", str(folder)]) == 0
    return model


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


@pytest.mark.parametrize("command", [*OTHERS, "check", "import", "simulate", "evaluate"])
def test_the_version_comes_first_in_the_json_of_each_command(
    command: str, tmp_path: Path, written: dict[str, dict[str, Any]]
) -> None:
    if command in (*OTHERS, "check", "import"):
        data = written[command]
    else:
        target = tmp_path / "out.json"
        assert run([command, "pynq-tfc", "tfc", "--timing-only", "--json", str(target)]) == 0
        data = json.loads(target.read_text())
    assert next(iter(data.items())) == ("schema_version", SCHEMA_VERSION)
    assert rows_of("The first key")["schema_version"][1] == "integer"
