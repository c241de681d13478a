"""Fuzzed command lines, and journals of a search that is gone on with."""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from bnnsim.search.storage.journal_line import NEW_TRIAL, STUDY_USER_ATTR, sealed, study_key
from tests.fuzz.case import Case, run_case
from tests.fuzz.mutation import VALUES, damaged_bytes, damaged_data

_WORKLOAD = """\
name: small
input: {shape: [8], type: bipolar}
layers: [{name: fc0, op: linear, out: 8, activation: bipolar}, {name: fc1, op: linear, out: 4}]
"""
_ARCH = """\
name: small-arch
source: "made up"
style: streaming
device: xc7z020
clock_mhz: 100
layers: {fc0: {pe: 2, simd: 4}, fc1: {pe: 4, simd: 2}}
"""
_SPACE = """\
name: space
source: "made up"
style: streaming
device: xc7z020
clock_mhz: {choose: [100, 143]}
layers: {fc0: {pe: divisors, simd: divisors}, fc1: {pe: 4, simd: 2}}
explore: {workload: tfc, objectives: [throughput_fps, lut]}
"""
_TRIALS = 4
_VALUES = (
    *("", "0", "1", "-1", "2", "3.5", "1e9", "99999999999", "-9223372036854775809", "nan", "inf", "x"),
    *("a b", "--", "-", "/", "..", ".", "/dev/null", "no/such", "\0", "x" * 3000, "ü", "a=1"),
    *("layers.fc0.pe=1,2", "layers.fc0.pe=", "clock_mhz=100,1e9", "xc7z020", "lut<=10", "lut", "power_w"),
)
_OPTIONS = {
    "simulate": (
        *("--frames", "--weights-seed", "--executor", "--images", "--json", "--timing-only"),
        "--print-spec",
    ),
    "evaluate": ("--frames", "--weights-seed", "--executor", "--images", "--json", "--timing-only"),
    "fold": ("--device", "--fps", "--clock-mhz", "--name", "--out"),
    "sweep": ("--knob", "--frames", "--json", "--out", "--metrics", "--weights-seed"),
    "fifos": ("--json", "--out", "--frames", "--weights-seed"),
    "trace": ("--vcd", "--perfetto", "--from", "--to", "--frames", "--timing-only", "--weights-seed"),
    "compare": ("--json", "--out", "--frames", "--timing-only"),
    "schema": ("--out",),
    "vectors": ("--out", "--weights-seed", "--frames"),
    "import": ("--out", "--name", "--fixed", "--input-type", "--image-range", "--output"),
    "check": ("--images", "--random-inputs", "--json"),
}


def arguments(random: Random, folder: Path) -> Case:
    """A command with options and values that its users may mistype."""
    arch, work = folder / "a.yaml", folder / "w.yaml"
    arch.write_text(_ARCH, encoding="utf-8")
    work.write_text(_WORKLOAD, encoding="utf-8")
    command = random.choice(list(_OPTIONS))
    words = [command]
    files = [str(work)] if command == "fold" else [str(arch), str(work)]
    files = files[: random.choice((0, 1, 2, 2, 2, 2))]
    if random.random() < 0.2 and files:
        files[random.randrange(len(files))] = random.choice(_VALUES)
    words += files
    given: list[str] = []
    for option in random.sample(_OPTIONS[command], min(len(_OPTIONS[command]), random.randrange(4))):
        value = random.choice(_VALUES)
        if option in ("--out", "--json", "--vcd", "--perfetto"):
            value = random.choice((str(folder / "made"), str(folder), str(folder / "no" / "such"), "-"))
        given += [option] if option in ("--timing-only", "--print-spec") else [option, value]
    if command in ("simulate", "evaluate", "trace") and random.random() < 0.5:
        given.append("--timing-only")
    # What is expected of a message: it names what was typed, or what should have been. An empty path is
    # the folder that one is in.
    typed = (text for word in (*words, *given) for text in (word or ".: ", ascii(word)[1:-1] or ".: "))
    places = (
        *typed,
        "architecture: ",
        "workload: ",
        "argument ",
        "images",
        "clock",
        "fps",
        "a.yaml",
        "w.yaml",
    )
    return Case([*words, *given], places)


def journal(random: Random, folder: Path) -> Case:
    """A study's journal with damaged bytes, lines or fields, gone on with."""
    content, space = study()
    lines = content.splitlines(keepends=True)
    at = random.randrange(len(lines))
    match random.randrange(5):
        case 0:
            content = damaged_bytes(content, random)
        case 1:
            del lines[at]
            content = b"".join(lines)
        case 2:
            lines.insert(random.randrange(len(lines)), lines[at])
            content = b"".join(lines)
        case 3:
            damaged = damaged_data(json.loads(lines[at]), random, VALUES)
            lines[at] = json.dumps(damaged).encode() + b"\n"
            content = b"".join(lines)
        case _:
            lines[at] = _forged(json.loads(lines[at]), _keys(lines), random)
            content = b"".join(lines)
    path = folder / "study.journal"
    path.write_bytes(content)
    return Case([*_search(space, folder, _TRIALS), "--resume"], (path.name, "--trials", str(folder)))


def _forged(entry: dict[str, Any], keys: dict[int, str], random: Random) -> bytes:
    """A line with wrong fields under a checksum that holds."""
    del entry["checksum"]
    key = keys[entry["study_id"]] if entry["op_code"] == NEW_TRIAL else ""
    text = json.dumps(damaged_data(entry, random, VALUES), separators=(",", ":"))
    return sealed(text, key) + b"\n"


def _keys(lines: list[bytes]) -> dict[int, str]:
    """The key of each study of a journal, which the checksums of its trials hang on."""
    entries = [json.loads(line) for line in lines]
    plans = [entry for entry in entries if entry["op_code"] == STUDY_USER_ATTR]
    return {entry["study_id"]: study_key("".join(entry["user_attr"].values())) for entry in plans}


def _search(space: Path, out: Path, trials: int) -> list[str]:
    options = ["--jobs", "1", "--baseline", "0", "--verify", "none", "--out", str(out)]
    return ["explore", str(space), str(space.parent / "w.yaml"), "--trials", str(trials), *options]


@cache
def study() -> tuple[bytes, Path]:
    """A whole study's journal, and the space it searched."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-study-", dir=os.environ.get("FUZZ_FOLDER")))
    (folder / "w.yaml").write_text(_WORKLOAD, encoding="utf-8")
    space = folder / "space.yaml"
    space.write_text(_SPACE, encoding="utf-8")
    if run_case(Case(_search(space, folder / "out", _TRIALS))).code:
        raise RuntimeError("the study that journals are made from does not run")
    return (folder / "out" / "study.journal").read_bytes(), space
