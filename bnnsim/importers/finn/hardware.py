"""The architecture that FINN's nodes describe: lanes, memories, windows, libraries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bnnsim.design.network.network import Network, Node
from bnnsim.design.streaming.folding_rules import COMPUTING
from bnnsim.design.streaming.units import Window
from bnnsim.design.streaming.window_rules import window_obstacle
from bnnsim.importers.finn.chain import Chain, NodeUnit
from bnnsim.importers.finn.nodes import PASSING, DataflowNode
from bnnsim.spec.accelerator import WeightMemory
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import (
    FrameSource,
    LayerHardware,
    SlidingWindow,
    StreamLibrary,
    UnitDefaults,
)
from bnnsim.spec.workload import ConvLayer, WeightedLayer

MEMORIES: dict[str, WeightMemory] = {
    "auto": "auto",
    "block": "bram",
    "distributed": "lutram",
    "ultra": "uram",
}
"""FINN's ``ram_style`` and the memory of weights that it is."""
PRODUCTS = ("auto", "lut", "dsp")
"""FINN's ``resType``, which is what multiplies under the same names."""
STREAMED = ("internal_decoupled", "decoupled")
"""FINN's ``mem_mode`` of weights that a memory beside the unit streams to it."""


@dataclass
class Hardware:
    """What the nodes say, layer by layer, and what of it an architecture cannot say (``losses``)."""

    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    converters: StreamLibrary | None = None
    """Where most width converters come from; None where there are none."""
    queue_words: int = 0
    """Words that wait behind weight memories."""

    def say(self, layer: str, **values: Any) -> None:
        self.layers.setdefault(layer, {}).update(values)

    def lose(self, node: DataflowNode, what: str) -> None:
        self.losses.append(f"{node.name}: {what}")


def read_hardware(chain: Chain, network: Network, queue_words: int = 0) -> Hardware:
    """Lanes and styles of every layer; ``queue_words`` wait behind the memories that stream weights.

    Raises :class:`InputError` where a node's own do not fit it.
    """
    found = Hardware(converters=_converters(chain), queue_words=queue_words)
    for one in chain.units.values():
        match one.node.kind:
            case "MVAU":
                _matrix(found, one)
            case "VVAU":
                _vector(found, one)
            case "Thresholding" if one.part == "threshold":
                found.say(one.layer, pe=lanes(one.node, "PE", "NumChannels"))
            case "Thresholding":
                pe = lanes(one.node, "PE", "NumChannels")
                found.lose(one.node, f"a unit of its own (PE {pe}); part of {one.unit} here")
            case _ if one.part in ("affine", "prelu"):
                _scale(found, one, network)
            case "LabelSelect" if one.part:
                found.say(one.layer, pe=lanes(one.node, "PE", "Labels"))
            case "AddStreams":
                found.say(one.layer, pe=lanes(one.node, "PE", "NumChannels"))
            case "StreamingMaxPool" | "Pool":
                _pool(found, one, chain)
    for one in chain.units.values():
        if one.node.kind == "ConvolutionInputGenerator" and one.part == "window":
            _window(found, one, network)
    for one in chain.units.values():
        if one.node.kind == "FMPadding":
            _border(found, one, chain)
    for node in chain.nodes.values():
        if (
            node.attributes.get("backend")
            and node.kind not in PASSING
            and node.name not in chain.units
        ):
            found.lose(node, "no unit here")
    order = {name: place for place, name in enumerate(network.nodes)}
    for name, layer in network.nodes.items():  # box sums and passed bits that no unit of FINN's is
        if "pe" in found.layers.get(name, {}):
            continue
        if isinstance(layer.layer, WeightedLayer):
            found.say(name, pe=1, simd=1)
            found.losses.append(f"layer {name}: no MVAU of FINN's; PE 1, SIMD 1 here")
        elif isinstance(layer.layer, COMPUTING):
            found.say(name, pe=1)
            found.losses.append(f"layer {name}: no node of FINN's by itself; PE 1 here")
    found.layers = dict(sorted(found.layers.items(), key=lambda item: order.get(item[0], 0)))
    return found


