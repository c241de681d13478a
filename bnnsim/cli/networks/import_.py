"""``bnnsim import``: trained networks from other tools."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bnnsim.cli.console import deliver
from bnnsim.cli.facts import show_facts, show_places
from bnnsim.cli.help import WholeSentences
from bnnsim.cli.options import ImageRange, InputType, JsonOption
from bnnsim.cli.progress import Work
from bnnsim.cli.records.written import written
from bnnsim.files.whole import check_target
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    from bnnsim.importers.draft.write import ImportedNetwork

_MEASURED_INPUTS = 20
"""On which the distance from a model with real weights is measured."""
_RANGE = "--image-range"
_WIDTH = 9
ANY = "file"
"""The command that is meant where a file stands in a command's place."""


class _FileOrCommand(WholeSentences):
    """``bnnsim import FILE`` beside ``bnnsim import COMMAND FILE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            args = [ANY, *args]
        return super().parse_args(ctx, _with_channel_ranges(args))


def _with_channel_ranges(args: list[str]) -> list[str]:
    """``--image-range LOW HIGH`` several times as so many ``--channel-range LOW:HIGH``: an option of
    two words cannot be repeated."""
    places = [i for i, one in enumerate(args) if one == _RANGE and i + 2 < len(args)]
    if len(places) < 2:
        return args
    found = list(args)
    for i in reversed(places):
        found[i : i + 3] = ["--channel-range", f"{args[i + 1]}:{args[i + 2]}"]
    return found


app = typer.Typer(
    help="Bring in a trained network: any FILE or FOLDER, told by its content.",
    no_args_is_help=True,
    cls=_FileOrCommand,
    subcommand_metavar="FILE|COMMAND [ARGS]...",
)

Out = Annotated[Path, typer.Option(help="where the workload and its weights go", metavar="DIR")]
NetworkName = Annotated[str | None, typer.Option(help="the workload's name; default: the file's")]
Fixed = Annotated[
    str,
    typer.Option(
        help="word of what cannot be folded into thresholds; auto: 32 bits, as fine as fits",
        metavar="auto|fixedW.F",
    ),
]
SignOfZero = Annotated[
    Literal["exact", "plus"],
    typer.Option(help="plain Sign of 0: exactly 0 (refused where it can occur), or +1"),
]
Output = Annotated[
    str | None,
    typer.Option(help="the only output to keep of a model with several; default: all", metavar="NAME"),
]
ChannelRanges = Annotated[list[str] | None, typer.Option(hidden=True)]
RealLayers = Annotated[
    str | None,
    typer.Option(
        help="round real-valued weights to so many bits, a scale a row; default: refuse them",
        metavar="int4..int16",
    ),
]
InputShape = Annotated[
    str | None,
    typer.Option(help="sizes of one input where the file leaves them open", metavar="3,32,32"),
]
Force = Annotated[
    bool, typer.Option("--force", help="replace files of that name, also such as you have edited")
]


@app.command("bnn-pynq")
def bnn_pynq(
    folder: Annotated[Path, typer.Argument(help="parameter folder, such as .../cifar10/cnvW1A1")],
    topology: Annotated[
        str, typer.Option(help="cnv or lfc, or a workload's file for a topology of your own")
    ],
    out: Out,
    name: NetworkName = None,
    force: Force = False,
    json_file: JsonOption = None,
) -> None:
    """A trained network from BNN-PYNQ's parameter folder."""
    from bnnsim.importers.bnn_pynq.network import import_bnn_pynq

    check_target(json_file)
    with Work("importing"):
        imported = import_bnn_pynq(folder, topology, out, name, force=force)
    _deliver(imported, json_file)


@app.command("finn")
def finn(
    model: Annotated[Path, typer.Argument(help="FINN's build folder, or an ONNX file of its nodes")],
    out: Out,
    name: NetworkName = None,
    folding: Annotated[
        Path | None,
        typer.Option(help="folding_config.json or final_hw_config.json for it", metavar="FILE.json"),
    ] = None,
    device: Annotated[str | None, typer.Option(help="the part; default: the build's")] = None,
    clock_mhz: Annotated[float | None, typer.Option(help="default: the build's", min=0.001)] = None,
    fixed: Fixed = "auto",
    input_type: InputType = None,
    image_range: ImageRange = None,
    channel_range: ChannelRanges = None,
    sign_of_zero: SignOfZero = "exact",
    real_layers: RealLayers = None,
    force: Force = False,
    json_file: JsonOption = None,
) -> None:
    """A FINN build: its network and its hardware, as a workload and an architecture (extra onnx)."""
    from bnnsim.importers.finn.network import import_finn

    check_target(json_file)
    with Work("importing"):
        found = import_finn(
            model,
            out,
            name,
            folding=folding,
            device=device,
            clock_mhz=clock_mhz,
            fixed=fixed,
            input_type=input_type,
            image_range=_each(channel_range) if channel_range else image_range,
            sign_of_zero=sign_of_zero,
            real_layers=real_layers,
            force=force,
        )
    _deliver(found.network, json_file, found.architecture_path, notes=found.notes, losses=found.losses)


