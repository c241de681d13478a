"""A study in a database as one process sees it: it reads what is new, however long the study is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnnsim.search.points.encoding import point_key
from bnnsim.search.storage.database import Database, open_storage
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.store import point_of, record_of
from bnnsim.search.study.stored_trials import KEPT, has_result
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

TAKEN_FROM = "taken over from"
"""The system attribute of a trial that says whose point it takes over."""


class StudyView:
    """The trials of a study: those that are open, those that were lost, and which designs count.

    Of a finished trial only its design's key is kept, so that a long study takes no more time a look
    than a short one.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.storage = open_storage(database)
        self._study_id: int | None = None
        self._last_id = -1
        self.open: dict[int, FrozenTrial] = {}
        """Waiting and running trials by id, in order."""
        self.lost: dict[int, FrozenTrial] = {}
        """Failed trials without a result whose point nobody has taken over, by number."""
        self.trials = 0
        self._taken: set[int] = set()
        self._counted: set[object] = set()

    @property
    def counted(self) -> int:
        """How many different designs have a result."""
        return len(self._counted)

    @property
    def study_id(self) -> int:
        """The study's number in its database. Raises :class:`InputError` where it was deleted."""
        if self._study_id is None:
            try:
                self._study_id = self.storage.get_study_id_from_name(self.database.study)
            except KeyError:
                raise self._deleted() from None
        return self._study_id

    def _deleted(self) -> InputError:
        place, expected = f"study {self.database.study}", f"a study on {self.database.shown}"
        return InputError(place, expected, "none: it was deleted")

    def look(self) -> list[TrialRecord]:
        """Read what changed since the last look; the designs that have a result now.

        Raises :class:`InputError` where the study was deleted.
        """
        try:
            changed = self.storage._get_trials(self.study_id, None, set(self.open), self._last_id)
        except KeyError:
            raise self._deleted() from None
        found = []
        for trial in changed:
            self.trials += trial._trial_id > self._last_id
            self._last_id = max(self._last_id, trial._trial_id)
            if TAKEN_FROM in trial.system_attrs:
                self._taken.add(trial.system_attrs[TAKEN_FROM])
            if not trial.state.is_finished():
                self.open[trial._trial_id] = trial
                continue
            self.open.pop(trial._trial_id, None)
            if has_result(trial):
                key = point_key(trial.user_attrs[KEPT]["knobs"])
                if key not in self._counted:
                    found.append(record_of(trial, len(self._counted), trial.user_attrs[KEPT]))
                    self._counted.add(key)
            elif point_of(trial):
                self.lost[trial.number] = trial
        for number in self._taken & self.lost.keys():
            del self.lost[number]
        return found
