"""The commands, and how what goes wrong becomes a message and an exit code."""

from __future__ import annotations

import os
import sys

import typer

from bnnsim.cli import import_, schema, simulate
from bnnsim.cli.console import SimulationFailed, errors
from bnnsim.spec.faults import SpecError

app = typer.Typer(
    name="bnnsim",
    help="Cycle-level simulator and design-space explorer for Binary Neural Network accelerators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("simulate")(simulate.command)
app.command("schema")(schema.command)
app.add_typer(import_.app, name="import")


def run(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    try:
        app(arguments, prog_name="bnnsim")
    except SystemExit as end:  # the parser's own: help, or a usage error already printed
        return end.code if isinstance(end.code, int) else 0
    except SpecError as error:
        for fault in error.faults:
            errors.print(str(fault), markup=False, highlight=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        errors.print("interrupted")
        return 130
    except SimulationFailed as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        errors.print(f"{error.filename or 'output'}: {error.strerror}", markup=False, soft_wrap=True)
        return 2
    return 0
