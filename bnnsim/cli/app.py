"""The commands, and how what goes wrong becomes a message and an exit code."""

from __future__ import annotations

import itertools
import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from bnnsim.cli.console import Interrupted, SimulationFailed, errors, remarks
from bnnsim.cli.help import WholeSentences
from bnnsim.spec.bounds import MAX_ARGUMENT
from bnnsim.spec.faults import InputError, SpecError, one_line, shortened
from bnnsim.version import __version__

COMMANDS = {
    "explore": "explore",
    "sweep": "explore",
    "simulate": "simulate",
    "evaluate": "simulate",
    "validate": "simulate",
    "fifos": "explore",
    "fold": "explore",
    "check": "networks",
    "report": "look",
    "compare": "look",
    "compare-finn": "look",
    "trace": "look",
    "vectors": "look",
    "rtl": "look",
    "check-rtl": "look",
    "finn-folding": "look",
    "list": "look",
    "schema": "networks",
}
"""Single commands, each with its room in this package: the function ``command`` of its module there."""
GROUPS = {"new": "explore.new", "import": "networks.import_"}
"""Commands with subcommands: each is ``app`` of the module named."""
SECTIONS = {
    "Simulate": ("simulate", "evaluate", "validate"),
    "Explore": ("explore", "sweep", "fold", "new", "fifos"),
    "Import": ("import", "check"),
    "Look": ("report", "compare", "compare-finn", "list"),
    "Hand over": ("rtl", "check-rtl", "finn-folding", "vectors", "trace", "schema"),
}
"""The commands as ``bnnsim --help`` shows them."""


class _Sections(WholeSentences):
    sections = SECTIONS


def build_app(asked_for: str | None) -> typer.Typer:
    """The command line with only the command ``asked_for``, where there is such a one.

    Each command brings its own imports; the others' would only slow its start.
    """
    known = {*COMMANDS, *GROUPS}
    app = typer.Typer(
        name="bnnsim",
        help="Cycle-level simulator and design-space explorer for Binary Neural Network accelerators.",
        no_args_is_help=True,
        cls=_Sections,
        add_completion=asked_for not in known,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    chosen = {asked_for} if asked_for in known else known
    app.callback()(_start)  # with a single command, too, its name stays
    for name, room in COMMANDS.items():
        if name in chosen:
            app.command(name)(import_module(f"bnnsim.cli.{room}.{name.replace('-', '_')}").command)
    for name, module in GROUPS.items():
        if name in chosen:
            app.add_typer(import_module(f"bnnsim.cli.{module}").app, name=name)
    return app


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bnnsim {__version__}")
        raise typer.Exit


_VERSION = typer.Option(
    "--version", help="print the version and exit", callback=_say_version, is_eager=True
)


def _start(version: Annotated[bool, _VERSION] = False) -> None:
    """Cycle-level simulator and design-space explorer for Binary Neural Network accelerators."""


INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


def run(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    try:
        _check_arguments(arguments)
        with remarks():
            build_app(arguments[0] if arguments else None)(arguments, prog_name="bnnsim")
    except SystemExit as end:  # the parser's own: help, or a usage error already printed
        if end.code == INTERRUPTED:
            errors.print("interrupted")
        return end.code if isinstance(end.code, int) else 0
    except SpecError as error:
        for fault in error.faults:
            errors.print(str(fault), markup=False, highlight=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        errors.print("interrupted")
        return INTERRUPTED
    except Interrupted as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return INTERRUPTED
    except SimulationFailed as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        errors.print("memory: expected a design and frames that fit, got more", markup=False)
        return 2
    except OSError as error:
        place = shortened(str(error.filename or "output"))
        said = f"{place}: expected a file or folder that can be used, got {error.strerror or error}"
        errors.print(one_line(said), markup=False, soft_wrap=True)
        return 2
    return 0


def _check_arguments(arguments: list[str]) -> None:
    """Refuse an argument that every message about it would repeat at length, and an empty option.

    Nothing takes an empty value; a script's variable that is not set would be the folder it runs in.
    """
    for option, value in itertools.pairwise([*arguments, "-"]):
        name, mark, text = option.partition("=")
        if name.startswith("--") and (not text if mark else not value):
            raise InputError(name, "a value", "an empty one")
    for position, argument in enumerate(arguments, start=1):
        if len(argument) > MAX_ARGUMENT:
            expected = f"at most {MAX_ARGUMENT} characters"
            raise InputError(f"argument {position}", expected, repr(argument))