def _scale(found: Hardware, one: NodeUnit, network: Network) -> None:
    pe, channels = one.node.number("PE", 1), network.nodes[one.layer].output.channels
    if pe < 1 or channels % pe:
        raise one.node.fault(f"PE that divides its {channels} channels", pe)
    found.say(one.layer, pe=pe)


def lanes(node: DataflowNode, key: str, whole_key: str, default: int | None = None) -> int:
    """PE or SIMD, a divisor of what it folds. Raises :class:`InputError`."""
    value, whole = node.number(key, default), node.number(whole_key)
    if value < 1 or whole % value:
        raise node.fault(f"{key} that divides {whole_key} {whole}", value)
    return value


def _matrix(found: Hardware, one: NodeUnit) -> None:
    node = one.node
    found.say(one.layer, pe=lanes(node, "PE", "MH"), simd=lanes(node, "SIMD", "MW"))
    _stores(found, one)


def _vector(found: Hardware, one: NodeUnit) -> None:
    node = one.node
    pe, kernel = lanes(node, "PE", "Channels"), node.pair("Kernel")
    simd = node.number("SIMD", 1 if node.library else kernel[0] * kernel[1])
    if simd < 1 or (kernel[0] * kernel[1]) % simd:
        raise node.fault(f"SIMD that divides the kernel's {kernel[0] * kernel[1]}", simd)
    found.say(one.layer, pe=pe, simd=simd)
    _stores(found, one)


def _memory(node: DataflowNode) -> WeightMemory:
    style = node.text("ram_style", "auto")
    if style not in MEMORIES:
        raise node.fault(f"a ram_style ({', '.join(MEMORIES)})", style)
    return MEMORIES[style]


def _stores(found: Hardware, one: NodeUnit) -> None:
    """The library of a matrix unit, its weights' memory, what multiplies, and how wide its sums are."""
    node = one.node
    library = node.library or "hls"
    products = node.text("resType", "auto")
    if products not in PRODUCTS:
        raise node.fault(f"a resType ({', '.join(PRODUCTS)})", products)
    types = {node.text("inputDataType"), node.text("weightDataType")}
    if library == "rtl" or types <= {"BIPOLAR", "BINARY"}:
        products = "auto"  # RTL units have their own, signs alone are no products
    found.say(one.layer, weights=_memory(node), units=library, products=products)
    bits = node.sum_bits() if library == "hls" else None
    if isinstance(bits, str):
        found.lose(node, f"accDataType {bits}; sums as wide as they must be here")
    elif bits is not None:
        found.say(one.layer, sum_bits=bits)
    mode = node.text("mem_mode", "internal_decoupled")
    if found.queue_words:
        is_streamed = mode in STREAMED
        found.say(one.layer, weight_queue_words=found.queue_words if is_streamed else 0)
    if mode.startswith("external") or mode == "dynamic":
        found.lose(node, f"mem_mode {mode}: weights come from outside; on the chip here")
    if node.number("runtime_writeable_weights", 0):
        found.lose(node, "runtime_writeable_weights: read-only here")


def _converters(chain: Chain) -> StreamLibrary | None:
    libraries = Counter(
        one.library for one in chain.nodes.values() if one.kind == "StreamingDataWidthConverter"
    )
    if not libraries:
        return None
    return "rtl" if libraries["rtl"] > libraries["hls"] else "hls"


def _pool(found: Hardware, one: NodeUnit, chain: Chain) -> None:
    """FINN's streaming pool of maps takes whole pixels whatever its PE; of one row it folds channels.

    Its other pool takes PE channels of windows that a unit in front lays out. Here a pool does so itself
    where windows neither overlap nor reach over the edge.
    """
    node = one.node
    if one.part == "mvau":
        found.say(one.layer, pe=1, simd=1)
        found.lose(node, "sums of a pool; an MVAU with PE 1, SIMD 1 here")
    elif node.kind == "Pool":
        pe, channels = lanes(node, "PE", "Channels", 1), node.number("Channels")
        found.say(one.layer, **({} if pe == channels else {"pe": pe}))
        window = chain.front(node)
        if window is not None and window.number("SIMD", pe) != pe:
            found.lose(window, f"SIMD {window.number('SIMD')}; its pool's PE {pe} here")
        if window is not None and not _needs_window(window, chain):
            found.lose(node, "windows of a unit in front; a pool that reads them itself here")
    elif 1 in node.pair("ImgDim") and lanes(node, "PE", "NumChannels", 1) != node.number(
        "NumChannels"
    ):
        found.lose(node, f"PE {node.number('PE', 1)}; whole pixels here")


