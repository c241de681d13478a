"""``bnnsim import finn``: a FINN build becomes a workload with its weights and an architecture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.network.network import resolve_network
from bnnsim.design.streaming.units import Mvau, StreamingGraph, Window
from bnnsim.files.whole import replace_files
from bnnsim.importers.draft.write import ImportedNetwork, checked_name, write_network
from bnnsim.importers.finn.build import Build, read_build
from bnnsim.importers.finn.chain import Chain, NodeUnit, chain_of
from bnnsim.importers.finn.depths import Depths, read_depths
from bnnsim.importers.finn.folding import AT_ENDS, Folding, folded, type_of
from bnnsim.importers.finn.hardware import Hardware, architecture_of, read_hardware
from bnnsim.importers.finn.nodes import DataflowNode, is_dataflow, is_finn_model, kind_of
from bnnsim.importers.finn.predicted import predicted_chain
from bnnsim.importers.finn.translation import Translation, translated
from bnnsim.importers.onnx.lowering import ImportOptions, SignOfZero
from bnnsim.importers.onnx.network import (
    DEFAULT_FIXED,
    ImageRange,
    LoweredModel,
    import_options,
    lower_model,
    workload_name,
)
from bnnsim.spec.faults import InputError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import FrameSource
from bnnsim.spec.yaml.write import architecture_text

DEFAULT_DEVICE, DEFAULT_CLOCK_MHZ = "xc7z020", 100.0


@dataclass(frozen=True)
class FinnDesign:
    """A FINN graph as a design: its network, its architecture, and which node is which unit.

    ``losses`` are what of FINN's hardware the architecture cannot say, node by node.
    """

    build: Build
    chain: Chain
    lowered: LoweredModel
    design: Design
    depths: Depths
    losses: tuple[str, ...]


@dataclass(frozen=True)
class ImportedFinn:
    """What an import of FINN's files has written."""

    network: ImportedNetwork
    architecture: StreamingArchitecture
    architecture_path: Path
    losses: tuple[str, ...]
    notes: tuple[str, ...]


def import_finn(
    path: str | Path,
    out_dir: str | Path,
    name: str | None = None,
    *,
    folding: str | Path | None = None,
    device: str | None = None,
    clock_mhz: float | None = None,
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: ImageRange | None = None,
    sign_of_zero: SignOfZero = "exact",
    real_layers: str | None = None,
    force: bool = False,
) -> ImportedFinn:
    """Import a FINN build folder or model; write ``<name>.yaml``, ``<name>.npz`` and
    ``<name>-finn.yaml``, the architecture, into ``out_dir``.

    Args:
        path: a build's output folder, or an ONNX file of FINN: dataflow nodes of any age, or a
            streamlined graph.
        out_dir: where the files go.
        name: the workload's name; default: the file's or folder's.
        folding: a ``folding_config.json`` or ``final_hw_config.json`` laid over the nodes; default
            for a folder: its own, where the model does not hold it already.
        device: the part; default: as the build says, else xc7z020.
        clock_mhz: default: as the build says, else 100.
        fixed: the word of what stands around the hardware, as in :func:`import_onnx`.
        input_type: as there.
        image_range: as there.
        sign_of_zero: as there.
        real_layers: as there.
        force: replace files of that name that hold something else.

    Returns:
        The files, and what of FINN's hardware the architecture does not say.

    Raises:
        InputError: a file cannot be read, or holds what has no place here; nothing is written then.

    Example:
        >>> from bnnsim import import_finn
        >>> found = import_finn("mlp-build", "networks")
        >>> found.architecture_path.name, found.architecture.layers["fc0"].simd
        ('mlp-build-finn.yaml', 8)
    """
    chosen = checked_name(name) if name is not None else workload_name(path)
    told = import_options(fixed, input_type, image_range, sign_of_zero, None, real_layers)
    found = read_finn(path, chosen, folding, device, clock_mhz, told)
    arch = found.design.architecture
    text = architecture_text(arch, [f"FINN's hardware of {Path(path).name}, as imported."])
    target = Path(out_dir) / f"{arch.name}.yaml"
    if not force and target.exists() and target.read_bytes() != text.encode():
        expected = "no file of this name, or --force to replace it"
        raise InputError(str(target), expected, "one that differs")
    network = write_network(
        out_dir, found.lowered.workload, found.lowered.arrays, found.lowered.notes, force=force
    )
    replace_files({target: text.encode()})
    return ImportedFinn(network, arch, target, found.losses, found.build.notes)


def read_finn(
    path: str | Path,
    name: str,
    folding: str | Path | None = None,
    device: str | None = None,
    clock_mhz: float | None = None,
    told: ImportOptions | None = None,
) -> FinnDesign:
    """As :func:`import_finn`, writing nothing."""
    build = read_build(Path(path), folding)
    if not any(is_dataflow(node) for node in build.model.graph.node) and build.folding is not None:
        return _without_nodes(build, build.folding, name, device, clock_mhz, told)
    translation = translated(build.model, str(path))
    lowered = lower_model(translation.model, str(path), name, told or import_options())
    if build.folding is not None:
        translation = replace(translation, nodes=folded(translation.nodes, build.folding))
    return design_of(build, translation, lowered, name, device, clock_mhz)


def design_of(
    build: Build,
    translation: Translation,
    lowered: LoweredModel,
    name: str,
    device: str | None,
    clock_mhz: float | None,
) -> FinnDesign:
    """The design that the nodes of a build describe."""
    return _designed(build, chain_of(translation, lowered), lowered, name, device, clock_mhz)


