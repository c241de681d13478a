"""The reports that a FINN build leaves: estimates, the stitched design's simulation, synthesis."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bnnsim.files.json_object import read_json_object
from bnnsim.importers.finn.build import REPORTS
from bnnsim.spec.faults import InputError

_NAMES = (
    "estimate_network_performance",
    "estimate_layer_cycles",
    "estimate_layer_resources",
    "rtlsim_performance",
    "post_synth_resources",
)
_PREFIX = re.compile(r"^(StreamingDataflowPartition_\d+_)+")
_AMOUNTS = {"LUT": "lut", "FF": "ff", "DSP": "dsp", "URAM": "uram"}


@dataclass(frozen=True)
class NodeFigures:
    """What FINN says of one node: expected cycles a frame, and resources by our names."""

    cycles: int | None = None
    estimated: Mapping[str, int] = field(default_factory=dict)
    synthesised: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FinnReports:
    """All that a build's folder says; None where it has no such report.

    ``rtlsim`` and ``estimate``: latency and interval in cycles.
    """

    nodes: Mapping[str, NodeFigures]
    estimated_latency_cycles: int | None
    estimated_interval_cycles: int | None
    rtlsim_latency_cycles: int | None
    rtlsim_interval_cycles: int | None
    synthesised: Mapping[str, int]


def read_reports(folder: Path) -> FinnReports:
    """The reports in a build's folder. Raises :class:`InputError` on one that is damaged, or none."""
    found = {name: data for name in _NAMES if (data := _read(folder, name)) is not None}
    if not found:
        raise InputError(
            str(folder), f"a FINN build with reports, such as report/{_NAMES[1]}.json", "none"
        )
    place = str(folder)
    overall = found.get("estimate_network_performance", {})
    nodes: dict[str, dict[str, Any]] = {}
    for node, cycles in found.get("estimate_layer_cycles", {}).items():
        nodes.setdefault(node, {})["cycles"] = _whole(place, node, cycles)
    for node, amounts in found.get("estimate_layer_resources", {}).items():
        nodes.setdefault(node, {})["estimated"] = _amounts(place, node, amounts)
    placed: dict[str, dict[str, int]] = {}
    for node, amounts in found.get("post_synth_resources", {}).items():
        placed[node] = _amounts(place, node, amounts)
        if node != "(top)":
            nodes.setdefault(_PREFIX.sub("", node), {})["synthesised"] = placed[node]
    simulated = found.get("rtlsim_performance", {})
    latency = simulated.get("latency_cycles", simulated.get("cycles"))
    return FinnReports(
        {name: NodeFigures(**figures) for name, figures in nodes.items()},
        _optional(place, "critical_path_cycles", overall),
        _optional(place, "max_cycles", overall),
        None if latency is None else _whole(place, "latency_cycles", latency),
        _simulated_interval(simulated),
        placed.get("(top)", {}),
    )


def _simulated_interval(data: Mapping[str, Any]) -> int | None:
    """Cycles a frame once steady; None where only one frame ran, which tells none."""
    frames = data.get("N", data.get("batch_size", 1))
    if not isinstance(frames, int) or frames < 2:
        return None
    rate, clock = data.get("stable_throughput[images/s]"), data.get("fclk[mhz]")
    if not isinstance(rate, int | float) or not isinstance(clock, int | float) or rate <= 0:
        return None
    return round(clock * 1e6 / rate)


def _read(folder: Path, name: str) -> dict[str, Any] | None:
    for file in (folder / room / f"{name}.json" for room in (*REPORTS, "")):
        if file.is_file():
            return read_json_object(file, "a report of FINN, a JSON object")
    return None


def _optional(place: str, key: str, data: Mapping[str, Any]) -> int | None:
    return None if key not in data else _whole(place, key, data[key])


def _whole(place: str, key: str, value: Any) -> int:
    try:
        number = int(float(value))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{place}: {key}", "a whole number", json.dumps(value)[:60]) from None
    return number


def _amounts(place: str, node: str, data: Any) -> dict[str, int]:
    """Our names of resources; a block of 36 Kb is two of 18."""
    if not isinstance(data, dict):
        raise InputError(f"{place}: {node}", "an object of resources", json.dumps(data)[:60])
    found = {
        ours: _whole(place, f"{node}.{theirs}", data[theirs])
        for theirs, ours in _AMOUNTS.items()
        if theirs in data
    }
    blocks = [
        times * _whole(place, f"{node}.{key}", data[key])
        for key, times in (("BRAM_18K", 1), ("BRAM_36K", 2))
        if key in data
    ]
    return {**found, **({"bram18": sum(blocks)} if blocks else {})}