def _needs_window(window: DataflowNode, chain: Chain) -> bool:
    """Whether a pool's windows overlap or reach over the edge."""
    border = chain.front(window)
    is_padded = border is not None and border.kind == "FMPadding"
    return is_padded or window.pair("ConvKernelDim") != window.pair("Stride", 1)


def _window(found: Hardware, one: NodeUnit, network: Network) -> None:
    node, layer = one.node, network.nodes[one.layer].layer
    simd = lanes(node, "SIMD", "IFMChannels")
    style: SlidingWindow = "rtl" if node.library == "rtl" else "row_buffer"
    if node.number("parallel_window", 0):
        style = "parallel"
    assert isinstance(layer, ConvLayer)
    if style == "row_buffer" and _is_barred(node, simd):
        style = "no_overlap"
    _check_map(node, network.nodes[one.layer], layer)
    found.say(one.layer, sliding_window=style)


def _check_map(node: DataflowNode, made: Node, layer: ConvLayer) -> None:
    """The map that a window says it walks is the one that comes in."""
    channels, height, width = made.input.shape
    top, left, bottom, right = layer.pad_tlbr
    comes = (channels, height + top + bottom, width + left + right)
    said = (node.number("IFMChannels"), *node.pair("IFMDim"))
    if said != comes:
        raise node.fault(f"IFMChannels and IFMDim {list(comes)} of the map before it", list(said))


def _is_barred(node: DataflowNode, simd: int) -> bool:
    height, width = node.pair("IFMDim")
    window = Window(
        "row_buffer",
        node.number("IFMChannels"),
        height,
        width,
        node.pair("ConvKernelDim"),
        node.pair("Stride", 1),
        node.pair("Dilation", 1),
        1,
        simd,
    )
    return window_obstacle(window) is not None


def _border(found: Hardware, one: NodeUnit, chain: Chain) -> None:
    simd = lanes(one.node, "SIMD", "NumChannels", one.node.number("NumChannels"))
    window = next(
        (u.node for u in chain.units.values() if u.layer == one.layer and u.part == "window"), None
    )
    if window is not None and window.number("SIMD") != simd:
        found.say(one.layer, simd_pad=simd)


def architecture_of(
    hardware: Hardware,
    name: str,
    source: str,
    device: str,
    clock_mhz: float,
    frame_source: FrameSource,
    fifo_words: dict[str, int] | None = None,
) -> StreamingArchitecture:
    """The layers' hardware as a spec; what most layers say is said once."""
    defaults: dict[str, Any] = {"memory": "per_layer"}
    libraries = {one["units"] for one in hardware.layers.values() if "units" in one}
    if hardware.converters is not None and libraries != {hardware.converters}:
        defaults["converters"] = hardware.converters
    for key in ("units", "sliding_window", "products"):
        said = Counter(one[key] for one in hardware.layers.values() if key in one)
        if said:
            defaults[key] = said.most_common(1)[0][0]
    for key in ("sum_bits", "weight_queue_words"):
        all_say = {one.get(key) for one in hardware.layers.values() if "simd" in one}
        if len(all_say) == 1 and None not in all_say:
            defaults[key] = all_say.pop()
    layers = {}
    for layer, own in hardware.layers.items():
        layers[layer] = LayerHardware(
            **{
                key: value
                for key, value in own.items()
                if defaults.get(key, "auto" if key in ("weights", "products") else None) != value
            }
        )
    losses = "; ".join(hardware.losses)
    return StreamingArchitecture(
        name=name,
        style="streaming",
        source=source,
        structure="inferred" if losses else "complete",
        notes=f"not as FINN builds it: {losses}" if losses else "",
        device=device,
        clock_mhz=clock_mhz,
        defaults=UnitDefaults(**defaults),
        frame_source=frame_source,
        layers=layers,
        fifo_words=fifo_words or {},
    )
