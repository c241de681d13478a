"""What FINN asks of a folding: which lanes divide what, how wide a stream may be.

Sources: the assertions of FINN's nodes and its SetFolding (finn-plus 1.6.1, Xilinx/finn of 2026): an
HLS stream has at most 8,191 bits, an HLS MVAU a SIMD of at least MW / 1024, a VVAU's SIMD is more than 1
only where its PE is all channels, the window in front of one is as wide as its PE, and a parallel window
takes all channels unless it is depthwise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bnnsim.importers.finn.chain import Chain
from bnnsim.importers.finn.nodes import DataflowNode
from bnnsim.spec.faults import Fault, near_divisors
from bnnsim.spec.streaming.hls_words import WIDEST_HLS_WORD_BITS, is_too_wide, weight_word_bits

_ROWS_PER_SIMD = 1024
_EMBEDDED = ("internal_embedded", "const")
"""Weights inside the node, also as FINN before 0.10 calls them."""
_WHOLE = {
    "FMPadding": (("SIMD", "NumChannels"),),
    "ConvolutionInputGenerator": (("SIMD", "IFMChannels"),),
    "MVAU": (("PE", "MH"), ("SIMD", "MW")),
    "VVAU": (("PE", "Channels"),),
    "Thresholding": (("PE", "NumChannels"),),
    "StreamingMaxPool": (("PE", "NumChannels"),),
    "Pool": (("PE", "Channels"),),
    "AddStreams": (("PE", "NumChannels"),),
    "DuplicateStreams": (("PE", "NumChannels"),),
    "LabelSelect": (("PE", "Labels"),),
}
"""Which attribute divides which."""


def broken_rules(chain: Chain, entries: Mapping[str, Mapping[str, Any]], file: str) -> list[Fault]:
    """Every rule that a folding breaks, by node; ``file`` stands in the faults."""
    found: list[Fault] = []
    for node in chain.nodes.values():
        said = _said(node, entries)
        for key, whole_key in _WHOLE.get(node.kind, ()):
            value, whole = said.get(key), said.get(whole_key)
            if isinstance(value, int) and isinstance(whole, int) and (value < 1 or whole % value):
                near = near_divisors(max(1, value), whole)
                expected = f"a divisor of {whole_key} {whole}"
                found.append(Fault(file, 0, f"{node.name}.{key}", expected, str(value), near))
        for key, expected, got in _of_kind(node, said, chain, entries):
            found.append(Fault(file, 0, f"{node.name}.{key}", expected, got))
    return found


def _said(node: DataflowNode, entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {**node.attributes, **entries.get(node.name, {})}


def takes_all_channels(node: DataflowNode) -> bool:
    """Whether a window, where it is parallel, has to be one of all channels at once."""
    return not node.number("depthwise", 0) and node.pair("ConvKernelDim") != (1, 1)


def _of_kind(
    node: DataflowNode,
    said: Mapping[str, Any],
    chain: Chain,
    entries: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, str, str]]:
    if node.kind == "MVAU":
        yield from _matrix(node, said)
    elif node.kind == "VVAU":
        yield from _vector(node, said, chain, entries)
    elif node.kind == "ConvolutionInputGenerator" and said.get("parallel_window"):
        kernel = node.pair("ConvKernelDim")
        if takes_all_channels(node) and said["SIMD"] != said["IFMChannels"]:
            yield "SIMD", f"all {said['IFMChannels']} channels (parallel_window)", str(said["SIMD"])
        bits = said["SIMD"] * math.prod(kernel) * bits_of(str(said.get("inputDataType", "")))
        yield from _width("SIMD", "its windows", bits, node.library)


def _matrix(node: DataflowNode, said: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    pe, simd = said["PE"], said["SIMD"]
    if node.library != "rtl" and simd * _ROWS_PER_SIMD < said["MW"]:
        yield "SIMD", f"at least MW / {_ROWS_PER_SIMD} = {said['MW'] / _ROWS_PER_SIMD:g}", str(simd)
    yield from _width("PE", "its weights", weights_width(said), node.library)
    yield from _width(
        "SIMD", "its input", simd * bits_of(str(said.get("inputDataType", ""))), node.library
    )
    yield from _width("PE", "its output", pe * bits_of(str(said.get("outputDataType", ""))), node.library)


def _vector(
    node: DataflowNode,
    said: Mapping[str, Any],
    chain: Chain,
    entries: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, str, str]]:
    pe, simd, area = said["PE"], said.get("SIMD", 1), math.prod(node.pair("Kernel"))
    if simd < 1 or area % simd:
        yield "SIMD", f"a divisor of the kernel's {area}", str(simd)
    if simd > 1 and pe != said["Channels"]:
        yield "PE", f"all {said['Channels']} channels where SIMD is above 1", str(pe)
    window = chain.front(node)
    if window is not None and window.kind == "ConvolutionInputGenerator":
        lanes = _said(window, entries)["SIMD"]
        if lanes != pe:
            yield "PE", f"as many as {window.name}'s SIMD, {lanes}", str(pe)
    yield from _width("PE", "its weights", weights_width({"SIMD": 1, **said}), node.library)


def weights_width(said: Mapping[str, Any]) -> int:
    """Bits of the widest word of a node's weights, by its attributes."""
    is_streamed = said.get("mem_mode", "internal_decoupled") not in _EMBEDDED
    bits = bits_of(str(said.get("weightDataType", "")))
    return weight_word_bits(said["PE"], said["SIMD"], bits, is_streamed)


def _width(key: str, what: str, bits: int, library: str) -> Iterator[tuple[str, str, str]]:
    if library != "rtl" and is_too_wide(bits):
        yield key, f"{what} within an HLS stream's {WIDEST_HLS_WORD_BITS:,} bits", f"{bits:,} bits"


def bits_of(data_type: str) -> int:
    """Bits of one of FINN's types; 1 where it says none."""
    if data_type in ("BIPOLAR", "BINARY", ""):
        return 1
    if data_type == "TERNARY":
        return 2
    digits = re.search(r"\d+", data_type)
    return int(digits[0]) if digits else 1
