"""docs/json.md says of every key of ``--json`` what it is, as the records do."""

from __future__ import annotations

import ast
import inspect
import json
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from bnnsim.cli.app import run
from bnnsim.cost.error_bars import ErrorBar
from bnnsim.cost.second_opinion import SynthesisedUnit, SynthesisReport
from bnnsim.cost.usage import Capped
from bnnsim.design.memory_map import Crossing, Memory, MemoryMap, MemoryPlace
from bnnsim.evaluation import Advice, AdviceReport, Violation
from bnnsim.evaluation.advice.record import SpecChange
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

FINN_BUILDS = Path(__file__).resolve().parents[1] / "golden" / "imported" / "finn"
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
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
RUNS = {
    "a pipeline with its bits": ["digits-7z020", "digits", "--frames", "2"],
    "a pipeline without its bits": ["pynq-tfc", "tfc", "--timing-only", "--advise"],
    "an engine": ["acce-bnn", "binarynet", "--weights-seed", "1"],
    "several outputs": ["heads-arch.yaml", "heads.yaml", "--weights-seed", "1"],
}
OTHERS = {
    "validate": ["validate"],
    "compare": ["compare", "digits-7z020:digits", "acce-bnn:binarynet"],
    "compare-finn": ["compare-finn", str(FINN_BUILDS / "mlp")],
    "fifos": ["fifos", "digits-7z020", "digits"],
    "rtl": ["rtl", "digits-7z020", "digits", "--frames", "1", "--no-check", "--out", "hardware"],
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
        return (
            f"list of {inner}s"
            if " " not in inner
            else f"list of {inner.replace('list', 'lists', 1)}"
        )
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


def _rows(heading: str) -> dict[str, list[str]]:
    """The cells of a section's table, by key."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells] for cells in rows}


@pytest.mark.parametrize("heading", RECORDS)
def test_the_page_says_of_each_key_what_its_record_says(heading: str) -> None:
    rows = "\n".join(f"| {' | '.join(cells)} |" for cells in _rows(heading).values())
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
        for name, arguments in commands.items():
            assert run([*arguments, "--json", "out.json"]) == 0
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


Objects = Iterator[tuple[str, dict[str, Any]]]
"""Objects of a JSON, each with the heading of its table."""


def _objects_of_validate(data: dict[str, Any]) -> Objects:
    yield "A validation", data
    yield "Counts of verdicts", data["counts"]
    yield from (("A cell of trust", cell) for cell in data["trust"])
    yield from (("A published number", entry) for entry in [*data["rows"], *data["review"]])
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
    sizing = _rows("A sizing of FIFOs")
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
    simulated = _rows("A simulation")
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


OBJECTS = {
    **dict.fromkeys(RUNS, _objects_of_evaluate),
    "validate": _objects_of_validate,
    "compare": _objects_of_compare,
    "compare-finn": _objects_of_compare_finn,
    "fifos": _objects_of_fifos,
    "check": _objects_of_check,
    "rtl": lambda data: iter([("Hardware", data)]),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_every_key_of_a_command_has_a_row_and_a_value_of_its_type(
    name: str, written: dict[str, dict[str, Any]]
) -> None:
    kinds = {"string": str, "integer": int, "number": int | float, "boolean": bool}
    data = {k: v for k, v in written[name].items() if k not in _rows("The first key")}
    for heading, entry in OBJECTS[name](data):
        rows = _rows(heading)
        assert list(entry) == [key for key in rows if key in entry or key not in SOMETIMES], heading
        for key, value in entry.items():
            _, kind, _, _, null = rows[key]
            if value is None:
                assert null, f"{heading}: {key} is null"
            else:
                first = kind.split()[0]
                assert isinstance(value, kinds.get(first, list if first == "list" else dict)), key


@pytest.mark.parametrize("command", [*OTHERS, "check", "simulate", "evaluate"])
def test_the_version_comes_first_in_the_json_of_each_command(
    command: str, tmp_path: Path, written: dict[str, dict[str, Any]]
) -> None:
    if command in (*OTHERS, "check"):
        data = written[command]
    else:
        target = tmp_path / "out.json"
        assert run([command, "pynq-tfc", "tfc", "--timing-only", "--json", str(target)]) == 0
        data = json.loads(target.read_text())
    assert next(iter(data.items())) == ("schema_version", SCHEMA_VERSION)
    assert _rows("The first key")["schema_version"][1] == "integer"
