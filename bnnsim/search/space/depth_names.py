"""FIFO depths of a space name streams: of its architecture as written, or else of its layers."""

from __future__ import annotations

import re

from pydantic import ValidationError

from bnnsim.design.network.network import INPUT, Network
from bnnsim.design.streaming.layout import build_streaming
from bnnsim.design.streaming.stream_builder import SINK, SOURCE
from bnnsim.spec.faults import Fault, near_names
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.yaml.source import SourceText

_COPY = re.compile(r"#[0-9]+$")


def written_depth_faults(source: SourceText, network: Network) -> list[Fault]:
    """Depths of a plain architecture that name streams which it does not have.

    Whatever else is wrong with it is said elsewhere.
    """
    try:
        spec = StreamingArchitecture.model_validate(source.data)
    except ValidationError:
        return []
    if not spec.fifo_words:
        return []
    _, faults = build_streaming(Loaded(spec, source), network)
    return [fault for fault in faults if fault.key.startswith("fifo_words.")]


def space_depth_faults(source: SourceText, network: Network) -> list[Fault]:
    """Depths of a space that no point has a stream for: its ends are units of no layer."""
    given = source.data.get("fifo_words")
    faults: list[Fault] = []
    for name in given if isinstance(given, dict) else ():
        ends = _COPY.sub("", str(name)).split("->")
        if len(ends) == 2 and all(_is_of_a_layer(end, network) for end in ends):
            continue
        expected = "a stream between two layers' units (writer->reader)"
        near = near_names(str(name).partition("->")[0], tuple(network.nodes))
        faults.append(source.fault(("fifo_words", name), expected, f"'{name}'", near))
    return faults


def _is_of_a_layer(unit: str, network: Network) -> bool:
    """Whether a unit's name is, or begins with, that of a layer; or of the frames' source or sink."""
    parts = unit.split(".")
    heads = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return not heads.isdisjoint((SOURCE, SINK, INPUT)) or any(head in network.nodes for head in heads)
