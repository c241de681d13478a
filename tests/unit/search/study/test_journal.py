"""A journal cannot lie: what was changed, lost or is another's is refused, or judged again."""

from __future__ import annotations

import json
import random
import re
import resource
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bnnsim.exploration.explore import explore
from bnnsim.search.storage import judging_code
from bnnsim.search.storage.journal import Journal
from bnnsim.search.storage.journal_line import sealed, study_key
from bnnsim.search.storage.judging_code import JUDGING_ROOMS, PACKAGE, source_digest
from bnnsim.search.storage.record import Exploration
from bnnsim.search.storage.store import JOURNAL
from bnnsim.search.storage.study_warning import StudyWarning
from bnnsim.search.study import plan
from bnnsim.spec.faults import SpecError
from tests.designs import SMALL_SPACE

FLIPS = 200


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exploration]:
    folder = tmp_path_factory.mktemp("journal")
    (folder / "small.yaml").write_text(SMALL_SPACE)
    return folder, _explore(folder, folder / "o")


def _explore(folder: Path, out: Path, **options: Any) -> Exploration:
    given: dict[str, Any] = {"trials": 6, "jobs": 1, "baseline": 2, "verify_words": 0, **options}
    return explore(folder / "small.yaml", out=out, **given).exploration


def _resume(searched: tuple[Path, Exploration], out: Path, content: bytes, **options: Any) -> Exploration:
    out.mkdir()
    (out / JOURNAL).write_bytes(content)
    return _explore(searched[0], out, resume=True, **options)


def _told(found: Exploration) -> list[tuple[Mapping[str, Any], ...]]:
    trials = (*found.trials, *found.baseline)
    return [(dict(t.knobs), dict(t.result.figures), dict(t.result.violations)) for t in trials]


def _sealed_again(line: bytes, plan_text: str | None) -> bytes:
    """A line with a checksum that holds: what somebody writes who has read how they are made."""
    entry = json.loads(line)
    del entry["checksum"]
    return sealed(json.dumps(entry, separators=(",", ":")), study_key(plan_text) if plan_text else "")


def test_no_flipped_bit_of_a_journal_is_believed(
    searched: tuple[Path, Exploration], tmp_path: Path
) -> None:
    content = (searched[0] / "o" / JOURNAL).read_bytes()
    draw = random.Random(0)
    refused = 0
    for flip in range(FLIPS):
        damaged = bytearray(content)
        place = draw.randrange(len(content))
        damaged[place] ^= 1 << draw.randrange(8)
        try:
            found = _resume(searched, tmp_path / str(flip), bytes(damaged))
        except SpecError as error:
            (fault,) = error.faults
            assert fault.line == content[:place].count(b"\n") + 1
            assert "it costs " in str(fault)
            refused += 1
        else:
            assert _told(found) == _told(searched[1])
        shutil.rmtree(tmp_path / str(flip))
    assert refused > FLIPS // 2


@pytest.mark.parametrize("factor", [10, 1])
def test_trial_with_better_figures_than_its_design_is_refused_whatever_its_checksum(
    searched: tuple[Path, Exploration], tmp_path: Path, factor: int
) -> None:
    lines = (searched[0] / "o" / JOURNAL).read_bytes().splitlines()
    stored = next(json.loads(n)["user_attr"]["bnnsim plan"] for n in lines if b'"bnnsim plan"' in n)
    place = next(i for i, line in enumerate(lines) if b'"number":3' in line)
    entry = json.loads(lines[place])
    figures = entry["user_attrs"]["figures"]
    figures["throughput_fps"] *= factor
    figures["lut"] = 1
    entry["values"] = [figures["throughput_fps"], figures["lut"]]
    changed = json.dumps(entry, separators=(",", ":")).encode()
    for name, line, message in (
        ("plain", changed, f":{place + 1}: .* got one that was changed .*costs trial 3 of the search"),
        ("sealed", _sealed_again(changed, stored), r"design 00003 with .*\((throughput_fps|lut) .* got"),
    ):
        content = b"\n".join([*lines[:place], line, *lines[place + 1 :]]) + b"\n"
        with pytest.raises(SpecError, match=message):
            _resume(searched, tmp_path / name, content)
        assert not (tmp_path / name / "pareto.csv").exists()


