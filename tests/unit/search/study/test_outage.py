"""A database server that is gone for a while does not end a search."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from bnnsim.search.storage import outage
from bnnsim.search.storage.database import Database, ServerGone
from bnnsim.search.storage.outage import through_outages
from bnnsim.search.storage.study_warning import StudyWarning
from tests.designs import SMALL_SPACE
from tests.unit.search.study.outage import search_through_outage
from tests.unit.search.study.postgres import postgres_server

DATABASE = Database("postgresql://u:secret@h/d", "s")


class _Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(outage, "time", clock)
    return clock


def _gone_until(clock: _Clock, until_s: float, attempts: list[float]) -> str:
    attempts.append(clock.now_s)
    if clock.now_s < until_s:
        raise ServerGone("postgresql://u@h/d", "a database server that answers", "connection refused")
    return "back"


def test_pauses_grow_and_are_said(clock: _Clock) -> None:
    attempts: list[float] = []
    with pytest.warns(StudyWarning) as said:
        found = through_outages(DATABASE, lambda: _gone_until(clock, 200, attempts), is_said=True)
    assert found == "back"
    assert attempts == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    assert str(said[2].message) == (
        "postgresql://u@h/d: expected a database server that answers, got connection refused; "
        "tried again in 4 s, for 15 more minutes at most"
    )


def test_server_that_stays_away_is_one_sentence_after_minutes(clock: _Clock) -> None:
    with pytest.raises(ServerGone, match="expected a database server that answers, got connection"):
        through_outages(DATABASE, lambda: _gone_until(clock, 1e9, []))
    assert clock.now_s == outage.PATIENCE_S


def test_worker_that_is_stopped_does_not_wait(clock: _Clock) -> None:
    with pytest.raises(ServerGone):
        through_outages(DATABASE, lambda: _gone_until(clock, 1e9, []), stopped=lambda: clock.now_s > 20)
    assert clock.now_s < 22


def test_server_that_is_restarted_is_waited_for(tmp_path: Path) -> None:
    space = tmp_path / "small.yaml"
    space.write_text(SMALL_SPACE)
    with postgres_server() as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = search_through_outage(server, space, tmp_path, workers=1, trials=60, seconds=3)
    assert found.codes == [0, 0], found.said
    assert found.designs == found.different
    assert found.designs >= 60
    assert "tried again in 1 s" in found.said[0]
    assert not any("Traceback" in said for said in found.said)
