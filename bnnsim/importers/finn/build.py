"""A FINN build's folder: which of its models to read, what it was built for, and its reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bnnsim.files.boundary import foreign_file
from bnnsim.files.json_object import read_json_object
from bnnsim.importers.finn.folding import Folding, read_folding
from bnnsim.importers.finn.nodes import PARTITION, is_dataflow, is_finn_model, kind_of
from bnnsim.importers.finn.partitions import joined, partitions, whole_model
from bnnsim.importers.finn.translation import translated
from bnnsim.importers.onnx.file import load_model
from bnnsim.spec.bounds import MAX_SPEC_BYTES
from bnnsim.spec.faults import InputError
from bnnsim.spec.library import shipped_names
from bnnsim.spec.streaming.hardware import MAX_QUEUE_WORDS

STEPS = (
    *("step_create_stitched_ip", "step_set_fifo_depths", "step_hw_ipgen", "step_hw_codegen"),
    *("step_generate_estimate_reports", "step_minimize_bit_width", "step_apply_folding_config"),
    *(
        "step_target_fps_parallelization",
        "step_specialize_layers",
        "step_create_dataflow_partition",
    ),
    "step_convert_to_hw",
)
"""Models of a build that hold its hardware, the last first."""
MODELS, PARENT = "intermediate_models", "dataflow_parent"
MISSING = (
    "what FINN leaves around the hardware may be missing, such as the scale and offset of the scores and "
    "the order of the input's axes"
)
_NUMBERED = re.compile(r"(\d{1,9})[a-z]?_")
FOLDINGS = ("final_hw_config.json", "auto_folding_config.json", "folding_config.json")
REPORTS = ("report", "reports")
"""Folders of a build's reports: FINN's, and Brainsmith's."""
MEMSTREAM = "memstream.sv"
"""FINN's module that streams a layer's weights; a copy of it is in every stitched design."""
_CREDIT = re.compile(r"\bFULL_CREDIT\s*=\s*(\d+)")
"""Reads that may be on their way: since October 2025 a queue behind the memory has room for them."""
_BOARDS = {
    **dict.fromkeys(("Pynq-Z1", "Pynq-Z2", "Arty-Z7", "ZedBoard"), "xc7z020"),
    **dict.fromkeys(("Ultra96", "Ultra96-V2", "AUP-ZU3_8GB"), "xczu3eg"),
    "KV260_SOM": "xck26",
    "U250": "xcu250",
    "ZCU102": "xczu9eg",
    "ZCU104": "xczu7ev",
}
"""FINN's boards whose parts are shipped."""


@dataclass(frozen=True)
class Build:
    """A build, or a single model: ``model`` has its partitions in place."""

    path: Path
    model: Any
    folding: Folding | None = None
    device: str | None = None
    clock_mhz: float | None = None
    notes: tuple[str, ...] = ()
    model_path: Path = field(default_factory=Path)
    queue_words: int = 0
    """Words that wait behind weight memories, by the build's own RTL."""


def read_build(path: Path, folding: str | Path | None, loaded: Any = None) -> Build:
    """The model of a folder or file (``loaded``: of a file that is read already), and what is said
    around it.

    Raises :class:`InputError` where no model of FINN is there.
    """
    given = None if folding is None else read_folding(folding)
    if not path.is_dir():
        own = load_model(path) if loaded is None else loaded
        model = whole_model(path, own)
        if not is_finn_model(model) and given is None:
            expected = "a model with FINN's nodes, or --folding FILE beside a QONNX model"
            raise InputError(
                str(path), expected, "neither (bnnsim import onnx reads networks alone)"
            )
        notes = _alone(path, model) if model is own else ()
        return Build(path, model, given, notes=notes, model_path=path)
    model, source, is_whole = _model_of(path)
    said = [f"read {source.relative_to(path)}", *(() if is_whole else _alone(source, model))]
    own = folding_in(path) if given is None else None  # one that is damaged is said, needed or not
    if own is not None and not any(kind_of(n.op_type) == "StreamingFIFO" for n in model.graph.node):
        given = own
        said.append(f"folding of {own.path.name}")
    device, clock = _target(path, said)
    queue_words = _queue_words(path, said)
    return Build(path, model, given, device, clock, tuple(said), source, queue_words)


def folding_in(folder: Path) -> Folding | None:
    """The folding that a build's folder holds; None where it is no folder, or holds none."""
    files = (folder / name for name in FOLDINGS)
    return next((read_folding(file) for file in files if file.is_file()), None)


