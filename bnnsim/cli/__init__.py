"""The ``bnnsim`` command: the only part of the package that prints or exits."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

__all__ = ["main"]

_VARIADIC = ("--images",)
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Commands make many objects and few circles of them; looking for these took a twelfth of a search."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, 1 (the simulation failed) or 2 (the input is wrong)."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        from bnnsim.cli.app import run

        code = run(_spread(list(sys.argv[1:] if arguments is None else arguments)))
    except KeyboardInterrupt:  # while the command line itself was loading
        sys.stderr.write("interrupted\n")
        code = 130
    gc.freeze()  # an interpreter that ends looks through all objects again, for a third of a second
    sys.exit(code)


def _spread(arguments: list[str]) -> list[str]:
    """``--images a b`` as ``--images a --images b``, which is what the parser knows."""
    result: list[str] = []
    option = ""
    for argument in arguments:
        if argument.startswith("-") and argument != "-":
            option = argument if argument in _VARIADIC else ""
        elif option and result[-1] != option:
            result.append(option)
        result.append(argument)
    return result