def _add_command(kind: str, file: str, summary: str, importer: str) -> None:
    """The command ``kind``, which reads a ``file`` by the function that ``importer`` names.

    Models of all kinds are imported with the same options.
    """

    def command(
        model: Annotated[Path, typer.Argument(help=file)],
        out: Out,
        name: NetworkName = None,
        fixed: Fixed = "auto",
        input_type: InputType = None,
        image_range: ImageRange = None,
        channel_range: ChannelRanges = None,
        sign_of_zero: SignOfZero = "exact",
        output: Output = None,
        real_layers: RealLayers = None,
        input_shape: InputShape = None,
        force: Force = False,
        json_file: JsonOption = None,
    ) -> None:
        check_target(json_file)
        module, function = importer.split(":")
        if kind == ANY and json_file != "-":
            _show_format(model)
        with Work("importing"):
            imported = getattr(import_module(module), function)(
                model,
                out,
                name,
                fixed=fixed,
                input_type=input_type,
                image_range=_each(channel_range) if channel_range else image_range,
                sign_of_zero=sign_of_zero,
                output=output,
                real_layers=real_layers,
                input_shape=None if input_shape is None else _sizes(input_shape),
                force=force,
            )
        said = imported.workload.imported_with
        is_rounded = said is not None and said.real_layers is not None
        _deliver(imported, json_file, far=_distances(model, imported) if is_rounded else ())

    app.command(kind, help=summary)(command)


_add_command(
    ANY,
    "a model's file, or a folder with one model",
    "Any model: its content tells what it is (needs the extra onnx).",
    "bnnsim.importers.model:import_model",
)
_add_command(
    "onnx",
    "QONNX or ONNX file",
    "A model that Brevitas, FINN, larq or anything else wrote as ONNX (needs the extra onnx).",
    "bnnsim.importers.onnx.network:import_onnx",
)
_add_command(
    "keras",
    ".h5 or .keras file with larq layers",
    "A Larq model; no TensorFlow needed (needs the extra onnx).",
    "bnnsim.importers.keras.network:import_keras",
)


def _each(ranges: list[str]) -> list[tuple[float, float]]:
    """Pairs of numbers from ``LOW:HIGH``. Raises :class:`InputError`."""
    found = []
    for text in ranges:
        low, _, high = text.partition(":")
        try:
            found.append((float(low), float(high)))
        except ValueError:
            raise InputError("image range", "LOW HIGH, two numbers", f"{low} {high}") from None
    return found


def _sizes(text: str) -> list[int]:
    """Whole numbers between commas. Raises :class:`InputError`."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise InputError("input shape", "sizes between commas (such as 3,32,32)", text)
    return [int(part) for part in parts]


def _show_format(model: Path) -> None:
    from bnnsim.importers.model import found_model

    show_facts([("format", str(found_model(model)))], _WIDTH)


def _distances(model: Path, imported: "ImportedNetwork") -> list[str]:
    """How far the scores are from those of the model with its own weights."""
    from bnnsim.importers.check.check import model_distances

    with Work("measuring the distance"):
        found = model_distances(model, imported.workload_path, _MEASURED_INPUTS)
    return [f"of {distance.line(_MEASURED_INPUTS)} (drawn inputs)" for distance in found]


def _deliver(
    imported: "ImportedNetwork",
    json_file: str | None,
    arch: Path | None = None,
    notes: Sequence[str] = (),
    losses: Sequence[str] = (),
    far: Sequence[str] = (),
) -> None:
    """Say what was written, ``arch`` of a build, what is to be known, and how ``far`` the scores are."""
    files = {"arch": arch, "workload": imported.workload_path, "weights": imported.weights_path}
    known = (*imported.notes, *notes)

    def show(_: object) -> None:
        show_places(((what, str(path)) for what, path in files.items() if path is not None), _WIDTH)
        for word, texts in (("note", known), ("not said", losses), ("distance", far)):
            show_facts(((word, text) for text in texts), _WIDTH)

    distances = [f"distance {text}" for text in far]
    deliver(written(files, notes=(*known, *distances), losses=losses), json_file, show)