def _model_of(folder: Path) -> tuple[Any, Path, bool]:
    """The model to read, its file, and whether it is known to be all of the graph."""
    inner = folder / MODELS
    files = [file for step in STEPS for room in (inner, folder) for file in _of_step(room, step)]
    files += sorted(folder.glob("*.onnx"))[:20]
    for file in dict.fromkeys(files):
        if not file.is_file():
            continue
        model = load_model(file)
        if not any(is_dataflow(n) and kind_of(n.op_type) != PARTITION for n in model.graph.node):
            if not partitions(model) or file.stem == PARENT:
                continue
            return whole_model(file, model), file, True
        parent = next(
            (p for p in (inner / f"{PARENT}.onnx", folder / f"{PARENT}.onnx") if p.is_file()), None
        )
        if parent is not None:
            outer = load_model(parent)
            holes = partitions(outer)
            if len(holes) == 1 and not partitions(model):
                whole = joined(outer, parent, {str(holes[0].name): model}, (parent.resolve(),))
                return whole, file, True
        return whole_model(file, model), file, False
    expected = f"a FINN build: models with its nodes, such as {MODELS}/{STEPS[0]}.onnx"
    raise InputError(str(folder), expected, f"{len(files)} names looked for, none with such nodes")


def _alone(source: Path, model: Any) -> tuple[str, ...]:
    """What to know of a model that is hardware and nothing around it: FINN cuts that out of a graph and
    keeps the rest in its parent, which was not read."""
    kinds = [kind_of(node.op_type) for node in model.graph.node if is_dataflow(node)]
    if PARTITION in kinds or not kinds or len(kinds) < len(model.graph.node):
        return ()
    file = f"{PARENT}.onnx"
    if (source.parent / file).is_file():
        return (f"read without its {file} (import the folder): {MISSING}",)
    return (f"no {file} beside {source.name}: {MISSING}",)


def _target(folder: Path, notes: list[str]) -> tuple[str | None, float | None]:
    """Part and clock as the build's own files say them."""
    device: str | None = None
    clock: float | None = None
    for data in _settings(folder):
        part = str(data.get("fpga_part") or "")
        device = device or next((n for n in shipped_names("device") if part.startswith(n)), None)
        device = device or _BOARDS.get(str(data.get("board") or ""))
        period = data.get("synth_clk_period_ns") or data.get("hls_clk_period_ns")
        if clock is None and isinstance(period, int | float) and 0.5 <= period <= 1e6:
            clock = round(1000 / period, 6)
        rate = data.get("fclk[mhz]")
        if clock is None and isinstance(rate, int | float) and 0 < rate <= 2000:
            clock = round(float(rate), 6)
        named = part or data.get("board")
        if named and device is None:
            notes.append(f"its part {named} is none that is known here")
    return device, clock


def _settings(folder: Path) -> Iterator[dict[str, Any]]:
    names = ("dataflow_build_config.json", "build_config.json")
    reports = (f"{room}/rtlsim_performance.json" for room in REPORTS)
    for file in (folder / name for name in (*names, *reports)):
        if file.is_file():
            yield read_json_object(file, "settings or a report of FINN, a JSON object")


def _queue_words(folder: Path, notes: list[str]) -> int:
    """Words of the queue in the RTL that streams weights; 0 where it has none, or none is there.

    Raises :class:`InputError` on more than an architecture can say.
    """
    files = sorted(file for file in folder.rglob(MEMSTREAM) if file.is_file())
    ages = {_credit(file) for file in files}
    if len(ages) > 1:
        notes.append(f"{MEMSTREAM} of several ages: weight_queue_words is not said")
        return 0
    words = max(ages, default=0)
    if words:
        notes.append(f"weight_queue_words {words} of {files[0].relative_to(folder).as_posix()}")
    return words


def _credit(file: Path) -> int:
    with foreign_file(file, "FINN's RTL"), file.open(encoding="utf-8", errors="replace") as lines:
        said = _CREDIT.search(lines.read(MAX_SPEC_BYTES))
    if said is None:
        return 0
    if len(said[1]) > len(str(MAX_QUEUE_WORDS)) or int(said[1]) > MAX_QUEUE_WORDS:
        raise InputError(str(file), f"a FULL_CREDIT of at most {MAX_QUEUE_WORDS} words", said[1][:20])
    return int(said[1])


def is_finn_build(folder: Path) -> bool:
    """Whether a folder looks like what FINN's build writes."""
    rooms = (folder / MODELS, folder)
    return any(file.is_file() for room in rooms for step in STEPS for file in _of_step(room, step))


def _of_step(room: Path, step: str) -> list[Path]:
    """The models of a step, under its name or, the last first, with its number in front (Brainsmith)."""
    numbered = {
        file: int(found[1])
        for file in sorted(room.glob(f"*_{step}.onnx"))
        if (found := _NUMBERED.match(file.name)) is not None
    }
    return [room / f"{step}.onnx", *sorted(numbered, key=numbered.__getitem__, reverse=True)]


def onnx_or_finn(path: str | Path) -> Any:
    """The ``onnx.ModelProto`` that the importer reads of an ONNX file, FINN's nodes made plain."""
    model = load_model(path)
    return finn_to_onnx(path, model) if is_finn_model(model) else model


def finn_to_onnx(path: str | Path, loaded: Any = None) -> Any:
    """The same of a file (``loaded``: its model) or a build's folder that holds FINN's nodes."""
    return translated(read_build(Path(path), None, loaded).model, str(path)).model


def as_built(path: str | Path) -> Any:
    """FINN's own nodes: a build's model, a file with its partitions in place, or any other as it is."""
    file = Path(path)
    return read_build(file, None).model if file.is_dir() else whole_model(file)
