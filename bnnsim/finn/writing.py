"""A streaming design as FINN's folding: attributes by node name, and what FINN cannot build of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.design.network.network import resolve_network
from bnnsim.design.streaming.units import (
    Add,
    LabelSelect,
    Mvau,
    Padding,
    Pool,
    Scale,
    Stream,
    Threshold,
    UnitParameters,
    Window,
)
from bnnsim.finn.correspondence import layer_pairs
from bnnsim.finn.rules import broken_rules, takes_all_channels
from bnnsim.importers.check.matching import told_options
from bnnsim.importers.finn.build import folding_in, read_build
from bnnsim.importers.finn.chain import Chain, NodeUnit
from bnnsim.importers.finn.depths import SHALLOW, Depths, Link, links, read_depths, ways
from bnnsim.importers.finn.folding import Folding, type_of
from bnnsim.importers.finn.hardware import MEMORIES, architecture_of, read_hardware
from bnnsim.importers.finn.network import design_of
from bnnsim.importers.finn.nodes import PASSING, DataflowNode, kind_of
from bnnsim.importers.finn.predicted import predicted_chain
from bnnsim.importers.finn.translation import translated
from bnnsim.importers.model import found_model
from bnnsim.importers.onnx.network import import_options, lower_model
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.hardware import FrameSource

Entries = dict[str, dict[str, Any]]
_STYLES = {memory: style for style, memory in MEMORIES.items()}
_POOL_KEYS = {"Pool": "PE", "ConvolutionInputGenerator": "SIMD"}
"""What a pool's channels a word are called at it and at the window in front."""
_WRITTEN = (
    *("PE", "SIMD", "parallel_window", "ram_style", "depth", "impl_style", "resType", "mem_mode"),
    *("runtime_writeable_weights", "inFIFODepths", "outFIFODepths", "depth_trigger_uram"),
    "depth_trigger_bram",
)
"""What a folding says of a node, in FINN's order, where the node has it."""


@dataclass(frozen=True)
class FinnFolding:
    """``entries``: attributes by node, ready for FINN; ``losses``: what of the design it cannot say.

    ``is_predicted``: the names are those that FINN 0.10 would give, not read from a model.
    """

    entries: Entries
    losses: tuple[str, ...]
    is_predicted: bool
    defaults: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """As FINN writes it: JSON with an indent of two."""
        return json.dumps({"Defaults": self.defaults, **self.entries}, indent=2)


@dataclass(frozen=True)
class _Model:
    """The nodes of a model, the design that they describe, and its streams' FIFOs."""

    chain: Chain
    design: Design
    depths: Depths
    base: Folding | None
    is_predicted: bool


def folding_of(design: Design, model: str | Path) -> FinnFolding:
    """The folding that makes FINN build ``design`` from ``model``, a build's folder or an ONNX file.

    What the design does not say (``mem_mode`` ...) stays as the model, or its own folding,
    says it; so does what the model has already. Raises :class:`SpecError` where the model holds another
    network, or the design breaks rules of FINN: every one of them.
    """
    found = _read(Path(model), design)
    names = layer_pairs(found.design.network, design.network, str(model))
    writer = _Writer(found, design, names)
    writer.write()
    faults = broken_rules(found.chain, writer.entries, str(model))
    if faults:
        raise SpecError(faults)
    defaults = {} if found.base is None else dict(found.base.data.get("Defaults", {}))
    return FinnFolding(writer.entries, tuple(writer.losses), found.is_predicted, defaults)


def _read(path: Path, design: Design) -> _Model:
    try:
        build = read_build(path, None)
    except SpecError:
        if path.is_dir() or not path.is_file():
            raise
        return _predicted(path, design)
    translation = translated(build.model, str(path))
    told = import_options(**told_options(design.network.workload))
    lowered = lower_model(translation.model, str(path), "model", told)
    if not any(node.kind in ("MVAU", "VVAU") for node in translation.nodes):
        return _predicted(path, design)
    found = design_of(build, translation, lowered, "model", None, None)
    base = build.folding or folding_in(path)
    return _Model(found.chain, found.design, found.depths, base, False)


def _predicted(path: Path, design: Design) -> _Model:
    """What FINN would make of the network in a QONNX model."""
    model = found_model(path).model()
    network = design.network
    told = import_options(**told_options(network.workload))
    workload = lower_model(model, str(path), "model", told).workload
    chain = predicted_chain(network, str(path))
    hardware = read_hardware(chain, network)
    source = FrameSource(inter_frame_gap_steps=0)
    parts = ("model", "", design.device.name, design.architecture.clock_mhz, source)
    bare = build_streaming_design(architecture_of(hardware, *parts), network.workload)
    layer_pairs(resolve_network(workload), network, str(path))
    return _Model(chain, bare, read_depths(chain, bare.graph), None, True)


