"""Where the command prints: tables and results to stdout, messages and progress to stderr."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich.console import Console

from bnnsim.arrays.compilation import CompilationWarning
from bnnsim.files.whole import save_text
from bnnsim.search.storage.study_warning import StudyWarning
from bnnsim.spec.faults import OldKeyWarning

output = Console(highlight=False, soft_wrap=False, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)


class SimulationFailed(Exception):
    """A design that cannot run: a deadlock, or bits that differ."""


class Interrupted(Exception):
    """Ctrl-C ended a command that left results; the text says how to go on."""


@contextmanager
def remarks() -> Iterator[None]:
    """What a user should know is said in one line on stderr: old names of keys, trouble with a study,
    that kernels are compiled.

    Old names are said once a file, however often it is read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", OldKeyWarning)
        warnings.simplefilter("always", StudyWarning)
        warnings.simplefilter("always", CompilationWarning)
        show_other = warnings.showwarning
        said: set[str] = set()

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if isinstance(message, StudyWarning | CompilationWarning):
                errors.print(str(message), markup=False, highlight=False, soft_wrap=True)
            elif not isinstance(message, OldKeyWarning):
                show_other(message, category, *where, **more)
            elif message.place not in said:
                said.add(message.place)
                errors.print(str(message), markup=False, highlight=False, soft_wrap=True)

        warnings.showwarning = show
        yield


class Record(Protocol):
    """A result that has a form in JSON."""

    def to_json(self) -> dict[str, Any]: ...


Shown = TypeVar("Shown", bound=Record)


def deliver(
    record: Shown, json_file: str | None, show: Callable[[Shown], None], **more: Any
) -> None:
    """Write a record as JSON, with ``more`` keys, where asked for; show it unless stdout has the JSON."""
    if json_file is not None:
        write_json({**record.to_json(), **more}, json_file)
    if json_file != "-":
        show(record)


def write_json(data: dict[str, Any], target: str) -> None:
    """Write ``data`` to a file (beside it first, then renamed) or, for ``-``, to stdout."""
    text = json.dumps(data, indent=2) + "\n"
    if target == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    write_whole(Path(target), text)


def write_page(path: Path, page: Callable[[bool], str], is_single_file: bool) -> None:
    """Write a page, and beside it the library that a folder's pages share, unless that is inside.

    ``page(is_single_file)`` gives its text. What goes to a pipe has all inside.
    """
    from bnnsim.report.figures.plot_page import library

    is_whole = is_single_file or (path.exists() and not path.is_file())
    for name, text in library(is_whole).items():
        write_whole(path.with_name(name), text)
    write_whole(path, page(is_whole))


def write_whole(path: Path, text: str) -> None:
    """Write a file that is either whole or not there.

    Raises :class:`~bnnsim.spec.faults.InputError` where ``path`` cannot be written.
    """
    save_text(path, text)
