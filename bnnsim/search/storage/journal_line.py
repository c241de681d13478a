"""One line of a journal: JSON with a checksum as its last key, and what may be wrong with it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bnnsim.spec.faults import Fault, SpecError

NEW_STUDY, STUDY_USER_ATTR, STUDY_SYSTEM_ATTR, NEW_TRIAL = 0, 2, 3, 4
"""Optuna's numbers of what a line does; no others stand in a journal of this project's."""
TRIAL_NUMBER = "number"
"""The user attribute that says which of its search's trials a line holds, from 0."""
_KEPT = ("op_code", "study_id", "params", "user_attrs")
"""What is read of a trial's line; the rest, which Optuna reads, is ten times as much."""
_SEAL = re.compile(rb',"checksum":"([0-9a-f]{16})"\}')


@dataclass(frozen=True)
class JournalLine:
    """A line whose checksum holds: its ``number`` in the file, from 1, and its ``entry`` as read."""

    number: int
    entry: Mapping[str, Any]

    @property
    def operation(self) -> int:
        """What the line does, one of the numbers above."""
        return int(self.entry["op_code"])


def sealed(text: str, key: str) -> bytes:
    """The line for a JSON object's ``text``: the same with its checksum as the last key.

    The checksum is the first half of the SHA-256 of ``key`` and text; the key is what ties a line to its
    study: empty for what begins a study, the :func:`study_key` of its plan for all that follows.
    """
    return text[:-1].encode() + f',"checksum":"{_checksum(text.encode(), key)}"}}'.encode()


def study_key(plan_text: str) -> str:
    """What ties trials to their study: a digest of the plan that they were judged for."""
    return hashlib.sha256(plan_text.encode()).hexdigest()


def _checksum(text: bytes, key: str) -> str:
    return hashlib.sha256(key.encode() + b"\n" + text).hexdigest()[:16]


def read_lines(file: str, content: bytes) -> list[JournalLine]:
    """The lines of a journal, each held against its checksum.

    Raises :class:`SpecError` with the first line that is damaged, changed or of another study, and the
    trial that it costs: one without that line would be judged again.
    """
    lines: list[JournalLine] = []
    keys: dict[int, str] = {}
    studies = 0
    for number, raw in enumerate(content.split(b"\n")[:-1], 1):
        entry, checksum, text = _parsed(raw)
        study = entry.get("study_id") if entry is not None else None
        operation = entry.get("op_code") if entry is not None else None
        key = ""
        if entry is not None and operation == NEW_TRIAL and isinstance(study, int):
            if study not in keys:
                raise SpecError([_lost(file, number, "the line with its study's plan")])
            key = keys[study]
        if entry is None or checksum != _checksum(text, key):
            raise SpecError([_fault(file, number, raw, entry, lines)])
        if operation == NEW_STUDY:
            studies += 1
        elif not isinstance(study, int) or not 0 <= study < studies:
            raise SpecError([_lost(file, number, "the line that begins its study")])
        if operation == STUDY_USER_ATTR and isinstance(study, int):
            keys[study] = study_key("".join(map(str, entry["user_attr"].values())))
        elif operation == NEW_TRIAL:
            entry = {name: value for name, value in entry.items() if name in _KEPT}
        lines.append(JournalLine(number, entry))
    return lines


def _parsed(raw: bytes) -> tuple[dict[str, Any] | None, str, bytes]:
    """A line's object (None where it is none), its checksum and what that is of."""
    start = len(raw) - len(',"checksum":"0123456789abcdef"}')
    seal = _SEAL.fullmatch(raw, max(start, 0))
    if seal is None:
        return None, "", raw
    text = raw[:start] + b"}"
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None, "", raw
    return (entry if _is_known(entry) else None), seal[1].decode(), text


def _is_known(entry: Any) -> bool:
    """Whether a line holds what Optuna writes for this project: an operation and what it is about."""
    if not isinstance(entry, dict) or type(entry.get("op_code")) is not int:
        return False
    named = {name for name in ("user_attr", "system_attr", "params", "user_attrs") if name in entry}
    wanted = {
        NEW_STUDY: set[str](),
        STUDY_USER_ATTR: {"user_attr"},
        STUDY_SYSTEM_ATTR: {"system_attr"},
        NEW_TRIAL: {"params", "user_attrs"},
    }.get(entry["op_code"])
    is_named = entry["op_code"] != NEW_STUDY or isinstance(entry.get("study_name"), str)
    return is_named and named == wanted and all(isinstance(entry[name], dict) for name in named)


def _fault(
    file: str, number: int, raw: bytes, entry: Mapping[str, Any] | None, before: list[JournalLine]
) -> Fault:
    """A line whose checksum does not hold, as a fault."""
    got = "one that was changed or is another study's" if entry is not None else "a damaged line"
    if b'"checksum"' not in raw and raw.startswith(b'{"op_code":') and raw.endswith(b"}"):
        got = "one without a checksum, as an earlier bnnsim or another program writes"
    heads = [line for line in before if line.operation == NEW_TRIAL]
    if not heads and b'"op_code":4' not in raw:
        costs = "it costs the study's plan, and so all its trials"
    else:
        costs = f"it costs {_trial_of(raw, before)}, which is judged again when the line is deleted"
    return Fault(file, number, "", "a line of this journal as it was written", f"{got}: {costs}")


def _trial_of(raw: bytes, before: list[JournalLine]) -> str:
    """The trial in a line that cannot be trusted: by its own word, or after the one before."""
    names = [str(line.entry["study_name"]) for line in before if line.operation == NEW_STUDY]
    study = re.search(rb'"study_id":(\d{1,3}),', raw)
    last = before[-1].entry if before else {}
    place = int(study[1]) if study is not None else int(last.get("study_id", 0))
    said = re.search(rb'"number":(\d{1,9})[,}]', raw)
    after = int(last.get("user_attrs", {}).get(TRIAL_NUMBER, -1)) + 1
    number = after if said is None else int(said[1])
    return f"trial {number}" + (f" of the {names[place]}" if place < len(names) else "")


def _lost(file: str, number: int, what: str) -> Fault:
    got = "none: lines before this one are lost, and all trials of that study with them"
    return Fault(file, number, "", what, got)
