"""The terminal that commands think they print to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bnnsim.cli.console import errors, output


@contextlib.contextmanager
def terminal_of(columns: int) -> Iterator[None]:
    """Both consoles are ``columns`` wide, and then as wide as they were."""
    widths = output._width, errors._width
    output.width = errors.width = columns
    try:
        yield
    finally:
        output._width, errors._width = widths
