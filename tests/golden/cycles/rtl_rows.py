"""The measured RTL runs of ``rtl_cycles.csv`` as test benches: parameters of a row to a timing graph."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bnnsim.design.streaming.units import (
    Converter,
    Mvau,
    Padding,
    Threshold,
    Unit,
    UnitParameters,
    Window,
)
from bnnsim.spec.value_type import ValueType, integer_type
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit, build_bench
from bnnsim.timing.streaming.programs.unit_programs import unit_program

FRAMES = 5
NOT_MODELLED = {"memstream"}
Parameters = Mapping[str, int]


@dataclass(frozen=True)
class RtlRow:
    """One measured run: what stood on the bench, and the cycles that came out."""

    module: str
    parameters: Parameters
    ready_every: int
    words_in: int
    words_out: int
    latency_cycles: int
    frame0_cycles: int
    period_second_cycles: int
    period_last_cycles: int
    period_average_cycles: float
    buffer_words: int | None

    def __str__(self) -> str:
        values = "-".join(f"{key}{value}" for key, value in self.parameters.items())
        return f"{self.module}-{values}-ready_every_{self.ready_every}"

    @property
    def unit(self) -> Unit | None:
        """The unit measured; None for the FIFO, which is a channel."""
        if self.module == "fifo_Q_srl":
            return None
        name = "mvu_rtl" if self.module.startswith("mvu_rtl") else self.module
        return rtl_unit(_PARAMETERS[name](self.parameters))

    @property
    def bench(self) -> TimingGraph:
        """The module between an input that is always valid and the row's output pattern."""
        if self.unit is None:
            return _fifo_bench(self.parameters["depth"], self.words_in, self.ready_every)
        return build_bench(self.unit, self.ready_every)


def rtl_rows() -> list[RtlRow]:
    """Every row whose module is modelled."""
    with (Path(__file__).parent / "rtl_cycles.csv").open(newline="") as file:
        return [_row(r) for r in csv.DictReader(file) if r["module"] not in NOT_MODELLED]


def _row(row: Mapping[str, str]) -> RtlRow:
    assert row["in_valid"] == "always"
    return RtlRow(
        module=row["module"],
        parameters=json.loads(row["params"]),
        ready_every={"always": 1, "1-in-4": 4}[row["out_ready"]],
        words_in=int(row["words_in"]),
        words_out=int(row["words_out"]),
        latency_cycles=int(row["lat_first_out_cycles"]),
        frame0_cycles=int(row["frame0_cycles"]),
        period_second_cycles=int(row["period_2nd_frame"]),
        period_last_cycles=int(row["period_last_frame"]),
        period_average_cycles=float(row["period_avg"]),
        buffer_words=int(row["swg_buf_depth"]) if row["swg_buf_depth"] else None,
    )


def _window(style: str) -> Callable[[Parameters], UnitParameters]:
    def build(p: Parameters) -> UnitParameters:
        kernel, stride = p["k"], p.get("stride", 1)
        return Window(
            style=style,
            channels=p["ic"],
            height=p["idim"],
            width=p["idim"],
            kernel=(kernel, kernel),
            stride=(stride, stride),
            dilation=(1, 1),
            groups=1,
            lanes=p["simd"],
        )

    return build


def _threshold(p: Parameters) -> UnitParameters:
    return Threshold(
        pe=p["PE"],
        channels=p["C"],
        words=p["pixels"] * p["C"] // p["PE"],
        input_type=ValueType("int", p["WI"]),
        input_bits=p["WI"],
        output_type=ValueType("uint", p["N"]),
        thresholds=2 ** p["N"] - 1,
        compare=">=",
        deep_pipeline=bool(p["deep_pipeline"]),
    )


def _converter(p: Parameters) -> UnitParameters:
    bits, in_bits, out_bits = p["bits_per_frame"], p["ibits"], p["obits"]
    return Converter(in_bits, out_bits, bits // in_bits, bits // out_bits)


def _mvau(p: Parameters) -> UnitParameters:
    most = p["MW"] * 2 ** (p["w_bits"] - 1) * (2 ** p["act_bits"] - 1)
    sum_type = integer_type(-most, most)
    return Mvau(
        pe=p["PE"],
        simd=p["SIMD"],
        matrix_height=p["MH"],
        matrix_width=p["MW"],
        vectors=p["vectors"],
        groups=1,
        channel_block=p["MW"],
        weight_type=ValueType("int", p["w_bits"]),
        input_type=ValueType("uint", p["act_bits"]),
        sum_type=sum_type,
        accumulator="dot",
        output_type=sum_type,
        output_bits=sum_type.bits,
        thresholds=0,
        compare="",
        weight_memory="auto",
        memory_layout="per_layer",
    )


def _padding(p: Parameters) -> UnitParameters:
    border = (p["pad"],) * 4
    return Padding(p["ch"], p["dim"], p["dim"], border, 0, p["simd"])


_PARAMETERS: dict[str, Callable[[Parameters], UnitParameters]] = {
    "swg_rtl_default": _window("rtl"),
    "swg_rtl_parallel": _window("parallel"),
    "thresholding_rtl": _threshold,
    "dwc_rtl": _converter,
    "mvu_rtl": _mvau,
    "fmpadding_rtl": _padding,
}


def rtl_unit(parameters: UnitParameters) -> Unit:
    """A module of the RTL library alone on its bench: one port in, one out."""
    return Unit("module", "", parameters, "rtl", False, ("in",), ("out",))


def _fifo_bench(depth_words: int, words: int, ready_every: int) -> TimingGraph:
    """A FIFO between two wires: the bench's valid and ready reach its ends in the same cycle."""
    wire = unit_program(rtl_unit(Converter(1, 1, words, words)))
    channels = (
        Channel("in", 1, supplies=True),
        Channel("fifo", depth_words),
        Channel("out", 1, ready_every=ready_every),
    )
    units = (TimingUnit("before", wire, (0,), (1,)), TimingUnit("behind", wire, (1,), (2,)))
    return TimingGraph(units, channels, (1,))
