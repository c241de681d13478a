"""Trials on disk: every finished batch is in the journal before the next one is asked for."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, NonNegativeInt, ValidationError

from bnnsim.files.boundary import foreign_file
from bnnsim.search.front.objectives import Objective
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs, point_key
from bnnsim.search.storage.journal_line import NEW_TRIAL, TRIAL_NUMBER, JournalLine
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.study_warning import StudyWarning
from bnnsim.search.study.plan import SearchPlan, continued_plan
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

    from bnnsim.search.storage.journal import Journal
    from bnnsim.search.storage.study_head import StudyHead

JOURNAL = "study.journal"
STUDY, BASELINE = "search", "baseline"
CONSTRAINT = "constraints:"  # where Optuna 5 keeps what trial.set_constraint sets
_WRITER = "bnnsim"
"""Who a line says that it is from: no process of Optuna's."""


class TrialStore:
    """The finished trials of one study in a journal; they are on disk when :meth:`add` returns.

    ``plan`` is the study's: with the seed and the size that it was begun with.
    """

    def __init__(self, name: str, plan: SearchPlan, journal: Journal, head: StudyHead) -> None:
        self.name = name
        self.plan = plan
        self.journal = journal
        self._head = head
        kinds = plan.encoding.distributions()
        self._lines = TrialLines(head.study_id, plan.objectives, kinds)
        self._kept = _kept_trials(journal, head, plan, set(kinds))

    def add(self, records: Iterable[TrialRecord]) -> None:
        """Write finished trials; each is one line of the journal."""
        lines = [self._lines.of(record) for record in records]
        if lines:
            self.journal.write(lines, self._head.key)

    def kept(self, number: int, knobs: Knobs) -> PointResult | None:
        """What became of the trial with this number in an earlier session; None where it is not known.

        Raises :class:`SpecError` where its design is not ``knobs``, the one that the search proposes.
        """
        if number not in self._kept:
            return None
        line, record = self._kept[number]
        if point_key(record.knobs) != point_key(knobs):
            raise self.journal.fault(
                line,
                f"trial {number} of the {self.name} to be the design that this search proposes",
                "another: the journal is of another search",
            )
        return record.result

    def records(self) -> list[TrialRecord]:
        """The trials of earlier sessions, by number."""
        return [self._kept[number][1] for number in sorted(self._kept)]

    @property
    def numbers(self) -> Set[int]:
        """The numbers of the trials of earlier sessions."""
        return self._kept.keys()


def _kept_trials(
    journal: Journal, head: StudyHead, plan: SearchPlan, parameters: set[str]
) -> dict[int, tuple[int, TrialRecord]]:
    """A study's trials in a journal, each with the number of its line, by the number of the trial."""
    found: dict[int, tuple[int, TrialRecord]] = {}
    for line in journal.lines:
        if line.operation != NEW_TRIAL or line.entry["study_id"] != head.study_id:
            continue
        number = line.entry["user_attrs"].get(TRIAL_NUMBER)
        if not isinstance(number, int) or set(line.entry["params"]) != parameters:
            raise journal.fault(line.number, "a trial of this search", "one of another")
        if number in found:
            raise journal.fault(line.number, "each trial once", f"trial {number} a second time")
        record = _record_in(line)
        if record is None or not _has_figures(record.result, plan.objectives):
            raise journal.fault(line.number, "a trial as this search writes it", "another")
        found[number] = line.number, record
    expected = 0
    for number in sorted(found):
        if number > expected:
            lost = str(expected) if number == expected + 1 else f"{expected} to {number - 1}"
            place = f"{journal.path}:{found[number][0]}"
            said = f"{place}: no line before this one has trial {lost} of the {head.name}; judged again"
            warnings.warn(StudyWarning(said), stacklevel=2)
        expected = number + 1
    return found


class _StoredTrial(BaseModel):
    """What is read of a trial's line, with its types."""

    model_config = ConfigDict(strict=True)

    params: dict[str, FiniteFloat]
    number: NonNegativeInt
    knobs: dict[str, int | float | str | bool]
    figures: dict[str, int | float]
    violations: dict[str, int | float]
    obstacle: str


def _has_figures(result: PointResult, objectives: Sequence[Objective]) -> bool:
    """Whether a trial has the figures that it is compared by, or says why not."""
    figures = [result.figures.get(objective.name, math.nan) for objective in objectives]
    return bool(result.infeasible_reason) or not any(map(math.isnan, figures))


