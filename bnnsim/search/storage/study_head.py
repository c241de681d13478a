"""How a study begins in a journal, written and read by Optuna."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend

from bnnsim.search.storage.journal import Journal
from bnnsim.search.storage.journal_line import NEW_TRIAL, JournalLine, study_key
from bnnsim.search.storage.study_objectives import directions, name_objectives
from bnnsim.search.study.plan import PLAN_ATTRIBUTE, SearchPlan, store_plan
from bnnsim.spec.faults import InputError


class _Entries(BaseJournalBackend):
    """A log in memory: what Optuna reads, and the text of what it appends."""

    def __init__(self, entries: Sequence[dict[str, Any]]) -> None:
        self.entries = list(entries)
        self.texts: list[str] = []

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        yield from self.entries[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        for log in logs:
            text = json.dumps(log, separators=(",", ":"))
            self.texts.append(text)
            self.entries.append(json.loads(text))


class StudyHead:
    """What begins a study in a journal: its number there, and the plan that ties its trials to it.

    ``is_new`` says that there was no such study before.
    """

    def __init__(self, name: str, study: optuna.Study, is_new: bool) -> None:
        self.name = name
        self.is_new = is_new
        self.study_id = study._study_id
        self.plan_text = str(study.user_attrs[PLAN_ATTRIBUTE])
        self.key = study_key(self.plan_text)


def study_head(journal: Journal, name: str, plan: SearchPlan) -> StudyHead:
    """The head of the study ``name`` in a journal, which is written where there is none yet.

    Raises :class:`InputError` where lines that a study begins with are lost.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    backend = _Entries([dict(line.entry) for line in journal.lines if line.operation != NEW_TRIAL])
    storage = JournalStorage(backend)
    if name in {entry.get("study_name") for entry in backend.entries}:
        study = optuna.load_study(study_name=name, storage=storage)
    else:
        wanted = directions(plan.objectives)
        study = optuna.create_study(storage=storage, study_name=name, directions=wanted)
    if PLAN_ATTRIBUTE not in study.user_attrs:
        name_objectives(study, plan.objectives)
        store_plan(study, plan)
    if any(line.operation == NEW_TRIAL for line in journal.lines) and backend.texts:
        got = f"none of the {name}: the lines that begin it are lost, and its trials with them"
        raise InputError(str(journal.path), "the lines that begin its studies", got)
    if backend.texts:
        journal.write(backend.texts, "")
    for text in backend.texts:
        journal.lines.append(JournalLine(len(journal.lines) + 1, json.loads(text)))
    return StudyHead(name, study, is_new=bool(backend.texts))
