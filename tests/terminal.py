"""The terminal that commands think they print to."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from bnnsim.cli.console import errors, output

PROGRESS = re.compile(r".+: (.+, )?\d+ s")


def sentences(stderr: str) -> list[str]:
    """What was said on stderr but for progress, which work on a busy machine reports now and then."""
    return [line for line in stderr.strip().splitlines() if not PROGRESS.fullmatch(line)]


@contextlib.contextmanager
def terminal_of(columns: int) -> Iterator[None]:
    """Both consoles are ``columns`` wide, and then as wide as they were."""
    widths = output._width, errors._width
    output.width = errors.width = columns
    try:
        yield
    finally:
        output._width, errors._width = widths