def test_every_figure_of_the_front_is_held_against_the_design(
    searched: tuple[Path, Exploration], tmp_path: Path
) -> None:
    lines = (searched[0] / "o" / JOURNAL).read_bytes().splitlines()
    plan_text = next(json.loads(n)["user_attr"]["bnnsim plan"] for n in lines if b'"bnnsim plan"' in n)
    front = searched[1].front[0]
    place = next(i for i, line in enumerate(lines) if f'"number":{front.number}'.encode() in line)
    for name in front.result.figures:
        entry = json.loads(lines[place])
        entry["user_attrs"]["figures"][name] += 1
        line = _sealed_again(json.dumps(entry).encode(), plan_text)
        content = b"\n".join([*lines[:place], line, *lines[place + 1 :]]) + b"\n"
        with pytest.raises(SpecError, match=rf"design {front.id} with .*\({name} .* got {name} "):
            _resume(searched, tmp_path / name, content)


@pytest.mark.parametrize(("study", "number"), [("search", 1), ("baseline", 0), ("baseline", 1)])
def test_trial_with_worse_figures_than_its_design_is_refused_too(
    searched: tuple[Path, Exploration], tmp_path: Path, study: str, number: int
) -> None:
    lines = (searched[0] / "o" / JOURNAL).read_bytes().splitlines()
    plans = [json.loads(n)["user_attr"]["bnnsim plan"] for n in lines if b'"bnnsim plan"' in n]
    which = ("search", "baseline").index(study)
    place = next(
        i
        for i, line in enumerate(lines)
        if f'"number":{number}'.encode() in line and json.loads(line)["study_id"] == which
    )
    entry = json.loads(lines[place])
    entry["user_attrs"]["obstacle"] = "none of its kind"
    line = _sealed_again(json.dumps(entry).encode(), plans[which])
    with pytest.raises(SpecError, match=rf"design 0000{number} with .*got obstacle none of its"):
        _resume(searched, tmp_path / "o", b"\n".join([*lines[:place], line, *lines[place + 1 :]]) + b"\n")


@pytest.mark.parametrize("value", [None, "x", -1, 1e400, [], {}, True, float("nan")])
def test_line_of_another_shape_is_one_sentence_whatever_its_checksum(
    searched: tuple[Path, Exploration], tmp_path: Path, value: Any
) -> None:
    lines = (searched[0] / "o" / JOURNAL).read_bytes().splitlines()
    plan_text = next(json.loads(n)["user_attr"]["bnnsim plan"] for n in lines if b'"bnnsim plan"' in n)
    for place, key in (
        (0, "op_code"), (0, "study_name"), (0, "directions"), (1, "system_attr"), (2, "user_attr"),
        *((len(lines) - 4, key) for key in ("params", "user_attrs", "number", "figures", "obstacle")),
    ):  # fmt: skip
        entry = json.loads(lines[place])
        holder = entry["user_attrs"] if key in ("number", "figures", "obstacle") else entry
        holder[key] = value
        line = _sealed_again(json.dumps(entry).encode(), plan_text if place > 2 else None)
        content = b"\n".join([*lines[:place], line, *lines[place + 1 :]]) + b"\n"
        out = tmp_path / f"{place}-{key}"
        said = ""
        try:
            found = _resume(searched, out, content)
        except SpecError as error:
            said = str(error)
        else:  # what says nothing of a trial
            assert key in ("directions", "system_attr")
            assert _told(found) == _told(searched[1])
        assert not said or (len(said.splitlines()), "study.journal" in said) == (1, True)


