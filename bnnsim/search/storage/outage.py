"""A database server that is gone for a while: whoever works at a study waits for it, and then goes on."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import TypeVar

from bnnsim.search.storage.database import Database, ServerGone, connected
from bnnsim.search.storage.study_warning import StudyWarning

PATIENCE_S = 900.0
"""How long a server may be gone before the work at a study ends: a restart, an update, a failover."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Between two attempts: doubled from the first to the longest."""
_LOOK_S = 0.5
Result = TypeVar("Result")


def through_outages(
    database: Database,
    act: Callable[[], Result],
    stopped: Callable[[], bool] = lambda: False,
    is_said: bool = False,
    patience_s: float | None = None,
) -> Result:
    """What ``act`` gives, which is done again while the server does not answer, with growing pauses.

    ``act`` may have had its effect where it seems to have failed. With ``is_said`` each attempt is a
    :class:`StudyWarning`. ``patience_s`` is :data:`PATIENCE_S` unless given. Raises :class:`ServerGone`
    after that, or once ``stopped`` says so, and what :func:`connected` raises.
    """
    patience_s = PATIENCE_S if patience_s is None else patience_s
    pause_s = FIRST_PAUSE_S
    gone_since: float | None = None
    while True:
        try:
            with connected(database):
                return act()
        except ServerGone as error:
            now = time.monotonic()
            gone_since = now if gone_since is None else gone_since
            left_s = gone_since + patience_s - now
            if left_s <= 0 or stopped():
                raise
            if is_said:
                wait = f"tried again in {pause_s:.0f} s, for {left_s / 60:.0f} more minutes at most"
                warnings.warn(StudyWarning(f"{error}; {wait}"), stacklevel=2)
            until = now + min(pause_s, left_s)
            while time.monotonic() < until and not stopped():
                time.sleep(min(_LOOK_S, max(0.0, until - time.monotonic())))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