def _without_nodes(
    build: Build,
    folding: Folding,
    name: str,
    device: str | None,
    clock_mhz: float | None,
    told: ImportOptions | None,
) -> FinnDesign:
    """A QONNX model or a streamlined graph, folded as a file says for the nodes FINN makes of it."""
    model = (
        translated(build.model, str(build.path)).model
        if is_finn_model(build.model)
        else build.model
    )
    lowered = lower_model(model, str(build.path), name, told or import_options())
    chain = predicted_chain(resolve_network(lowered.workload), str(build.path))
    nodes = folded(tuple(chain.nodes.values()), folding, at_ends=True)
    by_name = {node.name: node for node in nodes}
    units = {one: replace(unit, node=by_name[one]) for one, unit in chain.units.items()}
    known = set(by_name)
    ends = [one for one in folding.names if one not in known and kind_of(type_of(one)) in AT_ENDS]
    losses = [
        f"{one}: in front of the first layer or behind the last, no unit here" for one in ends
    ]
    return _designed(build, Chain(by_name, units), lowered, name, device, clock_mhz, losses)


def _designed(
    build: Build,
    chain: Chain,
    lowered: LoweredModel,
    name: str,
    device: str | None,
    clock_mhz: float | None,
    losses: Sequence[str] = (),
) -> FinnDesign:
    network = resolve_network(lowered.workload)
    hardware = read_hardware(chain, network, build.queue_words)
    hardware.losses += losses
    if not any(node.kind in ("MVAU", "VVAU") for node in chain.nodes.values()):
        expected = "a graph with MVAU nodes (and their folding), or --folding FILE"
        raise InputError(str(build.path), expected, "none, only operators of a streamlined graph")
    parts = (
        f"{name}-finn",
        f"imported from {build.path.name}",
        device or build.device or DEFAULT_DEVICE,
        clock_mhz or build.clock_mhz or DEFAULT_CLOCK_MHZ,
        _frame_source(chain, lowered),
    )
    bare = build_streaming_design(architecture_of(hardware, *parts), lowered.workload)
    if _say_window_lanes(hardware, chain, bare):
        bare = build_streaming_design(architecture_of(hardware, *parts), lowered.workload)
    at_units = build.folding is not None and build.folding.says_depths_at_units
    depths = read_depths(chain, bare.graph, at_units)
    hardware.losses += [*_windows(chain, bare.graph), *depths.losses]
    arch = architecture_of(hardware, *parts, depths.words)
    design = build_streaming_design(arch, lowered.workload)
    return FinnDesign(build, chain, lowered, design, depths, tuple(hardware.losses))


def _say_window_lanes(hardware: Hardware, chain: Chain, bare: Design) -> bool:
    """Give windows FINN's own lanes where those of their MVAU would not come to them; whether any has."""
    others = False
    for one, window in _window_nodes(chain, bare.graph):
        node, lanes = bare.network.nodes[one.layer], one.node.number("SIMD")
        mvau = bare.graph.unit_by_name[f"{one.layer}.mvau"].parameters
        assert isinstance(mvau, Mvau)
        is_sayable = mvau.group_lanes == 1 and node.group_channels % lanes == 0
        if window.lanes != lanes and is_sayable:
            hardware.say(one.layer, simd_window=lanes)
            others = True
    return others


def _window_nodes(chain: Chain, graph: StreamingGraph) -> Iterator[tuple[NodeUnit, Window]]:
    """FINN's windows that are units of convolutions here."""
    for one in chain.units.values():
        unit = graph.unit_by_name.get(one.unit)
        if one.node.kind != "ConvolutionInputGenerator" or unit is None:
            continue
        if isinstance(unit.parameters, Window):
            yield one, unit.parameters


def _windows(chain: Chain, graph: StreamingGraph) -> list[str]:
    """Windows that are as wide as an architecture can say, which is not what FINN builds."""
    return [
        f"{one.node.name}: SIMD {one.node.number('SIMD')}; {window.lanes} lanes here"
        for one, window in _window_nodes(chain, graph)
        if window.lanes != one.node.number("SIMD")
    ]


_FIRST_LANES: Mapping[str, str] = {
    "MVAU": "SIMD",
    "ConvolutionInputGenerator": "SIMD",
    "FMPadding": "SIMD",
    "Thresholding": "PE",
}


def _frame_source(chain: Chain, lowered: LoweredModel) -> FrameSource:
    """Words as wide as the first unit reads them; a DMA's own where there is one."""
    bits = lowered.workload.input.type.bits
    dma = next((n for n in chain.nodes.values() if _brings_frames(n)), None)
    if dma is not None:
        width = dma.number("streamWidth", dma.number("intfWidth", 0))
        return FrameSource(width_bits=width) if width and width % bits == 0 else FrameSource()
    first = next((n for n in chain.nodes.values() if n.kind in _FIRST_LANES), None)
    if first is None:
        return FrameSource(inter_frame_gap_steps=0)
    lanes = first.number(_FIRST_LANES[first.kind], 1)
    return FrameSource(width_bits=lanes * bits, inter_frame_gap_steps=0)


def _brings_frames(node: DataflowNode) -> bool:
    """Whether a DMA reads frames; weights from outside come round and round."""
    is_in = node.kind == "IODMA" and node.text("direction", "in") == "in"
    return is_in and node.text("burstMode", "increment") != "wrap"
