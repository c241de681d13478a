"""Arguments and options that commands share, each declared once; those of a run all together."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast, get_type_hints

import typer

from bnnsim.cli.completion import names_of
from bnnsim.cli.progress import running
from bnnsim.simulation import RunOptions
from bnnsim.simulation.options import ExecutorName

ArchArgument = Annotated[
    str,
    typer.Argument(
        help="architecture: a shipped name or a YAML file", autocompletion=names_of("architecture")
    ),
]
WorkloadArgument = Annotated[
    str,
    typer.Argument(help="workload: a shipped name or a YAML file", autocompletion=names_of("workload")),
]
JsonOption = Annotated[
    str | None,
    typer.Option("--json", help="write the result as JSON (- for stdout)", metavar="FILE"),
]
SingleFileOption = Annotated[
    bool,
    typer.Option(
        "--single-file", help="the library that draws goes into the page, which can then be sent alone"
    ),
]
InputType = Annotated[
    str | None,
    typer.Option(help="value set of the input, such as fixed8.7; default: what the model says"),
]
ImageRange = Annotated[
    tuple[float, float] | None,
    typer.Option(
        help="the numbers that pixels 0 and 255 stand for; given several times: of each channel",
        metavar="LOW HIGH",
    ),
]


@dataclass(frozen=True)
class RunRequest:
    """What is asked of a run, not looked at yet: the fields are a command's options."""

    images: Annotated[
        list[str] | None,
        typer.Option(
            "--images",
            help="frames: .npz with images_u8 (and labels), .npy, or pictures",
            metavar="FILE…",
        ),
    ] = None
    frames: Annotated[
        int | None, typer.Option("--frames", help="how many frames", metavar="N")
    ] = None
    timing_only: Annotated[bool, typer.Option("--timing-only", help="leave the bits out")] = False
    weights_seed: Annotated[
        int | None,
        typer.Option(
            "--weights-seed", help="draw weights (and frames) from this seed", metavar="SEED"
        ),
    ] = None
    executor: Annotated[
        ExecutorName | None,
        typer.Option(
            "--executor",
            help="who counts the cycles; default: compiled without bits and for large runs, else simpy",
        ),
    ] = None

    @contextmanager
    def started(self, what: str, *targets: str | Path | None) -> Iterator[RunOptions]:
        """The options of a run of a design that :func:`~bnnsim.cli.progress.running` watches over.

        Raises :class:`~bnnsim.spec.faults.InputError` for a target that cannot be written, then for
        options that no run can mean.
        """
        with running(what, *targets) as work:
            yield RunOptions(
                self.images,
                self.frames,
                self.timing_only,
                self.weights_seed,
                self.executor,
                work.advance,
            )


Command = Callable[..., None]


def runs_design(
    request: type[RunRequest] = RunRequest, without: Collection[str] = ()
) -> Callable[[Command], Command]:
    """A command that has the fields of ``request`` as options in the place of its parameter ``run``.

    ``without`` names those that the command does not offer; they keep their defaults.
    """
    hints = get_type_hints(request, include_extras=True)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(request, name),
            annotation=hint,
        )
        for name, hint in hints.items()
        if name not in without
    ]

    def with_options(command: Command) -> Command:
        def expanded(**given: Any) -> None:
            asked = {option.name: given.pop(option.name) for option in options}
            command(**given, run=request(**asked))

        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            own = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            parameters.extend(options if parameter.name == "run" else [own])
        # What typer reads: the help, and each parameter in its place.
        expanded.__doc__ = command.__doc__
        expanded.__annotations__ = {p.name: p.annotation for p in parameters}
        cast(Any, expanded).__signature__ = inspect.Signature(parameters)
        return expanded

    return with_options
