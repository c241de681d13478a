"""``bnnsim compare-finn``: a FINN build's own reports beside the simulation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bnnsim.cli.console import deliver
from bnnsim.cli.facts import show_facts
from bnnsim.cli.fitted_table import Column, FittedTable
from bnnsim.cli.options import InputType, JsonOption
from bnnsim.cli.progress import Work
from bnnsim.files.whole import check_target

if TYPE_CHECKING:
    from bnnsim.finn.comparison import FinnComparison

MOST_FIFOS = 8


def command(
    build: Annotated[Path, typer.Argument(help="FINN's build folder, with its reports")],
    device: Annotated[str | None, typer.Option(help="the part; default: the build's")] = None,
    clock_mhz: Annotated[float | None, typer.Option(help="default: the build's", min=0.001)] = None,
    input_type: InputType = None,
    json_file: JsonOption = None,
) -> None:
    """Simulate a FINN build, and show FINN's estimates, rtlsim and synthesis beside it."""
    from bnnsim.finn.comparison import compare_with_finn

    check_target(json_file)
    with Work("simulating"):
        found = compare_with_finn(build, device, clock_mhz, input_type)
    deliver(found, json_file, show)


def show(found: "FinnComparison") -> None:
    """Print nodes, totals, and the FIFOs that stall."""
    cycles = _table("Cycles a frame, node by node", ("FINN", "here", "no word", "no room"))
    luts = _table("LUTs, node by node", ("estimate", "synthesis", "here"))
    for row in found.nodes:
        stalls = (row.stalled_on_input_cycles, row.stalled_on_output_cycles)
        _row(cycles, row.node, row.unit, row.estimated_cycles, row.simulated_cycles, *stalls)
        placed, expected = row.synthesised.get("lut"), row.estimated.get("lut")
        _row(luts, row.node, row.unit, expected, placed, row.modelled.get("lut"))
    cycles.show()
    luts.show()
    _line(
        "latency",
        found.estimated_latency_cycles,
        found.rtlsim_latency_cycles,
        found.simulated_latency_cycles,
    )
    _line(
        "interval",
        found.estimated_interval_cycles,
        found.rtlsim_interval_cycles,
        found.simulated_interval_cycles,
    )
    for key in ("lut", "ff", "bram18", "dsp"):
        _amount(
            key.upper(), found.estimated.get(key), found.synthesised.get(key), found.modelled[key]
        )
    for fifo in found.full_fifos[:MOST_FIFOS]:
        waits = f"its writer waits {fifo.stalled_cycles:,} cycles"
        text = f"{fifo.stream} ({fifo.depth_words:,} words): {waits}"
        show_facts([("full", text)])
    if found.limited_by:
        show_facts([("limited by", found.limited_by)])
    show_facts(("not as FINN", loss) for loss in found.losses)


def _table(title: str, columns: tuple[str, ...]) -> FittedTable:
    names = [Column("node", "name"), Column("unit", "name")]
    return FittedTable(title, [*names, *(Column(name) for name in columns)])


def _row(table: FittedTable, node: str, unit: str, *values: int | None) -> None:
    table.add(node, unit, *("" if value is None else f"{value:,}" for value in values))


def _line(name: str, estimated: int | None, measured: int | None, here: int | None) -> None:
    parts = [] if here is None else [f"{here:,} cycles here"]
    for label, value in (("FINN's rtlsim", measured), ("FINN's estimate", estimated)):
        if value is not None:
            best = here if measured is None else measured
            off = "" if best is None or value == best else f" ({(value - best) / best:+.1%})"
            parts.append(f"{label} {value:,}{off}")
    if measured is not None and here is not None:
        parts[0] += f" ({(here - measured) / measured:+.2%} of the rtlsim)"
    show_facts([(name, "; ".join(parts))])


def _amount(name: str, estimated: int | None, measured: int | None, here: int) -> None:
    said = [f"{here:,} here"]
    said += [] if estimated is None else [f"FINN's estimate {estimated:,}"]
    said += [] if measured is None else [f"after synthesis {measured:,}"]
    show_facts([(name, "; ".join(said))])