class _Writer:
    def __init__(self, model: _Model, design: Design, names: dict[str, str]) -> None:
        self.model = model
        self.design = design
        self.names = names
        """The design's layer by the model's."""
        self.entries: Entries = {}
        self.losses: list[str] = []

    def write(self) -> None:
        same = self._streams_are_alike()
        base = self.model.base
        if base is not None:
            wires = [n for n in base.entries if kind_of(type_of(n)) in PASSING and not same]
            self.entries = {n: dict(base.data[n]) for n in base.entries if n not in wires}
        else:
            for node in self.model.chain.nodes.values():
                said = None if node.kind in PASSING and not same else _base(node)
                if said is not None:
                    self.entries[node.name] = said
        if not same and any(n.kind == "StreamingFIFO" for n in self.model.chain.nodes.values()):
            self.losses.append(
                "FIFO and converter nodes of the model are left out: with other lanes FINN inserts "
                "them anew (inFIFODepths and outFIFODepths say how deep)"
            )
        for one in self.model.chain.units.values():
            self._lanes(one)
        self._depths(same)
        self._unsaid()

    def _unit(self, unit: str) -> str:
        layer, dot, part = unit.partition(".")
        return f"{self.names.get(layer, layer)}{dot}{part}"

    def _pair(self, unit: str) -> tuple[UnitParameters, UnitParameters] | None:
        ours = self.design.graph.unit_by_name.get(self._unit(unit))
        theirs = self.model.design.graph.unit_by_name.get(unit)
        return None if ours is None or theirs is None else (ours.parameters, theirs.parameters)

    def _set(self, node: DataflowNode, **values: Any) -> None:
        self.entries.setdefault(self._name(node), {}).update(values)

    def _name(self, node: DataflowNode) -> str:
        """A node's entry; FINN parts a deep FIFO (``_1`` into ``_1_0``, ``_1_1``) after writing it."""
        whole = node.name.rpartition("_")[0]
        is_part = node.name not in self.entries and whole in self.entries
        return whole if is_part and node.kind == "StreamingFIFO" else node.name

    def _lanes(self, one: NodeUnit) -> None:
        """Lanes, where the design's are others than those that the model's nodes come to here."""
        pair = self._pair(one.unit)
        if pair is None:
            return
        node = one.node
        match pair:
            case Mvau() as ours, Mvau() as theirs:
                self._matrix(node, ours, theirs)
            case Window() as ours, Window() as theirs:
                self._window(node, ours, theirs)
            case Padding() as ours, Padding() as theirs if ours.lanes != theirs.lanes:
                self._set(node, SIMD=ours.lanes)
            case Threshold() as ours, Threshold() as theirs if ours.pe != theirs.pe:
                self._set(node, PE=ours.pe)
            case Pool() as ours, Pool() as theirs if ours.lanes != theirs.lanes:
                if node.kind in _POOL_KEYS:
                    self._set(node, **{_POOL_KEYS[node.kind]: ours.lanes})
            case Add() as ours, Add() as theirs if ours.lanes != theirs.lanes:
                self._set(node, PE=ours.lanes)
            case Scale() as ours, Scale() as theirs if ours.pe != theirs.pe:
                self._set(node, PE=ours.pe)
            case LabelSelect() as ours, LabelSelect() as theirs if ours.pe != theirs.pe:
                self._set(node, PE=ours.pe)

    def _matrix(self, node: DataflowNode, ours: Mvau, theirs: Mvau) -> None:
        if node.kind == "VVAU":
            if (ours.pe, ours.simd) != (theirs.pe, theirs.simd):
                channels = node.number("Channels")
                whole = ours.simd == 1 or ours.pe == channels
                self._set(node, PE=ours.pe, SIMD=ours.simd if whole else 1)
                if not whole:
                    self.losses.append(
                        f"{node.name}: SIMD {ours.simd} with PE {ours.pe}; a VVAU's SIMD grows only "
                        f"behind a PE of all {channels} channels: SIMD 1"
                    )
        elif node.kind == "MVAU":
            if ours.pe != theirs.pe:
                self._set(node, PE=ours.pe)
            if ours.simd != theirs.simd:
                self._set(node, SIMD=ours.simd)
        if ours.weight_memory != theirs.weight_memory and node.kind in ("MVAU", "VVAU"):
            self._set(node, ram_style=_STYLES[ours.weight_memory])
        if ours.products != theirs.products and node.kind in ("MVAU", "VVAU"):
            self._set(node, resType=ours.products)
        if ours.memory_layout == "per_pe" and node.kind in ("MVAU", "VVAU"):
            self.losses.append(f"{node.name}: a weight memory for each PE; FINN has one a layer")

    def _window(self, node: DataflowNode, ours: Window, theirs: Window) -> None:
        if node.kind != "ConvolutionInputGenerator":
            return
        parallel = ours.style in ("parallel", "line_buffer")
        if ours.style != theirs.style:
            if parallel != (theirs.style in ("parallel", "line_buffer")):
                self._set(node, parallel_window=int(parallel))
            if ours.style not in ("rtl", "parallel"):
                self.losses.append(f"{node.name}: a {ours.style} window; FINN builds its RTL one")
        whole = node.number("IFMChannels")
        if parallel and takes_all_channels(node):
            if node.number("SIMD") != whole:
                self._set(node, SIMD=whole)
            if ours.lanes != whole:
                self.losses.append(
                    f"{node.name}: {ours.lanes} lanes; a parallel window takes all channels: SIMD {whole}"
                )
        elif ours.lanes != theirs.lanes:
            reader = next(self.model.chain.next_nodes(node), None)
            lanes = ours.lanes
            if reader is not None and reader.kind == "VVAU":
                pair = self._pair(self.model.chain.units[reader.name].unit)
                lanes = pair[0].pe if pair is not None and isinstance(pair[0], Mvau) else 1
            self._set(node, SIMD=lanes)
            if lanes != ours.lanes:
                self.losses.append(
                    f"{node.name}: {ours.lanes} lanes; as wide as its VVAU's PE: SIMD {lanes}"
                )

    def _streams_are_alike(self) -> bool:
        """Whether the design has the model's streams, each as wide."""
        theirs = {(self._stream(s), s.width_bits) for s in self.model.design.graph.streams}
        return theirs == {(s.name, s.width_bits) for s in self.design.graph.streams}

    def _stream(self, stream: Stream) -> str:
        number = stream.name.partition("#")[2]
        name = f"{self._unit(stream.writer)}->{self._unit(stream.reader)}"
        return f"{name}#{number}" if number else name

    def _depths(self, same: bool) -> None:
        if same:
            self._same_streams()
            return
        waiting: dict[tuple[str, str], list[Link]] = {}
        for link in links(self.model.chain, self.model.design.graph):
            waiting.setdefault((self._unit(link.writer), self._unit(link.reader)), []).append(link)
        for path in ways(self.design.graph):
            between = waiting.get((path[0].writer, path[-1].reader))
            if not between:
                continue
            link = between.pop(0)
            if link.made is not None:
                self._set_depth(link.made, "outFIFODepths", link.output, path[0].depth_words)
            if link.read is not None:
                self._set_depth(link.read, "inFIFODepths", link.input, path[-1].depth_words)

    def _same_streams(self) -> None:
        ours, depths = self.design.graph.stream_by_name, self.model.depths
        for stream in self.model.design.graph.streams:
            words = ours[self._stream(stream)].depth_words
            if words == stream.depth_words:
                continue
            fifos = depths.holders.get(stream.name, ())
            if fifos:
                self._set(fifos[0], depth=words)
                for other in fifos[1:]:
                    if self._name(other) != self._name(fifos[0]):
                        self._set(other, depth=SHALLOW)
            for node, key, index in depths.ends.get(stream.name, ()):
                self._set_depth(node, key, index, words)
            if not fifos and stream.name not in depths.ends:
                self.losses.append(f"{stream.name}: {words} words; no FIFO of FINN's stands there")

    def _set_depth(self, node: DataflowNode, key: str, index: int, words: int) -> None:
        said = self.entries.setdefault(node.name, {})
        depths = list(said.get(key, node.numbers(key, (SHALLOW,))))
        depths += [SHALLOW] * (index + 1 - len(depths))
        depths[index] = words
        said[key] = depths

    def _unsaid(self) -> None:
        """What of the architecture has no word in a folding."""
        arch = self.design.architecture
        if arch.defaults.pipeline == "freezing":
            self.losses.append("pipeline freezing: FINN's units flush")
        if any(h.out_width_bits is not None for h in arch.layers.values()):
            self.losses.append("out_width_bits: FINN's converters follow from PE and SIMD")
        named = {self._unit(u.unit) for u in self.model.chain.units.values()}
        for unit in self.design.graph.units:
            if unit.computes and unit.name not in named:
                self.losses.append(f"{unit.name}: no node of FINN's")


def _base(node: DataflowNode) -> dict[str, Any] | None:
    """What a node says of itself."""
    said = {key: _plain(node.attributes[key]) for key in _WRITTEN if key in node.attributes}
    return said if said and node.attributes.get("backend") else None


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