def _record_in(line: JournalLine) -> TrialRecord | None:
    """The trial in a line; None where it is none."""
    try:
        kept = _StoredTrial(params=line.entry["params"], **line.entry["user_attrs"])
    except (ValidationError, TypeError):
        return None
    point = {name: int(value) for name, value in kept.params.items()}
    result = PointResult(kept.figures, kept.violations, kept.obstacle)
    return TrialRecord(kept.number, point, kept.knobs, result)


class TrialLines:
    """Finished trials of a study as the lines that Optuna's journal storage writes for them, without
    their checksums. (Optuna itself reads a study's head again for each batch, and each trial twice.)
    """

    def __init__(
        self, study_id: int, objectives: Sequence[Objective], kinds: Mapping[str, BaseDistribution]
    ) -> None:
        from optuna.distributions import distribution_to_json

        self._study_id = study_id
        self._objectives = objectives
        self._kinds = kinds
        self._kind_texts = {name: distribution_to_json(kind) for name, kind in kinds.items()}

    def of(self, record: TrialRecord) -> str:
        """The line of a trial; figures, knobs and violations are its attributes."""
        from optuna.trial import TrialState

        result, kinds = record.result, self._kinds
        state, values = TrialState.FAIL, []
        if not result.infeasible_reason:
            values = [float(result.figures[o.name]) for o in self._objectives]
            state = TrialState.COMPLETE
        now = datetime.now(tz=UTC).isoformat(timespec="microseconds")
        line = {
            "op_code": NEW_TRIAL,
            "worker_id": _WRITER,
            "study_id": self._study_id,
            "datetime_start": now,
            "state": state,
            "value": values[0] if len(values) == 1 else None,
            "values": values if len(values) > 1 else None,
            "datetime_complete": now,
            "distributions": self._kind_texts,
            "params": {n: kinds[n].to_internal_repr(value) for n, value in record.parameters.items()},
            "user_attrs": {**attributes(result, record.knobs), TRIAL_NUMBER: record.number},
            "system_attrs": {
                CONSTRAINT + name: amount for name, amount in result.normalised_violations.items()
            },
            "intermediate_values": {},
        }
        return json.dumps(line, separators=(",", ":"))


def attributes(result: PointResult, knobs: Knobs) -> dict[str, Any]:
    """What a stored trial keeps besides its values."""
    return {
        "figures": dict(result.figures),
        "violations": dict(result.violations),
        "obstacle": result.infeasible_reason,
        "knobs": dict(knobs),
    }


def record_of(
    trial: optuna.trial.FrozenTrial, number: int, kept: Mapping[str, Any] | None = None
) -> TrialRecord:
    """A stored trial as the search knows it; ``kept`` where its attributes are not its own."""
    kept = kept or trial.user_attrs
    result = PointResult(kept["figures"], kept["violations"], str(kept["obstacle"]))
    return TrialRecord(number, point_of(trial), kept["knobs"], result)


def point_of(trial: optuna.trial.FrozenTrial) -> dict[str, int]:
    """The point that a trial has, or that it waits to be given."""
    fixed = trial.system_attrs.get("fixed_params", {})
    return {name: int(value) for name, value in {**fixed, **trial.params}.items()}


@contextmanager
def open_journal(
    out: Path, plans: Mapping[str, SearchPlan], resume: bool, any_seed: bool = False
) -> Iterator[dict[str, TrialStore]]:
    """The studies of ``plans`` (by study name) in ``out``'s journal, for this process alone.

    With ``any_seed`` a study that is gone on with may have another seed than its plan here, and keeps it.

    Raises :class:`SpecError` where there is a journal already and ``resume`` was not asked for, where
    there is none to resume, where its study is of another plan, where another search has it open, or
    where a line of it cannot be trusted.
    """
    from bnnsim.search.storage.journal import Journal
    from bnnsim.search.storage.study_head import study_head

    path = out / JOURNAL
    if path.exists() and not resume:
        raise InputError(str(path), "a folder without a study (or --resume to go on with it)", "a study")
    if resume and not path.exists():
        raise InputError(str(path), "the study to go on with", "no file")
    journal = Journal(path)
    try:
        stores = {}
        for name, plan in plans.items():
            with foreign_file(path, "a journal whose first lines begin its studies"):
                head = study_head(journal, name, plan)
                if not head.is_new:
                    plan = continued_plan(head.plan_text, plan, str(path), any_seed)
            stores[name] = TrialStore(name, plan, journal, head)
        journal.lines.clear()  # they are read
        yield stores
    finally:
        journal.close()
