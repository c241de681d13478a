"""``bnnsim list``: what there is by name, a line each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, get_args

import typer

from bnnsim.cli.console import deliver, output
from bnnsim.cli.facts import LEAST_TEXT, show_facts
from bnnsim.cli.options import JsonOption
from bnnsim.files.schema_version import versioned
from bnnsim.spec.library import shipped_names

Kind = Literal["archs", "workloads", "devices", "spaces", "layers", "units"]


@dataclass(frozen=True)
class Entry:
    """One thing that there is."""

    name: str
    """Its name, as commands and specs take it."""
    summary: str
    """What it is."""


@dataclass(frozen=True)
class Listing:
    """What there is of one kind."""

    kind: str
    """archs, workloads, devices, spaces, layers or units."""
    entries: tuple[Entry, ...]
    """Each, in the order of their names; layers and units as the reference has them."""


@dataclass(frozen=True)
class Listings:
    """What there is by name."""

    listings: tuple[Listing, ...]
    """A list for each kind that was asked for."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned(asdict(self))


def command(
    kind: Annotated[
        Kind | None, typer.Argument(help=", ".join(get_args(Kind)) + "; default: all of them")
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """List shipped architectures, workloads, devices and spaces, and the kinds of layers and units."""
    listings = [listing(one) for one in ([kind] if kind else get_args(Kind))]
    deliver(Listings(tuple(listings)), json_file, _show)


def listing(kind: Kind) -> Listing:
    """All names of one kind, each with a line of what it is."""
    entries: Iterable[tuple[str, str]]
    match kind:
        case "archs":
            entries = ((name, _architecture(name)) for name in shipped_names("architecture"))
        case "workloads":
            entries = ((name, _workload(name)) for name in shipped_names("workload"))
        case "devices":
            entries = ((name, _device(name)) for name in shipped_names("device"))
        case "spaces":
            entries = ((name, _space(name)) for name in shipped_names("space"))
        case "layers":
            from bnnsim.spec.workload import Layer

            models = get_args(get_args(Layer)[0])
            entries = ((get_args(m.model_fields["op"].annotation)[0], _first(m)) for m in models)
        case "units":
            from bnnsim.design.streaming.units import UnitParameters

            entries = ((model.kind, _first(model)) for model in get_args(UnitParameters))
    return Listing(kind, tuple(Entry(name, summary) for name, summary in entries))


def _architecture(name: str) -> str:
    from bnnsim.spec.load import read_architecture

    spec = read_architecture(name).spec
    return f"{spec.style}, {len(spec.layers)} layers, {spec.device} at {spec.clock_mhz:g} MHz"


def _workload(name: str) -> str:
    from bnnsim.design.network.network import resolve_network
    from bnnsim.spec.load import load_workload

    network = resolve_network(load_workload(name))
    shape = " x ".join(str(extent) for extent in network.workload.input.shape)
    return f"{shape} {network.input.type}, {len(network.nodes)} layers, {network.macs:,} MACs"


def _device(name: str) -> str:
    from bnnsim.spec.load import load_device

    device = load_device(name).spec
    logic = f"{device.lut:,} LUT" if device.lut is not None else f"{device.alm:,} ALM"
    blocks = (
        f"{device.bram18:,} BRAM18" if device.bram18 is not None else f"{device.m20k:,} M20K"
    )
    uram = f", {device.uram:,} URAM" if device.uram else ""
    return "; ".join(
        [f"{logic}, {blocks}{uram}, {device.dsp:,} DSP", *device.boards, device.family]
    )


def _space(name: str) -> str:
    from bnnsim.search.space.alternatives import load_search_space

    space = load_search_space(name)
    found = f"{len(space.knob_names)} knobs on {', '.join(space.devices)} for "
    return found + "; ".join(space.workloads)


def _first(model: type) -> str:
    """The first sentence of a class's description."""
    text = " ".join((model.__doc__ or "").split("\n\n")[0].split()).replace("``", "")
    return text.partition(". ")[0].removesuffix(".") + "."


def _show(listings: Listings) -> None:
    for place, one in enumerate(listings.listings):
        if len(listings.listings) > 1:
            output.print(f"{'' if place == 0 else chr(10)}{one.kind}", markup=False)
        width = max(len(entry.name) for entry in one.entries) + 1
        room = max(output.width - width - 1, LEAST_TEXT)
        show_facts([(entry.name, _fitted(entry.summary, room)) for entry in one.entries], width)


def _fitted(summary: str, room: int) -> str:
    """A summary with as many of its parts behind semicolons as a line has room for."""
    parts = summary.split("; ")
    while len(parts) > 1 and len("; ".join(parts)) > room:
        parts.pop()
        parts[-1] = parts[-1].removesuffix(" …") + " …"
    return "; ".join(parts)
