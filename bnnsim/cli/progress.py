"""What a command says of its work while it runs: a moving line on a terminal, elsewhere a line now and
then. It goes to stderr, and comes from a thread, so that work that reports nothing is told too."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn

from bnnsim.cli.console import SimulationFailed, errors
from bnnsim.files.whole import check_target

PATIENCE_S = 1.0
"""What ends sooner gets no moving line."""
MOVE_S = 0.1
"""Between two pictures of a moving line."""
LINE_S = 5.0
"""Between two lines where stderr is no terminal."""


class Work:
    """Work that is watched while the ``with`` lasts. It is what ``advance`` and ``tell`` were told last.

    Example:
        with Work("folding") as work:
            work.advance(3, 10)  # "folding: 30 %, 5 s" after five seconds
    """

    def __init__(self, what: str) -> None:
        self._now = (what, 0, 0, "")
        self._bar: Progress | None = None
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._teller = threading.Thread(target=self._tell_on, daemon=True)

    def __enter__(self) -> Self:
        self._teller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ended.set()
        self._teller.join()

    def advance(self, done: int, total: int) -> None:
        """``done`` of ``total`` are behind."""
        self._now = (self._now[0], done, total, "")

    def tell(self, what: str, done: int, total: int, text: str) -> None:
        """``done`` of ``total`` of ``what`` are behind; ``text`` says how far that has come."""
        self._now = (what, done, total, text)

    def _tell_on(self) -> None:
        if not errors.is_terminal:
            while not self._ended.wait(LINE_S):
                errors.print(self.line(), markup=False, soft_wrap=True)
        elif not self._ended.wait(PATIENCE_S):
            self._move()

    def line(self) -> str:
        """What is done, how far it is, and for how long it has gone on."""
        what, _, _, _ = self._now
        return f"{what}: {self._detail()}"

    def _detail(self) -> str:
        _, done, total, text = self._now
        share = f"{done / total:.0%}" if 0 < done < total else ""
        parts = [text or share, f"{time.monotonic() - self._started:.0f} s"]
        return ", ".join(part for part in parts if part)

    def _move(self) -> None:
        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[detail]}", markup=False),
            console=errors,
            transient=True,
            auto_refresh=False,
        )
        with bar:
            task = bar.add_task("", total=None, detail="")
            while True:
                what, done, total, _ = self._now
                known = total if 0 < done < total else None  # else it pulses
                bar.update(task, completed=done, total=known, description=what, detail=self._detail())
                bar.refresh()
                if self._ended.wait(MOVE_S):
                    return


@contextmanager
def running(what: str, *targets: str | Path | None) -> Iterator[Work]:
    """A run of designs that is watched, and a message where it fails.

    Raises :class:`~bnnsim.spec.faults.InputError` for a target that cannot be written, before all else.
    """
    for target in targets:
        check_target(target)
    with _simulation_errors(), Work(what) as work:
        yield work


@contextmanager
def _simulation_errors() -> Iterator[None]:
    """A design that locks up, or whose bits differ, ends the command with its message."""
    from bnnsim.datapath.mismatch import BitMismatchError
    from bnnsim.timing.streaming.compiled_run import UnprovenError
    from bnnsim.timing.streaming.result import DeadlockError

    try:
        yield
    except (DeadlockError, BitMismatchError, UnprovenError) as error:
        raise SimulationFailed(str(error)) from error
