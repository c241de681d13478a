"""What a shell offers behind a command: names of what is shipped, beside the files it finds itself."""

from __future__ import annotations

from collections.abc import Callable

from bnnsim.spec.library import shipped_names


def names_of(kind: str) -> Callable[[str], list[str]]:
    """Completes the beginning of a shipped name; of a path, or where none fits, shells list files."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in shipped_names(kind) if name.startswith(incomplete)]

    return complete