def test_lost_lines_are_said_and_their_trials_judged_again(
    searched: tuple[Path, Exploration], tmp_path: Path
) -> None:
    lines = (searched[0] / "o" / JOURNAL).read_bytes().splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if b'"number":3' in line)
    content = b"".join(lines[:place] + lines[place + 1 :])
    said = rf"study.journal:{place + 1}: no line before this one has trial 3 of the search; judged again"
    with pytest.warns(StudyWarning, match=said):
        found = _resume(searched, tmp_path / "o", content)
    assert _told(found) == _told(searched[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[1:], r":1: expected the line that begins its study, got none"),
        (lambda lines: [*lines[:2], *lines[3:]], "the (line with its study's plan|lines that begin its)"),
        (lambda lines: [*lines, lines[-1]], r"expected each trial once, got trial \d a second time"),
        (lambda lines: [*lines, b"[]\n"], r"got a damaged line: it costs trial \d of the baseline"),
        (lambda lines: [*lines, b"\xff\xfe\n"], "got a damaged line: it costs trial"),
        (lambda lines: [*lines, b'{"op_code":4,"study_id":0}\n'], "got one without a checksum"),
        (lambda lines: [b"name: x\n"], ":1: .*got a damaged line: it costs the study's plan"),
    ],
)
def test_foreign_and_lost_lines_are_one_sentence(
    searched: tuple[Path, Exploration], tmp_path: Path, change: Any, message: str
) -> None:
    lines = (searched[0] / "o" / JOURNAL).read_bytes().splitlines(keepends=True)
    with pytest.raises(SpecError, match=message) as raised:
        _resume(searched, tmp_path / "o", b"".join(change(lines)))
    assert len(str(raised.value).splitlines()) == 1


def test_line_of_another_study_is_refused(searched: tuple[Path, Exploration], tmp_path: Path) -> None:
    _explore(searched[0], tmp_path / "other", seed=5)
    lines = (searched[0] / "o" / JOURNAL).read_bytes().splitlines(keepends=True)
    others = (tmp_path / "other" / JOURNAL).read_bytes().splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if b'"number":3' in line)
    with pytest.raises(SpecError, match=f":{place + 1}: .* is another study's: it costs trial 3"):
        _resume(searched, tmp_path / "o", b"".join([*lines[:place], others[place], *lines[place + 1 :]]))


def test_journal_of_other_code_is_refused(
    searched: tuple[Path, Exploration], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "judging_code", lambda: "0123456789abcdef")
    message = "expected a study of the same code of bnnsim .*, 0123456789abcdef, got [0-9a-f]{16}$"
    with pytest.raises(SpecError, match=message):
        _resume(searched, tmp_path / "o", (searched[0] / "o" / JOURNAL).read_bytes())


def test_digest_is_of_all_that_judges_and_of_nothing_that_shows(tmp_path: Path) -> None:
    package = tmp_path / "bnnsim"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    devices = tmp_path / "devices"
    devices.mkdir()
    (devices / "a.yaml").write_text("lut: 1\n")
    before = source_digest(package, devices)
    (package / "report" / "page.py").write_text("# another\n")
    assert source_digest(package, devices) == before
    for path in (
        *(next((package / room).rglob("*.py")) for room in JUDGING_ROOMS),
        package / "cost" / "blocks" / "coefficients.yaml",
        devices / "a.yaml",
    ):
        path.write_text(path.read_text() + "# changed\n")
        assert source_digest(package, devices) != before
        before = source_digest(package, devices)
    assert re.fullmatch("[0-9a-f]{16}", judging_code.judging_code())


def test_journal_of_a_full_disk_is_the_one_before(tmp_path: Path) -> None:
    journal = Journal(tmp_path / JOURNAL)
    journal.write(['{"op_code":0,"study_name":"search"}'], "")
    before = journal.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 1500, limits[1]))  # takes half a batch
    try:
        with pytest.raises(SpecError, match="a place to write, got "):
            journal.write([f'{{"op_code":0,"study_name":"{n:0300}"}}' for n in range(10)], "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    journal.close()
    assert journal.path.read_bytes() == before
